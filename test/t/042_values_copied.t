# Values that are copied: where their hash puts them, what --verify thinks of
# them; and rules that fire always, for however many rows.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;

my $FAILED = 1;

# ---- Where the hash puts them ----

# Types that have a length, in SQL's own name for them: "character" alone is
# character(1).
my %keys = (by_char => 'k', by_domain => 'k', by_array => 'k', by_varchar => 'k',
	by_both => 'k, l');
my $nodes = Penstock::Nodes->new(
	count => 2,
	placement => [ 'public.by_* = hash(k)', 'public.by_both = hash(k, l)', '* = all' ]);
my $pair = $nodes->pair;
$pair->source_sql(q(
	CREATE DOMAIN code AS char(8);
	CREATE DOMAIN longer_code AS code;
	CREATE TABLE by_char (k char(8) PRIMARY KEY);
	CREATE TABLE by_domain (k longer_code PRIMARY KEY);
	CREATE TABLE by_array (k char(8)[] PRIMARY KEY);
	CREATE TABLE by_varchar (k varchar(8) PRIMARY KEY);
	CREATE TABLE by_both (k char(8), l code, PRIMARY KEY (k, l));
));
$pair->source_sql(fill(1, 50));
$nodes->run_or_die('clone');
$nodes->spread_ok('copied', %keys);
$pair->source_sql(fill(51, 100));
$pair->source_sql(q(DELETE FROM by_char WHERE k LIKE '%7';
	UPDATE by_domain SET k = 'x' || k WHERE k LIKE '%3'));
$nodes->follow_to_end;
$nodes->spread_ok('followed', %keys);


# ---- What --verify thinks of them ----

my $types = $pair->with_database('verify');
$types->source_sql(q(
	CREATE TYPE two AS (a text, b int);
	CREATE TABLE v (id int PRIMARY KEY, c char(5), ca char(5)[], n numeric(10,2),
		t timestamp, tz timestamptz(6), f float8, j json, i inet, v varchar(20), p two,
		e text, x text, "r" int);
	INSERT INTO v SELECT n, 'c' || n, ARRAY['a', NULL, 'b '], n + 0.5, '2020-02-02 02:02:02.25',
		'2020-02-02 02:02:02.254', 1 / n::float8, '{"b" : 1, "a":"ñ\\"x" }', '10.0.0.1',
		'v', '(,)', 'ok', 'ñ', n FROM generate_series(1, 20) n;
	INSERT INTO v (id) VALUES (100)));
my $target_v = q(
	CREATE TYPE two AS (a text, b int); CREATE TYPE mood AS ENUM ('ok');
	CREATE DOMAIN code AS char(8); CREATE DOMAIN longer_code AS code;
	CREATE TABLE mark (number bigserial PRIMARY KEY);
	CREATE TABLE v (id numeric(20,4) PRIMARY KEY, c longer_code, ca char(8)[], n numeric(12,4),
		t timestamptz, tz timestamptz(2), f float4, j jsonb, i text, v char(30), p two,
		e mood, x name, "r" bigint));
$types->target_sql($target_v);
my ($status, undef, $log) = $types->run('clone', '--data-only', '--verify');
is($status, 0, '--verify knows types that differ');
like($log, qr/tables have the same contents/, 'it has compared them');
$types->recreate_target;
$types->target_sql($target_v . q(;
	CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN NEW.c = 'other'; RETURN NEW; END$$;
	CREATE TRIGGER spoil BEFORE INSERT ON v FOR EACH ROW WHEN (NEW.id = 7)
		EXECUTE FUNCTION spoil();
	ALTER TABLE v ENABLE ALWAYS TRIGGER spoil));
$types->fails_like($FAILED, qr/table "public"\."v" on target differs/,
	'--verify sees what differs in one of them', 'clone', '--data-only',
	'--verify', '--name=verify_again', '--publications=verify');

my $latin = $pair->with_database('latin');
$pair->source->safe_psql('postgres', 'DROP DATABASE latin');
$pair->source->safe_psql('postgres', q(CREATE DATABASE latin ENCODING 'LATIN1'
	LOCALE 'C' TEMPLATE template0));
$latin->source_sql(q(
	SET client_encoding = 'UTF8';
	CREATE TABLE mark (number bigserial PRIMARY KEY);
	CREATE TABLE "Größe" (id int PRIMARY KEY, "wört" text, a text[]);
	INSERT INTO "Größe" SELECT n, 'Größe ' || n, ARRAY['é', NULL]
		FROM generate_series(1, 20) n;
	CREATE PUBLICATION latin FOR ALL TABLES));
($status) = $latin->run('clone', '--verify');
is($status, 0, '--verify compares across encodings');
$latin->source_sql(q(SET client_encoding = 'UTF8';
	UPDATE "Größe" SET "wört" = 'ß' WHERE id < 5));
$latin->follow_to_end;
is($latin->target_sql(q(SELECT count(*) FROM "Größe" WHERE "wört" = 'ß')), 4,
	'text is converted as it is followed');


# ---- Rules ----

my $rules = $pair->with_database('rules');
$rules->source_sql('CREATE TABLE t (id int PRIMARY KEY, v int)');
$rules->clone;
$rules->target_sql(q(
	CREATE TABLE noted (id int, what text);
	CREATE RULE inserted AS ON INSERT TO t DO ALSO INSERT INTO noted VALUES (NEW.id, 'insert');
	CREATE RULE updated AS ON UPDATE TO t DO ALSO INSERT INTO noted VALUES (NEW.id, 'update');
	CREATE RULE deleted AS ON DELETE TO t DO ALSO INSERT INTO noted VALUES (OLD.id, 'delete');
	ALTER TABLE t ENABLE ALWAYS RULE inserted;
	ALTER TABLE t ENABLE ALWAYS RULE updated;
	ALTER TABLE t ENABLE ALWAYS RULE deleted));
my $id = 0;
for my $options ([], ['--apply=transaction', '--set'])
{
	for my $rows (1, 10, 2000)
	{
		my $between = 'BETWEEN ' . ($id + 1) . ' AND ' . ($id += $rows);

		for my $change ("INSERT INTO t SELECT n FROM generate_series(1, $id) n WHERE n $between",
			"UPDATE t SET v = 1 WHERE id $between",
			"DELETE FROM t WHERE id $between")
		{
			$rules->source_sql($change);
			$rules->follow_to_end(@$options);
		}
		is( $rules->target_sql("SELECT string_agg(what || ' ' || count, ', ' ORDER BY what)
			FROM (SELECT what, count(*) FROM noted WHERE id $between GROUP BY what) n"),
			"delete $rows, insert $rows, update $rows",
			"rules fire for each of $rows rows " . ($options->[0] // ""));
	}
}

done_testing();

sub fill
{
	my ($first, $last) = @_;
	my $rows = "FROM generate_series($first, $last) n";

	return "INSERT INTO by_char SELECT 'k' || n $rows;
		INSERT INTO by_domain SELECT 'k' || n $rows;
		INSERT INTO by_array SELECT ARRAY['k' || n, 'same'] $rows;
		INSERT INTO by_varchar SELECT 'k' || n $rows;
		INSERT INTO by_both SELECT 'k' || n % 7, 'k' || n $rows";
}
