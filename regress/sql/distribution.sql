-- Rows with the hash by which they are distributed.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE PUBLICATION distribution_pub FOR ALL TABLES;
SELECT open_slot();

-- What is sent: of an update the old row's too, if there is one.
CREATE TABLE d (id int PRIMARY KEY, v text);
INSERT INTO d VALUES (1, 'x'), (2, 'y');
UPDATE d SET v = 'z' WHERE id = 1;
UPDATE d SET id = 3 WHERE id = 1;
DELETE FROM d WHERE id = 2;
ALTER TABLE d REPLICA IDENTITY FULL;
UPDATE d SET v = 'w';
SELECT get_changes('distribution_pub', 'distribution', 'public.d(id)');

-- It is the hash of PARTITION BY HASH.  Tables of this test have rows with a
-- number, and a partitioned one of the same columns.
CREATE FUNCTION row_hashes(distribution text)
	RETURNS TABLE (name text, number int, hash numeric) LANGUAGE sql AS $$
	SELECT m[1], m[2]::int, h + CASE WHEN h < 0 THEN 2::numeric ^ 64 ELSE 0 END
	FROM get_changes('distribution_pub', 'distribution', distribution) AS line,
		regexp_match(line, '^  insert (\w+): number=(\d+) .* hash (\w{16})$') m,
		CAST(('x' || m[3])::bit(64)::bigint AS numeric) h
	WHERE m IS NOT NULL $$;

-- For each table, of how many rows the place is right with how many moduli.
CREATE FUNCTION check_places(distribution text)
	RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	found record;
	columns text;
	is_right bool;
BEGIN
	CREATE TEMP TABLE places (name text, modulus int, is_right bool);
	FOR found IN SELECT * FROM row_hashes(distribution) LOOP
		columns := substring(distribution
			FROM '(?i)"?' || found.name || '"? ?\(([^)]*)\)');
		FOR modulus IN 1..20 LOOP
			EXECUTE format('SELECT satisfies_hash_partition(%L::regclass, %s,
					%s, %s) FROM %I WHERE number = %s',
				found.name || '_parted', modulus, (found.hash % modulus)::int,
				columns, found.name, found.number)
				INTO is_right;
			INSERT INTO places VALUES (found.name, modulus, is_right);
		END LOOP;
	END LOOP;
	RETURN QUERY SELECT p.name || ': ' || count(*) FILTER (WHERE p.is_right)
		|| ' of ' || count(*) FROM places p GROUP BY p.name ORDER BY p.name;
	DROP TABLE places;
END $$;

CREATE FUNCTION make_table(name text, columns text, key text)
	RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (number serial, %s)', name, columns);
	EXECUTE format('CREATE TABLE %I (LIKE %I) PARTITION BY HASH (%s)',
		name || '_parted', name, key);
END $$;

CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN code AS varchar(20);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE COLLATION ignore_case
	(provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- A type of its own, whose hash is like no other.
SET client_min_messages = warning;
CREATE TYPE odd;
CREATE FUNCTION odd_in(cstring) RETURNS odd
	LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION odd_out(odd) RETURNS cstring
	LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = int4);
RESET client_min_messages;
CREATE CAST (odd AS int) WITHOUT FUNCTION;
CREATE FUNCTION odd_eq(odd, odd) RETURNS bool
	LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE OPERATOR = (LEFTARG = odd, RIGHTARG = odd, FUNCTION = odd_eq, HASHES);
CREATE FUNCTION odd_hash(odd) RETURNS int
	LANGUAGE sql IMMUTABLE STRICT AS 'SELECT hashint4($1::int + 5)';
