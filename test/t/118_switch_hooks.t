# Commands that run before and after a switch: they have PgBouncer hold back the
# sessions of pgbench, and let them go on at the other server, so that none of
# them sees an error.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Crowd;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Pooler;
use Penstock::Session;

plan skip_all => 'pgbouncer is not installed'
  unless Penstock::Pooler::is_installed();

my $KILLED = 128 + 9;
my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $pair = Penstock::Pair->new;
my $pooler = Penstock::Pooler->start($pair->source, mode => 'transaction');
my $console = $pooler->conninfo('pgbouncer');
my ($before, $after) = scripts();
my @hooks = ("--before=$before", "--after=$after");

$pair->source_sql(Penstock::Crowd::tables_sql());
$pair->clone;
my $follower = follow();
my $crowd = Penstock::Crowd->start($pair, writers => 16,
	places => [ ($pooler->conninfo($pair->name)) x 2 ]);
grows('source');

# There and back.
switch_ok('there', [ 'source', 'target' ], @hooks);
switch_ok('back', [ 'target', 'source' ], '--back', @hooks);
$crowd->check;

# Undone: they go on where they were.
my $session = Penstock::Session->new($pair->source, $pair->name);
$session->run('BEGIN', 'LOCK TABLE account IN ROW EXCLUSIVE MODE');
$pair->fails_like(1, qr/could not lock the tables/, 'a switch that is undone',
	'switch', '--max-wait=2', @hooks);
$session->end('COMMIT');
grows('source');

# Commands that fail.
$pair->fails_like(1, qr/running the command of --before/,
	'a command before that fails', 'switch', '--before=echo why; false');
my ($status, undef, $log) = $pair->run('switch', '--before=sleep 100',
	"--after=$after", '--max-wait=2');
is($status, 1, 'a command before that does not end');
like($log, qr/the command of --before has not ended within 2 s/, 'it is said');
grows('source');

# Killed with the command of --before run, and no further in the next attempt:
# the command of --after is due.
{
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = 'switch.locked';

	($status) = $pair->run('switch', @hooks);
	is($status, $KILLED, 'killed with the locks');
}
$pair->target->safe_psql($pair->name, 'ALTER TABLE entry ADD CONSTRAINT later'
	  . ' CHECK (true) NOT VALID');
$pair->fails_like(1, qr/later/, 'the next attempt gets nowhere', 'switch',
	@hooks);
$pair->target->safe_psql($pair->name, 'ALTER TABLE entry DROP CONSTRAINT later');
grows('source');

# Killed before the command: the next attempt runs it.
{
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = 'switch.committed';

	($status) = $pair->run('switch', @hooks);
	is($status, $KILLED, 'killed after the commit');
}
switch_ok('completed', [ 'source', 'target' ], @hooks);
$crowd->check;

# One that fails when the writes were moved leaves them there.
$crowd->end('target');
$pair->fails_like(1, qr/Run that command yourself.*running the command of --after/s,
	'a command after that fails', 'switch', '--back', '--after=exit 3');
isnt($follower->wait_exit, 0, 'the follower ends');
$follower = follow();
$pair->wait_caught_up($follower);
complete_ok($_) for qw(source target);
is(() = glob("$crowd->{logs}/write_*.out"), 2,
	'no session of pgbench had to connect anew');
$pair->stop_ok($follower);
$pair->run_or_die('finish');
$pair->run_or_die('drop');
$pooler->stop;
done_testing();

# The guide has them like this.
sub scripts
{
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my %port = (source => $pair->source->port, target => $pair->target->port);
	my $file = $pooler->host . '/pooler.ini';

	append_to_file("$directory/after", <<"END_OF_FILE");
case \$PENSTOCK_WRITES in
source) port=$port{source} ;;
target) port=$port{target} ;;
*) exit 1 ;;
esac
sed -i "/^\\* = /s/ port=[0-9]*/ port=\$port/" $file &&
psql -X -d '$console' -c RELOAD -c RESUME
END_OF_FILE
	return ("psql -X -d '$console' -c PAUSE", "sh $directory/after");
}

sub follow
{
	my (@options) = @_;
	my $process = $pair->start('follow', @options);

	$process->wait_log(qr/following with slot/);
	return $process;
}

sub grows
{
	my ($side) = @_;
	my $count = 'SELECT count(*) FROM entry';
	my $begin = $pair->$side->safe_psql($pair->name, $count);

	$crowd->check;
	wait_until("rows at the $side", sub {
		$crowd->check;
		$pair->$side->safe_psql($pair->name, $count) > $begin + 100 });
	pass("pgbench writes at the $side");
}

sub switch_ok
{
	my ($title, $way, @options) = @_;
	my ($exit, $output, $said) = $pair->run('switch', @options);

	is($exit, 0, $title) or BAIL_OUT($said);
	like($output, qr/ran the command of --after/, "$title: the command is run");
	isnt($follower->wait_exit, 0, "$title: the follower ends");
	$follower = follow($way->[1] eq 'target' ? '--back' : ());
	grows($way->[1]);
}

sub complete_ok
{
	my ($side) = @_;
	my $name = $pair->name;

	is($pair->$side->safe_psql($name, Penstock::Crowd::committed_sql()),
		$crowd->committed, "$side: each row that was committed is there once");
	is($pair->$side->safe_psql($name, 'SELECT sum(balance) FROM account'),
		$crowd->committed_count, "$side: so is each change");
}
