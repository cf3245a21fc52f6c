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

done_testing;
