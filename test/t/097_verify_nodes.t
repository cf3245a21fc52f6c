# verify with several nodes: each row is on its node and nowhere else, by hashes of
# one column and of several, with nulls, by a directory, and where a table is.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Nodes;

my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [
		'public.account = hash(region)',
		'public.pair = hash(a, b)',
		'public.tenant = all',
		'public.item = directory(tenant)',
		'public.audit = only b',
		'public.scratch = none',
		'public.mark = all',
		"\n[directory]\ntable = public.tenant\nkey = id\nnode = place" ]);
my $pair = $nodes->pair;

$pair->source_sql(<<'SQL');
CREATE TABLE account (id int, region text, balance int, PRIMARY KEY (id, region));
INSERT INTO account SELECT n, 'region ' || n % 50, n FROM generate_series(1, 2000) n;
CREATE TABLE pair (a int, b text, high int, c1 date);
ALTER TABLE pair REPLICA IDENTITY FULL;
INSERT INTO pair SELECT CASE WHEN n % 7 > 0 THEN n % 100 END,
	CASE WHEN n % 5 > 0 THEN 'b' || n % 100 END, n FROM generate_series(1, 1000) n;
CREATE TABLE tenant (id int PRIMARY KEY, place text, name text);
INSERT INTO tenant SELECT n, (ARRAY['a', 'b', 'c'])[1 + n % 3] FROM generate_series(1, 30) n;
CREATE TABLE item (id int, tenant int, PRIMARY KEY (id, tenant));
INSERT INTO item SELECT n, 1 + n % 30 FROM generate_series(1, 900) n;
CREATE TABLE audit (id int PRIMARY KEY);
INSERT INTO audit SELECT generate_series(1, 20);
CREATE TABLE scratch (id int PRIMARY KEY);
INSERT INTO scratch VALUES (1);
SQL
$nodes->run_or_die('clone');
my $follower = $nodes->start('follow');
$follower->wait_log(qr/following with slot/);
my $writers = $pair->start_pgbench('--client=2', '--file=' . updates());

my $found = verdict();
is($found->{status}, 0, 'each row is on its node') or diag($found->{text});
is(outcome($found, 'audit', 'b'), 'equal', 'a table of one node');
is(outcome($found, 'audit', 'a'), undef, 'is not looked for on another');
is(outcome($found, 'scratch', 'a'), undef, 'nor is a table of none');

# One row on the wrong node, and still on its own; one that has moved; and others.
my ($home, @others) = sort { has($b) <=> has($a) } $nodes->names;
$nodes->node_sql($others[0], "INSERT INTO account VALUES (1500, 'region 0', 1500)");
my $key = $nodes->node_sql('a', "SELECT id || ',' || tenant FROM item ORDER BY id DESC LIMIT 1");
my ($id, $tenant) = split /,/, $key;
$nodes->node_sql('a', "DELETE FROM item WHERE id = $id");
$nodes->node_sql('b', "INSERT INTO item VALUES ($id, $tenant)");
$nodes->node_sql('c', "INSERT INTO item VALUES (100000, 1)");
my $lost = $nodes->node_sql('c', 'WITH gone AS (DELETE FROM pair WHERE ctid =
	(SELECT min(ctid) FROM pair) RETURNING high) SELECT high FROM gone');
$nodes->node_sql('b', "UPDATE tenant SET name = 'x' WHERE id = 30");

$found = verdict();
is($found->{status}, 1, 'damaged: exit status 1');
is_deeply(faults($found, 'account', $others[0]),
	{ misplaced => [ { id => 1500, region => 'region 0' } ] },
	'a row that is on another node, too');
is_deeply(faults($found, 'account', $_), {}, "and nothing on $_")
  for $home, $others[1];
is_deeply(faults($found, 'item', 'a'), { missing => [ { id => 0 + $id, tenant => 0 + $tenant } ] },
	'a row that has left its node');
is_deeply(faults($found, 'item', 'b'), { misplaced => [ { id => 0 + $id, tenant => 0 + $tenant } ] },
	'and is on another');
is_deeply(faults($found, 'item', 'c'), { extra => [ { id => 100000, tenant => 1 } ] },
	'a row that the source has not');
like((faults($found, 'pair', 'c')->{missing} || [''])->[0], qr/,$lost,\)$/,
	'a row that is missing, placed by two columns');
is_deeply([ map { scalar keys %{ faults($found, 'pair', $_) } } qw(a b c) ], [ 0, 0, 1 ],
	'there only');
is_deeply([ map { outcome($found, 'tenant', $_) } qw(a b c) ],
	[qw(equal different equal)], 'a table of all nodes, on each');

$pair->end_pgbench($writers);
$pair->stop_ok($follower);

done_testing();

sub updates
{
	my $file = "$ENV{TESTDATADIR}/updates.sql";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle <<'SQL';
\set a random(1, 1000)
\set r random(0, 49)
BEGIN;
UPDATE account SET region = 'region ' || :r WHERE id = :a;
UPDATE item SET tenant = 1 + :r % 30 WHERE id = :a % 500;
INSERT INTO pair VALUES (:r, :a, 0);
COMMIT;
SQL
	close $handle or die "could not write \"$file\": $!\n";
	return $file;
}

sub has
{
	return $nodes->node_sql($_[0], 'SELECT count(*) FROM account WHERE id = 1500');
}

sub verdict
{
	my ($exit, $text, $errors) = $nodes->run('verify', '--json');
	my $json = eval { decode_json($text) };

	diag($errors) unless $json;
	return { status => $exit, text => $text, json => $json };
}

sub table_of
{
	my ($found, $name, $node) = @_;

	return (grep { $_->{table} eq "\"public\".\"$name\"" && $_->{target} eq "target \"$node\"" }
		@{ $found->{json}{tables} })[0];
}

sub outcome
{
	my $table = table_of(@_);

	return $table && $table->{outcome};
}

sub faults
{
	my $table = table_of(@_);

	return { map { $_ => $table->{$_}{keys} }
		grep { $table->{$_} && @{ $table->{$_}{keys} } } qw(missing extra different misplaced) };
}
