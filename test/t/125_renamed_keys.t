# A column by which rows are placed is renamed: the placement gives it by both
# names, and rows from before and after are where they belong, however late they
# are decoded.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Pair;

my $server = Penstock::Pair->new(target => ['max_replication_slots = 40']);

my $ORDERS = 'CREATE TABLE orders (id integer, customer integer, n integer,
		PRIMARY KEY (id, customer));
	INSERT INTO orders SELECT i, i % 17, i FROM generate_series(1, 500) i';
my $BILL = 'CREATE TABLE bill (id integer, tenant integer, PRIMARY KEY (id, tenant));
	INSERT INTO bill SELECT i, 1 + i % 30 FROM generate_series(1, 300) i';
my $TABLES = "$ORDERS; $BILL;
	CREATE TABLE tenant (id integer PRIMARY KEY, node text);
	INSERT INTO tenant SELECT i, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 30) i";
my $OTHERS = 'ALTER TABLE orders ADD other integer NOT NULL DEFAULT 0;
	ALTER TABLE bill ADD other integer NOT NULL DEFAULT 0; UPDATE bill SET other = 1 + id % 2;
	UPDATE orders SET other = id % 5; ALTER TABLE orders REPLICA IDENTITY FULL;
	ALTER TABLE bill REPLICA IDENTITY FULL';
my $DIRECTORY = "[directory]\ntable = public.tenant\nkey = id\nnode = node\ndefault = a";

# Two nodes with these tables, which follow.
sub nodes
{
	my $nodes = prepared(@_);

	$nodes->run_or_die('clone', '--ddl=follow');
	return $nodes;
}

