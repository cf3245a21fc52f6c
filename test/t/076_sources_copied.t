# Several sources: what was not copied is followed from none of them.  And each
# start of a stream has its reason in the log.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Shards;

my $FAILED = 1;
my $KILLED = 128 + 9;
my $pair = Penstock::Pair->new;

not_copied();
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
	my $broken_off = () = $output =~ /clone was interrupted: \d+ of \d+ tables/g;
	is($broken_off, 2, 'status tells it of both sources') or diag($output);
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
