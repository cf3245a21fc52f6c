-- What is not described, and what nothing is said of.
\pset format unaligned
\pset tuples_only on
\set get 'SELECT get_schema()'
SET client_min_messages = warning;

CREATE TABLE t (a int PRIMARY KEY, b int);
CREATE TYPE en AS ENUM ('x');
CREATE ROLE regress_schema_role;
SELECT open_slot();

CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
:get;
CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NULL; END';
:get;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
:get;
ALTER TABLE t DISABLE TRIGGER tr;
:get;
DROP TRIGGER tr ON t;
:get;
DROP FUNCTION f();
:get;
CREATE VIEW v AS SELECT a FROM t;
:get;
CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;
:get;
ALTER VIEW v RENAME COLUMN a TO c;
:get;
ALTER VIEW v ALTER b SET DEFAULT 1;
:get;
DROP VIEW v;
:get;
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS x;
:get;
CREATE UNIQUE INDEX ON mv (x);
:get;
-- The rows of a materialized view are nobody's business.
REFRESH MATERIALIZED VIEW mv;
REFRESH MATERIALIZED VIEW CONCURRENTLY mv;
:get;
DROP MATERIALIZED VIEW mv;
:get;
CREATE RULE ru AS ON UPDATE TO t DO ALSO NOTHING;
:get;
DROP RULE ru ON t;
:get;
CREATE POLICY pol ON t USING (true);
:get;
DROP POLICY pol ON t;
:get;
COMMENT ON TABLE t IS 'x';
COMMENT ON COLUMN t.b IS 'x';
COMMENT ON TYPE en IS 'x';
COMMENT ON SCHEMA public IS 'x';
:get;
COMMENT ON TABLE t IS NULL;
:get;
GRANT SELECT ON t TO PUBLIC;
GRANT UPDATE (a, b) ON t TO regress_schema_role;
GRANT USAGE ON TYPE en TO PUBLIC;
GRANT USAGE ON SCHEMA public TO regress_schema_role;
:get;
REVOKE ALL ON TABLE t FROM PUBLIC;
:get;
GRANT CREATE ON SCHEMA public TO regress_schema_role;
ALTER TABLE t OWNER TO regress_schema_role;
ALTER TYPE en OWNER TO regress_schema_role;
:get;
REASSIGN OWNED BY regress_schema_role TO CURRENT_USER;
:get;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO regress_schema_role;
:get;
CREATE TABLE with_privileges (a int);
:get;
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM regress_schema_role;
DROP TABLE with_privileges;
CREATE STATISTICS st ON a, b FROM t;
:get;
ANALYZE t;
DROP STATISTICS st;
:get;
CREATE TYPE rng AS RANGE (subtype = float8);
:get;
DROP TYPE rng;
:get;
CREATE TYPE shell;
DROP TYPE shell;
:get;
CREATE CAST (en AS text) WITH INOUT;
:get;
DROP CAST (en AS text);
:get;
CREATE COLLATION co (LOCALE = 'C');
DROP COLLATION co;
:get;
CREATE AGGREGATE ag (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
:get;
CREATE OPERATOR ### (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
:get;
CREATE TEXT SEARCH CONFIGURATION tsc (COPY = english);
:get;
ALTER TEXT SEARCH CONFIGURATION tsc DROP MAPPING FOR url;
:get;
CREATE FOREIGN DATA WRAPPER fdw;
CREATE SERVER ser FOREIGN DATA WRAPPER fdw;
CREATE FOREIGN TABLE ft (a int) SERVER ser;
:get;
ALTER FOREIGN TABLE ft ADD b int;
:get;
CREATE USER MAPPING FOR CURRENT_USER SERVER ser;
SELECT count(*) FROM get_schema();
DROP FOREIGN DATA WRAPPER fdw CASCADE;
SELECT count(*) FROM get_schema();
CREATE ROLE regress_schema_role2;
DROP ROLE regress_schema_role2;
:get;
CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION et();
:get;
DROP EVENT TRIGGER et;
DROP FUNCTION et;
:get;

-- Publications: what they have of tables is in those.
CREATE PUBLICATION schema_other FOR TABLE t;
:get;
ALTER PUBLICATION schema_other DROP TABLE t;
:get;
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
ALTER PUBLICATION schema_other ADD TABLE t;
CREATE TABLE unpublished (a int);
ALTER TABLE t ADD c int;
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
-- Which operations it publishes is in all of its tables, its owner is not.
ALTER PUBLICATION schema_other SET (publish = 'insert, truncate');
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
ALTER PUBLICATION schema_other OWNER TO pg_database_owner;
ALTER PUBLICATION schema_other OWNER TO CURRENT_USER;
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
ALTER PUBLICATION schema_other SET (publish = 'insert, update, delete, truncate');
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
-- Another's is nothing to the tables of this.
ALTER PUBLICATION schema_other SET (publish = 'insert');
:get;
-- Partitions come with their table.
CREATE TABLE of_parts (a int) PARTITION BY LIST (a);
CREATE TABLE of_parts_1 PARTITION OF of_parts FOR VALUES IN (1) PARTITION BY LIST (a);
CREATE TABLE of_parts_2 PARTITION OF of_parts_1 FOR VALUES IN (1);
SELECT count(*) FROM get_changes('schema_other', 'schema_changes', 'true');
ALTER PUBLICATION schema_other ADD TABLE of_parts;
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
ALTER PUBLICATION schema_other DROP TABLE of_parts;
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
DROP TABLE of_parts;
SELECT count(*) FROM get_changes('schema_other', 'schema_changes', 'true');
-- One that does not exist has nothing.
DROP PUBLICATION schema_other;
ALTER TABLE t DROP c;
SELECT unnest FROM get_changes('schema_other', 'schema_changes', 'true') AS unnest;
DROP TABLE unpublished;

-- Of a set, each object once, and of what is gone only that.
BEGIN;
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION g() RENAME TO h;
GRANT EXECUTE ON FUNCTION h() TO regress_schema_role;
CREATE VIEW v AS SELECT 1 AS a;
GRANT SELECT ON v TO regress_schema_role;
COMMENT ON VIEW v IS 'x';
CREATE VIEW v2 AS SELECT 1 AS a;
DROP VIEW v2;
GRANT SELECT ON t TO regress_schema_role;
COMMENT ON TABLE t IS 'x';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
DROP TABLE t;
COMMIT;
:get;
DROP VIEW v;
DROP FUNCTION h();
:get;

-- Temporary objects.
CREATE TEMPORARY TABLE temp (a serial PRIMARY KEY, b text DEFAULT 'x' CHECK (b <> ''));
CREATE INDEX ON temp (b);
COMMENT ON TABLE temp IS 'x';
GRANT SELECT ON temp TO PUBLIC;
ALTER TABLE temp ADD c int DEFAULT 1;
ALTER TABLE temp ALTER a TYPE text;
CREATE TRIGGER tr BEFORE UPDATE ON temp FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TEMPORARY VIEW temp_view AS SELECT * FROM temp;
CREATE TEMPORARY SEQUENCE temp_sequence;
CREATE TYPE pg_temp.temp_type AS ENUM ('x');
CREATE FUNCTION pg_temp.temp_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
BEGIN;
CREATE TEMPORARY TABLE temp2 (a int) ON COMMIT DROP;
COMMIT;
:get;
DROP TABLE temp CASCADE;
DROP SEQUENCE temp_sequence;
:get;
DO $$BEGIN
	FOR i IN 1..1000 LOOP
		EXECUTE format('CREATE TEMPORARY TABLE temp_%s (a int)', i);
	END LOOP;
END$$;
DISCARD ALL;
:get;

-- The consumer's schema, and what is in the system's.
CREATE SCHEMA penstock CREATE TABLE progress (a int PRIMARY KEY);
CREATE FUNCTION penstock.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE penstock.ty AS ENUM ('x');
ALTER TABLE penstock.progress ADD b serial;
:get;
DROP SCHEMA penstock CASCADE;
:get;
-- What belongs to an extension.
SET client_min_messages = warning;
DROP EXTENSION plpgsql CASCADE;
SELECT count(*) >= 0 FROM get_schema();
CREATE EXTENSION plpgsql;
:get;
CREATE TABLE member (a int);
ALTER EXTENSION plpgsql ADD TABLE member;
ALTER TABLE member ADD b int;
ALTER EXTENSION plpgsql DROP TABLE member;
ALTER TABLE member ADD c int;
DROP TABLE member;
:get;

-- Large objects, sequences, settings.
SELECT lo_create(4711) > 0, lo_unlink(4711) > 0;
:get;

DROP AGGREGATE ag (int);
DROP OPERATOR ### (int, int);
DROP TEXT SEARCH CONFIGURATION tsc;
DROP TYPE en;
DROP OWNED BY regress_schema_role;
DROP ROLE regress_schema_role;
SELECT close_slot();
