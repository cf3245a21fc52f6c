# Rows are written under the search path of the database, as the application
# writes them: functions in checks, in expressions of indexes and in triggers
# find what they name without a schema.  What is ours does not depend on it: not
# even if there are other operators, functions and types in front of PostgreSQL's.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;

# A schema in front of pg_catalog, where everything fails.
my $TRAPS = join '', 'CREATE SCHEMA trap;
	CREATE FUNCTION trap.refuse() RETURNS bool LANGUAGE plpgsql AS
		$$BEGIN RAISE EXCEPTION $_$trapped$_$; END$$;',
	map({
		my $type = $_;
		my $function = "refuse_$type";
		("CREATE FUNCTION trap.$function(pg_catalog.$type, pg_catalog.$type)
			RETURNS bool LANGUAGE sql AS 'SELECT trap.refuse()';",
			map { "CREATE OPERATOR trap.$_ (LEFTARG = pg_catalog.$type,
				RIGHTARG = pg_catalog.$type, FUNCTION = trap.$function);" } qw(= <> < > <= >= + || /))
	} qw(text int4 int8 oid tid pg_lsn name bool jsonb timestamptz)),
	map({
		"CREATE FUNCTION trap.$_ LANGUAGE sql AS 'SELECT trap.refuse()::text';"
	} 'count() RETURNS text', 'clock_timestamp() RETURNS text',
		'now() RETURNS text', 'to_jsonb(anyelement) RETURNS text',
		'format(text, anyelement) RETURNS text',
		'set_config(text, text, bool) RETURNS text',
		'current_setting(text) RETURNS text'),
	map({ "CREATE DOMAIN trap.$_ AS pg_catalog.int4 CHECK (trap.refuse());" }
		qw(text jsonb pg_lsn regclass timestamptz int8)),
	'';

for my $mode ([batch => ()], [by_transaction => '--apply=transaction'],
	[lanes => '--apply=transaction', '--lanes=3'],
	[lenient => '--on-conflict=overwrite'])
{
	my ($name, @options) = @$mode;
	my $db = $pair->with_database($name);

	$db->$_($TRAPS . "ALTER DATABASE $name SET search_path = app, public")
	  for qw(target_sql);
	$db->source_sql("ALTER DATABASE $name SET search_path = app, public");
	$db->source_sql(<<'END');
CREATE SCHEMA app;
CREATE TABLE app.allowed (v int PRIMARY KEY);
CREATE FUNCTION app.inner_ok(int) RETURNS boolean LANGUAGE sql AS
	'SELECT int4gt($1, 0)';
CREATE FUNCTION app.outer_ok(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN inner_ok($1); END';
CREATE FUNCTION app.half(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN CASE WHEN inner_ok($1) THEN int4div($1, 2) END; END';
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO noted VALUES (NEW.id); RETURN NEW; END';
CREATE UNLOGGED TABLE app.noted (id int);
CREATE TABLE app.t (id int PRIMARY KEY, v int CHECK (app.outer_ok(v)),
	h int GENERATED ALWAYS AS (app.half(v)) STORED, w text, c text UNIQUE);
CREATE INDEX ON app.t (app.half(v));
CREATE TABLE app.fired (id int PRIMARY KEY, v int);
CREATE TRIGGER note AFTER INSERT ON app.fired FOR EACH ROW
	EXECUTE FUNCTION app.note();
CREATE TABLE app.keyless (id int, n numeric, j json);
ALTER TABLE app.keyless REPLICA IDENTITY FULL;
INSERT INTO app.t SELECT n, n FROM generate_series(1, 100) n;
INSERT INTO app.fired SELECT n FROM generate_series(1, 100) n;
INSERT INTO app.keyless SELECT n, n, '{}' FROM generate_series(1, 100) n;
END
	$db->clone;
	$db->equal_ok("$name: copied");
	$db->target->safe_psql($name, 'ALTER TABLE app.fired ENABLE ALWAYS TRIGGER note');
	$db->target->safe_psql('postgres',
		"ALTER DATABASE $name SET search_path = trap, app, public, pg_catalog");
	for my $rows (2, 300)
	{
		my $from = "FROM pg_catalog.generate_series($rows * 1000, $rows * 1000 + $rows) n";

		$db->source_sql($_) for
			"INSERT INTO t (id, v, w) SELECT n, n, 'x' $from",
			"INSERT INTO fired SELECT n $from",
			"INSERT INTO keyless SELECT n, n, '{}' $from",
			"UPDATE t SET v = v + 1, w = 'y'",
			"UPDATE fired SET v = 1 WHERE id < 50",
			"UPDATE keyless SET n = n + 1 WHERE id < 20",
			"DELETE FROM keyless WHERE id < 10",
			"DELETE FROM t WHERE id % 7 = 0",
			"BEGIN; INSERT INTO t (id, v, w) SELECT n + 100000, n, repeat('x', 1000) $from;
			 INSERT INTO t (id, v, w) SELECT n + $rows * 1000000, 1, md5(n::text) || repeat('y', 1000)
				FROM generate_series(1, CASE WHEN $rows > 2 THEN 20000 ELSE 1 END) n;
			 DELETE FROM t WHERE id > 1000000; COMMIT";
		$db->follow_to_end(@options);
		$db->equal_ok("$name: $rows rows followed");
	}
	$db->source_sql('TRUNCATE t');
	$db->source_sql('INSERT INTO t (id, v) VALUES (1, 1)');
	$db->follow_to_end(@options);
	$db->equal_ok("$name: emptied");
	is($db->target_sql('SELECT pg_catalog.count(*) FROM app.noted'),
		$db->source_sql('SELECT count(*) FROM noted'),
		"$name: the trigger that fires always has found its table");
}


# Without it the hint says what is missing.
my $without = $pair->with_database('without');
$without->both_sql(q(CREATE SCHEMA app;
	CREATE FUNCTION app.inner_ok(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
	CREATE FUNCTION app.outer_ok(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
		'BEGIN RETURN inner_ok($1); END';
	CREATE TABLE IF NOT EXISTS mark (number bigserial PRIMARY KEY);
	CREATE TABLE app.t (id int PRIMARY KEY CHECK (app.outer_ok(id)))));
$without->source_sql('SET search_path = app; INSERT INTO t VALUES (1)');
$without->fails_like(1, qr/hint: .*ALTER DATABASE … SET search_path/,
	'copying a table whose check finds nothing', 'clone', '--data-only');
$without->target_sql('ALTER DATABASE without SET search_path = app');
$without->clone('--data-only', '--name=again', '--publications=without');
$without->target_sql('ALTER DATABASE without RESET search_path');
$without->source_sql('SET search_path = app; INSERT INTO t VALUES (2)');
$without->fails_like(1, qr/hint: .*ALTER DATABASE … SET search_path/,
	'following it', 'follow', '--name=again', '--endpos=' . $without->source_lsn);

done_testing();
