# Rare events: a subtransaction that dropped a table is rolled back after a piece
# of its transaction was sent; and failures after a commit.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(pause);
use Penstock::Session;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $FAILED = 1;
my $pair = Penstock::Pair->new(source => ['logical_decoding_work_mem = 64kB']);
my %modes = (
	batch => [],
	transaction => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ]);

dropped_and_rolled_back();
refused_behind_commit($_, @{ $modes{$_} }) for sort keys %modes;
stopped_at_a_commit();
done_testing();

# It is not gone.
sub dropped_and_rolled_back
{
	$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	$pair->clone;

	my $follower = $pair->start('follow');
	my $session = Penstock::Session->new($pair->source, $pair->name);
	$session->run(
		'BEGIN',
		'CREATE TABLE gone AS SELECT generate_series(1, 5000) n',
		'CREATE TABLE back AS SELECT generate_series(1, 5000) n',
		'DROP TABLE gone',
		'SAVEPOINT s',
		'DROP TABLE back',
		'INSERT INTO t SELECT generate_series(1, 5000)');
	$pair->wait_caught_up;
	$session->end('ROLLBACK TO s', 'COMMIT');
	is($follower->wait_exit, $FAILED, 'the follower stops');
	like($follower->log, qr/"back" was not copied/, 'at the table that is there');

	$pair->run_or_die('table', 'add', 'back');
	$pair->source_sql('INSERT INTO t VALUES (0)');
	$pair->follow_to_end;
	$pair->equal_ok('when it was added');
}

# The target does not say where its log is; the rows, which no key tells apart,
# have been committed, and are not applied again.
sub refused_behind_commit
{
	my ($mode, @options) = @_;
	my $db = $pair->with_database("behind_$mode");

	$db->source_sql('CREATE TABLE k (n int)');
	$db->target->safe_psql($db->name, <<"END");
CREATE ROLE plain_$mode LOGIN;
GRANT SET ON PARAMETER session_replication_role TO plain_$mode;
GRANT CREATE ON DATABASE behind_$mode TO plain_$mode;
GRANT CREATE ON SCHEMA public TO plain_$mode;
END
	$db->set_conninfo('target',
		$db->target->connstr($db->name) . " user=plain_$mode");
	$db->clone('--no-owner');
	$db->target_sql('REVOKE EXECUTE ON FUNCTION pg_current_wal_flush_lsn() FROM public');
	for my $n (1 .. 30)
	{
		$db->source_sql("INSERT INTO k SELECT $n FROM generate_series(1, 10)");
	}
	$db->fails_like($FAILED, qr/permission denied for function pg_current_wal_flush_lsn/,
		"$mode: it is said", 'follow', '--endpos=' . $db->source_lsn, @options);
	$db->target_sql('GRANT EXECUTE ON FUNCTION pg_current_wal_flush_lsn() TO public');
	$db->follow_to_end(@options);
	$db->equal_ok("$mode: and nothing is applied twice");
}

# The follower is told to stop when the commit of a transaction that it has
# applied while open is on its way: what it then notes of earlier ones must not
# move the progress back, although it is the last to arrive.
sub stopped_at_a_commit
{
	my $db = $pair->with_database('stopped', publish => '');

	$db->source_sql('CREATE TABLE t (n int, v text);
		CREATE TABLE unpublished (n int, v text);
		CREATE PUBLICATION stopped FOR TABLE t, mark');
	$db->clone;
	$db->target->safe_psql('postgres', "ALTER SYSTEM SET wal_writer_delay = '10s'");
	$db->target->reload;
	my $follower = $db->start('follow', '--streaming=on');
	my $open = Penstock::Session->new($db->source, $db->name);
	my $sessions = "SELECT pid FROM pg_stat_activity
		WHERE datname = current_database() AND application_name";

	# Of what is for us nothing is left to come with the commit.
	$open->run('BEGIN', map { "INSERT INTO $_
		SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n" } qw(t unpublished));
	$db->wait_for_sql('target',
		"SELECT count(*) = 1 FROM ($sessions LIKE 'penstock+%'
			AND state = 'idle in transaction'
			AND clock_timestamp() - state_change > '500ms') s");
	my ($side) = $db->target_sql("$sessions LIKE 'penstock+%'");
	my ($main) = $db->target_sql('SELECT lease_holder FROM penstock.progress') =~ /(\d+)/;

	# One that is there and not yet on disk.
	$db->source_sql('INSERT INTO mark DEFAULT VALUES');
	$db->wait_for_sql('target', 'SELECT count(*) = 1 FROM mark');
	kill 'STOP', $side;
	$open->end('COMMIT');
	my $lsn = $db->source_lsn;
	$db->wait_for_sql('source', "SELECT sent_lsn >= '$lsn' FROM pg_stat_replication
		WHERE application_name = 'stopped'");
	pause(0.2); # for what the follower then sends, which nobody sees
	kill 'STOP', $main;
	$follower->signal('TERM');
	pause(0.2);
	kill 'CONT', $side;
	$db->wait_for_sql('target', 'SELECT count(*) = 3000 FROM t');
	kill 'CONT', $main;
	is($follower->wait_exit, 0, 'it stops');
	$db->follow_to_end;
	is($db->target_sql('SELECT count(*), count(DISTINCT n) FROM t'), '3000|3000',
		'no row is lost or there twice');
}
