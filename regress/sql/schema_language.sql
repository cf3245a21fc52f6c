-- What is sent does not depend on the language of messages.
\pset format unaligned
\pset tuples_only on

SET lc_messages = 'de_DE.UTF-8';
-- The server speaks it.
CREATE FUNCTION message() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN 1 / 0;
EXCEPTION WHEN division_by_zero THEN
	RETURN SQLERRM;
END$$;
SELECT message() <> 'division by zero';

CREATE TABLE t (a int);
SELECT open_slot();
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW v AS SELECT 1 AS a;
COMMENT ON COLUMN t.a IS 'x';
SELECT line FROM get_changes('schema_pub', 'schema_changes', 'true') AS line
WHERE line LIKE '  schema:%';
-- It still does.
SELECT message() <> 'division by zero';

DROP VIEW v;
DROP FUNCTION f(), message();
DROP TABLE t;
RESET lc_messages;
SELECT close_slot();
