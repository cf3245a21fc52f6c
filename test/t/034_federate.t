# One database to query over all nodes: the same answers as on the source, from
# one node where a key is named, from all at once where none is.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;

my $nodes = Penstock::Nodes->new(
	count => 4,
	placement => [
		'public.branch = hash(bid)',
		'public.account = hash(bid)',
		'sales."Order of the day, with a name as long as they may be, or so" = hash(region, day)',
		'public.flag = hash(flag, day, at)',
		'public.long* = hash(id)',
		'public.currency = all',
		'public.audit = only c',
		'public.scratch = none',
		'public.mark = all',
	]);
my $pair = $nodes->pair;
my $order = 'sales."Order of the day, with a name as long as they may be, or so"';
# They differ in what no name has room for beside a number.
my @long = map { 'long' . 'x' x 58 . $_ } qw(a b);
my $coordinator = $pair->target->connstr('coordinator');

sub coordinator_sql
{
	my ($sql) = @_;

	return $pair->target->safe_psql('coordinator', $sql);
}

sub plan_of
{
	my ($query, $setting) = @_;

	return coordinator_sql(($setting ? "SET $setting = on; " : '')
		. "EXPLAIN (VERBOSE, COSTS OFF) $query");
}

$pair->source_sql(<<"SQL");
CREATE EXTENSION citext;
CREATE SCHEMA sales;
CREATE TYPE sales.mood AS ENUM ('sad', 'ok', 'it''s "fine"');
CREATE DOMAIN cents AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE TABLE branch (bid int PRIMARY KEY, name citext COLLATE "C" NOT NULL);
CREATE TABLE account (aid int, bid int, balance cents, moods sales.mood[],
	doubled numeric GENERATED ALWAYS AS (balance * 2) STORED,
	gone int, PRIMARY KEY (aid, bid));
ALTER TABLE account DROP COLUMN gone;
CREATE TABLE $order (id int, region text, day date, "What, where" varchar(20),
	mood sales.mood, PRIMARY KEY (id, region, day));
CREATE TABLE flag (flag bool, day date, at timestamptz);
CREATE TABLE currency (code text PRIMARY KEY, rate numeric);
CREATE TABLE audit (id int PRIMARY KEY, note text);
CREATE TABLE scratch (id int PRIMARY KEY);
CREATE TABLE $long[0] (id int PRIMARY KEY); CREATE TABLE $long[1] (id int PRIMARY KEY);
INSERT INTO $long[0] SELECT generate_series(1, 10); INSERT INTO $long[1] SELECT generate_series(1, 20);
INSERT INTO branch SELECT n, 'Branch ' || n FROM generate_series(1, 40) n;
INSERT INTO account SELECT n, 1 + n % 40, n, '{sad, ok}' FROM generate_series(1, 2000) n;
INSERT INTO $order SELECT n, 'region ' || n % 7, '2026-01-01'::date + n % 30,
	'x', 'it''s "fine"' FROM generate_series(1, 500) n;
INSERT INTO flag SELECT f, d, t FROM unnest('{t,f,NULL}'::bool[]) f,
	unnest('{infinity,-infinity,2000-01-01,1999-12-31,4713-01-01 BC,5874897-12-31,NULL}'::date[]) d,
	unnest('{infinity,-infinity,2000-01-01 00:00+00,2026-06-01 12:00:00.5+07,NULL}'::timestamptz[]) t;
INSERT INTO currency VALUES ('EUR', 1), ('CHF', 1.1);
INSERT INTO audit SELECT n, 'note' FROM generate_series(1, 10) n;
SQL
$nodes->run_or_die('clone');
$nodes->follow_to_end;

$nodes->spread_ok('keys of many types', flag => 'flag, day, at', branch => 'bid',
	$order => 'region, day');
$pair->target->safe_psql('postgres', 'CREATE DATABASE coordinator');

# Printed, it is for psql; applied, it is there.
my $script = $nodes->run_or_die('federate');

like($script, qr/MODULUS 4, REMAINDER 3/, 'federate prints the statements');
unlike($script, qr/scratch/, 'a table that is nowhere is left out');
$pair->target->safe_psql('postgres', 'CREATE DATABASE printed');
$pair->target->safe_psql('printed', $script);
is($pair->target->safe_psql('printed', 'SELECT count(*) FROM account'), 2000,
	'and can be run');
$nodes->run_or_die('federate', '--apply', "--coordinator=$coordinator");

for my $query (
	'SELECT count(*), sum(balance), min(doubled) FROM account',
	'SELECT bid, sum(balance) FROM account GROUP BY bid ORDER BY bid',
	'SELECT b.name, sum(a.balance) FROM branch b JOIN account a USING (bid)
		GROUP BY b.name ORDER BY 1',
	'SELECT * FROM account WHERE bid = 17 ORDER BY aid',
	'SELECT * FROM branch ORDER BY bid',
	"SELECT count(*) FROM $long[0]", "SELECT count(*) FROM $long[1]",
	"SELECT region, day, mood, count(*) FROM $order GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
	"SELECT * FROM $order WHERE region = 'region 3' AND day = '2026-01-12' ORDER BY id",
	'SELECT * FROM flag ORDER BY 1, 2, 3',
	"SELECT * FROM flag WHERE flag AND day = '-infinity' AND at = '2000-01-01 00:00+00'",
	'SELECT * FROM currency ORDER BY code',
	'SELECT * FROM audit ORDER BY id',
	'SELECT b.bid, c.rate FROM branch b, currency c ORDER BY 1, 2')
{
	is(coordinator_sql($query), $pair->source_sql($query),
		'the same answer: ' . ($query =~ s/\s+/ /gr));
}

my $by_key = plan_of('SELECT * FROM account WHERE bid = 17');
my @scans = $by_key =~ /Foreign Scan on public\.account_\d/g;

is(scalar @scans, 1, 'a query by key goes to one node') or diag($by_key);

my $all = plan_of('SELECT count(*) FROM account');

@scans = $all =~ /Async Foreign Scan/g;
is(scalar @scans, 4, 'an aggregate goes to all nodes at once') or diag($all);

my $grouped = plan_of('SELECT bid, sum(balance) FROM account GROUP BY bid',
	'enable_partitionwise_aggregate');

@scans = $grouped =~ /Async Foreign Scan.*?Remote SQL: SELECT [^\n]*GROUP BY/gs;
is(scalar @scans, 4, 'groups of the key are made by the nodes')
  or diag($grouped);

# What would give wrong answers, or does not make sense.
like(($nodes->run('federate', '--apply', "--coordinator=$coordinator"))[2],
	qr/has \d+ tables over 4 nodes, as before/, 'a second time');
$nodes->fails_like(2, qr/--apply needs --coordinator/,
	'no coordinator', 'federate', '--apply');
$pair->source_sql('CREATE TABLE felt (m sales.mood, id int, PRIMARY KEY (m, id))');
$nodes->configure(placement => [ 'public.felt = hash(m)', '* = all' ]);
$nodes->fails_like(1,
	qr/table "public"."felt" cannot be one on a coordinator.*sales\.mood/s,
	'a key whose hash is not the same everywhere', 'federate');

done_testing();
