# What surrounds a row and must not bend it: settings of roles and databases,
# encodings of servers, the widest table there can be, commands that write rows
# in unusual ways, and a stream that is compressed.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Proxy;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $COLUMNS_MAX = 1600;

my $pair = Penstock::Pair->new(source => ['max_prepared_transactions = 5']);

# A role whose settings would change values or stop the work half way; the
# databases' own disagree with it.
my %role = (
	datestyle => 'German, DMY',
	intervalstyle => 'sql_standard',
	timezone => 'America/St_Johns',
	extra_float_digits => '-15',
	bytea_output => 'escape',
	xmloption => 'document',
	search_path => 'elsewhere',
	client_encoding => 'LATIN1',
	default_transaction_read_only => 'on',
	default_transaction_isolation => 'serializable',
	statement_timeout => '30ms',
	lock_timeout => '30ms',
	idle_in_transaction_session_timeout => '30ms',
	row_security => 'off',
	array_nulls => 'off',
	jit => 'on',
	jit_above_cost => '0',
	standard_conforming_strings => 'off',
	backslash_quote => 'off',
	quote_all_identifiers => 'on');
for my $side (qw(source target))
{
	my $sql = "CREATE ROLE mover SUPERUSER LOGIN;\n";
	$sql .= "ALTER ROLE mover SET $_ = '$role{$_}';\n" for sort keys %role;
	$sql .= "ALTER DATABASE shop SET $_;\n"
	  for "datestyle = 'SQL, MDY'", "intervalstyle = 'postgres_verbose'",
	  'extra_float_digits = 0';
	$pair->{$side}->safe_psql('shop', $sql);
	$pair->set_conninfo($side, $pair->{$side}->connstr('shop') . ' user=mover');
}
$pair->source_sql(<<'END');
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE TABLE public.bent (id int PRIMARY KEY, d date, ts timestamp,
	tz timestamptz, i interval, f4 real, f8 double precision, b bytea, x xml,
	m money, t text, a date[], r tstzrange, mood public.mood, j json,
	moods public.mood[]);
CREATE TABLE public.later (LIKE public.bent INCLUDING ALL);
INSERT INTO public.bent VALUES
	(1, '2026-02-01', '2026-02-01 03:04:05.678901', '2026-02-01 03:04:05+05:45',
	 '-1 year 2 mons -3 days 04:05:06.7', 0.1, 1.0 / 3, '\x005c27ff',
	 '<a/><b/>', 1234.56, E'back\\slash ''quote'' \u00e9 \u20ac',
	 '{2026-02-01,0044-03-15 BC,infinity}', '[2026-01-01,2026-02-01)', 'ok',
	 '{"a" : 1}', ARRAY['ok', NULL]::public.mood[]),
	(2, '0044-03-15 BC', '-infinity', '294276-12-31 23:59:59+00', '0', 'NaN',
	 '-0', '', NULL, -0.01, '', '{}', 'empty', NULL, 'null', NULL);
