-- Replica identities decide what old rows look like.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE PUBLICATION identity_pub FOR ALL TABLES;
SELECT open_slot();

-- The primary key: the old key only if it changed.
CREATE TABLE by_default (a int, b text, c int, PRIMARY KEY (c, a));
INSERT INTO by_default VALUES (1, 'x', 2);
UPDATE by_default SET b = 'y';
UPDATE by_default SET c = 3;
UPDATE by_default SET a = a;
DELETE FROM by_default;
SELECT get_changes('identity_pub');

-- A unique index.
CREATE TABLE by_index (a int PRIMARY KEY, b text NOT NULL UNIQUE, c int);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_b_key;
INSERT INTO by_index VALUES (1, 'x', 2);
UPDATE by_index SET a = 5;
UPDATE by_index SET b = 'y';
DELETE FROM by_index;
SELECT get_changes('identity_pub');

-- The whole row.
CREATE TABLE by_row (a int, b text, c int);
ALTER TABLE by_row REPLICA IDENTITY FULL;
INSERT INTO by_row VALUES (1, 'x', NULL);
UPDATE by_row SET c = 3;
UPDATE by_row SET c = c;
DELETE FROM by_row;
SELECT get_changes('identity_pub');

-- None: the server refuses updates and deletes.
CREATE TABLE by_nothing (a int PRIMARY KEY, b text);
ALTER TABLE by_nothing REPLICA IDENTITY NOTHING;
INSERT INTO by_nothing VALUES (1, 'x');
UPDATE by_nothing SET b = 'y';
DELETE FROM by_nothing;
CREATE TABLE no_key (a int, b text);
INSERT INTO no_key VALUES (1, 'x');
DELETE FROM no_key;
SELECT get_changes('identity_pub');

-- It can change, also within a transaction.
BEGIN;
INSERT INTO by_default VALUES (1, 'x', 2);
ALTER TABLE by_default REPLICA IDENTITY FULL;
UPDATE by_default SET b = 'z';
ALTER TABLE by_default REPLICA IDENTITY DEFAULT;
UPDATE by_default SET b = 'zz';
COMMIT;
SELECT get_changes('identity_pub');

-- The server lets updates pass that only publications of inserts contain, and
-- those do not publish them.
CREATE TABLE insert_only (a int);
DROP PUBLICATION identity_pub;
CREATE PUBLICATION identity_pub FOR ALL TABLES WITH (publish = 'insert');
INSERT INTO insert_only VALUES (1);
UPDATE insert_only SET a = 2;
DELETE FROM insert_only;
SELECT get_changes('identity_pub');

SELECT close_slot();
DROP TABLE by_default, by_index, by_row, by_nothing, no_key, insert_only;
DROP PUBLICATION identity_pub;
