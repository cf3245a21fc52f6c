# A column by which rows are placed is renamed: the placement gives it by both
# names, and rows from before and after are where they belong, however late they
# are decoded.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Pair;

my $server = Penstock::Pair->new(target => ['max_replication_slots = 40']);

my $TABLES = 'CREATE TABLE orders (id integer, customer integer, n integer,
		PRIMARY KEY (id, customer));
	CREATE TABLE tenant (id integer PRIMARY KEY, node text);
	CREATE TABLE bill (id integer, tenant integer, PRIMARY KEY (id, tenant));
	INSERT INTO tenant SELECT i, CASE WHEN i % 3 = 0 THEN \'a\' ELSE \'b\' END FROM generate_series(1, 30) i;
	INSERT INTO orders SELECT i, i % 17, i FROM generate_series(1, 500) i;
	INSERT INTO bill SELECT i, 1 + i % 30 FROM generate_series(1, 300) i';
my $DIRECTORY = "[directory]\ntable = public.tenant\nkey = id\nnode = node\ndefault = a";

# Two nodes with these tables, which follow.
sub nodes
{
	my ($name) = @_;

	$server->target->safe_psql('postgres', "DROP DATABASE IF EXISTS node_$_") for qw(a b);
	my $nodes = Penstock::Nodes->new(
		pair => $server->with_database($name),
		count => 2,
		placement => placement('customer', 'tenant'));

	$nodes->pair->source_sql($TABLES);
	$nodes->run_or_die('clone', '--ddl=follow');
	return $nodes;
}

sub placement
{
	my ($hashed, $listed) = @_;

	return [ "public.orders = hash($hashed)", "public.bill = directory($listed)", '* = all', '', $DIRECTORY ];
}

# Rows of a node that are for another one by the directory.
sub bills_ok
{
	my ($nodes, $title, $column) = @_;
	my $source = $nodes->pair->source_sql('SELECT count(*) FROM bill');
	my $rows = 0;

	for my $name ($nodes->names)
	{
		$rows += $nodes->node_sql($name, 'SELECT count(*) FROM bill');
		is($nodes->node_sql($name, "SELECT count(*) FROM bill b
			LEFT JOIN tenant t ON t.id = b.$column WHERE coalesce(t.node, 'a') <> '$name'"),
			0, "$title: bills on $name belong there");
	}
	is($rows, $source, "$title: no bill is missing");
}

subtest 'while it is followed' => sub {
	my $nodes = nodes('hashed');
	my $pair = $nodes->pair;
	my $follower = $nodes->start('follow');

	$pair->source_sql('UPDATE orders SET customer = customer + 1 WHERE id < 100');
	$pair->wait_caught_up($follower);
	$pair->source_sql('ALTER TABLE orders RENAME customer TO client;
		INSERT INTO orders SELECT i, i % 17, i FROM generate_series(501, 600) i;
		UPDATE orders SET client = client + 1 WHERE id > 450; DELETE FROM orders WHERE id % 10 = 0');
	isnt($follower->wait_exit, 0, 'the follower stops');
	like($follower->log, qr/column "customer".*does not exist.*formerly/s, 'and says what to write');

	$nodes->configure(placement => placement('client formerly customer', 'tenant'));
	$follower = $nodes->start('follow');
	$pair->wait_caught_up($follower);
	$nodes->spread_ok('with both names', orders => 'client');

	# What comes next is known before.
	$follower->end('KILL');
	$nodes->configure(placement => placement('buyer formerly client formerly customer', 'tenant'));
	$follower = $nodes->start('follow');
	$pair->source_sql('UPDATE orders SET client = client + 1 WHERE id < 200;
		ALTER TABLE orders RENAME client TO buyer; UPDATE orders SET buyer = buyer + 1 WHERE id < 300');
	$pair->wait_caught_up($follower);
	$nodes->spread_ok('a name that was given before', orders => 'buyer');
	$pair->stop_ok($follower);
	$nodes->run_or_die('drop');
};

subtest 'and decoded long after' => sub {
	my $nodes = nodes('later');
	my $pair = $nodes->pair;

	$pair->source_sql($_) for (
		'UPDATE orders SET customer = customer + 1 WHERE id < 100; UPDATE bill SET tenant = 31 - tenant WHERE id < 50',
		'BEGIN; UPDATE orders SET customer = customer + 1 WHERE id > 300;
		 ALTER TABLE orders RENAME customer TO client; UPDATE orders SET client = client + 1 WHERE id > 400;
		 ALTER TABLE bill RENAME tenant TO payer; UPDATE bill SET payer = 31 - payer WHERE id > 200; COMMIT',
		'INSERT INTO orders (id, client) SELECT i, i % 17 FROM generate_series(501, 600) i',
		'ALTER TABLE orders RENAME client TO buyer; ALTER TABLE orders ADD customer text;
		 DELETE FROM orders WHERE id % 10 = 0; UPDATE orders SET buyer = buyer + 5 WHERE id % 3 = 0;
		 INSERT INTO bill SELECT i, 1 + i % 30 FROM generate_series(301, 400) i');
	$nodes->configure(placement => placement('buyer formerly client formerly customer', 'payer formerly tenant'));
	my $follower = $nodes->start('follow', '--batch-size=100');
	$follower->wait_log(qr/following|streaming/i);
	$follower->end('KILL');
	$nodes->run_or_die('follow', '--endpos=' . $nodes->source_lsn);
	$nodes->spread_ok('decoded later', orders => 'buyer');
	bills_ok($nodes, 'decoded later', 'payer');
	my ($status, $output) = $nodes->run('verify');
	is($status, 0, 'verify knows the names of now') or diag($output);
	$nodes->run_or_die('drop');
};

subtest 'and no row goes astray' => sub {
	my $nodes = nodes('astray');
	my $pair = $nodes->pair;
	my $follower = $nodes->start('follow');

	$pair->source_sql('ALTER TABLE bill RENAME tenant TO payer; INSERT INTO bill VALUES (1000, 1)');
	isnt($follower->wait_exit, 0, 'without the column of its key nothing goes to the default');
	like($follower->log, qr/"bill".*"tenant".*formerly/s, 'and that is said');
	$nodes->configure(placement => placement('customer', 'payer formerly tenant'));
	$follower = $nodes->start('follow');
	$pair->wait_caught_up($follower);
	bills_ok($nodes, 'with both names', 'payer');

	$pair->source_sql('INSERT INTO orders VALUES (1001, 1, 1)');
	$pair->wait_caught_up($follower);
	$pair->source_sql('ALTER TABLE orders RENAME customer TO was; ALTER TABLE orders RENAME n TO customer;
		ALTER TABLE orders REPLICA IDENTITY FULL; INSERT INTO orders VALUES (1002, 2, 2)');
	isnt($follower->wait_exit, 0, 'nor by another column that has the name');
	like($follower->log, qr/"orders" was placed by another column than "customer" before/, 'which is said');
	$nodes->configure(placement => placement('was formerly customer', 'payer formerly tenant'));
	$nodes->run_or_die('follow', '--endpos=' . $nodes->source_lsn);
	$nodes->spread_ok('by the column that it was', orders => 'was');

	$follower = $nodes->start('follow');
	$pair->source_sql(q(ALTER TABLE tenant RENAME TO tenants; INSERT INTO tenants VALUES (31, 'b');
		INSERT INTO bill VALUES (1003, 31)));
	isnt($follower->wait_exit, 0, 'a directory with another name is no more');
	like($follower->log, qr/the directory, table "public"\."tenant".*was renamed/, 'which is said, too');
};

done_testing;
