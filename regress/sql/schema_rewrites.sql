-- Rows of tables that are rewritten.
\pset format unaligned
\pset tuples_only on
\set get 'SELECT get_rows()'

-- What is in rows, and what it is about.
CREATE FUNCTION get_rows(publications text = 'schema_pub')
	RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line
	FROM get_changes(publications, 'schema_changes', 'true') AS line
	WHERE line ~ '^(begin|commit|  (rewrite|insert|update|delete|schema))' $$;

CREATE TABLE t (a int PRIMARY KEY, gone int, b text);
ALTER TABLE t DROP gone;
INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, repeat('x', 10)), (4, 'four');
DELETE FROM t WHERE a = 4;
ALTER TABLE t ALTER b SET STORAGE EXTERNAL;
UPDATE t SET b = repeat('long', 1000) WHERE a = 3;
SELECT open_slot();

ALTER TABLE t ALTER a TYPE bigint USING a * 10;
:get;
ALTER TABLE t ADD c int DEFAULT floor(random());
:get;
ALTER TABLE t ADD d serial;
:get;
ALTER TABLE t ADD e int GENERATED ALWAYS AS IDENTITY;
:get;
ALTER TABLE t ADD f text GENERATED ALWAYS AS (a::text || 'f') STORED;
:get;
-- With other changes, in one transaction.
BEGIN;
INSERT INTO t (a, b) VALUES (50, 'before');
ALTER TABLE t ALTER c TYPE text USING 'c' || c;
INSERT INTO t (a, b, c) VALUES (60, 'after', 'new');
UPDATE t SET c = 'updated' WHERE a = 50;
ALTER TABLE t ALTER c TYPE int USING length(c);
DELETE FROM t WHERE a = 60;
COMMIT;
:get;
-- Rolled back.
BEGIN;
SAVEPOINT s;
ALTER TABLE t ALTER c TYPE text USING 'c' || c;
ROLLBACK TO s;
UPDATE t SET c = 5 WHERE a = 50;
COMMIT;
:get;
BEGIN;
ALTER TABLE t ALTER c TYPE text;
ROLLBACK;
:get;

-- Nothing is rewritten that has rows to be seen.
CLUSTER t USING t_pkey;
VACUUM FULL t;
ALTER TABLE t ALTER b TYPE varchar;
ALTER TABLE t ADD g timestamptz DEFAULT '2026-01-01Z';
CREATE TABLE empty (a int);
ALTER TABLE empty ALTER a TYPE bigint;
:get;
-- Values that were never written are written here.
ALTER TABLE t ALTER c TYPE bigint;
:get;

-- What is logged from now on, and what is not.
CREATE UNLOGGED TABLE unlogged (a int);
INSERT INTO unlogged VALUES (1), (2);
ALTER TABLE unlogged SET LOGGED;
:get;
INSERT INTO unlogged VALUES (3);
ALTER TABLE unlogged SET UNLOGGED;
:get;
INSERT INTO unlogged VALUES (4);
ALTER TABLE unlogged ALTER a TYPE bigint;
:get;

