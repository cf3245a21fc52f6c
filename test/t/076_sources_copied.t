# Several sources: tables that were not copied are followed from none of them.
# Each start of a stream is logged with its reason.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;
use Penstock::Shards;

my $FAILED = 1;
my $KILLED = 128 + 9;
my $pair = Penstock::Pair->new;

not_copied();
servers_away();
streams_have_reasons();
done_testing();


# Tables of both, in parts; one of them is left out of the copy, one is made
# later, and the target gets both.
sub not_copied
{
	my $shards = Penstock::Shards->new(
		name => 'two',
		sources => {
			a => [ $pair->source, 'shard_a' ],
			b => [ $pair->source, 'shard_b' ],
		},
		nodes => { all => [ $pair->target, 'whole' ] },
		placement => [
			'public.kept = hash(id)', 'public.avoided = hash(id)',
			'public.later = hash(id)', '* = all from a' ]);
	my %first = (a => 1, b => 1000);

	$shards->sources_sql("CREATE TABLE kept (id int PRIMARY KEY);
		CREATE TABLE avoided (id int PRIMARY KEY);
		CREATE PUBLICATION two FOR TABLE kept, avoided");
	$shards->source_sql($_,
		"INSERT INTO kept SELECT generate_series($first{$_}, $first{$_} + 9);
		 INSERT INTO avoided SELECT generate_series($first{$_}, $first{$_} + 9)")
	  for qw(a b);
	{
		local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN};
		local $ENV{PENSTOCK_FAULT} = 'clone.built';
		my ($status) = $shards->run('clone', '--exclude-table=avoided');
		is($status, $KILLED, 'a clone is killed');
	}
	my (undef, $output) = $shards->run('status');
	my $interrupted = () = $output =~ /clone was interrupted: \d+ of \d+ tables/g;
	is($interrupted, 2, 'status tells it of both sources') or diag($output);
	$shards->run_or_die('clone', '--restart', '--exclude-table=avoided');
	is($shards->node_sql('all', "SELECT string_agg(DISTINCT pipeline, ' ' ORDER BY pipeline)
		FROM penstock.copied"), 'two_a two_b', 'each pipeline knows what it has copied');
	is($shards->node_sql('all', 'SELECT count(*) FROM kept'), 20, 'both are copied');
	$shards->node_sql('all', 'CREATE TABLE avoided (id int PRIMARY KEY)');

	my $follower = $shards->start('follow');
	$shards->source_sql(b => 'INSERT INTO kept VALUES (2000)');
	$shards->source_sql(b => 'INSERT INTO avoided VALUES (2000)');
	is($follower->wait_exit, $FAILED, 'what was not copied is not followed');
	like($follower->log,
		qr/error follow: source "b": table "public"."avoided" was not copied to target "all"/,
		'which is said');
	is($shards->node_sql('all', 'SELECT count(*) FROM avoided'), 0,
		'nothing of it arrives');
	is($shards->node_sql('all', 'SELECT count(*) FROM kept WHERE id = 2000'), 1,
		'what came before does');
	$shards->run_or_die('drop');
	is($shards->node_sql('all', "SELECT count(*) FROM pg_namespace
		WHERE nspname = 'penstock'"), 0, 'nothing is left of either');
	return;
}

# A clone of two sources waits for a server that is away, as one of a single
# source does: while the rows of the one or of the other are copied, and when all
# of them are there.  No row is there twice, and what comes meanwhile is followed.
sub servers_away
{
	my $shards = Penstock::Shards->new(
		name => 'away',
		sources => {
			a => [ $pair->source, 'away_a' ],
			b => [ $pair->source, 'away_b' ],
		},
		nodes => {
			x => [ $pair->target, 'away_x' ],
			y => [ $pair->target, 'away_y' ],
		},
		placement => [
			'public.big = hash(id)', 'public.small = hash(id)',
			'public.keyless = hash(n)', '* = all from a' ]);
	my %keys = (big => 'id', small => 'id', keyless => 'n');

	$shards->sources_sql("CREATE TABLE big (id int PRIMARY KEY, v text);
		CREATE TABLE small (id int PRIMARY KEY, v text);
		CREATE TABLE keyless (n int, v text);
		ALTER TABLE keyless REPLICA IDENTITY FULL;
		CREATE TABLE reference (id int PRIMARY KEY, v text);
		CREATE PUBLICATION away FOR ALL TABLES;
		INSERT INTO reference SELECT n, 'v' FROM generate_series(1, 100) n");
	for my $source (qw(a b))
	{
		my $first = $source eq 'a' ? 0 : 100_000;

		$shards->source_sql($source, "INSERT INTO big
			SELECT $first + n, repeat('x', 500) FROM generate_series(1, 2500) n;
			INSERT INTO small SELECT $first + n, 'v' FROM generate_series(1, 500) n;
			INSERT INTO keyless SELECT $first + n % 50, 'v'
			  FROM generate_series(1, 500) n");
	}
	my @moments = (
		'copying tables of source "a"',
		'copying tables of source "b"',
		'building indexes');
	for my $case (map { my $moment = $_; map { [ $_, $moment ] } qw(source target) }
		@moments)
	{
		my ($side, $moment) = @$case;
		my $title = "$side away, $moment";
		my $clone = $shards->start('clone', '--max-rate=1MB/s', '--jobs=3');
		my $other;

		$clone->wait_log(qr/copying tables of source "a"/);
		if ($moment =~ /building/)
		{
			# Its key is not built as long as this stays.
			$other = Penstock::Session->new($pair->target, 'away_x');
			$other->run('BEGIN', 'LOCK TABLE big IN ROW EXCLUSIVE MODE');
		}
		$clone->wait_log(qr/$moment/);
		# Some tables are there from both, and some are not.
		wait_until('a table to be noted', sub {
			$shards->node_sql('x', 'SELECT count(finished_at) > 0
				FROM penstock.copy_table') eq 't' }) if $moment =~ /"b"/;
		$pair->$side->stop('immediate');
		$other->end('ROLLBACK') if $other && $side eq 'source';
		$clone->wait_log(qr/the clone waits for its servers/);
		$pair->$side->start;
		$shards->sources_sql("UPDATE big SET v = 'changed' WHERE id % 10 = 0;
			DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless LIMIT 3);
			INSERT INTO keyless VALUES (1, 'new')");
		is($clone->wait_exit, 0, "$title: the clone ends with status 0")
		  or diag($clone->log);
		my $follower = $shards->start('follow');
		$shards->wait_caught_up($follower, "INSERT INTO keyless VALUES (2, 'mark')");
		$shards->gathered_ok($title, %keys);
		$shards->merged_ok($title, 'reference', $_, 'a') for qw(x y);
		$pair->stop_ok($follower);
		$shards->run_or_die('drop');
		for my $node (qw(x y))
		{
			$pair->target->safe_psql('postgres', "DROP DATABASE away_$node WITH (FORCE)");
			$pair->target->safe_psql('postgres', "CREATE DATABASE away_$node");
		}
	}
}

# As often as the source says that it decodes for the slot, the log says why.
sub streams_have_reasons
{
	my $begin = qr/LOG:  starting logical decoding for slot "reasons"/;
	my $reason = qr/
		begins\ again | trying\ again | starting\ again | the\ fence\ is\ gone
	/x;
	my $db = $pair->with_database('reasons');

	$db->source_sql('CREATE TABLE a (id int PRIMARY KEY);
		CREATE TABLE b (id int PRIMARY KEY)');
	$db->clone;
	$db->run_or_die('table', 'pause', 'b');

	my $before = -s $db->source->logfile;
	my $follower = $db->start('follow');
	$follower->wait_log(qr/following with slot/);
	$db->source_sql('INSERT INTO a VALUES (1)');
	$db->wait_caught_up($follower);
	$db->source_sql('SELECT pg_terminate_backend(active_pid)
		FROM pg_replication_slots WHERE active');
	$follower->wait_log(qr/trying again.*following with slot/s);
	$db->run_or_die('table', 'resync', 'b');
	$db->source_sql('INSERT INTO b VALUES (1)');
	$db->wait_caught_up($follower);
	$db->equal_ok('all of it is there');
	$db->stop_ok($follower);

	my $streams = () = slurp_file($db->source->logfile, $before) =~ /$begin/g;
	my $reasons = () = $follower->log =~ /$reason/g;
	cmp_ok($streams, '>', 2, 'streams began more than once');
	is($reasons, $streams - 1, 'each for a reason but the first')
	  or diag($follower->log);
	return;
}
