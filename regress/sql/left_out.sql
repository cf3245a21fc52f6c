-- Tables that the reader leaves out.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE PUBLICATION left_out_pub FOR ALL TABLES;
CREATE TABLE a (id int PRIMARY KEY, v text);
CREATE TABLE "b B" (id int PRIMARY KEY, v text);
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);

-- Where it is distributed by k, which its key lacks, an update cannot be represented.
CREATE TABLE placed (id int PRIMARY KEY, k int);
SELECT open_slot();
CREATE FUNCTION peek(VARIADIC options text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT penstock_frame_text(data) FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
		VARIADIC ARRAY['proto_version', '1', 'publications', 'left_out_pub'] || options) $$;

INSERT INTO a VALUES (1, 'first');
INSERT INTO "b B" VALUES (1, 'first');
SELECT pg_current_wal_insert_lsn() AS first \gset
INSERT INTO parted VALUES (1, 'first');
BEGIN;
INSERT INTO a VALUES (2, 'second');
INSERT INTO "b B" VALUES (2, 'second');
COMMIT;
SELECT pg_current_wal_insert_lsn() AS second \gset
INSERT INTO parted VALUES (2, 'second');
TRUNCATE a, parted, "b B";

-- A transaction of which nothing is left is not sent, nor is a truncation.
SELECT peek('leave_out', 'public.a, PUBLIC."b B"');
SELECT peek('leave_out', 'public.parted_1,public.parted,public.none');

-- Up to a position: the transaction that ends there is the last.
SELECT peek('leave_out', format('public.a %s, public."b B" %s ,public.parted 1/0', :'first', :'second'));

-- Under the name that is in the stream.
ALTER PUBLICATION left_out_pub SET (publish_via_partition_root = true);
INSERT INTO parted VALUES (3, 'third');
SELECT peek('leave_out', 'public.a, public."b B", public.parted_1');
SELECT peek('leave_out', 'public.a, public."b B", public.parted');
SELECT count(*) FROM get_changes('left_out_pub');

-- What would be an error, for ever or up to a position.
INSERT INTO placed VALUES (1, 1);
UPDATE placed SET k = 2;
SELECT pg_current_wal_insert_lsn() AS fails \gset
INSERT INTO a VALUES (3, 'third');
INSERT INTO placed VALUES (4, 4);
SELECT peek('distribution', 'public.placed(k)', 'leave_out', 'public.a');
SELECT peek('distribution', 'public.placed(k)', 'leave_out', 'public.placed');
SELECT regexp_replace(peek('distribution', 'public.placed(k)', 'leave_out', 'public.placed ' || :'fails'), 'hash \w+', 'hash');

-- Also where the columns cannot be told.
SELECT count(*) >= 0 FROM get_changes('left_out_pub', 'leave_out', 'public.placed');
CREATE TABLE unfit (id int PRIMARY KEY, k point);
INSERT INTO unfit VALUES (1, '(1,2)');
SELECT peek('distribution', 'public.unfit(k)');
SELECT peek('distribution', 'public.unfit(k)', 'leave_out', 'public.unfit');

-- Values that cannot be read.
SELECT peek('leave_out', '');
SELECT peek('leave_out', 'a');
SELECT peek('leave_out', 'public.a,');
SELECT peek('leave_out', 'public.a 0/0');
SELECT peek('leave_out', 'public.a 1');
SELECT peek('leave_out', 'public.a 1/123456789');
SELECT peek('leave_out', 'public.a 1/2 x');
SELECT peek('leave_out', 'public.a x');
SELECT peek('leave_out', 'public."a');
SELECT close_slot();

-- Tables that are gone when their transaction ends; of those that stay, or come
-- with a later transaction, nothing is said.
SELECT open_slot();
BEGIN;
CREATE TABLE scratch (id int PRIMARY KEY);
INSERT INTO scratch VALUES (1);
INSERT INTO a VALUES (5, 'fifth');
DROP TABLE scratch;
COMMIT;
BEGIN;
CREATE TABLE stays AS SELECT 1 AS id;
CREATE TABLE goes AS SELECT 1 AS id;
ALTER TABLE stays ADD COLUMN more int;
DROP TABLE goes;
INSERT INTO a VALUES (6, 'sixth');
COMMIT;
BEGIN;
INSERT INTO a VALUES (7, 'seventh');
DROP TABLE stays;
COMMIT;
BEGIN;
CREATE TABLE kept AS SELECT 1 AS id;
SAVEPOINT s;
DROP TABLE kept;
ROLLBACK TO s;
COMMIT;
BEGIN;
INSERT INTO kept VALUES (2);
DROP TABLE kept;
COMMIT;
INSERT INTO a VALUES (8, 'eighth');
SELECT peek('binary', 'on');
SELECT close_slot();

DROP PUBLICATION left_out_pub;
DROP TABLE a, "b B", parted, placed, unfit;
DROP FUNCTION peek;
