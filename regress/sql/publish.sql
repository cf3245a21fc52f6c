-- What publications contain, as far as all servers agree.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE TABLE publish_a (id int PRIMARY KEY, n int);
CREATE TABLE publish_b (id int PRIMARY KEY, n int);
CREATE TABLE publish_c (id int PRIMARY KEY, n int);
CREATE PUBLICATION pub_all FOR ALL TABLES;
CREATE PUBLICATION pub_a FOR TABLE publish_a;
CREATE PUBLICATION pub_b_insert FOR TABLE publish_b WITH (publish = 'insert');
CREATE PUBLICATION pub_b_delete FOR TABLE publish_b WITH (publish = 'delete, truncate');
CREATE PUBLICATION pub_nothing;
SELECT open_slot();

CREATE PROCEDURE change_all() LANGUAGE sql AS $$
	INSERT INTO publish_a VALUES (1, 1);
	INSERT INTO publish_b VALUES (1, 1);
	INSERT INTO publish_c VALUES (1, 1);
	UPDATE publish_a SET n = 2;
	UPDATE publish_b SET n = 2;
	UPDATE publish_c SET n = 2;
	DELETE FROM publish_a;
	DELETE FROM publish_b;
	DELETE FROM publish_c;
	TRUNCATE publish_a, publish_b, publish_c;
$$;

CALL change_all();
SELECT get_changes('pub_nothing');
CALL change_all();
SELECT get_changes('pub_a');
CALL change_all();
SELECT get_changes('pub_b_insert');
CALL change_all();
SELECT get_changes('pub_a, pub_b_insert, pub_b_delete');
CALL change_all();
SELECT get_changes('pub_all, pub_a');

-- They count from when they were changed.
INSERT INTO publish_a VALUES (1, 1);
ALTER PUBLICATION pub_a DROP TABLE publish_a;
INSERT INTO publish_a VALUES (2, 2);
ALTER PUBLICATION pub_a ADD TABLE publish_a;
INSERT INTO publish_a VALUES (3, 3);
ALTER PUBLICATION pub_a SET (publish = 'update');
INSERT INTO publish_a VALUES (4, 4);
UPDATE publish_a SET n = 5 WHERE id = 4;
SELECT get_changes('pub_a');

-- Partitions: as themselves, or as their root.
CREATE TABLE parted (id int, n int, t text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 (t text, gone int, n int, id int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE parted_2_1 (gone int, t text, n int, id int NOT NULL);
ALTER TABLE parted_2_1 DROP gone;
ALTER TABLE parted_2 DROP gone;
ALTER TABLE parted_2 ATTACH PARTITION parted_2_1 FOR VALUES FROM (100) TO (150);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (100) TO (200);
CREATE PUBLICATION pub_leaves FOR TABLE parted;
CREATE PUBLICATION pub_root FOR TABLE parted WITH (publish_via_partition_root);
CREATE PUBLICATION pub_middle FOR TABLE parted_2 WITH (publish_via_partition_root);
CREATE PUBLICATION pub_one FOR TABLE parted_1;

CREATE PROCEDURE change_parted() LANGUAGE sql AS $$
	INSERT INTO parted VALUES (1, 1, 'one'), (101, 101, NULL);
	UPDATE parted SET n = 0;
	UPDATE parted SET id = id + 1;
	UPDATE parted SET id = 149 WHERE id = 2;
	DELETE FROM parted;
	TRUNCATE parted;
	TRUNCATE parted_1;
$$;

CALL change_parted();
SELECT get_changes('pub_leaves');
CALL change_parted();
SELECT get_changes('pub_one');
CALL change_parted();
SELECT get_changes('pub_root');
CALL change_parted();
SELECT get_changes('pub_middle');
-- The topmost counts.
CALL change_parted();
SELECT get_changes('pub_leaves, pub_middle, pub_root, pub_one');

-- What the root's record says changes with the root, not only with the
-- partition that a row is in.
INSERT INTO parted VALUES (1, 1, 'one');
ALTER TABLE parted RENAME TO parted_renamed;
UPDATE parted_renamed SET n = 2;
ALTER TABLE parted_renamed RENAME TO parted;
SELECT get_changes('pub_root');

-- Partitions have replica identities of their own, which may not have what the
-- root's promises.
ALTER TABLE parted REPLICA IDENTITY FULL;
INSERT INTO parted VALUES (2, 2, 'two');
SELECT get_changes('pub_root');
UPDATE parted SET n = 3 WHERE id = 2;
SELECT get_changes('pub_root');
SELECT pg_replication_slot_advance('regress', pg_current_wal_lsn()) IS NOT NULL;
ALTER TABLE parted_1 REPLICA IDENTITY FULL;
UPDATE parted SET n = 4 WHERE id = 2;
SELECT get_changes('pub_root');
-- They may also have more.
ALTER TABLE parted REPLICA IDENTITY DEFAULT;
UPDATE parted SET n = 5 WHERE id = 2;
UPDATE parted SET id = 3 WHERE id = 2;
DELETE FROM parted WHERE id = 3;
SELECT get_changes('pub_root');

-- What consumers keep on a target is not for the targets of that target.
CREATE SCHEMA penstock;
CREATE TABLE penstock.progress (id int PRIMARY KEY);
INSERT INTO penstock.progress VALUES (1);
UPDATE penstock.progress SET id = 2;
TRUNCATE penstock.progress;
INSERT INTO publish_a VALUES (99, 1);
SELECT get_changes('pub_all');
DROP TABLE penstock.progress;
DROP SCHEMA penstock;

SELECT close_slot();
DROP PUBLICATION pub_all, pub_a, pub_b_insert, pub_b_delete, pub_nothing, pub_leaves, pub_root, pub_middle, pub_one;
DROP TABLE publish_a, publish_b, publish_c, parted;
DROP PROCEDURE change_all, change_parted;
