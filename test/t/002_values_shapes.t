# Every kind of value, table and change that there is to follow.
#
# Scenes are of two parts: what there is when the database is copied, and what
# changes behind the copy.  They are played twice: one after the other, each
# compared when it has arrived; and all at once, so that they come to the target
# as one large batch, which is applied in another way.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $LONG_NAME = 'ñ' x 31 . 'x';    # 63 bytes

my $pair = Penstock::Pair->new;
my $server_version = int($pair->source_sql(
		"SELECT current_setting('server_version_num')::int / 10000"));
my @scenes = scenes();


# ---- One after the other ----

my $live = $pair->with_database('live');
prepare($live, @scenes);
$live->clone;
$live->equal_ok('cloned');
my $follower = $live->start('follow');
for my $scene (@scenes)
{
	$live->source_sql($scene->{change});
	$live->wait_caught_up($follower);
	$live->equal_ok("live: $scene->{title}");
}


# ---- Definitions that change ----

my @columns = (
	{
		title => 'column added',
		target => "CREATE TABLE altered (id int PRIMARY KEY, a text,
			b text DEFAULT 'b')",
		source => "CREATE TABLE altered (id int PRIMARY KEY, a text);
			INSERT INTO altered VALUES (1, 1);
			INSERT INTO altered VALUES (2, 'old');
			ALTER TABLE altered ADD COLUMN b text DEFAULT 'b';
			INSERT INTO altered VALUES (3, 'new', 'c');
			UPDATE altered SET b = 'd' WHERE id = 1",
	},
	{
		title => 'column dropped',
		source => "UPDATE altered SET a = 'last' WHERE id = 2;
			ALTER TABLE altered DROP COLUMN a;
			INSERT INTO altered VALUES (4, 'without');
			DELETE FROM altered WHERE id = 1",
		behind => 'ALTER TABLE altered DROP COLUMN a',
	},
	{
		title => 'type of a column changed',
		target => 'ALTER TABLE altered ADD COLUMN e bigint',
		source => 'ALTER TABLE altered ADD COLUMN e integer;
			INSERT INTO altered VALUES (5, NULL, 5);
			ALTER TABLE altered ALTER COLUMN e TYPE bigint;
			INSERT INTO altered VALUES (6, NULL, 6000000000)',
	},
	{
		title => 'table created on both sides',
		target => 'CREATE TABLE later (id int PRIMARY KEY, a text)',
		source => "CREATE TABLE later (id int PRIMARY KEY, a text);
			INSERT INTO later VALUES (1, 'one'), (2, 'two');
			UPDATE later SET a = 'three' WHERE id = 2",
	},
	{
		title => 'definition changed within a transaction',
		target => 'ALTER TABLE later ADD COLUMN b int',
		source => 'BEGIN; UPDATE later SET a = 4;
			ALTER TABLE later ADD COLUMN b int; UPDATE later SET b = id; COMMIT',
	});
for my $change (@columns)
{
	$live->target_sql($change->{target}) if $change->{target};
	$live->source_sql($change->{source});
	$live->wait_caught_up($follower);
	$live->target_sql($change->{behind}) if $change->{behind};
	$live->equal_ok($change->{title});
}
$live->stop_ok($follower);


# ---- All at once ----

