-- TRUNCATE.
\pset format unaligned
\pset tuples_only on

CREATE TABLE truncate_a (id serial PRIMARY KEY);
CREATE TABLE truncate_b (id int REFERENCES truncate_a);
CREATE TABLE truncate_c (id int);
CREATE PUBLICATION truncate_pub FOR TABLE truncate_a, truncate_b;
CREATE PUBLICATION truncate_not FOR TABLE truncate_c WITH (publish = 'insert');

SELECT open_slot();
TRUNCATE truncate_b;
TRUNCATE truncate_a CASCADE;
TRUNCATE truncate_a, truncate_b RESTART IDENTITY;
-- One of the two is not published, and then neither.
TRUNCATE truncate_b, truncate_c;
TRUNCATE truncate_c;
SET client_min_messages = warning;
SELECT get_changes('truncate_pub, truncate_not');

-- In a transaction, between rows.
BEGIN;
INSERT INTO truncate_a VALUES (7);
TRUNCATE truncate_a CASCADE;
INSERT INTO truncate_a VALUES (8);
COMMIT;
SELECT get_changes('truncate_pub, truncate_not');

SELECT close_slot();
DROP TABLE truncate_a, truncate_b, truncate_c;
DROP PUBLICATION truncate_pub, truncate_not;
