-- Where in a transaction the schema changes.
\pset format unaligned
\pset tuples_only on
\set get 'SELECT get_schema()'
SET client_min_messages = warning;

CREATE TABLE t (a int PRIMARY KEY);
CREATE TABLE other (a int);
SELECT open_slot();

-- Before the rows that have it, and after those that do not.
BEGIN;
INSERT INTO t VALUES (1);
ALTER TABLE t ADD b int;
ALTER TABLE t ADD c int;
INSERT INTO t VALUES (2, 2, 2);
INSERT INTO t VALUES (3, 3, 3);
CREATE TABLE made (x int);
ALTER TABLE t DROP b;
TRUNCATE made;
INSERT INTO made VALUES (1);
ALTER TABLE made RENAME TO renamed;
COMMIT;
:get;
-- As transactions that follow one another, and without rows of others.
INSERT INTO other VALUES (1);
ALTER TABLE other ADD b int;
INSERT INTO other VALUES (2, 2);
:get;
-- A publication that is created may have had other tables before: all are told.
CREATE PUBLICATION schema_of_other FOR TABLE other;
SELECT count(*) > 0 FROM get_changes('schema_of_other', 'schema_changes', 'true');
-- Nothing that is published, but something that changed.
BEGIN;
INSERT INTO t VALUES (4);
ALTER TABLE t ADD d int;
INSERT INTO t VALUES (5);
COMMIT;
SELECT unnest FROM get_changes('schema_of_other', 'schema_changes', 'true')
	AS unnest;
DROP PUBLICATION schema_of_other;
:get;

-- What lives and dies in a transaction.
BEGIN;
CREATE TABLE brief (a serial PRIMARY KEY, b text);
ALTER TABLE brief ADD c int;
CREATE TYPE brief_type AS ENUM ('x');
CREATE SCHEMA brief_schema;
CREATE TYPE brief_comp AS (a int);
DROP TYPE brief_type, brief_comp;
DROP SCHEMA brief_schema;
DROP TABLE brief;
COMMIT;
:get;
-- If a row was between, it has been told of.
BEGIN;
CREATE TABLE brief (a int);
INSERT INTO other VALUES (3);
DROP TABLE brief;
COMMIT;
:get;
BEGIN;
CREATE TABLE brief (a int);
INSERT INTO brief VALUES (1);
DROP TABLE brief;
COMMIT;
:get;

-- Names that change hands.
BEGIN;
INSERT INTO renamed VALUES (2);
DROP TABLE renamed;
CREATE TABLE renamed (y text);
INSERT INTO renamed VALUES ('x');
COMMIT;
:get;
BEGIN;
ALTER TABLE t RENAME c TO x;
ALTER TABLE t RENAME d TO c;
ALTER TABLE t RENAME x TO d;
INSERT INTO t VALUES (6, 6, 6);
COMMIT;
:get;

-- Subtransactions.
BEGIN;
SAVEPOINT a;
ALTER TABLE t ADD e int;
INSERT INTO t (a, e) VALUES (7, 7);
ROLLBACK TO a;
INSERT INTO t (a) VALUES (8);
SAVEPOINT b;
CREATE TABLE rolled_back (a int);
ALTER TABLE t ADD f int;
SAVEPOINT c;
ALTER TABLE t ADD g int;
RELEASE c;
ROLLBACK TO b;
SAVEPOINT d;
ALTER TABLE t ADD h int;
RELEASE d;
INSERT INTO t (a, h) VALUES (9, 9);
SAVEPOINT e;
DROP TABLE other;
ROLLBACK TO e;
COMMIT;
:get;
BEGIN;
ALTER TABLE t ADD i int;
ROLLBACK;
:get;
-- Of a table that was altered before and in what was rolled back.
BEGIN;
ALTER TABLE other ADD c int;
SAVEPOINT a;
ALTER TABLE other ADD d int;
ROLLBACK TO a;
ALTER TABLE other ADD e int;
COMMIT;
:get;
-- Many of them.
DO $$BEGIN
	FOR i IN 1..200 LOOP
		BEGIN
			EXECUTE format('CREATE TABLE many_%s (a int)', i);
			IF i % 10 > 0 THEN RAISE EXCEPTION 'x'; END IF;
		EXCEPTION WHEN raise_exception THEN
		END;
	END LOOP;