my $batch = $pair->with_database('batch');
prepare($batch, @scenes);
$batch->clone;
$batch->source_sql($_->{change}) for @scenes;
$batch->follow_to_end;
$batch->equal_ok('all scenes in one batch');
$batch->source_sql('BEGIN; ' . join(';', map { $_->{again} // () } @scenes)
	  . '; COMMIT');
$batch->follow_to_end;
$batch->equal_ok('many scenes in one transaction');


# ---- Identity columns that get another value ----

# Such a column can be given a value only by an INSERT.
my $identity = $pair->with_database('identity');
$identity->source_sql(<<'END');
CREATE TABLE as_key (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text);
CREATE TABLE as_value (id integer PRIMARY KEY,
	n integer GENERATED ALWAYS AS IDENTITY, t text);
INSERT INTO as_key (t) SELECT n FROM generate_series(1, 50) n;
INSERT INTO as_value (id, t) SELECT n, n FROM generate_series(1, 50) n;
END
$identity->clone;
for my $where ('= 3', 'BETWEEN 20 AND 40')
{
	$identity->source_sql("UPDATE as_key SET id = DEFAULT WHERE id $where");
	$identity->source_sql("UPDATE as_value SET n = DEFAULT WHERE id $where");
	$identity->follow_to_end;
	$identity->equal_ok("identity columns renewed where id $where",
		'--table=public.as_key');
	$identity->equal_ok("identity columns beside the key renewed where id $where",
		'--table=public.as_value');
}


# ---- A target that is not the same ----

my $other = $pair->with_database('other');
$other->source_sql(<<'END');
CREATE TABLE shuffled (id integer PRIMARY KEY, a text, b integer, c date);
INSERT INTO shuffled SELECT n, 'a' || n, n, 'epoch' FROM generate_series(1, 30) n;
CREATE TABLE wider (id integer PRIMARY KEY, n smallint, v varchar(10), r real,
	m char(5), big integer, d date);
INSERT INTO wider SELECT n, n, n, n, n, n, 'epoch' FROM generate_series(1, 30) n;
CREATE TABLE extra (id integer PRIMARY KEY, a text);
INSERT INTO extra SELECT n, 'a' || n FROM generate_series(1, 30) n;
END
$other->target_sql(<<'END');
CREATE TABLE mark (number bigint PRIMARY KEY);
CREATE TABLE shuffled (c date, b integer, dropped text, id integer PRIMARY KEY, a text);
ALTER TABLE shuffled DROP COLUMN dropped;
CREATE TABLE wider (id bigint PRIMARY KEY, n integer, v text, r real,
	m text, big numeric, d timestamp);
CREATE TABLE extra (mine text DEFAULT 'mine', id integer PRIMARY KEY, a text,
	since timestamptz DEFAULT 'epoch', number serial);
END
$other->clone('--data-only');
$other->source_sql(<<'END');
INSERT INTO shuffled SELECT n, 'new', -n, '2020-02-29' FROM generate_series(31, 60) n;
UPDATE shuffled SET b = b * 2, c = 'infinity' WHERE id % 2 = 0;
DELETE FROM shuffled WHERE id % 7 = 0;
INSERT INTO wider SELECT n, -n, 'new', n + 0.5, 'ab', 2147483647, '2020-02-29'
  FROM generate_series(31, 60) n;
UPDATE wider SET n = n + 1, v = v || '!' WHERE id % 2 = 0;
DELETE FROM wider WHERE id % 7 = 0;
INSERT INTO extra SELECT n, 'new' FROM generate_series(31, 60) n;
UPDATE extra SET a = a || '!' WHERE id % 2 = 0;
DELETE FROM extra WHERE id % 7 = 0;
END
$other->follow_to_end;
# One at a time, too.
$other->source_sql(<<'END');
UPDATE shuffled SET a = NULL, c = '-infinity' WHERE id = 8;
UPDATE wider SET v = NULL, d = '4713-01-01 BC' WHERE id = 8;
INSERT INTO extra VALUES (100, NULL);
END
$other->follow_to_end;
$other->equal_ok('columns in another order', '--table=public.shuffled');
for my $table (
	[ 'wider', 'id, n, v, r, rtrim(m), big, d::timestamp' ],
	[ 'extra', 'id, a' ])
{
	my ($name, $columns) = @$table;
	my $rows = "SELECT $columns FROM $name ORDER BY id";
	is($other->target_sql($rows), $other->source_sql($rows),
		"table \"$name\" has what the source has");
}
is($other->target_sql('SELECT count(*) FROM extra
	WHERE mine = \'mine\' AND since = \'epoch\' AND number IS NOT NULL'),
	$other->source_sql('SELECT count(*) FROM extra'),
	'columns that only the target has get their defaults');


# ---- What is published ----

SKIP:
{
	skip 'this server has no row filters', 4 if $server_version < 15;

	my $part = $pair->with_database('part', publish => '');
	$part->source_sql(<<'END');
CREATE TABLE filtered (id integer PRIMARY KEY, region text, n integer);
ALTER TABLE filtered REPLICA IDENTITY FULL;
INSERT INTO filtered SELECT n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END, n
  FROM generate_series(1, 40) n;
CREATE TABLE narrow (id integer PRIMARY KEY, shown text, secret text);
INSERT INTO narrow SELECT n, 'shown', 'secret' FROM generate_series(1, 40) n;
CREATE TABLE only_inserts (id integer PRIMARY KEY, n integer);
CREATE TABLE not_published (id integer PRIMARY KEY);
CREATE TABLE rooted (id integer, region text, n integer, PRIMARY KEY (id, region))
	PARTITION BY LIST (region);
CREATE TABLE rooted_north PARTITION OF rooted FOR VALUES IN ('north');
CREATE TABLE rooted_south PARTITION OF rooted FOR VALUES IN ('south');
INSERT INTO rooted SELECT n, 'north', n FROM generate_series(1, 40) n;
CREATE PUBLICATION part FOR TABLE mark, filtered WHERE (region = 'north'),
	narrow (id, shown);
CREATE PUBLICATION part_inserts FOR TABLE only_inserts WITH (publish = 'insert');
CREATE PUBLICATION part_root FOR TABLE rooted WITH (publish_via_partition_root);
END
	# Its partitions are others: what comes is of the root.
	$part->target_sql(<<'END');
CREATE TABLE mark (number bigint PRIMARY KEY);
CREATE TABLE filtered (id integer PRIMARY KEY, region text, n integer);
CREATE TABLE narrow (id integer PRIMARY KEY, shown text);
CREATE TABLE only_inserts (id integer PRIMARY KEY, n integer);
CREATE TABLE rooted (id integer, region text, n integer, PRIMARY KEY (id, region))
	PARTITION BY HASH (id);
CREATE TABLE rooted_0 PARTITION OF rooted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE rooted_1 PARTITION OF rooted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
END
	my @publications = '--publications=part,part_inserts,part_root';
	$part->clone('--data-only', @publications);
	for my $id (1, 20)
	{
		$part->source_sql(<<"END");
INSERT INTO filtered VALUES ($id + 100, 'north', 1), ($id + 200, 'south', 1);
UPDATE filtered SET n = -n WHERE id BETWEEN $id AND $id + 9;
UPDATE filtered SET region = 'south' WHERE id BETWEEN $id AND $id + 3;
UPDATE filtered SET region = 'north' WHERE id BETWEEN $id + 4 AND $id + 7;
DELETE FROM filtered WHERE id BETWEEN $id + 10 AND $id + 12;
INSERT INTO narrow VALUES ($id + 100, 'new', 'secret');
UPDATE narrow SET shown = 'changed' WHERE id = $id;
UPDATE narrow SET secret = 'changed' WHERE id = $id + 1;
DELETE FROM narrow WHERE id = $id + 2;
INSERT INTO only_inserts VALUES ($id, 1), ($id + 1, 1);
UPDATE only_inserts SET n = 2; DELETE FROM only_inserts WHERE id = $id + 1;
INSERT INTO not_published VALUES ($id);
UPDATE rooted SET region = 'south' WHERE id BETWEEN $id AND $id + 5;
UPDATE rooted SET n = -n WHERE id % 3 = 0;
DELETE FROM rooted WHERE id = $id + 6;
END
		$part->follow_to_end(@publications) if $id == 1;
	}
	$part->source_sql('TRUNCATE only_inserts');
	$part->follow_to_end(@publications);
	for my $table (
		[ 'filtered', 'id, region, n', q(WHERE region = 'north') ],
		[ 'narrow', 'id, shown', '' ],
		[ 'rooted', 'id, region, n', '' ])
	{
		my ($name, $columns, $where) = @$table;
		my $rows = "SELECT $columns FROM $name $where ORDER BY id";
		(my $all = $rows) =~ s/WHERE.*(?=ORDER)//;
		is($part->target_sql($all), $part->source_sql($rows),
			"of table \"$name\" the target has what is published");
	}
	is($part->target_sql('SELECT id, n FROM only_inserts ORDER BY id'),
		"1|1\n2|1\n20|1\n21|1", 'only inserts are published of a table');
}

done_testing();

sub prepare
{
	my ($database, @all) = @_;

	$database->source_sql('SET client_min_messages = error; ' . $_->{setup})
	  for @all;
}

sub scenes
{
	return (
		types(),
		names(),
		{
			title => 'replica identities',
			setup => <<'END',
CREATE TABLE identity_default (id integer PRIMARY KEY, u integer, t text);
CREATE TABLE identity_index (id integer PRIMARY KEY, u integer NOT NULL, t text);
CREATE UNIQUE INDEX identity_index_u ON identity_index (u) INCLUDE (t);
ALTER TABLE identity_index REPLICA IDENTITY USING INDEX identity_index_u;
CREATE TABLE identity_full (id integer PRIMARY KEY, u integer, t text);
ALTER TABLE identity_full REPLICA IDENTITY FULL;
CREATE TABLE identity_nothing (id integer PRIMARY KEY, u integer, t text);
ALTER TABLE identity_nothing REPLICA IDENTITY NOTHING;
CREATE TABLE identity_two (b text, x integer, a integer, PRIMARY KEY (a, b));
INSERT INTO identity_default SELECT n, n, n FROM generate_series(1, 30) n;
INSERT INTO identity_index SELECT n, n, n FROM generate_series(1, 30) n;
INSERT INTO identity_full SELECT n, n, n FROM generate_series(1, 30) n;
INSERT INTO identity_nothing SELECT n, n, n FROM generate_series(1, 30) n;
INSERT INTO identity_two SELECT n % 3, n, n FROM generate_series(1, 30) n;
END
			change => <<'END',
UPDATE identity_default SET t = 'new' WHERE id % 2 = 0;
UPDATE identity_index SET t = 'new' WHERE id % 2 = 0;
UPDATE identity_full SET t = 'new' WHERE id % 2 = 0;
UPDATE identity_two SET x = -x WHERE a % 2 = 0;
UPDATE identity_default SET id = id + 100 WHERE id % 5 = 0;
UPDATE identity_index SET u = u + 100, id = -id WHERE id % 5 = 0;
UPDATE identity_full SET id = id + 100 WHERE id % 5 = 0;
UPDATE identity_two SET b = b || 'x' WHERE a % 5 = 0;
DELETE FROM identity_default WHERE id % 7 = 0;
DELETE FROM identity_index WHERE id % 7 = 0;
DELETE FROM identity_full WHERE id % 7 = 0;
DELETE FROM identity_two WHERE a % 7 = 0;
INSERT INTO identity_nothing SELECT n, n, n FROM generate_series(31, 60) n;
END
			again => 'UPDATE identity_default SET u = u + 1;
				UPDATE identity_index SET t = id, u = u + 1000;
				DELETE FROM identity_full WHERE id < 10',
		},
		{
			title => 'tables without a key',
			setup => <<'END',
CREATE TABLE bare (a integer, b text);
INSERT INTO bare SELECT n % 3, NULL FROM generate_series(1, 20) n;
CREATE TABLE bare_full (a integer, b text, c json, d float8);
ALTER TABLE bare_full REPLICA IDENTITY FULL;
INSERT INTO bare_full
	SELECT nullif(n % 3, 0), nullif(n % 2, 0)::text, '{"a": 1}', 'NaN'
	  FROM generate_series(1, 30) n;
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
END
			change => <<'END',
INSERT INTO bare SELECT n % 3, 'new' FROM generate_series(1, 20) n;
INSERT INTO bare VALUES (1, 'one'), (1, 'one'), (NULL, NULL);
UPDATE bare_full SET a = 100 WHERE ctid IN
	(SELECT ctid FROM bare_full WHERE a IS NULL LIMIT 2);
DELETE FROM bare_full WHERE ctid IN
	(SELECT ctid FROM bare_full WHERE a = 1 AND b IS NULL LIMIT 1);
DELETE FROM bare_full WHERE a = 2;
INSERT INTO bare_full VALUES (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL);
UPDATE bare_full SET b = 'null' WHERE ctid IN
	(SELECT ctid FROM bare_full WHERE d IS NULL LIMIT 1);
INSERT INTO no_columns DEFAULT VALUES;
END
			again => 'UPDATE bare_full SET d = 1; INSERT INTO bare SELECT * FROM bare',
		},
		{
			title => 'partitions, and rows that move between them',
			setup => <<'END',
CREATE TABLE parted (id integer, at date, n integer, PRIMARY KEY (id, at))
	PARTITION BY RANGE (at);
CREATE TABLE parted_20 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parted_21 (at date NOT NULL, n integer, gone text, id integer NOT NULL);
ALTER TABLE parted_21 DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_21 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE parted_rest PARTITION OF parted DEFAULT PARTITION BY HASH (id);
CREATE TABLE parted_rest_0 PARTITION OF parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_rest_1 PARTITION OF parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT n, date '2020-01-01' + n * 40, n FROM generate_series(1, 30) n;
CREATE TABLE parent (id integer PRIMARY KEY, a text);
CREATE TABLE child (PRIMARY KEY (id), b text) INHERITS (parent);
INSERT INTO parent VALUES (1, 'parent'); INSERT INTO child VALUES (2, 'child', 'b');
END
			change => <<'END',
INSERT INTO parted SELECT n, date '2020-01-01' + n * 20, n FROM generate_series(31, 60) n;
UPDATE parted SET at = at + 365 WHERE id % 3 = 0;
UPDATE parted SET n = -n, id = id + 1000 WHERE id % 4 = 0;
DELETE FROM parted WHERE id % 5 = 0;
UPDATE parent SET a = a || '!';
INSERT INTO child VALUES (3, 'x', 'y'); DELETE FROM parent WHERE id = 2;
END
			again => 'UPDATE parted SET at = at - 365 WHERE id % 2 = 0; TRUNCATE parted_21',
		},
		{
			title => 'generated and identity columns, sequences',
			setup => <<'END',
CREATE TABLE generated (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED,
	other integer GENERATED BY DEFAULT AS IDENTITY);
INSERT INTO generated (a) SELECT n FROM generate_series(1, 20) n;
CREATE TABLE numbered (id serial PRIMARY KEY, a text);
INSERT INTO numbered (a) SELECT n FROM generate_series(1, 20) n;
END
			change => <<'END',
INSERT INTO generated (a) SELECT n FROM generate_series(1, 20) n;
INSERT INTO generated (id, a) OVERRIDING SYSTEM VALUE VALUES (-1, -1);
UPDATE generated SET a = a + 1 WHERE id % 2 = 0;
DELETE FROM generated WHERE id % 5 = 0;
INSERT INTO numbered (a) VALUES ('new');
END
			again => 'UPDATE generated SET a = -a; INSERT INTO generated (a) VALUES (0)',
		},
		{
			title => 'large values that do not change',
			setup => <<'END',
CREATE TABLE toast (id integer PRIMARY KEY, n integer, big text, big2 text);
ALTER TABLE toast ALTER big SET STORAGE EXTERNAL, ALTER big2 SET STORAGE EXTERNAL;
INSERT INTO toast SELECT n, n, repeat(n::text, 5000), repeat('y', 9000)
  FROM generate_series(1, 30) n;
CREATE TABLE toast_full (id integer, n integer, big text);
ALTER TABLE toast_full ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
INSERT INTO toast_full SELECT n, n, repeat(n::text, 5000) FROM generate_series(1, 30) n;
CREATE TABLE toast_key (k text PRIMARY KEY, n integer);
ALTER TABLE toast_key ALTER k SET STORAGE EXTERNAL;
INSERT INTO toast_key SELECT n || repeat('k', 2500), n FROM generate_series(1, 20) n;
END
			change => <<'END',
UPDATE toast SET n = n + 1 WHERE id % 2 = 0;
UPDATE toast SET big = 'small' WHERE id % 3 = 0;
UPDATE toast SET big2 = repeat('z', 9000) WHERE id % 5 = 0;
UPDATE toast SET id = id + 100 WHERE id % 7 = 0;
BEGIN; UPDATE toast SET n = 0 WHERE id = 1; UPDATE toast SET big = 'b' WHERE id = 1;
UPDATE toast SET n = 1 WHERE id = 1; COMMIT;
BEGIN; UPDATE toast SET n = 0 WHERE id = 11; UPDATE toast SET id = 211 WHERE id = 11;
UPDATE toast SET n = 5 WHERE id = 211; COMMIT;
BEGIN; INSERT INTO toast VALUES (300, 0, repeat('q', 9000), NULL);
UPDATE toast SET n = 1 WHERE id = 300; COMMIT;
BEGIN; DELETE FROM toast WHERE id = 13;
INSERT INTO toast VALUES (13, 0, repeat('r', 9000), 'x'); UPDATE toast SET n = 2 WHERE id = 13;
COMMIT;
UPDATE toast_full SET n = n + 1 WHERE id % 2 = 0;
DELETE FROM toast_full WHERE id % 5 = 0;
UPDATE toast_key SET n = n + 100 WHERE n % 2 = 0;
UPDATE toast_key SET k = n || repeat('l', 2500) WHERE n % 3 = 0;
DELETE FROM toast_key WHERE n = 5;
END
			again => 'UPDATE toast SET n = n + 1; UPDATE toast_key SET n = -n',
		},
		{
			title => 'keys that change places within a transaction',
			setup => <<'END',
CREATE TABLE swap (id integer PRIMARY KEY, u integer UNIQUE DEFERRABLE INITIALLY DEFERRED, v integer UNIQUE, t text);
INSERT INTO swap SELECT n, n, n, n FROM generate_series(1, 30) n;
CREATE TABLE deferred_key (id integer PRIMARY KEY DEFERRABLE, t text);
ALTER TABLE deferred_key REPLICA IDENTITY FULL;
INSERT INTO deferred_key SELECT n, n FROM generate_series(1, 20) n;
END
			change => <<'END',
BEGIN; UPDATE swap SET u = 3 - u WHERE id <= 2; COMMIT;
BEGIN; UPDATE swap SET v = -1 WHERE id = 1; UPDATE swap SET v = 1 WHERE id = 2;
UPDATE swap SET v = 2 WHERE id = 1; COMMIT;
BEGIN; UPDATE swap SET id = -1 WHERE id = 1; UPDATE swap SET id = 1 WHERE id = 2;
UPDATE swap SET id = 2 WHERE id = -1; COMMIT;
BEGIN; UPDATE swap SET id = id + 1000 WHERE id > 10; UPDATE swap SET id = id - 999 WHERE id > 1000; COMMIT;
BEGIN; DELETE FROM swap WHERE id = 5; INSERT INTO swap VALUES (5, 5, 5, 'again'); COMMIT;
BEGIN; DELETE FROM swap WHERE id = 6; INSERT INTO swap VALUES (106, 6, 6, 'other'); COMMIT;
BEGIN; INSERT INTO swap VALUES (200, 200, 200); DELETE FROM swap WHERE id = 200; COMMIT;
UPDATE deferred_key SET id = id + 1;
END
			again => 'UPDATE swap SET v = -v; UPDATE swap SET v = 1 - v;
				UPDATE swap SET u = u + 1',
		},
		{
			title => 'foreign keys, triggers and checks',
			setup => <<'END',
CREATE TABLE customer (id integer PRIMARY KEY, name text);
CREATE TABLE purchase (id integer PRIMARY KEY, customer integer REFERENCES customer
	ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, total numeric CHECK (total >= 0));
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.audit (what) VALUES (TG_OP); RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON purchase FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO customer SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO purchase SELECT n, n % 10 + 1, n FROM generate_series(1, 50) n;
END
			change => <<'END',
BEGIN; INSERT INTO purchase VALUES (100, 100, 1); INSERT INTO customer VALUES (100, 'late'); COMMIT;
DELETE FROM customer WHERE id = 3;
UPDATE customer SET id = id + 200 WHERE id = 4;
UPDATE purchase SET total = total + 1 WHERE id % 2 = 0;
END
			again => 'INSERT INTO purchase VALUES (300, 300, 3);
				INSERT INTO customer VALUES (300); DELETE FROM customer WHERE id = 5',
		},
		{
			title => 'savepoints, aborted and empty transactions',
			setup => 'CREATE TABLE saved (id integer PRIMARY KEY, t text)',
			change => <<'END',
BEGIN; INSERT INTO saved VALUES (1, 'kept'); SAVEPOINT a; INSERT INTO saved VALUES (2, 'gone');
ROLLBACK TO a; INSERT INTO saved VALUES (2, 'kept'); SAVEPOINT b; UPDATE saved SET t = 'kept too'; RELEASE b; COMMIT;
BEGIN; INSERT INTO saved VALUES (3, 'gone'); ROLLBACK;
BEGIN; CREATE TEMPORARY TABLE tmp ON COMMIT DROP AS SELECT * FROM saved; COMMIT;
DO 'BEGIN FOR i IN 10 .. 30 LOOP BEGIN INSERT INTO public.saved VALUES (i, i);
IF i % 2 = 0 THEN RAISE division_by_zero; END IF; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END';
END
			again => "SAVEPOINT c; DELETE FROM saved; ROLLBACK TO c;
				UPDATE saved SET t = t || '!'",
		},
		{
			title => 'truncate',
			setup => <<'END',
CREATE TABLE trunk (id serial PRIMARY KEY, t text);
CREATE TABLE branch (id integer PRIMARY KEY, trunk integer REFERENCES trunk);
CREATE TABLE leaf (id integer PRIMARY KEY, t text);
INSERT INTO trunk (t) SELECT n FROM generate_series(1, 20) n;
INSERT INTO branch SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO leaf SELECT n, n FROM generate_series(1, 20) n;
END
			change => <<'END',
BEGIN; INSERT INTO leaf VALUES (50, 'gone'); TRUNCATE leaf; INSERT INTO leaf VALUES (51, 'kept'); COMMIT;
UPDATE trunk SET t = 'x'; TRUNCATE trunk RESTART IDENTITY CASCADE; INSERT INTO trunk (t) VALUES ('first');
INSERT INTO branch VALUES (1, 1);
END
			again => "TRUNCATE trunk, branch, leaf; INSERT INTO leaf VALUES (1)",
		},
		{
			title => 'columns that were dropped before',
			setup => <<'END',
CREATE TABLE holes (a integer, id integer PRIMARY KEY, b text, c integer, d text);
ALTER TABLE holes DROP COLUMN a; ALTER TABLE holes DROP COLUMN c;
INSERT INTO holes SELECT n, 'b', 'd' FROM generate_series(1, 20) n;
END
			change => "INSERT INTO holes SELECT n, 'x', NULL FROM generate_series(21, 40) n;
				UPDATE holes SET d = 'e' WHERE id % 2 = 0; DELETE FROM holes WHERE id = 1",
			again => 'UPDATE holes SET b = id',
		},
		{
			title => 'the same row again and again',
			setup => 'CREATE TABLE hot (id integer PRIMARY KEY, n integer, t text);
				INSERT INTO hot VALUES (1, 0)',
			change => <<'END',
DO 'BEGIN FOR i IN 1 .. 100 LOOP UPDATE public.hot SET n = n + 1; COMMIT; END LOOP; END';
BEGIN; DELETE FROM hot; INSERT INTO hot VALUES (1, -1); UPDATE hot SET n = 7; COMMIT;
BEGIN; INSERT INTO hot VALUES (2, 1); UPDATE hot SET id = 3 WHERE id = 2; DELETE FROM hot WHERE id = 3; COMMIT;
BEGIN; INSERT INTO hot VALUES (4, 1); UPDATE hot SET id = 5, t = 'moved' WHERE id = 4; COMMIT;
BEGIN; UPDATE hot SET id = 6 WHERE id = 5; INSERT INTO hot VALUES (5, 0); COMMIT;
END
			again => 'UPDATE hot SET n = n + 1; UPDATE hot SET t = n; DELETE FROM hot WHERE id = 6;
				INSERT INTO hot VALUES (6, 6)',
		});
}

sub names
{
	my @columns = (
		'"Sp ace"', '"quo""te"', '"back\slash"', '"a.b"', '"%s"', '"select"',
		'"Ünï"', '"$1"');
	my $columns = join ', ', map { "$_ text" } @columns;
	my $values = join ', ', map { "'v$_'" } 1 .. @columns;
	my $schema = '"Schéma ""x"" .y"';
	my $table = $schema . q(."Täble 'z' \n");
	my $long = qq("$LONG_NAME");

	return {
		title => 'names of all kinds',
		setup => <<"END",
CREATE SCHEMA $schema; CREATE SCHEMA $long;
CREATE TABLE $table (id integer PRIMARY KEY, $columns);
CREATE TABLE $long.$long ($long integer PRIMARY KEY, "ID" text, "id" text);
CREATE TYPE $schema."My Mood" AS ENUM ('so so', 'it''s "ok"', 'ü');
CREATE TABLE "order" ("Mood" $schema."My Mood" PRIMARY KEY, "user" text);
INSERT INTO "order" VALUES ('so so', 'x');
INSERT INTO $long.$long SELECT n, 'A', 'a' FROM generate_series(1, 20) n;
END
		change => <<"END",
INSERT INTO $table SELECT n, $values FROM generate_series(1, 20) n;
UPDATE $table SET "quo""te" = 'changed', "\$1" = '\$2', "%s" = '%d', "Ünï" = "a.b";
DELETE FROM $table WHERE id = 4;
UPDATE $long.$long SET "ID" = 'B' WHERE $long % 2 = 0;
UPDATE "order" SET "Mood" = 'it''s "ok"'; INSERT INTO "order" VALUES ('ü', 'y');
UPDATE "order" SET "user" = 'z';
END
		again => qq(UPDATE $long.$long SET "id" = 'b'; DELETE FROM "order"),
	};
}

sub types
{
	my @columns = (
		[ 'i2 smallint', '-32768', '32767', '0' ],
		[ 'i4 integer', '-2147483648', '2147483647', '0' ],
		[ 'i8 bigint', '-9223372036854775808', '9223372036854775807', '0' ],
		[ 'num numeric', 'NaN', '1' . '0' x 1000 . '.' . '3' x 500, '-0.00' ],
		[ 'num2 numeric(20,3)', '-12345678901234567.891', '0.000', '1' ],
		[ 'f4 real', 'NaN', '-Infinity', '1.1754944e-38' ],
		[ 'f8 double precision', '-0', '1.7976931348623157e308', '0.1' ],
		[ 'mon money', '-92233720368547758.08', '12.34', '0' ],
		[ 't text', '', qq(tab\tnew\nline\r \\N \\. 'q' "d" €😀), 'NULL' ],
		[ 'v varchar(20)', ' ', 'ß' x 20, 'x' ],
		[ 'c char(10)', '', 'abc', '  x' ],
		[ 'c1 "char"', '', 'x', '\\' ],
		[ 'na name', '', $LONG_NAME, 'x' ],
		[ 'b bytea', '\x', '\x00ff5c27', '\x' . '00' x 3000 ],
		[ 'ts timestamp', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999', 'infinity' ],
		[ 'tz timestamptz', '-infinity', '2024-02-29 12:00:00.000001+05:45', '0001-01-01 BC' ],
		[ 'd date', '4713-01-01 BC', '5874897-12-31', '-infinity' ],
		[ 'ti time', '24:00:00', '00:00:00.000001', '12:00' ],
		[ 'tiz timetz', '00:00:00+15:59', '24:00:00-15:59', '12:00+00' ],
		[ 'iv interval', '-178000000 years', '1 mon -1 day +00:00:00.000001', '-1 mon +1 day -04:05:06' ],
		[ 'bo boolean', 'true', 'false', 'true' ],
		[ 'mo mood', 'sad', 'happy, "very"', 'ok' ],
		[ 'p point', '(1e300,-1)', '(NaN,Infinity)', '(0,0)' ],
		[ 'ls lseg', '[(1,2),(3,4)]', '[(0,0),(0,0)]', '[(1,1),(2,2)]' ],
		[ 'bx box', '(1,2),(3,4)', '(0,0),(0,0)', '(1,1),(2,2)' ],
		[ 'pa path', '((1,2),(3,4))', '[(1,2),(3,4)]', '[(1,2)]' ],
		[ 'po polygon', '((1,2),(3,4),(5,6))', '((0,0))', '((1,1),(2,2))' ],
		[ 'ci circle', '<(1,2),3>', '<(0,0),0>', '<(1,1),1>' ],
		[ 'li line', '{1,2,3}', '{0,1,0}', '{-1,0,5}' ],
		[ 'cr cidr', '10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0' ],
		[ 'ip inet', '10.1.2.3/8', '::1', '255.255.255.255' ],
		[ 'ma macaddr', '08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00' ],
		[ 'm8 macaddr8', '08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00:00:00' ],
		[ 'bi bit(5)', '00000', '10101', '11111' ],
		[ 'vb varbit', '', '1' x 77, '0' ],
		[ 'tv tsvector', '', q('a':1A 'it''s':2,3B), 'x' ],
		[ 'tq tsquery', 'a & !b', q('it''s':*A | x <2> y), 'z' ],
		[ 'u uuid', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '12345678-1234-1234-1234-123456789abc' ],
		[ 'x xml', '<a b="c">ü</a>', 'a<b/>c', '<?x y?>' ],
		[ 'j json', '{"b" :1,  "a":[1,2], "a":null}', '"\u00e9"', 'null' ],
		[ 'jb jsonb', '{"b": 1e400, "a": [1, {"c": null}]}', '"\u00e9 \" \\\\"', 'null' ],
		[ 'jp jsonpath', '$.a[*] ? (@ > 1)', 'strict $', '$."x y"' ],
		[ 'ia integer[]', '{}', '[-2:0]={1,NULL,3}', '{{1,2},{3,4}}' ],
		[ 'ta text[]', '{"",NULL,"NULL","a,b","\"","\\\\"}', '{{a},{b}}', '{é}' ],
		[ 'tza timestamptz[]', '{infinity,"2020-01-01 00:00+00"}', '{}', '{NULL}' ],
		[ 'co pair', '(1,)', '(,"a,""b""")', '(,)' ],
		[ 'ca pair[]', '{"(1,x)",NULL}', '{}', '{"(,\"a,b\")"}' ],
		[ 'pc percent', '0', '100.00', '0.01' ],
		[ 'tg tags', '{}', '{a,"b c"}', '{NULL}' ],
		[ 'ma2 mood[]', '{sad,"happy, \"very\""}', '{}', '{ok}' ],
		[ 'r int4range', 'empty', '(,5)', '[1,3]' ],
		[ 'nr numrange', '(0.5,1.5]', '(,)', '[NaN,NaN]' ],
		[ 'tr tstzrange', '[2020-01-01 00:00+00,infinity]', '(-infinity,)', 'empty' ],
		[ 'sp span', '[1.5,2.5)', 'empty', '(,)' ],
		[ 'o oid', '0', '4294967295', '1' ],
		[ 'rt regtype', 'integer', 'text[]', 'pg_catalog.int8' ],
		[ 'ls2 pg_lsn', '0/0', 'FFFFFFFF/FFFFFFFF', '16/B374D848' ],
		[ 'h hstore', '', '"a"=>NULL, "b c"=>"d\\"e"', 'x=>y' ],
		[ 'ct citext', '', 'MiXeD', 'ü' ],
		[ 'lt ltree', 'a.b.c', 'x', 'a_1' ],
		[ 'lq text COLLATE "C"', 'a', 'B', 'c' ]);
	push @columns, [ 'mr int4multirange', '{}', '{[1,3),[5,8)}', '{(,)}' ],
	  [ 'inf numeric', 'Infinity', '-Infinity', 'NaN' ]
	  if $server_version >= 14;
	my @names = map { /^(\w+)/ ? $1 : () } map { $_->[0] } @columns;
	my $rows = sub {
		my ($first, @which) = @_;
		return join ",\n", map {
			my $which = $_;
			'(' . join(', ', $first++, map { literal($_->[$which]) } @columns) . ')'
		} @which;
	};
	my $set = join ', ', map { "$_ = other.$_" } @names;
	my $null = join ', ', map { "$_ = NULL" } @names;

	return {
		title => 'values of many types',
		setup => <<"END"
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy, "very"');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN tags AS text[];
CREATE TYPE span AS RANGE (subtype = float8);
END
		  . 'CREATE TABLE types (id integer PRIMARY KEY, '
		  . join(', ', map { $_->[0] } @columns)
		  . '); INSERT INTO types VALUES ' . $rows->(1, 1, 2, 3)
		  . '; INSERT INTO types (id) VALUES (4)',
		change => 'INSERT INTO types VALUES '
		  . $rows->(11, 1, 2, 3) . ';'
		  . 'INSERT INTO types (id) VALUES (14), (15);'
		  . "UPDATE types SET $set FROM types other
			  WHERE (types.id, other.id) IN ((1, 2), (3, 4), (4, 3), (11, 13), (14, 11));"
		  . "UPDATE types SET $null WHERE id = 12; DELETE FROM types WHERE id = 15",
		again => "UPDATE types SET $set FROM types other WHERE other.id = 2",
	};
}

sub literal
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	$text =~ s/\\/\\\\/g;
	return "E'$text'";
}
