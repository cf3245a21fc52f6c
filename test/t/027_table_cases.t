# Single tables where things are not simple: a conflict that stops the follower,
# several targets, partitions, foreign keys, publications of all tables, names,
# and what is refused.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use Penstock::Pair;
use Penstock::Server qw(start_server);

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $FAILED = 1;
my $MISUSED = 2;
my $pair = Penstock::Pair->new;

conflict();
new_table_of_all_tables();
partitions();
held();
foreign_keys();
large_transaction();
refusals();
interrupted();
several_targets();
done_testing();

# The usual reason to pause a table.
sub conflict
{
	$pair->source_sql(<<'END');
CREATE TABLE broken (id integer PRIMARY KEY, n integer);
INSERT INTO broken SELECT n, 0 FROM generate_series(1, 100) n;
CREATE TABLE fine (id integer PRIMARY KEY, n integer);
INSERT INTO fine VALUES (1, 0);
END
	$pair->clone;
	$pair->target_sql('DELETE FROM broken WHERE id = 5');
	$pair->source_sql('UPDATE broken SET n = 1');
	$pair->source_sql('UPDATE fine SET n = 1');
	$pair->fails_like($FAILED, qr/"public"."broken"/,
		'a conflict stops the follower',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair->run_or_die('table', 'pause', '--keep', 'broken');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT n FROM fine'),
		1, 'the others go on when the table is paused');
	is($pair->target_sql('SELECT sum(n) FROM broken'),
		0, 'the table stands still');

	my $follower = $pair->start('follow');
	$follower->wait_log(qr/following with slot/);
	my ($status, $output) = $pair->run('status');
	is($status, 0, 'that is no reason for alarm');
	like($output,
		qr/"public"."broken": paused, as of .*, with the changes since/,
		'status says so');
	($status, $output) = $pair->run('status', '--json');
	my $table = decode_json($output)->{targets}[0]{tables}[0];
	is_deeply(
		[ @$table{qw(schema name state)}, $table->{kept} ? 1 : 0 ],
		[ 'public', 'broken', 'paused', 1 ],
		'for machines, too');
	$pair->stop_ok($follower);

	$pair->fails_like($FAILED, qr/"public"."broken"/,
		'it cannot be resumed while the row is missing',
		'table', 'resume', 'broken');
	$pair->target_sql('INSERT INTO broken VALUES (5, 0)');
	$pair->run_or_die('table', 'resume', 'broken');
	$pair->follow_to_end;
	$pair->equal_ok('resumed with what was kept');

	# Or a policy settles it.
	$pair->run_or_die('table', 'pause', '--keep', 'broken');
	$pair->target_sql('DELETE FROM broken WHERE id = 6');
	$pair->source_sql('UPDATE broken SET n = 2');
	$pair->follow_to_end;
	$pair->run_or_die('table', 'resume', '--on-conflict=overwrite', 'broken');
	$pair->follow_to_end;
	$pair->equal_ok('resumed with a policy');

	# A copy that is ahead of the follower.
	$pair->source_sql('INSERT INTO broken VALUES (101, 0)');
	$pair->run_or_die('table', 'resync', 'broken');
	$pair->run_or_die('table', 'pause', '--keep', 'broken');
	$pair->run_or_die('table', 'resume', 'broken');
	$pair->follow_to_end;
	$pair->equal_ok('paused before the follower has come to its copy');

	# What was kept is lost.
	$pair->run_or_die('table', 'pause', '--keep', 'broken');
	$pair->source_sql("SELECT pg_drop_replication_slot(slot_name)
		FROM pg_replication_slots WHERE slot_name LIKE 'shop\\_t%'");
	$pair->source_sql('UPDATE broken SET n = 3');
	$pair->follow_to_end;
	$pair->fails_like($FAILED, qr/does not exist.*table resync/s,
		'a slot that is gone is noticed',
		'table', 'resume', 'broken');
	like(($pair->run('status'))[1],
		qr/the changes since are lost/, 'by status as well');
	$pair->run_or_die('table', 'resync', 'broken');
	$pair->follow_to_end;
	$pair->equal_ok('copied anew instead');
}

# It is published from its beginning, and the follower stumbles over it.
sub new_table_of_all_tables
{
	$pair->source_sql('CREATE TABLE fresh (id integer PRIMARY KEY)');
	$pair->source_sql('INSERT INTO fresh SELECT generate_series(1, 10)');
	$pair->fails_like($FAILED, qr/"public"."fresh"/,
		'the follower does not know the table',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair->run_or_die('table', 'add', 'fresh');
	$pair->source_sql('INSERT INTO fresh SELECT generate_series(11, 20)');
	$pair->follow_to_end;
	$pair->equal_ok('a new table of a publication for all tables');

	$pair->run_or_die('table', 'remove', 'fresh');
	$pair->source_sql('DELETE FROM fresh WHERE id > 5');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT count(*) FROM fresh'),
		20, 'a table that is removed is not followed, though it is published');
	$pair->run_or_die('table', 'resync', 'fresh');
	$pair->follow_to_end;
	$pair->equal_ok('and can be taken in again');
}

sub partitions
{
	$pair->source_sql(<<'END');
CREATE SCHEMA "Odd Place";
CREATE TABLE "Odd Place"."Parts" (id integer, n integer, PRIMARY KEY (id))
	PARTITION BY RANGE (id);
CREATE TABLE "Odd Place".low PARTITION OF "Odd Place"."Parts"
	FOR VALUES FROM (0) TO (100);
CREATE TABLE "Odd Place".high PARTITION OF "Odd Place"."Parts"
	FOR VALUES FROM (100) TO (200);
INSERT INTO "Odd Place"."Parts" SELECT n, n FROM generate_series(0, 199) n;
END
	$pair->run_or_die('table', 'add', '"Odd Place"."Parts"');
	$pair->source_sql('UPDATE "Odd Place"."Parts" SET n = n + 1');
	$pair->follow_to_end;
	$pair->equal_ok('a partitioned table is added');
	$pair->run_or_die('table', 'pause', '--keep', '"Odd Place"."Parts"');
	$pair->source_sql('UPDATE "Odd Place"."Parts" SET n = n + 1');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT sum(n - id) FROM "Odd Place"."Parts"'),
		200, 'all of its partitions are paused');
	$pair->run_or_die('table', 'resume', '"Parts"');
	$pair->follow_to_end;
	$pair->equal_ok('all of its partitions are resumed');
	$pair->run_or_die('table', 'resync', '"Odd Place".low');
	$pair->follow_to_end;
	$pair->equal_ok('one partition is copied anew');
}