CREATE FUNCTION odd_hash(odd, bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT AS 'SELECT hashint4extended($1::int + 5, $2)';
CREATE OPERATOR CLASS odd_ops DEFAULT FOR TYPE odd USING hash AS
	OPERATOR 1 =, FUNCTION 1 odd_hash(odd), FUNCTION 2 odd_hash(odd, bigint);

SELECT make_table('t_int', 'k int', 'k');
SELECT make_table('t_bigint', 'k bigint', 'k');
SELECT make_table('t_text', 'k text', 'k');
SELECT make_table('t_nocase', 'k text COLLATE ignore_case', 'k');
SELECT make_table('t_several', 'a int, b text, c timestamptz', 'c, a, b');
SELECT make_table('t_types', 'a uuid, b numeric, c bool, d date, e float8, f bytea, g int[], h inet, i char(8), j int4range, k jsonb',
	'a, b, c, d, e, f, g, h, i, j, k');
SELECT make_table('t_own', 'a positive, b code, c mood, d odd', 'a, b, c, d');
SELECT make_table('T (odd)', 'k int', 'k');

INSERT INTO t_int (k) SELECT * FROM generate_series(-10, 10);
INSERT INTO t_int (k) VALUES (NULL), (2147483647);
INSERT INTO t_bigint (k) SELECT n * 1000000007 FROM generate_series(-10::bigint, 10) n;
INSERT INTO t_text (k) SELECT md5(n::text) FROM generate_series(1, 10) n;
INSERT INTO t_text (k) VALUES (''), (NULL), (repeat('long', 100000));
INSERT INTO t_nocase (k) VALUES ('straße'), ('STRASSE'), ('Straße'), ('a'), ('A');
INSERT INTO t_several (a, b, c)
	SELECT n, 'b' || n, '2026-01-01 00:00+00'::timestamptz + n * interval '1h'
	FROM generate_series(1, 10) n;
INSERT INTO t_several (a, b, c) VALUES (1, NULL, NULL), (NULL, 'x', NULL), (NULL, NULL, NULL);
INSERT INTO t_types (a, b, c, d, e, f, g, h, i, j, k)
	SELECT md5(n::text)::uuid, n / 7.0, n % 2 = 0, date '2026-01-01' + n, n / 3.0,
		decode(md5(n::text), 'hex'), ARRAY[n, NULL, n], '10.0.0.1'::inet + n,
		'c' || n, int4range(n, 2 * n + 1), jsonb_build_object('n', n)
	FROM generate_series(1, 10) n;
INSERT INTO t_own (a, b, c, d)
	SELECT n, 'code' || n, CASE n % 2 WHEN 0 THEN 'ok' ELSE 'happy' END::mood, n::text::odd
	FROM generate_series(1, 10) n;
SELECT check_places('public.t_int(k), public.t_bigint ( k ),PUBLIC.T_TEXT(K), "public"."t_nocase"("k"),
	public.t_several(c, a, b), public.t_types(a, b, c, d, e, f, g, h, i, j, k), public.t_own(a, b, c, d)');

-- The key's place in a partition may differ from that in the whole.
CREATE TABLE rooted (number int, gone int, k int) PARTITION BY LIST (number);
CREATE TABLE rooted_1 (k int, other int, number int);
ALTER TABLE rooted DROP gone;
ALTER TABLE rooted_1 DROP other;
ALTER TABLE rooted ATTACH PARTITION rooted_1 FOR VALUES IN (1);
CREATE TABLE rooted_parted (LIKE rooted) PARTITION BY HASH (k);
ALTER PUBLICATION distribution_pub SET (publish_via_partition_root = true);
INSERT INTO rooted SELECT 1, 42;
SELECT check_places('public.rooted(k)');

-- A large key.
CREATE TABLE large (number int PRIMARY KEY, k text, v int);
ALTER TABLE large ALTER k SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
INSERT INTO large VALUES (1, repeat('k', 10000), 1);
UPDATE large SET v = 2;
DELETE FROM large;
SELECT regexp_replace(line, '''k+''\.\.\.', 'k...', 'g')
FROM get_changes('distribution_pub', 'distribution', 'public.large(k)') line;

-- Names that no table has are ignored; quotes are as in SQL.
INSERT INTO "T (odd)" (k) VALUES (1);
SELECT get_changes('distribution_pub', 'distribution', ' public."T (odd)"("k"),"no""where"."x"(y) ');

-- A column that is renamed, by the names that it had and has: rows before and
-- after have the same hash.
CREATE TABLE renamed (id int PRIMARY KEY, v text);
INSERT INTO renamed VALUES (1, 'before');
ALTER TABLE renamed RENAME id TO "new id";
INSERT INTO renamed VALUES (2, 'after');
DELETE FROM renamed WHERE "new id" = 1;
ALTER TABLE renamed RENAME "new id" TO newest;
INSERT INTO renamed VALUES (1, 'long after');
SELECT get_changes('distribution_pub', 'distribution', 'public.renamed(newest Formerly "new id"  formerly id)');
INSERT INTO renamed VALUES (3, 'now');
SELECT get_changes('distribution_pub', 'distribution', 'public.renamed(id formerly "new id")');
SELECT get_changes('distribution_pub', 'distribution', 'public.renamed(newest formerly)');
SELECT get_changes('distribution_pub', 'distribution', 'public.renamed(newest formerly , v)');
SELECT get_changes('distribution_pub', 'distribution', 'public.renamed(newest former id)');
SELECT get_changes('distribution_pub', 'distribution', 'public.renamed(newest)');

-- Names that are swapped: which column it is, its attnum says.  It is one of
-- the table with that OID only.
CREATE TABLE swapped (one int, other int, PRIMARY KEY (one, other));
INSERT INTO swapped VALUES (1, 2);
ALTER TABLE swapped RENAME one TO another;
INSERT INTO swapped VALUES (1, 3);
ALTER TABLE swapped RENAME other TO one;
ALTER TABLE swapped RENAME another TO other;
INSERT INTO swapped VALUES (1, 4);
SELECT get_changes('distribution_pub', 'distribution', 'public.swapped(other formerly one)');
SELECT get_changes('distribution_pub', 'distribution',
	format('public.swapped oid %s (other formerly one attnum 1)', 'swapped'::regclass::oid));
SELECT get_changes('distribution_pub', 'distribution',
	format('public.swapped oid %s (other formerly another formerly one attnum 1)', 'swapped'::regclass::oid));
SELECT get_changes('distribution_pub', 'distribution', 'public.swapped oid (one)');
SELECT get_changes('distribution_pub', 'distribution', 'public.swapped oid 0 (one)');
SELECT get_changes('distribution_pub', 'distribution', 'public.swapped oid 42949672960 (one)');
SELECT get_changes('distribution_pub', 'distribution', 'public.swapped oid 1 (one attnum)');
INSERT INTO swapped VALUES (1, 5);
SELECT get_changes('distribution_pub', 'distribution', 'public.swapped OID 1 (one formerly another attnum 2)');

-- Values that cannot be read.
SELECT get_changes('distribution_pub', 'distribution', '');
SELECT get_changes('distribution_pub', 'distribution', 'd(id)');
SELECT get_changes('distribution_pub', 'distribution', 'public.d');
SELECT get_changes('distribution_pub', 'distribution', 'public.d()');
SELECT get_changes('distribution_pub', 'distribution', 'public.d(id');
SELECT get_changes('distribution_pub', 'distribution', 'public.d(id),');
SELECT get_changes('distribution_pub', 'distribution', 'public.d(id) x');
SELECT get_changes('distribution_pub', 'distribution', 'public."d(id)');
SELECT get_changes('distribution_pub', 'distribution', 'public.d(id), public.D(v)');

-- Columns that are not there, or have no hash.
CREATE TABLE unhashed (k point, n int PRIMARY KEY);
INSERT INTO unhashed VALUES ('(1,2)', 1);
SELECT get_changes('distribution_pub', 'distribution', 'public.unhashed(k)');
SELECT get_changes('distribution_pub', 'distribution', 'public.unhashed(m)');

-- Where an old row was cannot be told without its key; inserts can.
SELECT get_changes('distribution_pub');
CREATE TABLE keyless (id int PRIMARY KEY, k int);
INSERT INTO keyless VALUES (1, 1);
SELECT get_changes('distribution_pub', 'distribution', 'public.keyless(k)');
UPDATE keyless SET k = 2;
SELECT get_changes('distribution_pub', 'distribution', 'public.keyless(k)');

SELECT close_slot();
DROP PUBLICATION distribution_pub;
DROP TABLE d, large, keyless, unhashed, renamed, rooted, rooted_parted;
