# Tenants that a table of the source puts on nodes.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);

my @DIRECTORY = ('[directory]', 'table = public.tenant', 'key = id', 'node = node');
my @PLACEMENT = ('public.orders = directory(tenant)', '* = all');

my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [ @PLACEMENT, @DIRECTORY, 'default = c' ]);
my $pair = $nodes->pair;
$pair->source_sql("CREATE TABLE tenant (id text PRIMARY KEY, node text NOT NULL);
	CREATE TABLE orders (id int, tenant text, note text, PRIMARY KEY (id));
	ALTER TABLE orders REPLICA IDENTITY FULL, ALTER note SET STORAGE EXTERNAL;
	INSERT INTO tenant SELECT 't' || n, chr(97 + n % 2) FROM generate_series(1, 20) n;
	INSERT INTO orders SELECT n, 't' || n % 25, repeat(md5(n::text), n % 100)
		FROM generate_series(1, 2000) n;
	INSERT INTO orders VALUES (5000, NULL, 'no tenant')");

# What a directory has to be.
$nodes->configure(placement =>
	  [ 'public.orders = directory(tenant)', '* = none', @DIRECTORY ]);
$nodes->fails_like(1,
	qr/table "public"\."tenant" cannot be the directory: it has to be placed by "all"/,
	'a directory that is not everywhere is refused', 'clone');
$nodes->configure(placement => [ 'public.orders = directory(id)', '* = all', @DIRECTORY ]);
$nodes->fails_like(1, qr/has another type than the key of the directory/,
	'a key of another type is refused', 'clone');
$nodes->configure(placement => [ @PLACEMENT ]);
$nodes->fails_like(2, qr/section \[directory\] has to say table, key and node/,
	'a directory that is not described is refused', 'config check');
$nodes->configure(placement => [ @PLACEMENT, @DIRECTORY ]);
$nodes->fails_like(1, qr/the directory lists no target for a row/,
	'a copy of rows that are not listed is refused', 'clone');
$nodes->configure(placement => [ @PLACEMENT, @DIRECTORY, 'default = c' ]);
$nodes->run_or_die('clone', '--restart');
listed_ok('after the clone');

# New tenants, with rows in the same transaction; tenants that change; rows that
# go from one to another.
my $follower = $nodes->start('follow');
$pair->source_sql("BEGIN;
	INSERT INTO tenant VALUES ('new a', 'a'), ('new b', 'b');
	INSERT INTO orders SELECT n, CASE n % 2 WHEN 0 THEN 'new a' ELSE 'new b' END, n
		FROM generate_series(3000, 3100) n;
	COMMIT;
	UPDATE orders SET tenant = 'new b' WHERE id <= 200;
	UPDATE orders SET tenant = 'unlisted' WHERE id BETWEEN 201 AND 300;
	UPDATE orders SET note = note || 'x' WHERE id BETWEEN 250 AND 400;
	DELETE FROM orders WHERE id BETWEEN 401 AND 420");
$pair->wait_caught_up($follower);
listed_ok('rows came and went');
$follower->end('KILL');
$pair->source_sql("INSERT INTO tenant VALUES ('late', 'b');
	INSERT INTO orders SELECT n, 'late', n FROM generate_series(4000, 4100) n");
$nodes->follow_to_end;
listed_ok('after a kill');
$nodes->copied_ok('in the end', 'tenant', $nodes->names);

# One database to query: rows of all nodes under one name.
$pair->target->safe_psql('postgres', 'CREATE DATABASE whole');
$pair->target->safe_psql('whole', $nodes->run_or_die('federate'));
is( $pair->target->safe_psql('whole', 'SELECT count(*), sum(id) FROM orders'),
	$pair->source_sql('SELECT count(*), sum(id) FROM orders'),
	'a coordinator has the rows of all nodes');

# A tenant with rows cannot simply be listed elsewhere.
$pair->source_sql("UPDATE tenant SET node = 'a' WHERE id = 'late'");
$nodes->fails_like(1,
	qr/key "late" is listed with another target, "a": its rows would have to move.*are on target "b".*clone again/s,
	'a key that is listed elsewhere stops the pipeline',
	'follow', '--endpos=' . $pair->source_lsn);

done_testing();

sub listed_ok
{
	my ($when) = @_;

	for my $name ($nodes->names)
	{
		my $query = "SELECT count(*), coalesce(sum(hashtextextended(o::text, 0)), 0)
			FROM orders o";

		is( $nodes->node_sql($name, $query),
			$pair->source_sql("$query LEFT JOIN tenant t ON t.id = o.tenant
				WHERE coalesce(t.node, 'c') = '$name'"),
			"$when: node $name has the rows of its tenants");
	}
}