END$$;
-- What the others have written into catalogs may be cut off.
VACUUM pg_class, pg_attribute, pg_type, pg_depend;
SELECT line FROM get_schema() AS line WHERE line LIKE '  schema%';

-- A block.
DO $$BEGIN
	CREATE TABLE block (x int);
	ALTER TABLE block ADD y int;
	INSERT INTO block VALUES (1, 2);
	ALTER TABLE block ADD z int;
END$$;
:get;

-- What is so long that catalogs have it out of line.
DO $$BEGIN
	EXECUTE 'CREATE TABLE long (a text DEFAULT '''
		|| (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i)
		|| ''' CHECK (a NOT IN ('''
		|| (SELECT string_agg(md5(i::text), ''',''')
			FROM generate_series(1, 1000) i)
		|| ''')))';
END$$;
:get;
ALTER TABLE long ADD b int;
:get;
ALTER TABLE long ALTER a DROP DEFAULT, ADD c text DEFAULT repeat('x', 10000);
:get;

-- The catalogs are rewritten before this is decoded.
ALTER TABLE t ADD before_full int;
CREATE TYPE full_gone AS ENUM ('x');
CREATE DOMAIN full_domain AS int CONSTRAINT gone CHECK (VALUE > 0);
CREATE SCHEMA full_dropped;
CREATE TYPE full_dropped.full_composite AS (x int);
CREATE TYPE full_dropped.full_label AS ENUM ('x');
CREATE TABLE full_dropped.full_table (a int);
BEGIN;
CREATE TABLE full_made (a int);
INSERT INTO full_made VALUES (1);
ALTER TABLE t ADD full_1 int;
INSERT INTO t (a, full_1) VALUES (20, 20);
DROP TABLE full_dropped.full_table;
DROP SCHEMA full_dropped CASCADE;
INSERT INTO t (a) VALUES (21);
DROP TABLE renamed;
CREATE TYPE full_enum AS ENUM ('x');
CREATE SCHEMA full_schema;
DROP TYPE full_gone;
ALTER DOMAIN full_domain DROP CONSTRAINT gone;
CREATE FUNCTION full_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER TABLE other ADD CHECK (a > 0);
COMMIT;
CREATE TEMPORARY TABLE full_temporary (a int);
VACUUM FULL pg_class;
VACUUM FULL pg_attribute;
VACUUM FULL pg_type;
VACUUM FULL pg_constraint;
VACUUM FULL pg_index;
VACUUM FULL pg_enum;
VACUUM FULL pg_proc;
ALTER TABLE t ADD after_full int;
:get;

-- By origin, as rows.
SELECT pg_replication_origin_create('schema_origin') > 0;
SELECT pg_replication_origin_session_setup('schema_origin');
ALTER TABLE other ADD from_elsewhere int;
SELECT pg_replication_origin_session_reset();
ALTER TABLE other ADD from_here int;
SELECT line FROM get_changes('schema_pub', 'schema_changes', 'true', 'origin',
	'none') AS line WHERE line !~ '^    ';
SELECT pg_replication_origin_drop('schema_origin');

-- In frames that are full, and compressed.
CREATE TABLE small_frames (a int, b int, c int);
SELECT line FROM get_changes('schema_pub', 'schema_changes', 'true',
	'frame_size', '1024', 'compression', 'zstd') AS line;
DO $$BEGIN
	FOR i IN 1..50 LOOP
		EXECUTE format('CREATE TABLE frames_%s (a int, b int, c int)', i);
	END LOOP;
END$$;
SELECT count(*) > 5, sum(octet_length(frame)) > 5000, max(octet_length(frame)) < 2000
FROM get_frames('schema_pub', 'schema_changes', 'true', 'frame_size', '1024')
	AS frame;

DO $$BEGIN
	FOR i IN 1..200 LOOP
		EXECUTE format('DROP TABLE IF EXISTS many_%s, frames_%s', i, i);
	END LOOP;
END$$;
DROP TABLE t, other, block, long, full_made, small_frames;
DROP TYPE full_enum;
DROP DOMAIN full_domain;
DROP FUNCTION full_function();
DROP SCHEMA full_schema;
SELECT close_slot();
