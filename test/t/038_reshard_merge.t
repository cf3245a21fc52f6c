# Four nodes become one database, while the pipeline that feeds them goes on and
# rows move between them; and rows of two sources that have the same key.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Shards;

my $ROWS = 2000;

# The old pipeline: a source and four nodes.
my $nodes = Penstock::Nodes->new(
	count => 4,
	placement => [ 'public.parcel = hash(place)', '* = all' ]);
my $pair = $nodes->pair;
$pair->source_sql("CREATE TABLE parcel (id serial, place int, note text, large text);
	ALTER TABLE parcel ADD PRIMARY KEY (id, place), REPLICA IDENTITY FULL,
		ALTER large SET STORAGE EXTERNAL;
	CREATE TABLE price (code int PRIMARY KEY, value int);
	INSERT INTO parcel (place, note, large) SELECT n, 'first',
			CASE n % 5 WHEN 0 THEN repeat(md5(n::text), 100) END
		FROM generate_series(1, $ROWS) n;
	INSERT INTO price SELECT n, n FROM generate_series(1, 100) n");
$nodes->run_or_die('clone');
my $old_follower = $nodes->start('follow');

# The new one: from the four into one, on the server of the source.
my $shards = Penstock::Shards->new(
	name => 'merge',
	sources => { map { $_ => [ $pair->target, "node_$_" ] } $nodes->names },
	nodes => { all => [ $pair->source, 'merged' ] },
	placement => [
		'public.parcel = hash(place)', 'public.lone = hash(place)',
		'public.beat = only all', '* = all from a' ]);
my $BEAT = 'INSERT INTO beat (node) VALUES (current_database())';
$shards->sources_sql('CREATE TABLE beat (node text, n serial, PRIMARY KEY (node, n));
	CREATE TABLE lone (id int PRIMARY KEY, place int);
	ALTER TABLE lone REPLICA IDENTITY FULL;
	CREATE PUBLICATION merge FOR ALL TABLES');
$shards->source_sql('a', 'INSERT INTO lone SELECT n, 1 FROM generate_series(1, 100) n');

my $writer = start_writer();
$shards->run_or_die('clone');
my $new_follower = $shards->start('follow');
wait_for_writer(300);
$pair->source_sql('UPDATE price SET value = 0 WHERE code <= 10');

# Everything that feeds on everything else.
$new_follower->end('KILL');
$new_follower = $shards->start('follow');
wait_for_writer(200);
$pair->target->stop('immediate');
$pair->target->start;
wait_for_writer(200);
$old_follower->end('KILL');
$old_follower = $nodes->start('follow');
wait_for_writer(200);

# Rows that go from one source to another under the same key: the one waits for
# the other.
$shards->source_sql(b => one_by_one('INSERT INTO lone VALUES (n, 2)'));
$new_follower->wait_log(
	qr/Key \(id\)=\(\d+\) already exists.*source "b": waiting for a transaction of another source/s);
$shards->source_sql(a => one_by_one('DELETE FROM lone WHERE id = n'));

die "the writer has ended:\n" . $writer->log unless $writer->is_running;
$pair->end_pgbench($writer);
$pair->wait_caught_up($old_follower);
$shards->wait_caught_up($new_follower, $BEAT);
$shards->gathered_ok('four to one', parcel => 'place', lone => 'place');
for my $table (qw(parcel price))
{
	is( $shards->node_sql('all', Penstock::Nodes::digest_sql($table)),
		$pair->source_sql(Penstock::Nodes::digest_sql($table)),
		"four to one: $table is as it was before there were four");
}
$pair->stop_ok($new_follower);

# Two sources that say different things of one key.
$shards->source_sql(a => 'INSERT INTO lone VALUES (-1, 1)');
$shards->source_sql(b => 'INSERT INTO lone VALUES (-1, 2)');
$new_follower = $shards->start('follow');
$new_follower->wait_log(
	qr/Key \(id\)=\(-1\) already exists.*waiting for a transaction of another source/s);
like($new_follower->log,
	qr/warning follow: source "[ab]".*lone_pkey.*Key \(id\)=\(-1\) already exists/s,
	'the key is named of a row that two sources have');
is($shards->node_sql('all', 'SELECT count(*) FROM lone WHERE id = -1'),
	1, 'and the one that came first stays');
$pair->stop_ok($new_follower);
$shards->run_or_die('drop');
is($shards->source_sql('a', 'SELECT count(*) FROM pg_replication_slots
	WHERE slot_name LIKE \'merge%\''), 0, 'drop removes all slots');
done_testing();

# Each in a transaction of its own.
sub one_by_one
{
	my ($sql) = @_;

	return "DO \$\$ BEGIN FOR n IN 1..100 LOOP $sql; COMMIT; END LOOP; END \$\$";
}

# Inserts, updates, deletes, and rows that move between the four.
sub start_writer
{
	my $script = "$ENV{TESTDATADIR}/writer.sql";

	open my $handle, '>', $script or die "could not create \"$script\": $!\n";
	print $handle "\\set id random(1, $ROWS)
		\\set other random(1, $ROWS)
		BEGIN;
		INSERT INTO parcel (place, note) VALUES (random() * 10000, 'new');
		UPDATE parcel SET note = note || 'x' WHERE id = :id;
		UPDATE parcel SET place = random() * 1000000 WHERE id = :other;
		END;
		DELETE FROM parcel WHERE id = :id + $ROWS;
		\\sleep 3 ms\n";
	close $handle or die "could not write \"$script\": $!\n";
	return $pair->start_pgbench('--file', $script);
}

# Until it has written so many times more.
sub wait_for_writer
{
	my ($times) = @_;
	my $count = sub { $pair->source_sql('SELECT last_value FROM parcel_id_seq') };
	my $before = $count->();

	wait_until("$times transactions", sub { $count->() >= $before + $times });
}
