# A value enters a column as the column's own input or receive function reads
# it: no cast that somebody has defined comes in between, and nothing is cut.
# Rows are found by the operators of the key's own operator class, wherever that
# is; and of rows that are equal but not alike, the one that is meant goes.
#
# The same changes are made for few rows and for many, and applied in each way.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $FOLLOWER_FAILED = 1;

# Of a change for few rows, and of one for many.
my $FEW = 2;
my $MANY = 150;

my $pair = Penstock::Pair->new;

my @modes = (
	[batch => ()],
	[by_transaction => '--apply=transaction'],
	[lanes => '--apply=transaction', '--lanes=3']);

for my $mode (@modes)
{
	my ($name, @options) = @$mode;
	my $db = $pair->with_database($name);

	$db->both_sql(definitions());
	$db->target_sql(target_definitions());
	$db->source_sql(source_definitions() . fill(1, $FEW));
	$db->clone('--data-only');
	$db->equal_ok("$name: copied");
	for my $count ($FEW, $MANY)
	{
		my $first = $count == $FEW ? 1000 : 2000;

		$db->source_sql(fill($first, $first + $count - 1));
		$db->follow_to_end(@options);
		$db->equal_ok("$name: $count rows inserted");
		$db->source_sql(changes($first, $first + $count - 1));
		$db->follow_to_end(@options);
		$db->equal_ok("$name: $count rows updated and deleted");
	}

	# All of it as one transaction, which is sent while it is in progress.
	$db->source_sql('BEGIN;' . fill(5000, 5100) . changes(5000, 5100)
	  . "INSERT INTO filler SELECT repeat(md5(n::text), 40)
	     FROM generate_series(1, 20000) n;" . fill(6000, 6001)
	  . changes(6000, 6001) . 'COMMIT');
	$db->follow_to_end(@options);
	$db->equal_ok("$name: a large transaction");

	# Of rows that are equal, the one goes that is meant.
	my $follower = $db->start('follow', @options);
	for my $change (alike())
	{
		$db->source_sql($change);
		$db->wait_caught_up($follower);
		$db->equal_ok("$name: of rows that are equal: $change")
		  if $change !~ /^INSERT/;
	}
	$db->source_sql('BEGIN;' . join(';', alike_again()) . ';COMMIT');
	$db->wait_caught_up($follower);
	$db->equal_ok("$name: of rows that are equal, many at once");
	$db->stop_ok($follower);
}


# ---- What does not fit is refused ----

# One row; then, where the target has made room for that one, many, in each way
# in which those can travel: by COPY, in arrays, and in records.
my $MANY_COLUMNS = join '', map { ", m$_ int DEFAULT 1" } 1 .. 20;
my $COPIED = 'INSERT INTO t SELECT n, {long} FROM generate_series(101, 400) n';
my $CHANGED = 'UPDATE t SET v = {long} WHERE id <= 20';
my @narrow = (
	['a domain', 'varchar(20)', 'short', q('abcdefgh'), $COPIED],
	['a domain in a wide table', "varchar(20)$MANY_COLUMNS", "short$MANY_COLUMNS",
		q('abcdefgh'), $CHANGED],
	['varchar', 'varchar(20)', 'varchar(5)', q('abcdefgh'), $CHANGED],
	['char', 'text', 'char(5)', q('abcdefgh'), $CHANGED],
	['an array', 'varchar(20)[]', 'varchar(5)[]', q('{1234,123456}'), $COPIED],
	['a domain over bits', 'varbit(80)', 'few_bits', q(repeat('1', 9)::varbit), $CHANGED]);