# Somebody declares a table joining and is never heard of again: what comes
# behind it waits for a while, and then goes on without it.
sub held
{
	$pair->run_or_die('table', 'pause', '--keep', 'broken');
	my $follower = $pair->start('follow');
	$pair->wait_caught_up($follower);
	$pair->target_sql(<<'END');
BEGIN;
UPDATE penstock.progress SET lease_token = lease_token + 1
	WHERE pipeline = 'shop';
UPDATE penstock.table_state t SET state = 'joining', watermark = p.end_lsn
	FROM penstock.progress p
	WHERE p.pipeline = 'shop' AND t.table_name = 'broken';
COMMIT;
END
	$pair->source_sql('UPDATE broken SET n = n + 1; UPDATE fine SET n = n + 1');
	$pair->wait_caught_up($follower);
	is( $pair->target_sql("SELECT state FROM penstock.table_state
			WHERE table_name = 'broken'"),
		'catching up', 'a table that does not come is not waited for');
	is($pair->target_sql('SELECT n FROM fine'),
		$pair->source_sql('SELECT n FROM fine'), 'the others go on');
	isnt($pair->target_sql('SELECT n FROM broken WHERE id = 1'),
		$pair->source_sql('SELECT n FROM broken WHERE id = 1'),
		'without it');
	$pair->run_or_die('table', 'resume', 'broken');
	$pair->wait_caught_up($follower);
	$pair->equal_ok('it comes after all');
	$pair->stop_ok($follower);
}

sub foreign_keys
{
	$pair->source_sql(<<'END');
CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent);
INSERT INTO parent SELECT generate_series(1, 10);
INSERT INTO child SELECT n, n FROM generate_series(1, 10) n;
END
	$pair->run_or_die('table', 'add', 'parent', 'child');
	$pair->follow_to_end;
	$pair->target_sql('ALTER TABLE child DROP CONSTRAINT IF EXISTS child_fkey');
	$pair->target_sql('ALTER TABLE child ADD CONSTRAINT child_fkey
		FOREIGN KEY (parent) REFERENCES parent');
	$pair->run_or_die('table', 'resync', 'parent');
	$pair->follow_to_end;
	$pair->equal_ok('a table that others refer to is copied anew');

	# A TRUNCATE of a table that is followed and one that is not.
	$pair->run_or_die('table', 'pause', '--keep', 'child');
	$pair->source_sql('TRUNCATE fresh, child');
	$pair->follow_to_end;
	is( $pair->target_sql(
			'SELECT (SELECT count(*) FROM fresh), (SELECT count(*) FROM child)'),
		'0|10',
		'TRUNCATE empties what is followed and leaves the other table');
	$pair->run_or_die('table', 'resume', 'child');
	is($pair->target_sql('SELECT count(*) FROM child'),
		0, 'which is emptied when it is resumed');
}

# One transaction that is applied in many parts, while the table comes and goes.
sub large_transaction
{
	$pair->source_sql('CREATE TABLE wide (id integer PRIMARY KEY, t text)');
	$pair->run_or_die('table', 'add', 'wide');
	my $follower = $pair->start('follow', '--memory=4MB');
	$follower->wait_log(qr/following/);
	$pair->source_sql("INSERT INTO wide SELECT n, repeat('x', 1000)
		FROM generate_series(1, 40000) n");
	$pair->run_or_die('table', 'pause', '--keep', 'wide');
	$pair->source_sql('UPDATE fine SET n = 10');
	$pair->run_or_die('table', 'resume', '--memory=4MB', 'wide');
	$pair->wait_caught_up($follower);
	$pair->equal_ok('a large transaction');
	$pair->stop_ok($follower);
}

sub refusals
{
	$pair->fails_like($FAILED, qr/table "nowhere" does not exist/,
		'a table that is not there', 'table', 'add', 'nowhere');
	$pair->fails_like($MISUSED, qr/unrecognized verb "drop"/,
		'a verb that is none', 'table', 'drop', 'fine');
	$pair->fails_like($MISUSED, qr/no table is given/, 'no table', 'table',
		'add');
	$pair->fails_like($MISUSED, qr/--keep cannot be used with "resync"/,
		'--keep belongs to pause', 'table', 'resync', '--keep', 'fine');
	$pair->fails_like($FAILED, qr/table "public"."fine" is not paused/,
		'what is not paused is not resumed', 'table', 'resume', 'fine');
	$pair->source_sql('CREATE SCHEMA second; CREATE TABLE second.fine (id int)');
	$pair->fails_like($FAILED, qr/there are 2 tables "fine".*public\.fine/s,
		'a name that is not clear', 'table', 'pause', 'fine');
	$pair->source_sql('DROP SCHEMA second CASCADE');
	$pair->fails_like($FAILED, qr/has no progress of pipeline "other"|"other"/,
		'a pipeline that is not there',
		'table', 'pause', '--name=other', 'fine');

}

# Asked to stop in the middle of a copy.
sub interrupted
{
	my $lock = $pair->target->background_psql('shop');

	$lock->query_safe('BEGIN; LOCK TABLE fine IN ACCESS SHARE MODE');
	my $table = $pair->start('table', 'resync', 'fine');
	$pair->wait_for_sql('target',
		'SELECT count(*) > 0 FROM pg_locks WHERE NOT granted');
	is($table->end('INT'), $FAILED, 'it stops on INT, and is not done');
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
		1, 'no slot keeps log for it');
	$lock->quit;
	$pair->fails_like($FAILED, qr/is incomplete.*table resync/s,
		'half a copy is not resumed', 'table', 'pause', 'fine');
	$pair->run_or_die('table', 'resync', 'fine');
	$pair->follow_to_end;
	$pair->equal_ok('after a copy that was interrupted');
}

# Each has states of its own; all are changed together.
sub several_targets
{
	my $two = $pair->with_database('two', publish => 'TABLE mark');

	my $server = start_server('third');
	my $third = '--target=' . $server->connstr('postgres');
	$two->source_sql('CREATE TABLE t (id integer PRIMARY KEY, n integer)');
	$two->source_sql('INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n');
	$two->run_or_die('clone', $third);

	# A role that may read, but does not own the publication.
	$two->source_sql('CREATE ROLE reader LOGIN REPLICATION;
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader');
	$two->set_conninfo('source',
		$two->source->connstr('two') . ' user=reader');
	$two->fails_like(
		$FAILED,
		qr/Run ALTER PUBLICATION "two" ADD TABLE ONLY "public"."t"/,
		'what the role may not do is said',
		'table', 'add', 't', $third);
	$two->set_conninfo('source', undef);
	$two->source_sql('DROP OWNED BY reader');
	my $follower = $two->start('follow', $third);
	my $writer = $two->start_pgbench('--client=1', '--rate=100',
		'--file=' . script('UPDATE t SET n = n + 1 WHERE id = 1 + :client_id'));
	$two->run_or_die('table', 'add', 't', $third);
	$two->run_or_die('table', 'pause', '--keep', 't', $third);
	$two->run_or_die('table', 'resume', 't', $third);
	$two->run_or_die('table', 'resync', 't', $third);
	$two->end_pgbench($writer);
	$two->wait_caught_up($follower);
	my $sql = 'SELECT sum(n) FROM t';
	is($two->target_sql($sql), $two->source_sql($sql), 'the first of two');
	is($server->safe_psql('postgres', $sql),
		$two->source_sql($sql), 'the second of two');
	$two->stop_ok($follower);
}

sub script
{
	my ($text) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/writes.sql';

	PostgreSQL::Test::Utils::append_to_file($file, "$text;\n");
	return $file;
}
