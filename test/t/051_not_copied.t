# Tables that the pipeline has not copied: they are not followed because
# somebody makes one of that name on the target, and they do not stop anything
# where nobody can miss them.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $FAILED = 1;
my $pair = Penstock::Pair->new(source => ['logical_decoding_work_mem = 64kB']);

my %modes = (
	batch => [],
	transaction => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ],
	not_streamed => ['--streaming=off'],
	small => ['--memory=4MB'],
);

left_out_of_the_copy();
published_later();
made_later();
scratch_tables($_, @{ $modes{$_} }) for sort keys %modes;
renamed();
swapped();
exchanged();
new_partition();
new_column();
names();
dropped();
actions();
done_testing();

sub count
{
	my ($db, $table) = @_;

	return $db->target_sql("SELECT count(*) FROM $table");
}

sub stops_at
{
	my ($db, $pattern, $title, @options) = @_;

	return $db->fails_like($FAILED, $pattern, $title, 'follow',
		'--endpos=' . $db->source_lsn, @options);
}

# A copy of data alone, with the tables there.
sub left_out_of_the_copy
{
	my $db = $pair->with_database('excluded');

	$db->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
	$db->both_sql('CREATE TABLE a (id int PRIMARY KEY);
		CREATE TABLE b (id int PRIMARY KEY)');
	$db->source_sql('INSERT INTO a SELECT generate_series(1, 10)');
	$db->clone('--data-only', '--exclude-table=a');
	$db->source_sql('INSERT INTO b VALUES (1)');
	$db->source_sql('INSERT INTO a VALUES (11)');
	$db->source_sql('INSERT INTO b VALUES (2)');
	stops_at($db,
		qr/table "public"\."a" was not copied.*commit LSN.*penstock table add [^"]*public\.a[^"]*"/s,
		'a table that was left out stops the follower');
	is(count($db, 'a'), 0, 'it has nothing');
	is(count($db, 'b'), 1, 'what comes before is applied');
	$db->run_or_die('table', 'add', '--name=excluded', '"public"."a"');
	$db->follow_to_end;
	$db->equal_ok('it is taken in, as the message says');
}

# It has rows already.
sub published_later
{
	my $db = $pair->with_database('published', publish => 'TABLE mark');

	$db->source_sql('CREATE TABLE old (id int PRIMARY KEY);
		CREATE TABLE other (id int PRIMARY KEY);
		INSERT INTO old SELECT generate_series(1, 10);
		INSERT INTO other SELECT generate_series(1, 10)');
	$db->clone;
	$db->source_sql('ALTER PUBLICATION published ADD TABLE old, other;
		INSERT INTO old VALUES (11)');
	stops_at($db, qr/"old" was not copied/, 'a table that is published later');
	$db->target_sql('CREATE TABLE old (id int PRIMARY KEY)');
	stops_at($db, qr/"old" was not copied/,
		'somebody makes an empty one: that does not do');
	$db->fails_like($FAILED, qr/"old" is not followed/,
		'it cannot be paused', 'table', 'pause', '--keep', 'old');
	$db->run_or_die('table', 'add', 'old');
	$db->source_sql('INSERT INTO other VALUES (11)');
	stops_at($db, qr/"other" was not copied/, 'the next one');
	$db->run_or_die('table', 'remove', 'other');
	$db->follow_to_end;
	$db->equal_ok('added, and left out', '--exclude=public.other');
}

# Where all tables are published, a new one comes with all its rows.
sub made_later
{
	my $db = $pair->with_database('made');

	$db->clone;
	my $follower = $db->start('follow');
	$follower->wait_log(qr/following with slot/);
	$db->both_sql('CREATE TABLE first (id int PRIMARY KEY)');
	$db->source_sql('INSERT INTO first SELECT generate_series(1, 10)');
	$db->wait_caught_up($follower);
	is(count($db, 'first'), 10, 'made on both sides, it is followed');
	like($follower->log, qr/table "public"\."first" was made on target/,
		'the follower says so');
	$db->stop_ok($follower);

	$db->source_sql('CREATE TABLE second (id int PRIMARY KEY);
		INSERT INTO second SELECT generate_series(1, 10)');
	stops_at($db, qr/"second" was not copied.*was made since.*table add/s,
		'made on the source alone, it stops the follower');
	$db->run_or_die('table', 'add', 'second');
	$db->follow_to_end;
	$db->equal_ok('all that was made later');
}

# Gone when their transaction commits.
sub scratch_tables
{
	my ($mode, @options) = @_;
	my $db = $pair->with_database("scratch_$mode");

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	$db->clone;
	$db->source_sql('INSERT INTO t VALUES (1)');
	$db->source_sql(<<'END');
BEGIN;
CREATE TABLE scratch AS SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 8000) n;
INSERT INTO t SELECT n FROM scratch WHERE n > 1;
TRUNCATE scratch;
INSERT INTO scratch VALUES (1);
DROP TABLE scratch;
COMMIT;
END
	$db->source_sql(<<'END');
BEGIN;
SAVEPOINT s;
CREATE TABLE scratch AS SELECT n FROM generate_series(1, 8000) n;
ROLLBACK TO s;
INSERT INTO t VALUES (0);
CREATE TABLE few (n int);
INSERT INTO few VALUES (1);
DROP TABLE few;
COMMIT;
END

	# It has several shapes, with rows of several subtransactions.
	$db->source_sql(<<'END');
BEGIN;
CREATE TABLE scratch AS SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 1000) n;
SAVEPOINT s;
ALTER TABLE scratch ADD y int;
INSERT INTO scratch SELECT n, repeat('x', 1000), n FROM generate_series(1, 1000) n;
SAVEPOINT undone;
ALTER TABLE scratch ADD z int;
INSERT INTO scratch SELECT n, repeat('x', 1000), n, n FROM generate_series(1, 1000) n;
ROLLBACK TO undone;
DROP TABLE scratch;
COMMIT;
END
	$db->follow_to_end(@options);
	$db->equal_ok("$mode: scratch tables stop nothing");
	my $before = count($db, 't');

	$db->source_sql('INSERT INTO t VALUES (-1)');
	$db->source_sql(<<'END');
BEGIN;
INSERT INTO t SELECT generate_series(-9000, -2);
CREATE TABLE staying AS SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 8000) n;
COMMIT;
END
	stops_at($db, qr/"staying" was not copied/,
		"$mode: one that stays does, however large the transaction", @options);
	is(count($db, 't'), $before + 1,
		"$mode: what comes before is applied, and nothing of that");
	$db->run_or_die('table', 'remove', 'staying');
	$db->follow_to_end(@options);
	$db->equal_ok("$mode: it is left out on request",
		'--exclude=public.staying');
}

sub renamed
{
	my $db = $pair->with_database('renamed');

	$db->source_sql('CREATE TABLE a (id int PRIMARY KEY, v text);
		CREATE TABLE c (id int PRIMARY KEY, v text);
		CREATE SCHEMA stage; INSERT INTO a VALUES (1, \'x\');
		INSERT INTO c VALUES (1, \'x\')');
	$db->clone;
	$db->source_sql("ALTER TABLE a RENAME TO b; UPDATE b SET v = 'y'");
	my $log = stops_at($db, qr/was renamed or moved on the source/,
		'a renamed table is recognised');
	my ($sql) = $log =~ /Run on the target: (ALTER TABLE [^;]*);/;
	$db->target_sql($sql);
	$db->follow_to_end;
	$db->equal_ok('renamed as the message says');
	$db->source_sql("ALTER TABLE c SET SCHEMA stage; UPDATE stage.c SET v = 'z'");
	$log = stops_at($db, qr/was renamed or moved on the source/, 'moved');
	($sql) = $log =~ /Run on the target: (ALTER TABLE [^;]*);/;
	$db->target_sql($sql);
	$db->follow_to_end;
	$db->equal_ok('moved as the message says');
}

# A new table takes the place of an old one.
sub swapped
{
	my $db = $pair->with_database('swapped');

	$db->source_sql('CREATE TABLE x (id int PRIMARY KEY);
		INSERT INTO x SELECT generate_series(1, 5)');
	$db->clone;
	$db->source_sql('CREATE TABLE x_new (id int PRIMARY KEY);
		INSERT INTO x_new SELECT generate_series(10, 20)');
	$db->source_sql('BEGIN; DROP TABLE x; ALTER TABLE x_new RENAME TO x; COMMIT');
	$db->source_sql('INSERT INTO x VALUES (21)');
	stops_at($db, qr/"x_new" was not copied/, 'before it has its place');
	$db->run_or_die('table', 'resync', 'x');
	$db->source_sql('INSERT INTO x VALUES (22)');
	$db->follow_to_end;
	$db->equal_ok('copied under its new name, it is the same table');
}

# Both were copied, and the target has to do what the source has done.
sub exchanged
{
	my $db = $pair->with_database('exchanged');
	my $exchange = 'BEGIN; ALTER TABLE a RENAME TO a_old;
		ALTER TABLE a_new RENAME TO a; COMMIT';
	my $rotate = 'BEGIN; ALTER TABLE a_old RENAME TO other;
		ALTER TABLE a RENAME TO a_old; ALTER TABLE other RENAME TO a; COMMIT';

	$db->source_sql('CREATE TABLE a (id int PRIMARY KEY);
		CREATE TABLE a_new (LIKE a INCLUDING ALL);
		INSERT INTO a SELECT generate_series(1, 5)');
	$db->clone;
	$db->source_sql($exchange);
	$db->source_sql('INSERT INTO a VALUES (10)');
	stops_at($db,
		qr/"a_new" was renamed.*now \S*"a", a name that another table has/s,
		'tables that have exchanged their names');
	is(count($db, 'a'), 5, 'nothing goes to the wrong one');
	$db->target_sql($exchange);
	$db->follow_to_end;
	$db->equal_ok('renamed there, too');

	# While it is followed, on the target first.
	my $follower = $db->start('follow');
	$db->source_sql('INSERT INTO a VALUES (11)');
	$db->wait_caught_up;
	$db->both_sql($rotate);
	$db->source_sql('INSERT INTO a VALUES (12); INSERT INTO a_old VALUES (12)');
	$db->wait_caught_up;
	$db->stop_ok($follower);
	$db->equal_ok('names that are taken in turn');

	# A target that was dumped and restored knows nothing of that.
	$db->target_sql("UPDATE penstock.copied SET target_oid = 'a'::regclass");
	$db->source_sql('INSERT INTO a VALUES (13); INSERT INTO a_old VALUES (13)');
	$db->follow_to_end;
	$db->equal_ok('where OIDs mean nothing');
}

sub new_partition
{
	my $db = $pair->with_database('partition');

	$db->source_sql(<<'END');
CREATE TABLE split (id int, v text DEFAULT 'x', PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10);
INSERT INTO split SELECT generate_series(0, 9);
END
	$db->clone;
	$db->source_sql(<<'END');
CREATE TABLE "split 2" PARTITION OF split FOR VALUES FROM (10) TO (20);
CREATE TABLE split_3 PARTITION OF split FOR VALUES FROM (20) TO (40)
	PARTITION BY LIST (id);
CREATE TABLE split_3_all PARTITION OF split_3 DEFAULT;
INSERT INTO split SELECT generate_series(10, 39);
END
	stops_at($db, qr/"split 2" was not copied.*table add/s,
		'a partition that is new');
	$db->run_or_die('table', 'add', '"split 2"');
	stops_at($db, qr/"split_3_all" was not copied.*table add/s, 'another');
	$db->run_or_die('table', 'add', 'split_3');
	$db->source_sql("UPDATE split SET v = 'y' WHERE id > 8");
	$db->follow_to_end;
	$db->equal_ok('partitions that are added');
	is( $db->target_sql(
			"SELECT count(*) FROM pg_partition_tree('split') WHERE isleaf"),
		3, 'they are partitions there, too');
}

sub new_column
{
	my $db = $pair->with_database('new_column');

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY, old_name text)');
	$db->source_sql("INSERT INTO t VALUES (1, 'x')");
	$db->clone;
	$db->source_sql('ALTER TABLE t ADD n numeric(10, 2) NOT NULL DEFAULT 7.5;
		INSERT INTO t VALUES (2)');
	my $log = stops_at($db,
		qr/ADD COLUMN "n" numeric\(10,2\).*DEFAULT.*NOT NULL.*table resync/s,
		'a new column: with its modifier, and what else it needs');
	$db->target_sql('ALTER TABLE t ADD n numeric(10, 2) NOT NULL DEFAULT 7.5');
	$db->follow_to_end;
	$db->source_sql("ALTER TABLE t RENAME old_name TO new_name;
		UPDATE t SET new_name = 'y' WHERE id = 1");
	$log = stops_at($db, qr/RENAME COLUMN "old_name" TO "new_name"/,
		'a renamed column is recognised');
	$db->target_sql('ALTER TABLE t RENAME COLUMN old_name TO new_name');
	$db->follow_to_end;
	$db->equal_ok('columns');
}

# What cannot be followed is said to be what it is.
sub names
{
	my $db = $pair->with_database('names');

	$db->source_sql('CREATE VIEW a_view AS SELECT 1 AS n;
		CREATE UNLOGGED TABLE quick (id int PRIMARY KEY);
		CREATE TABLE typed (id int PRIMARY KEY, p point[])');
	$db->clone;
	$db->fails_like($FAILED, qr/"a_view" is a view .*cannot be followed/,
		'a view', 'table', 'add', 'a_view');
	$db->fails_like($FAILED, qr/"public.quick" is an unlogged table/,
		'an unlogged table', 'table', 'add', 'public.quick');
	$db->fails_like($FAILED, qr/"t\*" is not the name of a table.*no patterns/s,
		'a pattern', 'table', 'add', 't*');
	$db->fails_like($FAILED, qr/table "nothing" does not exist/,
		'nothing', 'table', 'add', 'nothing');

	# A copy that fails: the target's table does not take the source's row.
	$db->source_sql('CREATE TABLE unlike (id int PRIMARY KEY, v text);
		INSERT INTO unlike VALUES (1, \'x\')');
	$db->target_sql('CREATE TABLE unlike (id int PRIMARY KEY, v text CHECK (v <> \'x\'))');
	my ($status) = $db->run('table', 'resync', 'unlike');
	is($status, $FAILED, 'a copy that fails');
	like(($db->run('status'))[1],
		qr/"unlike": copying, interrupted: start it again with "penstock table resync/,
		'status says that it is not under way');
}

# A name that means nothing is refused; one that only the log has is not.
sub dropped
{
	my $db = $pair->with_database('dropped');

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	$db->clone;
	$db->source_sql('CREATE TABLE gone (id int PRIMARY KEY);
		INSERT INTO gone VALUES (1)');
	$db->source_sql('DROP TABLE gone; INSERT INTO t VALUES (1)');
	my $log = stops_at($db, qr/"gone" was not copied/,
		'a table that was dropped since');
	$db->fails_like($FAILED,
		qr/table "public"\."typo" is not followed, and no target has it.*remove --by-name public.typo/s,
		'a name that is misspelt', 'table', 'remove', 'public.typo');
	is( $db->target_sql("SELECT count(*) FROM penstock.table_state
			WHERE pipeline = 'dropped'"),
		0, 'it is not remembered');
	$db->source_sql('CREATE SCHEMA other; CREATE TABLE other.here (id int);
		DROP PUBLICATION dropped; CREATE PUBLICATION dropped FOR TABLE t');
	$db->fails_like($FAILED, qr/table "other"\."here" is not followed/,
		'nor one that is not published',
		'table', 'remove', 'other.here');
	like($log, qr/"penstock table remove --by-name public.gone [^"]*" to leave/,
		'the message prints the command');
	$db->run_or_die('table', 'remove', '--by-name', 'public.gone');
	$db->run_or_die('table', 'remove', 'public.gone');
	$db->run_or_die('table', 'remove', 't');
	$db->fails_like($FAILED, qr/--by-name cannot be used with "add"/,
		'for nothing else', 'table', 'add', '--by-name', 't');
}

# A role that cannot set foreign keys aside, and one that changes rows itself.
sub actions
{
	my $db = $pair->with_database('actions');

	$db->source_sql('CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE child (id int PRIMARY KEY,
			p int REFERENCES parent ON DELETE CASCADE);
		INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)');
	$db->clone;
	$db->target->safe_psql('postgres', 'CREATE ROLE plain LOGIN');
	$db->target_sql('GRANT CREATE ON DATABASE actions TO plain;
		GRANT USAGE ON SCHEMA penstock TO plain;
		GRANT ALL ON ALL TABLES IN SCHEMA public, penstock TO plain;
		GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain');
	$db->set_conninfo('target',
		$db->target->connstr('actions') . ' user=plain');
	$db->source_sql('DELETE FROM parent');
	stops_at($db,
		qr/foreign key "child_p_fkey" of table public.child .* changes rows by itself.*session_replication_role/s,
		'an action that would fire is refused at the start');
	$db->target_sql('ALTER TABLE child DROP CONSTRAINT child_p_fkey;
		ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES parent');
	$db->target_sql('ALTER TABLE child DROP CONSTRAINT child_p_fkey');
	$db->follow_to_end;
	$db->equal_ok('without it, it goes on');
}
