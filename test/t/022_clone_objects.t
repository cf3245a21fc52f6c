# What a clone carries: every kind of object that pg_dump would, of the whole
# database or of a part of it.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Server qw(quoted);

my $pair = Penstock::Pair->new;

# Roles and tablespaces belong to the cluster: a clone expects them there.
for my $side (qw(source target))
{
	my $node = $pair->$side;
	my $directory = $node->basedir . '/space';

	mkdir $directory or die "$directory: $!";
	$node->safe_psql('postgres',
		"CREATE ROLE owner; CREATE ROLE reader; CREATE ROLE \"Odd role\"");
	$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '$directory'");
}

make_objects();
my $log = ($pair->run('clone', '--jobs=2', '--verbose'))[2];
is_same_schema('every kind of object');
$pair->equal_ok('every kind of object');
like($log, qr/copied 3 large objects to target; changes to them are not followed/,
	'the log counts large objects');
is(large_objects('target'), large_objects('source'),
	'large objects have their contents, owners, privileges and comments');
is($pair->target_sql('SELECT string_agg(a::text, \',\' ORDER BY a) FROM app.unlogged'),
	'1,2', 'unlogged tables have their rows');
is($pair->target_sql('SELECT count(*) FROM app.filled'),
	100, 'materialized views are refreshed');
is($pair->target_sql('SELECT relispopulated FROM pg_class WHERE relname = \'unfilled\''),
	'f', 'those that were not, are not');
is($pair->target_sql(q(SELECT count(*) FROM pg_constraint WHERE NOT convalidated)),
	$pair->source_sql(q(SELECT count(*) FROM pg_constraint WHERE NOT convalidated)),
	'foreign keys are validated, but for those that were not');
is($pair->target_sql(q(SELECT nextval('app.free_seq'))), 18,
	'sequences go on');
is( $pair->target_sql(
		q(SELECT count(*) FROM pg_statistic WHERE starelid = 'app.keyed'::regclass)
	) > 0,
	1,
	'tables are analyzed');
is($pair->target_sql('SELECT count(*) FROM pg_publication'),
	0, 'publications are left out');
$pair->source_sql("INSERT INTO app.keyed (mood) VALUES ('good')");
$pair->follow_to_end;
$pair->equal_ok('such a copy can be followed');

# Owners, privileges, tablespaces: not where they are not wanted.
$pair->recreate_target;
drop_slot();
$pair->target->safe_psql('postgres',
	'DROP ROLE reader; DROP ROLE "Odd role"; DROP TABLESPACE space');
my $policy = qr/roles are missing on target, .*: reader\n/;
$pair->fails_like(1,
	qr/roles are missing on target, .*: "Odd role", reader\n.*--no-owner and --no-privileges/s,
	'missing roles are told', 'clone');
$pair->fails_like(1, $policy,
	'also those that only policies are for',
	'clone', '--no-owner', '--no-privileges');
$pair->target->safe_psql('postgres', 'CREATE ROLE reader');
$pair->fails_like(1, qr/tablespaces are missing on target, .*: space\n.*--no-tablespaces/s,
	'missing tablespaces are told', 'clone', '--no-owner', '--no-privileges');
is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
	0, 'before a slot is made');
is($pair->target_sql(q(SELECT count(*) FROM pg_class WHERE oid >= 16384)), 0,
	'and before anything is on the target');
$pair->clone('--no-owner', '--no-privileges', '--no-tablespaces',
	'--no-unlogged-table-data');
$pair->equal_ok('without owners, privileges and tablespaces');
is( $pair->target_sql(
		q(SELECT count(*) FROM pg_class
		  WHERE oid >= 16384 AND (relowner <> 10 OR relacl IS NOT NULL
		        OR reltablespace <> 0))),
	0,
	'nothing has an owner, privileges or a tablespace of the source');
is($pair->target_sql('SELECT count(*) FROM app.unlogged'),
	0, 'unlogged tables can be left empty');

