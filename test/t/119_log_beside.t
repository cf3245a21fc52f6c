# A log beside the target: what is confirmed to the source is what the log has,
# whatever becomes of the target, and the target gets from the log what it has
# missed.  Exactly once, also if the follower is killed at any of its steps.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Log;
use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);
use Penstock::Session;

my $KILLED = 128 + 9;
my $MISUSED = 2;
my $KILLS = $ENV{PENSTOCK_ROUNDS} // 6;
my @POINTS = qw(fed.reading fed.joining fed.live log.after_write
  log.before_flush log.after_flush apply.before_commit apply.after_commit);

my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

my $pair = Penstock::Pair->new(
	source => [ 'logical_decoding_work_mem = 64kB', 'wal_sender_timeout = 10s' ]);
my $log = Penstock::Log->new($pair);
# Small, so that a queue in memory is soon too large.
my @OPTIONS = ('--log=' . $log->directory, '--memory=4MB', '--segment-size=256kB');

$pair->pgbench_init(2);
$pair->source_sql(
	'CREATE SEQUENCE number; CREATE TABLE numbered (number bigint, filler text)');
$pair->clone;
is_refused();
my $follower = $pair->start('follow', @OPTIONS);
$log->wait_slot;
at_the_tail();
target_away();
target_waits();
midway();
target_away_at_the_start();
killed();
ends_equal();
done_testing();

