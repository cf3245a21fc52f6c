-- Publications that except tables, and publications of sequences, from 19 on.
-- What is published is what the server's own plugin publishes.
\pset format unaligned
\pset tuples_only on

CREATE TABLE kept (id int PRIMARY KEY);
CREATE TABLE excepted (id int PRIMARY KEY);
CREATE TABLE excepted_once (id int PRIMARY KEY);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE only_parent (id int PRIMARY KEY);
CREATE TABLE only_child () INHERITS (only_parent);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20)
	PARTITION BY RANGE (id);
CREATE TABLE parted_2_1 PARTITION OF parted_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (10);
CREATE TABLE joins (id int PRIMARY KEY);
CREATE SEQUENCE counted;

CREATE PUBLICATION except_pub FOR ALL TABLES
	EXCEPT (TABLE excepted, excepted_once, parent, ONLY only_parent, parted);
CREATE PUBLICATION except_root_pub FOR ALL TABLES
	EXCEPT (TABLE excepted, parted) WITH (publish_via_partition_root = true);
CREATE PUBLICATION once_pub FOR TABLE excepted_once;
CREATE PUBLICATION leaf_pub FOR TABLE parted_1;
CREATE PUBLICATION sequences_pub FOR ALL SEQUENCES;
CREATE PUBLICATION everything_pub FOR ALL TABLES EXCEPT (TABLE kept), ALL SEQUENCES;
SELECT open_slot();
SELECT pg_create_logical_replication_slot('pgoutput', 'pgoutput') IS NOT NULL;

-- Operation and table of each row, in their order.
CREATE FUNCTION rows_of_pgoutput(publications text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(lower(chr(get_byte(data, 0))) || ' ' || (
		get_byte(data, 1)::bigint << 24 | get_byte(data, 2) << 16
		| get_byte(data, 3) << 8 | get_byte(data, 4))::oid::regclass ORDER BY n)
	FROM pg_logical_slot_peek_binary_changes('pgoutput', NULL, NULL, 'proto_version', '1',
		'publication_names', publications) WITH ORDINALITY AS m (lsn, xid, data, n)
	WHERE chr(get_byte(data, 0)) IN ('I', 'U', 'D') $$;
CREATE FUNCTION rows_of_penstock(publications text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(left(r[1], 1) || ' ' || r[2] ORDER BY n)
	FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL, 'proto_version', '1',
		'publications', publications) WITH ORDINALITY AS m (lsn, xid, data, n),
		unnest(penstock_frame_lines(data)) AS line,
		regexp_match(line, '^  (insert|update|delete) (\w+):') AS r
	WHERE r IS NOT NULL $$;
CREATE FUNCTION compare(publications text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT CASE WHEN a IS NOT DISTINCT FROM b THEN 'equal: ' ELSE 'different: '
		|| coalesce(a::text, 'nothing') || ' by pgoutput, ' END || coalesce(b::text, 'nothing')
	FROM rows_of_pgoutput(publications) a, rows_of_penstock(publications) b $$;

CREATE PROCEDURE change_all() LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{kept, excepted, excepted_once, parent, child, only_parent, only_child,
		parted, whole, joins}'::text[] LOOP
		EXECUTE format('INSERT INTO %I VALUES (1)', name);
		CONTINUE WHEN name IN ('child', 'only_child');
		EXECUTE format('UPDATE ONLY %I SET id = 2', name);
		EXECUTE format('DELETE FROM ONLY %I', name);
	END LOOP;
	INSERT INTO parted_2_1 VALUES (11);
	PERFORM nextval('counted');
END $$;
-- UPDATE and DELETE with ONLY do not reach partitions.
CALL change_all();
INSERT INTO parted_1 VALUES (4);
UPDATE parted SET id = id + 1;
DELETE FROM parted;
INSERT INTO whole VALUES (5);
UPDATE whole SET id = id + 2;

SELECT compare('except_pub');
SELECT compare('except_root_pub');
SELECT compare('except_pub,once_pub');
SELECT compare('except_pub,leaf_pub');
SELECT compare('except_root_pub,leaf_pub');
SELECT compare('except_pub,except_root_pub');
SELECT compare('sequences_pub');
SELECT compare('everything_pub');
SELECT compare('once_pub');

-- As of the moment: what is excepted later was published before, and a partition
-- that is taken out is a table of its own.
DELETE FROM whole;
ALTER PUBLICATION except_pub SET ALL TABLES EXCEPT (TABLE kept, joins);
INSERT INTO joins VALUES (3);
INSERT INTO excepted VALUES (3);
ALTER TABLE parted DETACH PARTITION parted_1;
INSERT INTO parted_1 VALUES (7);
ALTER PUBLICATION except_pub SET ALL TABLES;
INSERT INTO joins VALUES (4);
SELECT compare('except_pub');
SELECT compare('except_root_pub');

SELECT close_slot();
SELECT pg_drop_replication_slot('pgoutput');
DROP PUBLICATION except_pub, except_root_pub, once_pub, leaf_pub, sequences_pub, everything_pub;
DROP TABLE kept, excepted, excepted_once, child, parent, only_child, only_parent, parted, parted_1, whole, joins;
DROP SEQUENCE counted;
DROP FUNCTION rows_of_pgoutput, rows_of_penstock, compare;
DROP PROCEDURE change_all;