part_ok(
	'--exclude-table',
	['--exclude-table=app.referred', '--exclude-table=app.part*'],
	qr/left out of the copy.*: following\ will\ stop/,
	{ 'app.referred' => 0, 'app.parted' => 0, 'app.parted_1' => 0,
		'app.keyed' => 1, 'app.referring' => 1, 'app.over_referred' => 0,
		'other.thing' => 1 });
is($pair->target_sql(q(SELECT count(*) FROM pg_constraint WHERE contype = 'f'
		AND conrelid = 'app.referring'::regclass)),
	1, 'a foreign key to an excluded table is left out, another is not');
part_ok(
	'--schema, --exclude-table',
	[ '--schema=oth*', '--exclude-table=other.*2' ],
	undef,
	{ 'app.keyed' => 0, 'other.thing' => 1, 'other.thing2' => 0 });
part_ok(
	'--exclude-schema', ['--exclude-schema=app'], undef,
	{ 'app.keyed' => 0, 'other.thing' => 1 });
part_ok(
	'--table',
	[ '--table=app."Keyed"', '--table=app.referr*', '--table=app.over_*' ],
	undef,
	{ 'app.referred' => 1, 'app.referring' => 1, 'app.over_referred' => 1,
		'app.keyed' => 0, 'app."Keyed"' => 1, 'other.thing' => 0 });
is($pair->target_sql('SELECT count(*) FROM app.referred'), 50,
	'--table: with their rows');

$pair->recreate_target;
drop_slot();
$pair->fails_like(1, qr/no table on the source matches the pattern "nosuch"/,
	'a pattern that matches nothing', 'clone', '--exclude-table=nosuch');
$pair->fails_like(1, qr/no schema on the source matches the pattern "nosuch"/,
	'a pattern of schemas that matches nothing', 'clone', '--schema=nosuch');
$pair->fails_like(1, qr/invalid pattern "a\.b\.c"/,
	'a pattern that is none', 'clone', '--table=a.b.c');
$pair->fails_like(2, qr/--table cannot be used with --schema/,
	'--table and --schema', 'clone', '--table=a', '--schema=b');
$pair->fails_like(1,
	qr/table app\.child cannot be created without something that is left out/,
	'a table without the one that it inherits from',
	'clone', '--no-owner', '--no-privileges', '--no-tablespaces',
	'--exclude-table=app.mother');

done_testing();

sub make_objects
{
	$pair->source_sql(<<"END");
CREATE SCHEMA app AUTHORIZATION owner;
COMMENT ON SCHEMA app IS 'it''s the app''s';
CREATE SCHEMA other;
CREATE EXTENSION hstore SCHEMA other;
CREATE EXTENSION postgres_fdw;
COMMENT ON EXTENSION hstore IS 'said by us';

CREATE TYPE app.mood AS ENUM ('bad', 'good');
CREATE TYPE app.pair AS (a int, b text COLLATE "C");
CREATE TYPE app.span AS RANGE (subtype = int8);
CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE COLLATION app.plain (provider = libc, locale = 'C');
CREATE FUNCTION app.twice(int) RETURNS int IMMUTABLE LANGUAGE sql
	AS 'SELECT 2 * \$1';
CREATE PROCEDURE app.nothing() LANGUAGE sql AS '';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql
	AS \$\$BEGIN RETURN NEW; END\$\$;
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql
	AS \$\$BEGIN END\$\$;
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR app.<<< (LEFTARG = int, RIGHTARG = int, FUNCTION = int4lt);
CREATE CAST (app.pair AS text) WITH INOUT;
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = simple);

CREATE SEQUENCE app.free_seq START 17;
SELECT nextval('app.free_seq');
CREATE TABLE app.keyed (
	id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 5) PRIMARY KEY,
	mood app.mood DEFAULT 'bad',
	amount app.positive,
	doubled int GENERATED ALWAYS AS (app.twice(amount)) STORED,
	label text DEFAULT 'a;''b' COLLATE app.plain NOT NULL,
	tags other.hstore,
	span app.span,
	"Odd ""name" int UNIQUE DEFERRABLE INITIALLY DEFERRED,
	CHECK (amount < 1000000));
