# A recorder is killed at each of its steps, and at moments that nobody chose,
# also with what was not flushed lost: the log loses nothing and has nothing
# twice.  A target that is fed from it is equal to the source.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Log;
use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);

my $KILLED = 128 + 9;
my $KILLS = $ENV{PENSTOCK_ROUNDS} // 12;
my @POINTS = qw(log.before_create log.after_create log.before_write
  log.after_write log.before_flush log.after_flush log.segment_complete
  log.before_rename log.before_replace log.after_replace
  log.before_open_write);

my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB']);
my $log = Penstock::Log->new($pair);

$pair->pgbench_init(2);
$pair->source_sql(
	'CREATE SEQUENCE number; CREATE TABLE numbered (number bigint, filler text)'
);
$pair->clone;
my $writers = $pair->start_pgbench('--client=4', '--rate=40',
	'--builtin=tpcb-like@19', '--file=' . script() . '@1');
at_each_point() if $ENV{PENSTOCK_FAULTS_BIN};
at_any_moment();
writes_are_lost();
$pair->end_pgbench($writers);
ends_equal();
done_testing();

# Large enough to be sent before its commit.
sub script
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/numbered.sql";

	append_to_file($file, <<'END');
BEGIN;
INSERT INTO numbered SELECT nextval('number'), repeat('x', 50)
  FROM generate_series(1, 900);
SAVEPOINT s;
INSERT INTO numbered SELECT -1, repeat('y', 50) FROM generate_series(1, 300);
ROLLBACK TO s;
INSERT INTO numbered VALUES (nextval('number'), NULL);
END;
END
	return $file;
}

# Has the whole log read once, by the program that knows only the guide: it sees
# to the order of transactions, their changes, and that no segment is missing.
sub is_whole
{
	my ($title) = @_;

	ok(scalar($log->lines('--check')), "$title: the log is whole");
}

sub at_each_point
{
	for my $point (@POINTS)
	{
		my $recorder = Penstock::Process->start(
			name => 'record',
			command => [ $ENV{PENSTOCK_FAULTS_BIN}, faults_options() ],
			environment => {
				PENSTOCK_FAULT => "$point:" . (1 + int rand 2) });
		wait_until("the end at $point",
			sub { !$recorder->is_running || $point =~ /rename|replace/ });
		$recorder->end('KILL') if $recorder->is_running;
		is($recorder->wait_exit, $KILLED, "killed at $point")
		  or diag($recorder->log);
	}
	is_whole('killed at each step');
}

# Without this no moment would be late enough to have recorded something.
sub wait_more
{
	my $before = $log->confirmed;

	wait_until('more to be recorded',
		sub { $log->confirmed ne $before });
}

sub faults_options
{
	my @command = $log->command('--segment-size=64kB');

	return @command[ 1 .. $#command ];
}

sub at_any_moment
{
	for my $kill (1 .. $KILLS)
	{
		my $recorder = $log->start('--segment-size=256kB');

		$recorder->wait_log(qr/recording slot/);
		wait_more() if $kill % 2;
		pause(rand 0.6);
		is($recorder->end('KILL'), $KILLED, "the recorder is killed, $kill")
		  or diag($recorder->log);
	}
	is_whole('killed at any moment');
}

# With a library that writes only when a file is flushed, or sometimes at once.
sub writes_are_lost
{
	my $library = lost_writes();

	for my $kill (1 .. $KILLS)
	{
		my $recorder = Penstock::Process->start(
			name => 'record',
			command => [ $log->command('--segment-size=256kB') ],
			environment => { LD_PRELOAD => $library });
		$recorder->wait_log(qr/recording slot/);
		wait_more() if $kill % 2;
		pause(rand 0.6);
		is($recorder->end('KILL'), $KILLED,
			"the recorder is killed, and writes are lost, $kill")
		  or diag($recorder->log);
	}
	is_whole('writes lost');
}

sub lost_writes
{
	my $library = "$PostgreSQL::Test::Utils::tmp_check/lost_writes.so";

	system_or_bail('cc', '-shared', '-fPIC', '-O1', '-o', $library,
		"$ENV{PENSTOCK_STAGE}/test/t/lib/lost_writes.c");
	return $library;
}

sub follower
{
	my ($end) = @_;

	return Penstock::Process->start(
		name => 'follow',
		command => [
			$ENV{PENSTOCK_BIN}, 'follow',
			'--source=log:' . $log->directory,
			'--target=' . $pair->conninfo('target'),
			'--name=' . $pair->name, "--endpos=$end"
		]);
}

# A log of other publications, or of another origin, than the pipeline has.
sub other_contents
{
	my ($end) = @_;
	my $file = $log->directory . '/log.conf';
	my $described = slurp_file($file);

	like($described, qr/^database = \w+$/m, 'the log names the database');
	for my $option (qw(publications origin))
	{
		(my $changed = $described) =~ s/^($option) = .*/$1 = none/m;
		unlink $file;
		append_to_file($file, $changed);
		my $follower = follower($end);
		isnt($follower->wait_exit, 0, "a log with other $option is refused");
		like($follower->log,
			qr/has --$option=none, and pipeline "\w+" has --$option=\w+/,
			'both are named');
	}
	unlink $file;
	append_to_file($file, $described);
}

sub ends_equal
{
	my $end = $pair->source_lsn;
	my ($status, $said) = $log->run;

	is($status, 0, 'it records to the end') or diag($said);
	is_whole('in the end');
	other_contents($end);
	my $follower = follower($end);
	is($follower->wait_exit, 0, 'a target follows the log')
	  or diag($follower->log);
	$pair->equal_ok('fed from the log');
	my $numbers = 'SELECT count(*), count(DISTINCT number), min(number) FROM numbered';
	is($pair->target_sql($numbers), $pair->source_sql($numbers),
		'no number is missing, and none is there twice');
	my ($verified) = run_command([ $ENV{PENSTOCK_BIN}, 'log', 'verify', $log->directory ]);
	like($verified, qr/^has +\d+ transactions/m, 'the log is verified');
	unlike($verified, qr/^damaged/m, 'and nothing is damaged');
}
