# One database to four nodes: copied, followed while it is written to and nodes
# and consumer are killed, each row where PostgreSQL's hash partitioning has it.
# PENSTOCK_TEST_SCALE and PENSTOCK_TEST_KILLS make it larger.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);

my $SCALE = $ENV{PENSTOCK_TEST_SCALE} || 2;
my $KILLS = $ENV{PENSTOCK_TEST_KILLS} || 4;

my %keys = (
	pgbench_accounts => 'bid',
	pgbench_branches => 'bid',
	pgbench_tellers => 'bid',
	pgbench_history => 'bid',
	document => 'tenant, kind');

my $nodes = Penstock::Nodes->new(
	count => 4,
	placement => [
		'public.pgbench_* = hash(bid)',
		'public.document = hash(tenant, kind)',
		'public.currency = all',
		'public.audit = only c',
		'public.scratch = none',
		'public.mark = all',
	]);
my $pair = $nodes->pair;

# The key by which rows are spread has to be in the replica identity.
$pair->pgbench_init($SCALE);
$pair->source_sql('
	ALTER TABLE pgbench_accounts DROP CONSTRAINT pgbench_accounts_pkey,
		ADD PRIMARY KEY (aid, bid);
	ALTER TABLE pgbench_tellers DROP CONSTRAINT pgbench_tellers_pkey,
		ADD PRIMARY KEY (tid, bid);
	CREATE TABLE currency (code text PRIMARY KEY, rate numeric);
	CREATE TABLE audit (id serial PRIMARY KEY, note text);
	CREATE TABLE scratch (id serial PRIMARY KEY, note text);
	CREATE TABLE document (id int, tenant int, kind text, body text,
		PRIMARY KEY (id, tenant, kind));
	ALTER TABLE document REPLICA IDENTITY FULL,
		ALTER body SET STORAGE EXTERNAL;
	INSERT INTO currency SELECT chr(64 + n), n FROM generate_series(1, 20) n;
	INSERT INTO audit (note) SELECT md5(n::text) FROM generate_series(1, 50) n;
	INSERT INTO scratch (note) SELECT md5(n::text) FROM generate_series(1, 50) n;
	INSERT INTO document SELECT n, n % 50, CASE WHEN n % 3 > 0 THEN md5(n::text) END,
			repeat(md5(n::text), CASE WHEN n % 10 = 0 THEN 200 ELSE 1 END)
		FROM generate_series(1, 1000) n WHERE n % 3 > 0;
	INSERT INTO document SELECT n, -n, \'\', NULL FROM generate_series(2000, 2010) n');

like($nodes->run_or_die('config check'), qr/4 targets, 6 rules/,
	'config check reads the file');

# Copying while it is written to.
my $writers = $pair->start_pgbench('--client=3');
my $movers = $pair->start_pgbench('--client=2', '--file=' . mover());
my $follower = $nodes->start('clone', '--follow', '--jobs=2');
$follower->wait_log(qr/following with slot/);

# Following, with interruptions of the worst kind.
for my $kill (1 .. $KILLS)
{
	my $moved = moves();

	wait_until('rows that move', sub { moves() > $moved + 30 });
	disturb($kill);
}
die "the movers have failed:\n" . $movers->log unless $movers->is_running;
$movers->end('INT');
$pair->end_pgbench($writers);
$pair->wait_caught_up($follower);
all_ok('the writers have stopped');

# The whole of a table, and all of several.
$pair->source_sql('TRUNCATE audit, scratch, document;
	INSERT INTO audit (note) VALUES (1); INSERT INTO document VALUES (1, 2, 3, 4)');
$pair->wait_caught_up($follower);
all_ok('after a truncate');
$pair->stop_ok($follower);

# What each node remembers.
is( join(', ',
		map { $nodes->node_sql($_, 'SELECT remainder, modulus FROM penstock.node') }
		  $nodes->names),
	'0|4, 1|4, 2|4, 3|4',
	'each node knows which of how many it is');
$nodes->run_or_die('drop');
is( $nodes->node_sql('a', "SELECT to_regclass('penstock.node')"),
	'', 'drop removes what the nodes remember');

done_testing();

# Rows go from tenant to tenant, with and without their large values changing.
sub mover
{
	my $file = "$ENV{TESTDATADIR}/mover.sql";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle <<'SQL';
\set id random(1, 1000)
\set tenant random(1, 50)
\set rate random(1, 100)
BEGIN;
UPDATE document SET tenant = :tenant WHERE id = :id;
UPDATE document SET kind = md5(:tenant::text) WHERE id = :id + 1;
UPDATE document SET tenant = tenant + 1, body = body || 'x' WHERE id = :id + 2;
UPDATE currency SET rate = :rate WHERE code = chr(64 + :rate % 20);
INSERT INTO audit (note) VALUES (:rate);
COMMIT;
BEGIN;
SELECT pg_advisory_xact_lock(:id + 3); -- an id is never there twice
DELETE FROM document WHERE id = :id + 3;
INSERT INTO document VALUES (:id + 3, :tenant, 'new', repeat('y', 5000));
COMMIT;
SQL
	close $handle or die "could not write \"$file\": $!\n";
	return $file;
}

# The nodes' server is killed, or the consumer, or that is stopped.
sub disturb
{
	my ($kill) = @_;

	if ($kill % 3 == 0)
	{
		$pair->target->stop('immediate');
		$pair->target->start;
		return;
	}
	$follower->end($kill % 3 == 1 ? 'TERM' : 'KILL');
	$follower = $nodes->start('follow');
}

sub moves
{
	return $pair->source_sql('SELECT count(*) FROM audit');
}

sub all_ok
{
	my ($when) = @_;

	$nodes->spread_ok($when, %keys);
	$nodes->copied_ok($when, 'currency', $nodes->names);
	$nodes->copied_ok($when, 'audit', 'c');
	$nodes->empty_ok($when, 'audit', qw(a b d));
	is($nodes->node_sql($_, "SELECT to_regclass('scratch')"), '',
		"$when: scratch, which is placed nowhere, is not on $_")
	  for $nodes->names;
}
