-- Row filters, column lists and schemas, from PostgreSQL 15 on.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

SELECT open_slot();

-- Schemas.
CREATE SCHEMA published;
CREATE TABLE published.a (id int PRIMARY KEY);
CREATE TABLE public.c (id int PRIMARY KEY);
CREATE PUBLICATION pub_schema FOR TABLES IN SCHEMA published;
INSERT INTO published.a VALUES (1);
INSERT INTO public.c VALUES (2);
CREATE TABLE published.b (id int);
INSERT INTO published.b VALUES (3);
ALTER TABLE public.c SET SCHEMA published;
INSERT INTO published.c VALUES (4);
ALTER TABLE published.a SET SCHEMA public;
INSERT INTO public.a VALUES (5);
SELECT get_changes('pub_schema');
ALTER PUBLICATION pub_schema DROP TABLES IN SCHEMA published;
INSERT INTO published.c VALUES (6);
ALTER PUBLICATION pub_schema ADD TABLES IN SCHEMA public;
INSERT INTO public.a VALUES (7);
SELECT get_changes('pub_schema');
DROP PUBLICATION pub_schema;
SET client_min_messages = warning;
DROP TABLE public.a;
DROP SCHEMA published CASCADE;
RESET client_min_messages;

-- Row filters: rows of inserts and deletes.
CREATE TABLE filtered (id int PRIMARY KEY, n int, t text);
CREATE PUBLICATION pub_small FOR TABLE filtered WHERE (id < 10);
INSERT INTO filtered VALUES (1, 1, 'in'), (11, 1, 'out');
UPDATE filtered SET n = 2;
-- Out, and in again.
UPDATE filtered SET id = 21 WHERE id = 1;
UPDATE filtered SET id = 2 WHERE id = 11;
UPDATE filtered SET id = 3 WHERE id = 2;
UPDATE filtered SET id = 22 WHERE id = 21;
DELETE FROM filtered;
TRUNCATE filtered;
SELECT get_changes('pub_small');

-- Several: any of them, for each operation on its own.
CREATE PUBLICATION pub_large FOR TABLE filtered WHERE (id > 100);
CREATE PUBLICATION pub_inserted FOR TABLE filtered WHERE (n > 1000)
	WITH (publish = 'insert');
INSERT INTO filtered VALUES (1, 1, 'small'), (50, 1, 'out'), (101, 1, 'large'), (51, 1001, 'n');
UPDATE filtered SET n = n + 2000;
DELETE FROM filtered;
SELECT get_changes('pub_small, pub_large, pub_inserted');
-- One without a filter takes all.
CREATE PUBLICATION pub_deleted FOR TABLE filtered WITH (publish = 'delete');
INSERT INTO filtered VALUES (1, 1, 'small'), (50, 1, 'out');
DELETE FROM filtered;
SELECT get_changes('pub_small, pub_deleted');
CREATE PUBLICATION pub_public FOR TABLES IN SCHEMA public;
INSERT INTO filtered VALUES (1, 1, 'small'), (50, 1, 'out');
SELECT get_changes('pub_small, pub_public');
DELETE FROM filtered;
SELECT count(*) FROM get_frames('pub_small');
DROP PUBLICATION pub_small, pub_large, pub_inserted, pub_deleted, pub_public;

-- Unknown means no; filters change.
CREATE PUBLICATION pub_n FOR TABLE filtered WHERE (n > 0) WITH (publish = 'insert');
INSERT INTO filtered VALUES (1, NULL, 'unknown'), (2, 0, 'no'), (3, 1, 'yes');
ALTER PUBLICATION pub_n SET TABLE filtered WHERE (t IN ('a', 'b') AND n IS NULL);
INSERT INTO filtered VALUES (4, NULL, 'a'), (5, 1, 'b');
SELECT get_changes('pub_n');
DROP PUBLICATION pub_n;

-- Large values that an update does not touch: taken from the old row where it
-- has them, which it must if the update becomes an insert.
CREATE TABLE filtered_toast (id int PRIMARY KEY, big text);
ALTER TABLE filtered_toast ALTER big SET STORAGE EXTERNAL;
CREATE PUBLICATION pub_toast FOR TABLE filtered_toast WHERE (id < 10);
ALTER TABLE filtered_toast REPLICA IDENTITY FULL;
INSERT INTO filtered_toast VALUES (11, repeat('x', 3000));
UPDATE filtered_toast SET id = 1;
UPDATE filtered_toast SET id = 12;
SELECT get_changes('pub_toast');
ALTER TABLE filtered_toast REPLICA IDENTITY DEFAULT;
UPDATE filtered_toast SET id = 2;
SELECT get_changes('pub_toast');
SELECT pg_replication_slot_advance('regress', pg_current_wal_lsn()) IS NOT NULL;
DROP PUBLICATION pub_toast;
DROP TABLE filtered, filtered_toast;