INSERT INTO app.keyed (amount, tags, span, "Odd ""name")
	SELECT n, 'a=>1', app.span(n, n + 1), n FROM generate_series(1, 100) n;
CREATE INDEX keyed_expression ON app.keyed ((label || E';\n-- TOC entry 1 (class 1 OID 1)\n'))
	TABLESPACE space WHERE amount > 0;
ALTER INDEX app.keyed_expression ALTER COLUMN 1 SET STATISTICS 500;
COMMENT ON INDEX app.keyed_expression IS 'partial';
CREATE UNIQUE INDEX keyed_label ON app.keyed (label, id) INCLUDE (mood);
ALTER TABLE app.keyed CLUSTER ON keyed_label;
ALTER TABLE app.keyed ALTER amount SET STATISTICS 77, SET (fillfactor = 70);
CREATE STATISTICS app.keyed_stats ON mood, amount FROM app.keyed;
COMMENT ON COLUMN app.keyed.mood IS 'good or bad';
CREATE TRIGGER keyed_touch BEFORE UPDATE ON app.keyed
	FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.keyed DISABLE TRIGGER keyed_touch;
ALTER TABLE app.keyed ENABLE ROW LEVEL SECURITY;
CREATE POLICY keyed_own ON app.keyed FOR SELECT TO reader USING (amount > 5);
CREATE TABLE app."Keyed" (a int PRIMARY KEY) TABLESPACE space;

CREATE TABLE app.excluding (during int4range, place int,
	CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&));
CREATE TABLE app.referred (id serial PRIMARY KEY, code text NOT NULL UNIQUE);
INSERT INTO app.referred (code) SELECT n FROM generate_series(1, 50) n;
ALTER TABLE app.referred REPLICA IDENTITY USING INDEX referred_code_key;
CREATE TABLE app.referring (
	id bigserial PRIMARY KEY,
	code text REFERENCES app.referred (code) ON DELETE CASCADE DEFERRABLE,
	keyed int CONSTRAINT to_keyed REFERENCES app.keyed);
INSERT INTO app.referring (code, keyed) SELECT n, 5 * n FROM generate_series(1, 50) n;
ALTER TABLE app.referring ADD CONSTRAINT doubtful FOREIGN KEY (id)
	REFERENCES app.referred (id) NOT VALID;
ALTER TABLE app.referring ADD CONSTRAINT later CHECK (id > 0) NOT VALID;
COMMENT ON CONSTRAINT doubtful ON app.referring IS 'not validated';
CREATE UNLOGGED TABLE app.unlogged (a int PRIMARY KEY);
INSERT INTO app.unlogged VALUES (1), (2);
CREATE TABLE app.mother (id int PRIMARY KEY);
CREATE TABLE app.child (extra int) INHERITS (app.mother);
CREATE INDEX ON app.child (extra);
INSERT INTO app.mother VALUES (1);
INSERT INTO app.child VALUES (1, 2);

CREATE TABLE app.parted (id int, day date, PRIMARY KEY (id, day))
	PARTITION BY RANGE (day);
CREATE TABLE app.parted_1 PARTITION OF app.parted
	FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY HASH (id);
CREATE TABLE app.parted_1_0 PARTITION OF app.parted_1
	FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.parted_1_1 PARTITION OF app.parted_1
	FOR VALUES WITH (MODULUS 2, REMAINDER 1) TABLESPACE space;
CREATE TABLE app.parted_rest PARTITION OF app.parted DEFAULT;
CREATE INDEX parted_day ON app.parted (day);
INSERT INTO app.parted SELECT n, date '2020-06-01' + n FROM generate_series(1, 500) n;
CREATE TABLE app.parted_refs (id int PRIMARY KEY, day date,
	FOREIGN KEY (id, day) REFERENCES app.parted);
INSERT INTO app.parted_refs SELECT * FROM app.parted;