# Two nodes, and a source with these tables.
sub prepared
{
	my ($name) = @_;

	$server->target->safe_psql('postgres', "DROP DATABASE IF EXISTS node_$_") for qw(a b);
	my $nodes = Penstock::Nodes->new(
		pair => $server->with_database($name),
		count => 2,
		placement => placement('customer', 'tenant'));

	$nodes->pair->source_sql($TABLES);
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

# Names go to other columns while nobody follows, and what is decoded later has
# changes from before, between and after.
subtest 'names that are swapped' => sub {
	my $nodes = nodes('swapped');
	my $pair = $nodes->pair;

	$pair->source_sql($OTHERS);
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->spread_ok('before', orders => 'customer');
	$pair->source_sql(changes('customer'));
	$pair->source_sql(swap('orders', 'customer', 'other') . ';' . swap('bill', 'tenant', 'other'));
	$pair->source_sql(changes('other'));

	my ($status, undef, $log) = $nodes->run('follow', '--endpos=' . $pair->source_lsn);
	isnt($status, 0, 'a name that means another column now is refused');
	like($log, qr/are placed by another column.*attnum/s, 'and it says what to do');

	$nodes->configure(placement => placement('other formerly customer', 'other formerly tenant'));
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->spread_ok('with both names', orders => 'other');
	listed_ok($nodes, 'other');

	# All is applied, so nothing of before the names were swapped comes any more.
	$pair->source_sql(swap('orders', 'customer', 'other') . ';' . swap('bill', 'tenant', 'other'));
	($status, undef, $log) = $nodes->run('follow', '--endpos=' . $pair->source_lsn);
	isnt($status, 0, 'also if nothing of before is decoded');
	like($log, qr/are placed by another column/, 'for the same reason');
	$pair->source_sql(changes('customer'));
	$nodes->configure(placement => placement('customer formerly other formerly customer', 'tenant formerly other formerly tenant'));
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->spread_ok('with the first names', orders => 'customer');
	listed_ok($nodes, 'tenant');
	$nodes->run_or_die('drop');
};

subtest 'a name of a column that is dropped' => sub {
	my $nodes = nodes('dropped');
	my $pair = $nodes->pair;

	$pair->source_sql('ALTER TABLE orders ADD client integer NOT NULL DEFAULT 0; UPDATE orders SET client = id % 5;
		ALTER TABLE bill ADD client integer NOT NULL DEFAULT 0; UPDATE bill SET client = 1 + id % 2');
	$pair->source_sql(changes('customer'));
	$pair->source_sql('ALTER TABLE orders DROP client; ALTER TABLE orders RENAME customer TO client;
		ALTER TABLE bill DROP client; ALTER TABLE bill RENAME tenant TO client');
	$pair->source_sql(changes('client'));
	$nodes->configure(placement => placement('client formerly customer', 'client formerly tenant'));
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->spread_ok('each is where it was', orders => 'client');
	listed_ok($nodes, 'client');
	$nodes->run_or_die('drop');
};

# The targets know no columns: they were loaded before columns were noted.
subtest 'names that are swapped, and nothing is noted' => sub {
	my $nodes = nodes('unnoted');
	my $pair = $nodes->pair;

	$pair->source_sql($OTHERS);
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->node_sql($_, 'DELETE FROM penstock.placed_column') for $nodes->names;
	$pair->source_sql(changes('customer'));
	$pair->source_sql(swap('orders', 'customer', 'other') . ';' . swap('bill', 'tenant', 'other'));
	$pair->source_sql(changes('other'));

	my ($status, undef, $log) = $nodes->run('follow', '--endpos=' . $pair->source_lsn);
	isnt($status, 0, 'it stops after what was written before');
	like($log, qr/was placed by another column than "customer" before.*First follow.*"other" has to be among them/s,
		'and it says which name is missing, and what comes first');
	my ($before) = $log =~ m{comes after LSN ([0-9A-F]+/[0-9A-F]+)};
	$nodes->run_or_die('follow', "--endpos=$before");
	is($nodes->node_sql($_, 'SELECT count(*), sum(attnum) FROM penstock.placed_column'), '2|4',
		"node $_ has what the names meant before") for $nodes->names;

	$nodes->configure(placement => placement('customer formerly other formerly customer', 'tenant formerly other formerly tenant'));
	($status, undef, $log) = $nodes->run('follow', '--endpos=' . $pair->source_lsn);
	isnt($status, 0, 'names that mean another column are refused');
	like($log, qr/are placed by another column/, 'also if they have the right one among them');

	$nodes->configure(placement => placement('other formerly customer', 'other formerly tenant'));
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->spread_ok('with the right names', orders => 'other');
	listed_ok($nodes, 'other');
	$nodes->run_or_die('drop');
};

# Tables that were not copied: their columns are noted with their first row.
subtest 'tables that are made while it is followed' => sub {
	my $nodes = nodes('made');
	my $pair = $nodes->pair;
	my $follower;

	$pair->source_sql('DROP TABLE orders, bill');
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$follower = $nodes->start('follow');
	$pair->source_sql("$ORDERS; $BILL; $OTHERS");
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->source_sql(swap('orders', 'customer', 'other') . ';' . swap('bill', 'tenant', 'other'));
	$pair->source_sql(changes('other'));

	my ($status, undef, $log) = $nodes->run('follow', '--endpos=' . $pair->source_lsn);
	isnt($status, 0, 'a name that means another column now is refused');
	like($log, qr/are placed by another column/, 'as it is of a table that was copied');
	$nodes->configure(placement => placement('other formerly customer', 'other formerly tenant'));
	$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
	$nodes->spread_ok('with both names', orders => 'other');
	listed_ok($nodes, 'other');
	$nodes->run_or_die('drop');
};

subtest 'a clone that is resumed after names were swapped' => sub {
	my $nodes = prepared('resumed');
	my $pair = $nodes->pair;

	$pair->source_sql("$OTHERS; CREATE TABLE bad (id integer PRIMARY KEY, CONSTRAINT here CHECK (current_database() = 'resumed'));
		INSERT INTO bad VALUES (1)");
	my ($status, undef, $log) = $nodes->run('clone', '--ddl=follow');
	isnt($status, 0, 'a clone fails at one of the tables');
	like($log, qr/"here"/, 'as it should');
	$nodes->node_sql($_, 'ALTER TABLE bad DROP CONSTRAINT here') for $nodes->names;
	$pair->source_sql(swap('orders', 'customer', 'other') . '; ALTER TABLE bad DROP CONSTRAINT here');

	($status, undef, $log) = $nodes->run('clone', '--resume', '--ddl=follow');
	isnt($status, 0, 'it does not go on with another column');
	like($log, qr/are placed by another column.*--restart/s, 'and says why, and what to do');
};

# Exchanges the names of two columns.
sub swap
{
	my ($table, $one, $other) = @_;

	return "ALTER TABLE $table RENAME $one TO swapping; ALTER TABLE $table RENAME $other TO $one;
		ALTER TABLE $table RENAME swapping TO $other";
}

# Rows move from node to node.
sub changes
{
	my ($customer, $tenant) = @_;
	$tenant //= $customer eq 'customer' ? 'tenant' : $customer;

	return "UPDATE orders SET $customer = $customer + 1 WHERE id % 7 = 1;
		INSERT INTO orders (id, $customer, n) SELECT max(id) + i, i % 17, i FROM orders, generate_series(1, 50) i GROUP BY i;
		UPDATE bill SET $tenant = 1 + $tenant % 30 WHERE id % 5 = 1; DELETE FROM orders WHERE id % 30 = 9";
}

# Each bill is on the node that the directory has for its tenant.
sub listed_ok
{
	my ($nodes, $column) = @_;

	for my $node (qw(a b))
	{
		is($nodes->node_sql($node, 'SELECT count(*), sum(hashint4(id)::bigint) FROM bill'),
			$nodes->pair->source_sql("SELECT count(*), sum(hashint4(b.id)::bigint) FROM bill b
				JOIN tenant t ON t.id = b.$column WHERE t.node = '$node'"),
			"node $node has the bills of its tenants");
	}
}

done_testing;
