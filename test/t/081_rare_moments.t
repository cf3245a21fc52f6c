# Moments that are rare: a subtransaction that dropped a table is rolled back
# after a piece of its transaction was sent; and what fails behind a commit.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Session;

my $FAILED = 1;
my $pair = Penstock::Pair->new(source => ['logical_decoding_work_mem = 64kB']);
my %modes = (
	batch => [],
	transaction => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ]);

dropped_and_rolled_back();
refused_behind_commit($_, @{ $modes{$_} }) for sort keys %modes;
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
