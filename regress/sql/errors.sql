-- What cannot be sent is an error that says so, and the next attempt is none
-- the worse for it.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE TABLE errors (id int PRIMARY KEY, t text);
SELECT open_slot();

-- A publication that is not there, or not yet.  It is needed for the first
-- change only.
SELECT get_changes('errors_pub');
INSERT INTO errors VALUES (1, 'before');
CREATE PUBLICATION errors_pub FOR ALL TABLES;
INSERT INTO errors VALUES (2, 'after');
SELECT get_changes('errors_pub');
SELECT get_changes('errors_pub');
-- Without what it would have published, if that is asked for.
INSERT INTO errors VALUES (3, 'later');
SELECT get_changes('errors_pub', 'skip_missing', 'true');
-- One that was dropped is missed from there on.
DROP PUBLICATION errors_pub;
INSERT INTO errors VALUES (4, 'dropped');
SELECT get_changes('errors_pub');
CREATE PUBLICATION errors_pub FOR ALL TABLES;
INSERT INTO errors VALUES (40, 'created again');
SELECT get_changes('errors_pub, nowhere', 'skip_missing', 'true');

-- An error in the middle of decoding ends a session without its shutdown; what
-- changes before the next one must not be missed.
INSERT INTO errors VALUES (5, 'five');
SELECT get_changes('errors_pub, nowhere');
SELECT get_changes('errors_pub, nowhere');
ALTER TABLE errors ADD more int;
INSERT INTO errors VALUES (6, 'six', 6);
SELECT get_changes('errors_pub');
ALTER TABLE errors DROP more;
INSERT INTO errors VALUES (7, 'seven');
SELECT get_changes('errors_pub');

SELECT close_slot();
DROP TABLE errors;
DROP PUBLICATION errors_pub;
