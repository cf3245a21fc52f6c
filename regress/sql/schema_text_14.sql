-- The text of definitions is what the server's functions write.
\pset format unaligned
\pset tuples_only on

SELECT open_slot();

CREATE TYPE row_type AS (x int, y text);
SELECT 'row_type'::regtype::oid::int - 2 AS since \gset
CREATE DOMAIN schema_positive AS int CHECK (VALUE > 0);
CREATE SCHEMA elsewhere;
CREATE FUNCTION elsewhere.f(int) RETURNS int LANGUAGE sql IMMUTABLE
	AS 'SELECT $1';
CREATE OPERATOR elsewhere.=== (FUNCTION = int4eq, LEFTARG = int,
	RIGHTARG = int, COMMUTATOR = OPERATOR(elsewhere.===), HASHES);
CREATE OPERATOR CLASS elsewhere.ops FOR TYPE int USING hash AS
	OPERATOR 1 elsewhere.===, FUNCTION 1 hashint4(int),
	FUNCTION 2 hashint4extended(int, bigint);
CREATE COLLATION elsewhere.coll (LOCALE = 'C');
CREATE TABLE texts (
	a int DEFAULT 1 + 2,
	b text DEFAULT 'it''s \ $1' || current_user,
	c int[] DEFAULT '{1,2}' CHECK (c[1] > 0 AND c[2:3] <> '{}'
		AND (c || a)[1] > 0),
	d row_type CHECK ((d).x > 0 AND (d).y IS NOT NULL),
	e jsonb CHECK (e ? 'x' AND e -> 'x' IS NOT NULL AND e @> '{"a": "$b"}'),
	f schema_positive CHECK (f IN (1, 2, 3) OR f BETWEEN 5 AND 7),
	g text GENERATED ALWAYS AS (CASE WHEN a > 0 THEN 'more' WHEN a < 0
		THEN 'less' ELSE 'none' END) STORED,
	"H h" text COLLATE elsewhere.coll
		CHECK ("H h" ~ '^\w+$' AND "H h" COLLATE "C" < 'x'),
	i numeric(10, 2) DEFAULT round(1.5, 1),
	j timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP,
	k interval day to second(2) DEFAULT '1 day',
	l bit(3) DEFAULT B'101',
	m "char" DEFAULT 'x',
	n char(5) CHECK (n IS DISTINCT FROM 'x' AND n LIKE 'a%'),
	o varchar CHECK (substring(o FROM 2 FOR 3) = 'x' AND trim(o) <> ''
		AND position('y' IN o) > 0 AND extract(year FROM j) > 2000),
	p int[][] CHECK (p = ARRAY[a, 1] OR 1 = ANY (p) OR a = ALL (p)),
	q row_type[] CHECK ((q[1]).x > 0),
	r time without time zone,
	s xml CHECK (s IS DOCUMENT),
	CHECK (coalesce(a, 1) > greatest(a, f) OR nullif(a, 1) IS NULL),
	CHECK (tableoid <> 0),
	CHECK (texts IS NOT NULL),
	CHECK (row(a, b) > row(1, 'x') AND (a, f) IN ((1, 2), (3, 4))),
	CHECK ((a > 0) IS NOT TRUE OR a::text::bigint::numeric(5) > 0),
	CHECK (elsewhere.f(a) OPERATOR(elsewhere.===) 1),
	CHECK (format('%s', VARIADIC ARRAY[b]) <> '' AND (b || '"$1"' <> $x$'$2'$x$))
);
CREATE INDEX ON texts (lower(b), (a + f), (c[1]), (CASE a WHEN 1 THEN 2 END),
	coalesce(a, f), ((d).x), b COLLATE "C" text_pattern_ops DESC,
	"H h" COLLATE "C" DESC NULLS LAST, b NULLS FIRST) WHERE b <> '$1' OR a > 1;
CREATE INDEX ON texts USING hash (a elsewhere.ops);
CREATE INDEX ON texts USING gin (e jsonb_path_ops, c) WITH (fastupdate = off);
CREATE INDEX ON texts USING brin (a int4_bloom_ops (n_distinct_per_range = 5),
	b) WITH (pages_per_range = 4);
CREATE INDEX "Quoted ""ix" ON texts (("H h" || b) COLLATE elsewhere.coll);
ALTER TABLE texts ADD UNIQUE (a, "H h") INCLUDE (b),
	ADD EXCLUDE USING gist (((d).x::text::inet) inet_ops WITH &&)
		WHERE (a > 0 AND c[1] > 0),
	ADD EXCLUDE USING hash (a elsewhere.ops WITH OPERATOR(elsewhere.===)),
	ADD UNIQUE (f);
ALTER TABLE texts ADD CONSTRAINT "Ref" FOREIGN KEY (f) REFERENCES texts (f)
	ON DELETE CASCADE;

-- Partitions, of all kinds of keys and bounds.
CREATE TABLE by_range (a int, b text, "C c" date, d timestamptz)
	PARTITION BY RANGE (a, lower(b) COLLATE "C", "C c", (a % 3));
CREATE TABLE by_range_1 PARTITION OF by_range
	FOR VALUES FROM (1, 'it''s', '2026-01-01', MINVALUE)
	TO (MAXVALUE, MAXVALUE, MAXVALUE, MAXVALUE);
CREATE TABLE by_range_2 PARTITION OF by_range DEFAULT PARTITION BY LIST (b);
CREATE TABLE by_range_21 PARTITION OF by_range_2 FOR VALUES IN ('x', NULL, '$1');
CREATE TABLE by_hash (a int, b text) PARTITION BY HASH (a elsewhere.ops, b);
CREATE TABLE by_hash_1 PARTITION OF by_hash
	FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE INDEX ON by_range (b);
ALTER TABLE by_range_1 ADD PRIMARY KEY (a);

ALTER DOMAIN schema_positive ADD CHECK (elsewhere.f(VALUE) < 100 AND VALUE <> 5);
ALTER DOMAIN schema_positive SET DEFAULT elsewhere.f(3);

CREATE TEMPORARY TABLE lines AS SELECT get_schema() AS line;
SELECT line FROM lines WHERE line LIKE '  schema: %';
SELECT wrong_definitions(array_agg(line), :since) FROM lines;
-- It sees what is wrong.
SELECT wrong_definitions('{}', :since) LIMIT 3;

DROP TABLE texts, by_range, by_hash, lines;
DROP DOMAIN schema_positive;
DROP TYPE row_type;
DROP OPERATOR FAMILY elsewhere.ops USING hash;
DROP OPERATOR elsewhere.=== (int, int);
DROP FUNCTION elsewhere.f(int);
DROP COLLATION elsewhere.coll;
DROP SCHEMA elsewhere;
SELECT close_slot();