END
$pair->clone;
$pair->equal_ok('values copied by a role with hostile settings');
my $follower = $pair->start('follow');
$pair->source_sql('INSERT INTO public.later SELECT * FROM public.bent');
$pair->source_sql('UPDATE public.bent SET f8 = f8 + 1e-15, i = i * 3');
$pair->source_sql('INSERT INTO public.later SELECT id + n, d, ts, tz, i, f4, f8,
	b, x, m, t, a, r, mood, j, moods FROM public.bent, generate_series(10, 300, 10) n');

# An enum's labels have OIDs of their own on each side, and grow.
$pair->target_sql(q(ALTER TYPE public.mood ADD VALUE 'glad'));
$pair->source_sql(q(ALTER TYPE public.mood ADD VALUE 'glad'));
$pair->source_sql(q(UPDATE public.later SET mood = 'glad' WHERE id % 2 = 1));
$pair->wait_caught_up;
$pair->equal_ok('values followed by a role with hostile settings');
$pair->stop_ok($follower);
$pair->set_conninfo($_, undef) for qw(source target);

# Commands that write rows in ways of their own.
$pair->both_sql('ALTER DATABASE shop RESET ALL');
my $ways = $pair->with_database('ways');
$ways->source_sql(<<'END');
CREATE TABLE rows (id int PRIMARY KEY, n int, t text);
CREATE TABLE log (id bigserial PRIMARY KEY, what text);
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM rows;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON rows
	FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TABLE ruled (id int PRIMARY KEY);
CREATE RULE no_sevens AS ON INSERT TO ruled WHERE new.id = 7
	DO INSTEAD INSERT INTO log (what) VALUES ('seven');
END
$ways->clone;
$follower = $ways->start('follow');
$ways->source_sql($_) for
  q(COPY rows FROM PROGRAM 'seq 1 500 | sed "s/.*/&,&,copied/"' (FORMAT csv)),
  q(BEGIN; TRUNCATE rows; COPY rows FROM PROGRAM
	'seq 1 800 | sed "s/.*/&,&,frozen/"' (FORMAT csv, FREEZE); COMMIT),
  q(INSERT INTO rows SELECT g, 0, 'again' FROM generate_series(700, 900) g
	ON CONFLICT (id) DO UPDATE SET n = excluded.n, t = rows.t || excluded.t),
  q(MERGE INTO rows r USING generate_series(890, 910) g(id) ON r.id = g.id
	WHEN MATCHED AND g.id % 2 = 0 THEN DELETE
	WHEN MATCHED THEN UPDATE SET t = 'merged'
	WHEN NOT MATCHED THEN INSERT VALUES (g.id, 1, 'new')),
  q(BEGIN; INSERT INTO rows VALUES (1001, 1, 'prepared');
	PREPARE TRANSACTION 'two'),
  q(BEGIN; INSERT INTO rows VALUES (1002, 1, 'never'); PREPARE TRANSACTION 'no'),
  q(ROLLBACK PREPARED 'no'),
  q(COMMIT PREPARED 'two'),
  q(CLUSTER rows USING rows_pkey), q(VACUUM FULL rows),
  q(ALTER TABLE rows ALTER n TYPE bigint),
  q(INSERT INTO rows VALUES (1003, 5000000000, 'after a rewrite')),
  q(INSERT INTO ruled SELECT generate_series(1, 10)),
  q(REFRESH MATERIALIZED VIEW sums), q(INSERT INTO fleeting VALUES (1)),
  q(CREATE TEMPORARY TABLE rows (id int); INSERT INTO rows VALUES (1));
isnt($follower->wait_exit, 0, 'a number that the target has no room for stops it');
$ways->target_sql('ALTER TABLE rows ALTER n TYPE bigint');
$ways->follow_to_end;
$ways->equal_ok('rows written in unusual ways');
is($ways->target_sql('SELECT count(*) FROM fleeting'),
	0, 'an unlogged table is not followed');

# The widest table.
my $wide = $ways->with_database('wide');
$wide->source_sql('CREATE TABLE wide (id int PRIMARY KEY, '
	  . join(', ', map { "c$_ " . ('int', 'bool', '"char"')[ $_ % 3 ] }
		  1 .. $COLUMNS_MAX - 1) . ')');
$wide->source_sql('INSERT INTO wide (id, c1, c1599) SELECT g, false, 7
	FROM generate_series(1, 20) g');
$wide->clone;
$follower = $wide->start('follow');
$wide->source_sql('INSERT INTO wide SELECT 100 + g, '
	  . join(', ', map { ('g', 'true', "'x'")[ $_ % 3 ] } 1 .. $COLUMNS_MAX - 1)
	  . ' FROM generate_series(1, 30) g');
$wide->source_sql('UPDATE wide SET c1599 = c1599 + 1, c800 = NULL');
$wide->source_sql('UPDATE wide SET id = -id WHERE id % 3 = 0');
$wide->source_sql('DELETE FROM wide WHERE id % 5 = 0');
$wide->wait_caught_up;
$wide->equal_ok("$COLUMNS_MAX columns");
$wide->stop_ok($follower);

# Between servers of different encodings.
my $latin = $wide->with_database('latin');
$latin->{source}->safe_psql('postgres', $_)
  for 'DROP DATABASE latin',
  q(CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0);
$latin->source_sql($_)
  for 'CREATE TABLE mark (number bigserial PRIMARY KEY)',
  'CREATE PUBLICATION latin FOR ALL TABLES',
  q(SET client_encoding = 'UTF8'; CREATE TABLE "Größe" (id int PRIMARY KEY,
	"Füße" text); INSERT INTO "Größe" VALUES (1, 'straße'));
$latin->clone;
$follower = $latin->start('follow');
$latin->source_sql(
	q(SET client_encoding = 'UTF8'; INSERT INTO "Größe" VALUES (2, 'çà')));
$latin->source_sql(q(SET client_encoding = 'UTF8';
	UPDATE "Größe" SET "Füße" = 'naïve' WHERE "Füße" = 'straße'));
$latin->wait_caught_up;
is($latin->target_sql('SELECT string_agg("Füße", \',\' ORDER BY id) FROM "Größe"'),
	'naïve,çà', 'text changes its encoding on the way');
$latin->stop_ok($follower);

# A compressed stream.
my $squeezed = $pair->with_database('squeezed');
my $seen = "$ENV{TMPDIR}/frames";
my $proxy =
  Penstock::Proxy->start($squeezed->source, sub { return { reply => \&note_frame } });
$squeezed->set_conninfo('source', $proxy->conninfo('squeezed'));
$squeezed->source_sql(
	'CREATE TABLE t (id int PRIMARY KEY, a text, b bytea, n numeric)');
$follower = $squeezed->start('clone', '--follow', '--compression=zstd');
$follower->wait_log(qr/following with slot/);
$squeezed->source_sql($_)
  for q(INSERT INTO t SELECT g, repeat('ab' || g, 30), sha512(g::text::bytea), g / 7.0
	FROM generate_series(1, 5000) g),
  q(INSERT INTO t VALUES (-1, 'short')),
  q(INSERT INTO t VALUES (-2, repeat('long', 1000000), NULL, NULL)),
  q(UPDATE t SET b = (SELECT string_agg(sha512(i::text::bytea), '')
	FROM generate_series(1, 4000) i) WHERE id = 5),
  q(UPDATE t SET n = n + 1 WHERE id % 3 = 0), 'DELETE FROM t WHERE id % 7 = 0';
$squeezed->wait_caught_up($follower);
$squeezed->equal_ok('a compressed stream');
my $compressed = grep { $_ eq 'zstd' } split /\n/, slurp_file($seen);
cmp_ok($compressed, '>', 10, 'it was compressed');
$squeezed->stop_ok($follower);
my ($status, $lines, $log) = $squeezed->run('follow', '--compression=zstd:1',
	'--endpos=' . $squeezed->source_lsn);
is($status, 0, 'with a level');
$squeezed->set_conninfo('source', undef);
my $tail = $squeezed->start('tail', '--compression=zstd');
$tail->wait_log(qr/printing changes/);
$squeezed->source_sql(q(INSERT INTO t VALUES (-3, repeat('tail', 200))));
wait_until('the tail to print a line', sub { $tail->output =~ /(?:tail){200}/ });
$squeezed->stop_ok($tail);
$proxy->stop;

done_testing();

# Notes which messages of the stream begin with the field that has a compressed
# frame.
sub note_frame
{
	my ($type, $body) = @_;

	append_to_file($seen, substr($body, 25, 1) eq "\x2a" ? "zstd\n" : "plain\n")
	  if $type eq 'd' && $body =~ /^w/;
	return ($type, $body);
}