for my $i (0 .. $#narrow)
{
	my ($title, $wide, $narrow, $long, $many) = @{ $narrow[$i] };
	my $db = $pair->with_database("narrow_$i");
	my $type = $wide =~ s/,.*//r;

	$db->both_sql('CREATE DOMAIN short AS varchar(5);
		CREATE DOMAIN few_bits AS varbit(5)');
	$db->source_sql("CREATE TABLE t (id int PRIMARY KEY, v $wide);
		INSERT INTO t SELECT n FROM generate_series(1, 30) n");
	$db->target_sql("CREATE TABLE t (id int PRIMARY KEY, v $narrow);
		CREATE TABLE mark (number bigserial PRIMARY KEY)");
	$db->clone('--data-only');
	for my $change ("INSERT INTO t VALUES (100, $long)", $many)
	{
		$db->source_sql($change =~ s/\{long\}/$long/r);
		my $before = $db->target_sql('TABLE t ORDER BY id');
		$db->fails_like($FOLLOWER_FAILED, qr/(?:value|bit string) too long/,
			"$title: nothing is cut", 'follow',
			'--endpos=' . $db->source_lsn);
		is($db->target_sql('TABLE t ORDER BY id'), $before,
			"$title: nothing is applied");
		$db->target_sql("ALTER TABLE t ALTER v TYPE $type");
		$db->source_sql('DELETE FROM t WHERE id = 100');
		$db->follow_to_end;
		$db->equal_ok("$title: there is room for it");
		$db->target_sql('ALTER TABLE t ALTER v TYPE ' . ($narrow =~ s/,.*//r))
		  if $change ne $many;
	}
}


# ---- What is not allowed any more ----

# A constraint of a domain that is NOT VALID holds for new values.  Rows are still
# found by the old ones.
my $old = $pair->with_database('old');
$old->both_sql('CREATE DOMAIN even AS int; CREATE DOMAIN evens AS int[];
	CREATE DOMAIN words AS varchar(20);
	CREATE TABLE keyed (k even PRIMARY KEY, v int);
	CREATE TABLE lists (k evens PRIMARY KEY, v int);
	CREATE TABLE by_word (k words PRIMARY KEY, v int);
	CREATE TABLE plain (e even, l evens, w words, v int);
	ALTER TABLE plain REPLICA IDENTITY FULL');
$old->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
$old->source_sql('INSERT INTO keyed SELECT n FROM generate_series(1, 3000) n;
	INSERT INTO lists SELECT ARRAY[n] FROM generate_series(1, 3000) n;
	INSERT INTO by_word SELECT n FROM generate_series(1, 3000) n;
	INSERT INTO plain SELECT n, ARRAY[n], n FROM generate_series(1, 3000) n');
$old->clone('--data-only');
$old->both_sql('ALTER DOMAIN even ADD CONSTRAINT c CHECK (VALUE % 2 = 0) NOT VALID;
	ALTER DOMAIN evens ADD CONSTRAINT c CHECK (VALUE[1] % 2 = 0) NOT VALID;
	ALTER DOMAIN words ADD CONSTRAINT c
		CHECK (length(VALUE::text) > 4) NOT VALID');
my $number = 1;
for my $mode (@modes)
{
	my ($name, @options) = @$mode;

	for my $count ($FEW, $MANY)
	{
		my ($first, $last) = ($number, $number + $count - 1);
		my ($next, $end) = ($last + 1, $last + $count);

		$old->source_sql("
			UPDATE keyed SET k = 10000 + 2 * k WHERE k BETWEEN $first AND $last;
			UPDATE lists SET k = ARRAY[10000 + 2 * k[1]]
			 WHERE k[1] BETWEEN $first AND $last;
			UPDATE by_word SET k = 10000 + k::int
			 WHERE k::int BETWEEN $first AND $last;
			UPDATE plain SET e = 10000 + 2 * e, l = ARRAY[10000 + 2 * l[1]],
				w = 'word ' || w WHERE e BETWEEN $first AND $last;
			DELETE FROM keyed WHERE k BETWEEN $next AND $end;
			DELETE FROM lists WHERE k[1] BETWEEN $next AND $end;
			DELETE FROM by_word WHERE k::int BETWEEN $next AND $end;
			DELETE FROM plain WHERE e BETWEEN $next AND $end");
		$old->follow_to_end(@options, '--set');
		$old->equal_ok("$name, $count: found by what is not allowed any more");
		$number = $end + 1;
	}
}


# ---- Speed ----

# The operator is the index's own, wherever it is: nothing is read through.
my $speed = $pair->with_database('speed');
$speed->source_sql(q(
	CREATE EXTENSION citext; CREATE EXTENSION ltree;
	CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN mood_domain AS mood;
	CREATE TABLE c (k citext PRIMARY KEY, v int);
	CREATE TABLE l (k ltree PRIMARY KEY, v int);
	CREATE TABLE m (m mood_domain, k varchar(20), b char(8), v int,
		PRIMARY KEY (m, k, b));
	CREATE TABLE f (k citext, l ltree, v int);
	CREATE INDEX ON f (k);
	ALTER TABLE f REPLICA IDENTITY FULL;
	INSERT INTO c SELECT 'Key ' || n FROM generate_series(1, 20000) n;
	INSERT INTO l SELECT ('a.' || n)::ltree FROM generate_series(1, 20000) n;
	INSERT INTO m SELECT 'ok', 'Key ' || n, n FROM generate_series(1, 20000) n;
	INSERT INTO f SELECT 'Key ' || n, ('a.' || n)::ltree
		FROM generate_series(1, 20000) n;
));
$speed->clone;
for my $options ([], ['--apply=transaction', '--set'])
{
	$speed->source_sql('UPDATE c SET v = coalesce(v, 0) + 1;
		UPDATE l SET v = coalesce(v, 0) + 1; UPDATE m SET v = coalesce(v, 0) + 1;
		UPDATE f SET v = coalesce(v, 0) + 1 WHERE length(k) < 7');
	$speed->follow_to_end(@$options);
	$speed->equal_ok("found by an index: " . ($options->[0] // ""));
}
is($speed->target_sql(q(
	SELECT string_agg(format('%s %s', relname, seq_tup_read), ', ' ORDER BY 1)
	  FROM pg_stat_user_tables
	 WHERE schemaname = 'public' AND seq_tup_read > 3 * 20000)),
	'', 'the target has not read through a table');

done_testing();

# On both sides.
sub definitions
{
	return 'SET client_min_messages = error;' . join ';',
	  map({ "CREATE EXTENSION $_" } qw(citext ltree hstore isn cube)),
	  <<'END';
CREATE TABLE IF NOT EXISTS mark (number bigserial PRIMARY KEY);
CREATE TYPE st AS ENUM ('good', 'bad');
CREATE DOMAIN st_domain AS st;
CREATE TYPE st_pair AS (a st, b st);
CREATE FUNCTION always_bad(text) RETURNS st LANGUAGE sql IMMUTABLE
	AS $$SELECT 'bad'::public.st$$;
CREATE CAST (text AS st) WITH FUNCTION always_bad(text) AS IMPLICIT;
CREATE FUNCTION always_bad_array(text) RETURNS st[] LANGUAGE sql IMMUTABLE
	AS $$SELECT '{bad}'::public.st[]$$;
CREATE CAST (text AS st[]) WITH FUNCTION always_bad_array(text) AS IMPLICIT;
CREATE FUNCTION always_bad_pair(text) RETURNS st_pair LANGUAGE sql IMMUTABLE
	AS $$SELECT '(bad,bad)'::public.st_pair$$;
CREATE CAST (text AS st_pair) WITH FUNCTION always_bad_pair(text) AS IMPLICIT;
CREATE FUNCTION always_bad_text(st) RETURNS text LANGUAGE sql IMMUTABLE
	AS $$SELECT 'bad'$$;
CREATE CAST (st AS text) WITH FUNCTION always_bad_text(st);

CREATE TABLE casts (id int PRIMARY KEY, s st, d st_domain, a st[], p st_pair,
	ds st_domain[]);
CREATE TABLE casts_key (s st, d st_domain, n int, v text,
	PRIMARY KEY (n, s, d));
CREATE TABLE casts_keyless (id int, s st, d st_domain, a st[], p st_pair);

CREATE TABLE names (id int PRIMARY KEY, r regclass, t regtype, x xml,
	a regclass[]);

CREATE TABLE by_citext (k citext PRIMARY KEY, v text);
CREATE TABLE by_ltree (k ltree PRIMARY KEY, v text);
CREATE TABLE by_isbn (k isbn13 PRIMARY KEY, v text);
CREATE TABLE by_cube (k cube PRIMARY KEY, v text);
CREATE DOMAIN word AS citext;
CREATE TABLE by_domain (k word PRIMARY KEY, v text);
CREATE TABLE by_array (k citext[] PRIMARY KEY, v text);
CREATE TABLE by_char (k char(8) PRIMARY KEY, v char(3)[]);
CREATE TABLE keyless (id int, h hstore, c cube, l ltree, i isbn13, b box,
	j json, x xml, pt point, w word, n numeric);

CREATE TYPE two AS (a int, b int);
CREATE TABLE nothing (id int, t two, u text);

CREATE TABLE alike (n numeric, f float8, j jsonb, c citext, i interval,
	p char(5), a numeric[]);

CREATE TABLE filler (t text);
END
}

sub source_definitions
{
	my @full = qw(casts_keyless keyless nothing alike filler);

	return <<'END' . join '', map { "ALTER TABLE $_ REPLICA IDENTITY FULL;" } @full;
CREATE TABLE differs (id int PRIMARY KEY, i inet, c cidr, b bpchar, n numeric,
	a int[], v varchar(20), f float8, u uuid, s text, ts timestamp, e text,
	es text[], k numeric);
END
}

# The target has other types, which take the text.
sub target_definitions
{
	return <<'END';
CREATE DOMAIN short AS varchar(8);
CREATE TABLE differs (id int8 PRIMARY KEY, i text, c varchar, b text, n text,
	a int8[], v short, f text, u text, s citext, ts text, e st,
	es st[], k int8);
END
}

# Rows from one number to another.
sub fill
{
	my ($first, $last) = @_;
	my @rows = (
		[casts => q(n, 'good', 'good', '{good,NULL,good}', '(good,good)', '{good,good}')],
		[casts_key => q('good', 'good', n, 'v')],
		[casts_keyless => q(n, 'good', 'good', '{good}', '(good,)')],
		[names => q(n, CASE WHEN n % 2 = 0 THEN 0::regclass ELSE
			(2000000000 + n)::regclass END, n % 3 * 25,
			xmlparse(content '<a>' || n || '</a>'), ARRAY[0, n]::regclass[])],
		[by_citext => q('Key ' || n, 'v')],
		[by_ltree => q(('a.b' || n)::ltree, 'v')],
		[by_isbn => q(('978' || lpad(n::text, 9, '0') || '?')::text::isbn13, 'v')],
		[by_cube => q(cube(n), 'v')],
		[by_domain => q('Key ' || n, 'v')],
		[by_array => q(ARRAY['Key "' || n, NULL, 'x\\y,{}'], 'v')],
		[by_char => q('k' || n, ARRAY['a', n::text::char(3)])],
		[keyless => q(n, hstore('a', n::text), cube(n), ('a.' || n)::ltree,
			('978' || lpad(n::text, 9, '0') || '?')::text::isbn13, box(point(n, 1), point(2, 3)),
			('{"a" : ' || n || '}')::json, xmlparse(content '<a/>'), point(n, n),
			'Word', n)],
		[nothing => q(n, CASE n % 3 WHEN 1 THEN ROW(NULL, NULL)::two
			WHEN 2 THEN ROW(n, NULL)::two END, CASE n % 3 WHEN 1 THEN '' END)],
		[nothing => q(0, CASE n % 3 WHEN 1 THEN ROW(NULL, NULL)::two
			WHEN 2 THEN ROW(1, NULL)::two END, NULL)],
		[differs => q(n, ('10.0.0.' || n % 256)::inet, '10.0.0.0/8', 'a  ', n + 0.50,
			ARRAY[n, NULL, -n], 'short', n / 4.0, md5(n::text)::uuid, 'Text',
			'2020-02-02 02:02:02.020202', 'good', '{good,bad,NULL}', n)]);

	return join ';', (map {
		"INSERT INTO $_->[0] SELECT $_->[1] FROM generate_series($first, $last) n"
	} @rows), '';
}

sub changes
{
	my ($first, $last) = @_;
	my $half = int(($first + $last + 1) / 2);
	my $rows = "BETWEEN $first AND $last";
	my $rest = "BETWEEN $half AND $last";
	my $isbn = "('978' || lpad(n::text, 9, '0') || '?')::text::isbn13";

	return <<"END";
UPDATE casts SET s = NULL, a = '{good}', p = NULL WHERE id $rows;
UPDATE casts SET s = 'good', d = 'bad', a = '{}', p = '(,good)', ds = '{bad}'
	WHERE id $rows;
DELETE FROM casts WHERE id $rest;
UPDATE casts_key SET v = 'w' WHERE n $rows;
UPDATE casts_key SET d = 'bad' WHERE n $rows AND n % 2 = 0;
DELETE FROM casts_key WHERE n $rest;
UPDATE casts_keyless SET s = 'bad', p = '(,bad)' WHERE id $rows;
UPDATE casts_keyless SET s = 'good', d = 'bad', p = NULL WHERE id $rows AND id % 2 = 0;
DELETE FROM casts_keyless WHERE id $rest;
UPDATE names SET r = 1259, t = 0, x = xmlparse(content '<b/>') WHERE id $rows;
UPDATE names SET r = 0, a = '{0,7}' WHERE id $rest;
UPDATE by_citext SET v = 'w' WHERE k IN (SELECT 'Key ' || n FROM generate_series($first, $last) n);
UPDATE by_citext SET k = upper(k) WHERE k IN (SELECT 'Key ' || n FROM generate_series($half, $last) n);
DELETE FROM by_citext WHERE k = 'KEY $last';
UPDATE by_ltree SET v = 'w' WHERE k IN (SELECT ('a.b' || n)::ltree FROM generate_series($first, $last) n);
DELETE FROM by_ltree WHERE k IN (SELECT ('a.b' || n)::ltree FROM generate_series($half, $last) n);
UPDATE by_isbn SET v = 'w' WHERE k IN (SELECT $isbn FROM generate_series($first, $last) n);
DELETE FROM by_isbn WHERE k IN (SELECT $isbn FROM generate_series($half, $last) n);
UPDATE by_cube SET v = 'w' WHERE k IN (SELECT cube(n) FROM generate_series($first, $last) n);
DELETE FROM by_cube WHERE k IN (SELECT cube(n) FROM generate_series($half, $last) n);
UPDATE by_domain SET v = 'w' WHERE k::text IN (SELECT 'Key ' || n FROM generate_series($first, $last) n);
DELETE FROM by_domain WHERE k::text IN (SELECT 'Key ' || n FROM generate_series($half, $last) n);
UPDATE by_array SET v = 'w' WHERE k[1]::text IN (SELECT 'Key "' || n FROM generate_series($first, $last) n);
DELETE FROM by_array WHERE k[1]::text IN (SELECT 'Key "' || n FROM generate_series($half, $last) n);
UPDATE by_char SET v = '{x}' WHERE k IN (SELECT 'k' || n FROM generate_series($first, $last) n);
DELETE FROM by_char WHERE k IN (SELECT 'k' || n FROM generate_series($half, $last) n);
UPDATE keyless SET h = 'b=>NULL', n = n + 0.00, w = 'WORD' WHERE id $rows;
UPDATE keyless SET c = NULL, j = '[]', x = xmlparse(content '<b/>') WHERE id $rest;
DELETE FROM keyless WHERE id $rest AND id % 2 = 0;
UPDATE nothing SET t = ROW(NULL, NULL) WHERE id $rows AND t IS NOT DISTINCT FROM NULL;
DELETE FROM nothing WHERE id $rows AND u = '';
UPDATE nothing SET u = 'x' WHERE id = 0 AND t IS NULL
	AND t IS DISTINCT FROM NULL;
DELETE FROM nothing WHERE id = 0 AND t IS NOT DISTINCT FROM NULL;
UPDATE differs SET i = '10.0.0.2', b = 'b ', n = 1.10, a = '{}', v = 'v', f = 'Infinity',
	e = 'good', es = '{good}', k = k + 100000 WHERE id $rows;
DELETE FROM differs WHERE id $rest;
END
}

# Each makes rows that are equal to others, or takes one of those away.
sub alike
{
	my $rest = "0, '1', 'a', '1 day', 'p', '{1}'";

	return (
		"INSERT INTO alike SELECT x, $rest FROM unnest('{1,1.0,1.00,1.000}'::numeric[]) x",
		"DELETE FROM alike WHERE n::text = '1.00'",
		"UPDATE alike SET f = 2 WHERE n::text = '1.000'",
		"INSERT INTO alike SELECT 2, x, '1', 'a', '1 day', 'p', '{1}' FROM unnest('{0,-0,0}'::float8[]) x",
		"DELETE FROM alike WHERE n = 2 AND f::text = '-0'",
		"INSERT INTO alike SELECT 3, 0, x, 'a', '1 day', 'p', '{1}' FROM unnest(ARRAY['1.0', '1.00', '1.000']::jsonb[]) x",
		"UPDATE alike SET c = 'b' WHERE n = 3 AND j::text = '1.00'",
		"DELETE FROM alike WHERE n = 3 AND j::text = '1.000'",
		"INSERT INTO alike SELECT 4, 0, '1', x, '1 day', 'p', '{1}' FROM unnest('{a,A}'::citext[]) x",
		"DELETE FROM alike WHERE n = 4 AND c::text = 'A'",
		"INSERT INTO alike SELECT 5, 0, '1', 'a', x, 'p', '{1}' FROM unnest('{1 day,24 hours}'::interval[]) x",
		"DELETE FROM alike WHERE n = 5 AND i::text = '24:00:00'",
		"INSERT INTO alike SELECT 6, 0, '1', 'a', '1 day', 'p', x::numeric[] FROM unnest('{\"{1}\",\"{1.0}\",\"{1.00}\"}'::text[]) x",
		"DELETE FROM alike WHERE n = 6 AND a::text = '{1.0}'",
		"UPDATE alike SET a = '{7}' WHERE n = 6 AND a::text = '{1.00}'");
}

sub alike_again
{
	return (alike(),
		'INSERT INTO alike SELECT * FROM alike',
		"DELETE FROM alike WHERE n::text = '1.000' OR f::text = '-0' OR j::text = '1.00'",
		"UPDATE alike SET p = 'q' WHERE c::text = 'a' AND n > 3");
}