-- Rows that go while a table is not logged.
CREATE PUBLICATION nothing;
CREATE TABLE quiet (a int);
INSERT INTO quiet VALUES (1), (2);
SELECT count(*) > 0 FROM get_rows();
BEGIN;
INSERT INTO quiet VALUES (3);
ALTER TABLE quiet SET UNLOGGED;
TRUNCATE quiet;
ALTER TABLE quiet SET LOGGED;
INSERT INTO quiet VALUES (4);
COMMIT;
:get;
BEGIN;
ALTER TABLE quiet SET UNLOGGED;
DELETE FROM quiet;
ALTER TABLE quiet SET LOGGED, ALTER a TYPE bigint;
COMMIT;
:get;
-- With rows; and a table that is not logged in the end.
BEGIN;
ALTER TABLE quiet SET UNLOGGED;
INSERT INTO quiet VALUES (5);
ALTER TABLE quiet SET LOGGED;
INSERT INTO quiet VALUES (6);
ALTER TABLE quiet SET UNLOGGED;
COMMIT;
:get;
BEGIN;
DELETE FROM quiet;
ALTER TABLE quiet SET LOGGED;
ALTER TABLE quiet SET UNLOGGED;
COMMIT;
:get;
-- A table that is dropped, a rewrite that is rolled back, a table that is renamed.
BEGIN;
CREATE UNLOGGED TABLE short (a int);
ALTER TABLE short SET LOGGED;
DROP TABLE short;
SAVEPOINT s;
ALTER TABLE quiet SET LOGGED;
ROLLBACK TO s;
INSERT INTO t (a) VALUES (100);
ALTER TABLE quiet SET LOGGED;
ALTER TABLE quiet RENAME TO silent;
COMMIT;
:get;
-- Tables that have rows, and commands that leave rows as they are.
INSERT INTO silent VALUES (7);
CREATE INDEX ON silent (a);
BEGIN;
ALTER TABLE silent SET UNLOGGED;
ALTER TABLE silent SET LOGGED;
COMMIT;
VACUUM FULL silent;
CLUSTER silent USING silent_a_idx;
TRUNCATE silent;
ALTER TABLE silent ALTER a TYPE int;
VACUUM FULL silent;
:get;
-- A partition whose rows are published as those of the whole table.
CREATE TABLE whole (a int, b int) PARTITION BY LIST (a);
CREATE TABLE whole1 PARTITION OF whole FOR VALUES IN (1);
CREATE TABLE whole2 PARTITION OF whole FOR VALUES IN (2);
CREATE PUBLICATION whole FOR TABLE whole WITH (publish_via_partition_root);
INSERT INTO whole VALUES (1, 1), (2, 2);
SELECT count(*) > 0 FROM get_rows('whole');
BEGIN;
ALTER TABLE whole1 SET UNLOGGED;
TRUNCATE whole1;
ALTER TABLE whole1 SET LOGGED;
COMMIT;
SELECT get_rows('whole');
DROP PUBLICATION whole;
-- After VACUUM FULL of pg_class nobody knows which rows were before that.
BEGIN;
ALTER TABLE whole2 SET UNLOGGED;
ALTER TABLE whole2 SET LOGGED;
COMMIT;
BEGIN;
ALTER TABLE whole1 SET UNLOGGED;
TRUNCATE whole1;
ALTER TABLE whole1 SET LOGGED;
INSERT INTO whole1 VALUES (1, 2);
COMMIT;
VACUUM FULL pg_class;
DO $$
DECLARE
	message text;
	detail text;
BEGIN
	PERFORM get_rows();
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RAISE '% (%)', regexp_replace(message, '\d+, which ends at .*', 'X'), detail;
END $$;
SELECT count(*) > 0 FROM get_rows('nothing');
DROP TABLE silent, whole;
DROP PUBLICATION nothing;
SELECT count(*) > 0 FROM get_rows();

-- Several tables by one command.
CREATE TYPE rewrites_type AS (x int);
CREATE TABLE typed1 OF rewrites_type;
CREATE TABLE typed2 OF rewrites_type;
INSERT INTO typed1 VALUES (1), (2);
INSERT INTO typed2 VALUES (3);
SELECT count(*) FROM get_rows();
ALTER TYPE rewrites_type ALTER ATTRIBUTE x TYPE bigint CASCADE;
:get;

-- Rows of other tables in between.
CREATE TABLE noted (a int);
CREATE FUNCTION note(int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN INSERT INTO noted VALUES ($1); RETURN 'noted'; END $$;
SELECT count(*) FROM get_rows();
ALTER TABLE typed1 NOT OF;
ALTER TABLE typed1 ALTER x TYPE text USING note(x::int);
:get;

-- Partitions.
CREATE TABLE p (a int, b int) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (b int, a int);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
INSERT INTO p VALUES (1, 10), (2, 20);
SELECT count(*) FROM get_rows();
ALTER TABLE p ALTER b TYPE text USING 'b' || b;
:get;
-- They are told of one by one also where their rows are the whole's.
CREATE PUBLICATION via_root FOR TABLE p WITH (publish_via_partition_root);
INSERT INTO p VALUES (1, '11');
SELECT count(*) > 0 FROM get_rows('via_root');
BEGIN;
INSERT INTO p VALUES (1, '12');
ALTER TABLE p ALTER b TYPE int USING length(b);
INSERT INTO p VALUES (1, '13');
COMMIT;
SELECT line FROM get_changes('via_root', 'schema_changes', 'true') AS line
WHERE line NOT LIKE '  schema%';

-- Not published, in another schema, a materialized view.
CREATE PUBLICATION nothing;
CREATE SCHEMA penstock CREATE TABLE own (a int);
INSERT INTO penstock.own VALUES (1);
SELECT count(*) > 0 FROM get_rows();
ALTER TABLE penstock.own ALTER a TYPE bigint;
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a;
REFRESH MATERIALIZED VIEW mv;
:get;
ALTER TABLE t ALTER c TYPE int;
SELECT get_rows('nothing');
-- Without the option nothing of this comes.
ALTER TABLE t ALTER c TYPE bigint;
SELECT get_changes('schema_pub');

DROP PUBLICATION nothing, via_root;
DROP TABLE t, empty, unlogged, typed1, typed2, noted, p;
DROP FUNCTION note(int);
DROP FUNCTION get_rows(text);
DROP TYPE rewrites_type;
DROP MATERIALIZED VIEW mv;
DROP SCHEMA penstock CASCADE;
SELECT close_slot();