sub write_much
{
	my ($rows) = @_;

	# One that is sent before its commit, and many small ones.
	$pair->source_sql("INSERT INTO numbered
		SELECT nextval('number'), repeat('x', 50) FROM generate_series(1, $rows)");
	$pair->source_sql("DO \$\$ BEGIN FOR i IN 1 .. 200 LOOP
		INSERT INTO numbered SELECT nextval('number'), repeat('y', 30)
		  FROM generate_series(1, $rows / 100);
		COMMIT; END LOOP; END \$\$");
	$pair->source_sql('UPDATE pgbench_accounts SET abalance = abalance + 1
		WHERE aid <= 300');
}

# Until the target has what is committed now.
sub wait_target
{
	my ($title) = @_;

	$pair->source_sql('INSERT INTO mark DEFAULT VALUES');
	my $lsn = $pair->source_lsn;
	$pair->source_sql('INSERT INTO mark DEFAULT VALUES');
	wait_until(
		"$title: the target to get to $lsn",
		sub {
			die "the follower has ended:\n" . $follower->log
			  if !$follower->is_running;
			return $pair->target_sql(
				"SELECT end_lsn >= '$lsn' FROM penstock.progress") eq 't';
		});
	$log->wait_recorded;
	$pair->equal_ok($title);
	my $numbers =
	  'SELECT count(*), count(DISTINCT number), min(number) FROM numbered';
	is($pair->target_sql($numbers), $pair->source_sql($numbers),
		"$title: nothing is missing, and nothing is there twice");
}

sub is_refused
{
	my $process = Penstock::Process->start(
		name => 'follow',
		command => [
			$ENV{PENSTOCK_BIN}, 'follow', '--source=log:' . $log->directory,
			'--target=' . $pair->conninfo('target'),
			'--name=' . $pair->name, @OPTIONS
		]);

	is($process->wait_exit, $MISUSED, 'a log beside a log is refused');
	like($process->log, qr/a pipeline that follows from a log has no other one/,
		'which is said');
}

sub at_the_tail
{
	write_much(2000);
	wait_target('at the tail');
	my @lines = $log->lines('--check');
	ok(scalar(@lines), 'the log is whole');
}

sub target_away
{
	$pair->target->stop('immediate');
	write_much(4000);
	$follower->wait_log(qr/is unreachable: the others go on, and the log has everything/);
	$log->wait_recorded;
	pass('what is confirmed follows the log while the target is away');
	write_much(1000);
	$log->wait_recorded;
	ok($follower->is_running, 'the follower goes on');
	$pair->target->start;
	wait_target('back again');
	like($follower->log, qr/target is fed from the log from LSN/,
		'it was fed from the log');
	like($follower->log, qr/target has all that is in the log/,
		'and is at the tail again');
}

# It does not answer, because somebody has a lock.
sub target_waits
{
	my $session = Penstock::Session->new($pair->target, $pair->name);

	$session->run('BEGIN', 'LOCK TABLE numbered');
	write_much(30_000);
	$log->wait_recorded;
	write_much(30_000);
	$log->wait_recorded;
	pass('what is confirmed follows the log while the target waits');
	$session->end('COMMIT');
	wait_target('after a lock');
}

# In a transaction that comes after its commit, of which the target has a part.
sub midway
{
	my $session = Penstock::Session->new($pair->target, $pair->name);

	is($follower->end('TERM'), 0, 'the follower stops');
	$follower = $pair->start('follow', @OPTIONS, '--streaming=off');
	$log->wait_recorded;
	$session->run('BEGIN', 'LOCK TABLE numbered');
	$pair->source_sql("INSERT INTO numbered
		SELECT nextval('number'), repeat('z', 50) FROM generate_series(1, 200000)");
	$log->wait_recorded;
	$follower->wait_log(qr/target is fed from the log from LSN/);
	$session->end('COMMIT');
	wait_target('midway in a transaction');
}

sub target_away_at_the_start
{
	is($follower->end('TERM'), 0, 'the follower stops');
	$pair->target->stop('immediate');
	write_much(1000);
	$follower = $pair->start('follow', @OPTIONS);
	$log->wait_recorded;
	pass('it is recorded although the target was away at the start');
	$pair->target->start;
	wait_target('there after the start');
}

sub start_with
{
	my ($point) = @_;
	my @command = $pair->command('follow', @OPTIONS);

	$follower = Penstock::Process->start(
		name => 'follow',
		command => [ $ENV{PENSTOCK_FAULTS_BIN}, @command[ 1 .. $#command ] ],
		environment => { PENSTOCK_FAULT => "$point:" . (1 + int rand 2) });
}

sub killed
{
	my $script = "$PostgreSQL::Test::Utils::tmp_check/numbered.sql";

	append_to_file($script, <<'END');
BEGIN;
INSERT INTO numbered SELECT nextval('number'), repeat('x', 50)
  FROM generate_series(1, 900);
SAVEPOINT s;
INSERT INTO numbered SELECT -1, repeat('y', 50) FROM generate_series(1, 300);
ROLLBACK TO s;
INSERT INTO numbered VALUES (nextval('number'), NULL);
END;
END
	is($follower->end('TERM'), 0, 'the follower stops before it is killed');
	my $writers = $pair->start_pgbench('--client=4', '--rate=60',
		'--builtin=tpcb-like@19', "--file=$script\@1");
	for my $point ($ENV{PENSTOCK_FAULTS_BIN} ? @POINTS : ())
	{
		start_with($point);
		wait_until("the end at $point", sub { !$follower->is_running });
		is($follower->wait_exit, $KILLED, "killed at $point")
		  or diag($follower->log);
	}
	for my $kill (1 .. $KILLS)
	{
		$follower = $pair->start('follow', @OPTIONS);
		$follower->wait_log(qr/following with slot/);
		pause(rand 1.5);
		is($follower->end('KILL'), $KILLED, "killed at any moment, $kill");
	}
	$pair->end_pgbench($writers);
	$follower = $pair->start('follow', @OPTIONS);
	wait_target('after all kills');
}

sub ends_equal
{
	is($follower->end('TERM'), 0, 'the follower stops at the end');
	$pair->source_sql("INSERT INTO numbered VALUES (nextval('number'), NULL)");
	$pair->run_or_die('follow', @OPTIONS, '--endpos=' . $pair->source_lsn);
	$pair->equal_ok('followed to an end');
	from_a_file();
	ok(scalar($log->lines('--check')), 'the log is whole in the end');
}

sub from_a_file
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/penstock.ini";
	my $count = sub { scalar grep { /^insert mark / } $log->lines };
	my $before = $count->();

	append_to_file($file, "[log all]\ndirectory = " . $log->directory . "\n");
	$pair->source_sql('INSERT INTO mark DEFAULT VALUES');
	$pair->run_or_die('follow', "--config=$file",
		'--endpos=' . $pair->source_lsn);
	is($count->(), $before + 1, 'a log of the configuration file');
}