CREATE VIEW app.over_referred WITH (security_barrier) AS
	SELECT id, code FROM app.referred WITH CASCADED CHECK OPTION;
CREATE VIEW app.grouped AS SELECT id, mood FROM app.keyed GROUP BY id;
CREATE RULE no_insert AS ON INSERT TO app.grouped DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW app.filled AS SELECT id FROM app.keyed;
CREATE UNIQUE INDEX filled_id ON app.filled (id);
CREATE MATERIALIZED VIEW app.unfilled AS SELECT id FROM app.filled WITH NO DATA;
CREATE FOREIGN DATA WRAPPER bare;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'nowhere');
CREATE USER MAPPING FOR owner SERVER elsewhere OPTIONS (user 'x');
CREATE FOREIGN TABLE app.far (a int OPTIONS (column_name 'b')) SERVER elsewhere;
CREATE EVENT TRIGGER watch ON ddl_command_end
	WHEN TAG IN ('CREATE AGGREGATE') EXECUTE FUNCTION app.watch();

CREATE TYPE other.kind AS ENUM ('a');
CREATE TABLE other.thing (a int PRIMARY KEY, kind other.kind);
CREATE TABLE other.thing2 (a int PRIMARY KEY);
CREATE TABLE other."wei.rd ""t;" ();
ALTER TABLE app.referred OWNER TO owner;
ALTER FUNCTION app.twice(int) OWNER TO "Odd role";
GRANT SELECT, INSERT ON app.keyed TO reader;
GRANT SELECT (code) ON app.referred TO reader WITH GRANT OPTION;
GRANT USAGE ON SCHEMA app TO PUBLIC;
REVOKE ALL ON FUNCTION app.twice(int) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA app
	GRANT SELECT ON TABLES TO reader;
SELECT lo_from_bytea(4711, 'small'), lo_create(4712),
	lo_from_bytea(4713, decode(repeat('00ff27', 300000), 'hex'));
ALTER LARGE OBJECT 4711 OWNER TO owner;
GRANT SELECT ON LARGE OBJECT 4711 TO reader;
COMMENT ON LARGE OBJECT 4711 IS 'it''s small';
CREATE PUBLICATION left_out FOR TABLE app.keyed;
END
}

sub large_objects
{
	my ($side) = @_;
	my $sql = "$side\_sql";

	return $pair->$sql(
		q(SELECT oid, lomowner::regrole, lomacl, md5(lo_get(oid)),
		         obj_description(oid, 'pg_largeobject')
		    FROM pg_largeobject_metadata ORDER BY oid));
}

sub schema
{
	my ($node) = @_;
	my ($stdout, $stderr);

	IPC::Run::run(
		[
			'pg_dump', '--schema-only', '--no-publications',
			'--exclude-schema=penstock', $node->connstr($pair->name)
		],
		'>', \$stdout, '2>', \$stderr)
	  or die "pg_dump failed: $stderr";
	# Newer versions put a key there that is another each time.
	$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
	return $stdout;
}

sub is_same_schema
{
	my ($title) = @_;
	my @lines = map { [ split /\n/, schema($_) ] } $pair->source, $pair->target;

	is_deeply($lines[1], $lines[0], "$title: pg_dump gives the same text");
}

sub drop_slot
{
	$pair->source_sql(
		"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
}

# With these options the target has these relations (1), and not those (0).
sub part_ok
{
	my ($title, $options, $message, $relations) = @_;

	$pair->recreate_target;
	drop_slot();
	my ($status, undef, $said) = $pair->run('clone', '--no-owner',
		'--no-privileges', '--no-tablespaces', @$options);
	is($status, 0, "$title: done");
	like($said, $message, "$title: what is published and left out is told")
	  if $message;
	for my $relation (sort keys %$relations)
	{
		is( $pair->target_sql(
				"SELECT to_regclass('$relation') IS NOT NULL"),
			$relations->{$relation} ? 't' : 'f',
			"$title: $relation is "
			  . ($relations->{$relation} ? 'there' : 'left out'));
	}
}