-- A filter on the root is for rows in the root's layout.
CREATE TABLE parted (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 (n int, gone text, id int NOT NULL);
ALTER TABLE parted_1 DROP gone;
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES FROM (0) TO (100);
CREATE PUBLICATION pub_root FOR TABLE parted WHERE (id < 10)
	WITH (publish_via_partition_root);
INSERT INTO parted VALUES (1, 100), (11, 1);
UPDATE parted SET id = id + 1;
UPDATE parted SET id = id + 8;
SELECT get_changes('pub_root');
-- Where a root is published, what is said of its partitions does not count.
CREATE PUBLICATION pub_leaf FOR TABLE parted_1 (id) WHERE (id > 90);
INSERT INTO parted VALUES (2, 2), (92, 92);
SELECT get_changes('pub_leaf, pub_root');
DELETE FROM parted WHERE id IN (2, 92);
SELECT get_changes('pub_root, pub_leaf');
INSERT INTO parted VALUES (2, 2), (92, 92);
SELECT get_changes('pub_leaf');
DROP PUBLICATION pub_leaf;
-- Partitions that are written anew are told of one by one, and of each the same
-- rows and columns as before.
TRUNCATE parted;
INSERT INTO parted VALUES (2, 2), (50, 50);
ALTER TABLE parted_1 REPLICA IDENTITY FULL;
SELECT count(*) > 0 FROM get_changes('pub_root', 'schema_changes', 'true');
ALTER TABLE parted ADD r int DEFAULT floor(random());
SELECT line FROM get_changes('pub_root', 'schema_changes', 'true') AS line
WHERE line !~ '^    (primary key|index|not null)';
ALTER PUBLICATION pub_root SET TABLE parted (r, id) WHERE (id < 10);
SELECT count(*) > 0 FROM get_changes('pub_root', 'schema_changes', 'true');
ALTER TABLE parted ADD s int DEFAULT floor(random());
SELECT line FROM get_changes('pub_root', 'schema_changes', 'true') AS line
WHERE line !~ '^    (primary key|index|not null)';
ALTER TABLE parted ADD u int DEFAULT floor(random());
SELECT line FROM get_changes('pub_root', 'leave_out', 'public.parted',
	'schema_changes', 'true') AS line WHERE line ~ '^  (rewrite|insert)';
BEGIN;
ALTER TABLE parted_1 SET UNLOGGED;
UPDATE parted SET id = 51 WHERE id = 2;
ALTER TABLE parted_1 SET LOGGED;
COMMIT;
SELECT line FROM get_changes('pub_root', 'schema_changes', 'true') AS line
WHERE line !~ '^    ';
DROP PUBLICATION pub_root;
DROP TABLE parted;

-- A schema publishes its tables, and partitions of these that are elsewhere.
CREATE SCHEMA of_all;
CREATE TABLE of_all.a (id int);
CREATE TABLE of_all.p (id int) PARTITION BY LIST (id);
CREATE TABLE p_1 PARTITION OF of_all.p DEFAULT;
CREATE VIEW of_all.v AS SELECT 1 AS one;
CREATE PUBLICATION pub_of;
SELECT count(*) > 0 FROM get_changes('pub_of', 'schema_changes', 'true');
ALTER PUBLICATION pub_of ADD TABLES IN SCHEMA of_all;
SELECT unnest FROM get_changes('pub_of', 'schema_changes', 'true') AS unnest;
ALTER PUBLICATION pub_of SET (publish = 'update, delete');
SELECT unnest FROM get_changes('pub_of', 'schema_changes', 'true') AS unnest;
ALTER PUBLICATION pub_of DROP TABLES IN SCHEMA of_all;
SELECT unnest FROM get_changes('pub_of', 'schema_changes', 'true') AS unnest;
CREATE PUBLICATION pub_other FOR TABLES IN SCHEMA of_all;
SELECT unnest FROM get_changes('pub_of', 'schema_changes', 'true') AS unnest;
DROP PUBLICATION pub_of, pub_other;
DROP SCHEMA of_all CASCADE;

-- Column lists.
CREATE TABLE listed (a int, b text, id int PRIMARY KEY, c int,
	g int GENERATED ALWAYS AS (c + 1) STORED);
CREATE PUBLICATION pub_list FOR TABLE listed (id, b);
INSERT INTO listed VALUES (1, 'x', 1, 1);
UPDATE listed SET c = 2;
UPDATE listed SET id = 2, b = NULL;
ALTER TABLE listed RENAME b TO bb;
DELETE FROM listed;
SELECT get_changes('pub_list');
ALTER PUBLICATION pub_list SET TABLE listed (id, c);
INSERT INTO listed VALUES (1, 'x', 3, 4);
SELECT get_changes('pub_list');
-- A list of all columns is as good as none; else they must agree.
CREATE PUBLICATION pub_all FOR TABLE listed;
CREATE PUBLICATION pub_each FOR TABLE listed (a, bb, id, c);
INSERT INTO listed VALUES (1, 'x', 4, 4);
SELECT get_changes('pub_all, pub_each');
INSERT INTO listed VALUES (1, 'x', 5, 5);
SELECT get_changes('pub_all, pub_list');
ALTER PUBLICATION pub_list SET TABLE listed;
INSERT INTO listed VALUES (1, 'x', 6, 6);
-- Agreeing now does not mean having agreed before.
SELECT get_changes('pub_all, pub_list');
SELECT get_changes('pub_all');
DROP PUBLICATION pub_list, pub_all, pub_each;
DROP TABLE listed;

SELECT close_slot();
