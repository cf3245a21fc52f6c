-- Who may decode.  Messages differ between servers, so only codes are shown.
\pset format unaligned
\pset tuples_only on

CREATE PUBLICATION permissions_pub FOR ALL TABLES;
CREATE TABLE secrets (a text);
REVOKE ALL ON secrets FROM PUBLIC;
CREATE ROLE regress_nobody LOGIN;
CREATE ROLE regress_reader LOGIN REPLICATION;
SELECT open_slot();
INSERT INTO secrets VALUES ('seen by whoever may replicate');

CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'allowed';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

SET ROLE regress_nobody;
SELECT try($$ SELECT open_slot() $$);
SELECT try($$ SELECT get_frames('permissions_pub') $$);
-- Replication is a privilege over all tables: neither the tables nor the
-- publications ask for another one.
SET ROLE regress_reader;
SELECT try($$ SELECT * FROM secrets $$);
SELECT get_changes('permissions_pub');
RESET ROLE;

SELECT close_slot();
DROP FUNCTION try;
DROP TABLE secrets;
DROP ROLE regress_nobody, regress_reader;
DROP PUBLICATION permissions_pub;
