-- What becomes of tables, with the option schema_changes.
\pset format unaligned
\pset tuples_only on

CREATE PUBLICATION schema_pub FOR ALL TABLES;
CREATE FUNCTION get_schema() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT get_changes('schema_pub', 'schema_changes', 'true') $$;
SELECT open_slot();

CREATE TABLE made (a int PRIMARY KEY, b varchar(10) NOT NULL DEFAULT 'x');
SELECT get_schema();
INSERT INTO made VALUES (1);
ALTER TABLE made ADD c timestamptz DEFAULT '2026-01-02 03:04:05Z';
SELECT get_schema();
ALTER TABLE made RENAME TO "Made";
SELECT get_schema();
DROP TABLE "Made";
SELECT get_schema();
SELECT close_slot();
DROP FUNCTION get_schema();
DROP PUBLICATION schema_pub;
