# One node is unreachable, or slow: the other nodes continue, nothing is confirmed
# that the node lacks, and it gets later what it has missed.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);
use Penstock::Proxy;

my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [ 'public.item = hash(id)', '* = all' ]);
my $pair = $nodes->pair;
$pair->source_sql('CREATE TABLE item (id int PRIMARY KEY, note text);
	INSERT INTO item SELECT n, n FROM generate_series(1, 1000) n');
$pair->source_sql('CREATE SCHEMA hidden;
	CREATE TABLE hidden.parted (LIKE public.item) PARTITION BY HASH (id)');
dropped_while_copied();
$nodes->run_or_die('clone');

my $proxy = Penstock::Proxy->start($pair->target);
$nodes->set_conninfo(b => $proxy->conninfo('node_b'));

# Away while it is followed.
my $follower = $nodes->start('follow');
$pair->source_sql('INSERT INTO item SELECT n, n FROM generate_series(1001, 2000) n');
$pair->wait_caught_up($follower);
$nodes->spread_ok('all nodes are there', item => 'id');

# What a node has applied before it goes is beyond where the source's WAL was
# when the follower began.
$pair->source_sql('UPDATE item SET note = note WHERE id BETWEEN 1001 AND 1500');
$pair->wait_caught_up($follower);
away();
$follower->wait_log(qr/target "b" is unreachable: the others go on/);
my $confirmed = $pair->confirmed_lsn;
my $before = $nodes->node_sql('b', 'SELECT count(*) FROM item');
$pair->source_sql('INSERT INTO item SELECT n, n FROM generate_series(2001, 3000) n;
	UPDATE item SET id = id + 10000 WHERE id <= 100');
wait_until('the others to go on', sub { others_have_all() });
pass('the others have what was written while it was away');
is($nodes->node_sql('b', 'SELECT count(*) FROM item'), $before,
	'the node has nothing new');
is($pair->confirmed_lsn, $confirmed,
	'what the node lacks is not confirmed');

# Status names it.
my ($status, $output) = $nodes->run('status', '--json');
my ($b) = grep { $_->{name} eq 'b' }
  @{ JSON::PP->new->decode($output)->{targets} };
ok(!$b->{reached}, 'status names the node that is away');

# It comes back.
back();
$follower->wait_log(qr/target "b" can be reached again/);
$pair->wait_caught_up($follower);
$nodes->spread_ok('the node is back', item => 'id');
$pair->stop_ok($follower);

# Away from the start.
away();
$follower = $nodes->start('follow');
$follower->wait_log(qr/target "b" is unreachable.*following with slot/s);
$pair->source_sql('DELETE FROM item WHERE id > 10000 OR id < 200');
wait_until('the others to go on', sub { others_have_all() });
pass('the others go on without a node that was never there');
$pair->stop_ok($follower, 'TERM', 'a follower without one of its nodes stops');
back();
$nodes->follow_to_end;
$nodes->spread_ok('after a start with all nodes', item => 'id');

# It accepts connections, and nothing more.
for my $sqlstate (qw(53100 53200 55P03))
{
	fail_with($sqlstate);
	$follower = $nodes->start('follow');
	$follower->wait_log(qr/target "b" is unreachable.*following with slot/s);
	write_rows();
	wait_until('the others to go on', sub { others_have_all() });
	pass("the others go on without a node that fails with $sqlstate");
	unlike($follower->log, qr/trying again/, 'and do not begin again');
	fail_no_more();
	$follower->wait_log(qr/target "b" can be reached again/);
	$pair->wait_caught_up($follower);
	$nodes->spread_ok("after $sqlstate", item => 'id');
	if ($sqlstate ne '53200')
	{
		my $mark = length $follower->log;
		fail_with($sqlstate);
		write_rows();
		wait_until('the node to be left out', sub {
			substr($follower->log, $mark) =~ /target "b" is unreachable/ });
		wait_until('the others to go on', sub { others_have_all() });
		pass("nor need they wait when it comes to $sqlstate");
		fail_no_more();
		$pair->wait_caught_up($follower);
	}
	$pair->stop_ok($follower);
}

# Slow: a lock keeps it from applying.
my $locker = $pair->target->background_psql('node_b');
$follower = $nodes->start('follow', '--memory=128MB');
$follower->wait_log(qr/following with slot/);
$locker->query_safe('BEGIN; LOCK TABLE item IN SHARE MODE');
$pair->source_sql('INSERT INTO item SELECT n, n FROM generate_series(20000, 21000) n');
wait_until('the others to go on', sub { others_have_all() });
pass('the others go on beside a node that is slow');
$pair->source_sql("INSERT INTO item SELECT n, repeat('x', 1000)
	FROM generate_series(30000, 31800) n");
wait_until('the others to go on', sub { others_have_all() });
wait_until('status to name the slow node', sub {
	($nodes->run('status'))[1] =~ /^b lags \d+ kB behind the others/m;
});
$locker->query_safe('COMMIT');
$locker->quit;
$pair->wait_caught_up($follower);
$nodes->spread_ok('the slow node has caught up', item => 'id');
$pair->stop_ok($follower);

done_testing();

# Who waits to drop a table while it is copied does not stop the copy for ever.
sub dropped_while_copied
{
	$pair->source_sql('CREATE TABLE gone (id int PRIMARY KEY);
		INSERT INTO gone SELECT generate_series(1, 2000)');
	$nodes->run_or_die('clone', '--schema-only');
	my $blocker = $pair->target->background_psql('node_b');
	$blocker->query_safe('BEGIN; LOCK TABLE gone IN SHARE MODE');
	my $clone = $nodes->start('clone', '--data-only');
	$pair->wait_for_sql('target',
		"SELECT count(*) > 0 FROM pg_locks WHERE NOT granted");
	my $drop = Penstock::Process->start(
		name => 'psql',
		command => [
			'psql', '--no-psqlrc', '--command=DROP TABLE gone',
			$pair->source->connstr($pair->name) ]);
	# Rows that were read before the node lets them in keep no lock.
	wait_until('the DROP to wait, or to be done', sub {
		!$drop->is_running
		  || $pair->source_sql(
			'SELECT count(*) > 0 FROM pg_locks WHERE NOT granted') eq 't';
	});
	$blocker->query_safe('COMMIT');
	$blocker->quit;
	is($clone->wait_exit, 0, 'a copy of a table that is being dropped')
	  or diag($clone->log);
	is($drop->wait_exit, 0, 'and then it is dropped');
	$nodes->run_or_die('drop');
	$nodes->recreate_nodes;
}

sub away
{
	$proxy->stop;
}

sub back
{
	$proxy->restart;
}

# Nodes a and c have their part.
# Rows of all nodes, which no one has yet.
sub write_rows
{
	$pair->source_sql("INSERT INTO item SELECT max(id) + n, 'more'
		FROM item, generate_series(1, 100) n GROUP BY n");
}

# The node lets nobody say how far it is.
sub fail_with
{
	my ($sqlstate) = @_;

	$nodes->node_sql('b', <<"END");
CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS
\$\$ BEGIN RAISE EXCEPTION USING ERRCODE = '$sqlstate'; END \$\$;
CREATE TRIGGER fail BEFORE UPDATE ON penstock.progress FOR EACH ROW
	EXECUTE FUNCTION public.fail();
ALTER TABLE penstock.progress ENABLE ALWAYS TRIGGER fail;
END
}

sub fail_no_more
{
	$nodes->node_sql('b', 'DROP FUNCTION public.fail() CASCADE');
}

sub others_have_all
{
	my %expected;

	for my $node ([ a => 0 ], [ c => 2 ])
	{
		my ($name, $remainder) = @$node;
		my $rows = $pair->source_sql("SELECT count(*), coalesce(sum(id), 0)
			FROM item WHERE satisfies_hash_partition('hidden.parted'::regclass,
				3, $remainder, id)");

		return 0 if $nodes->node_sql($name,
			'SELECT count(*), coalesce(sum(id), 0) FROM item') ne $rows;
	}
	return 1;
}
