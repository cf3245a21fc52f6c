-- Values that are stored compressed or out of line.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE PUBLICATION toast_pub FOR ALL TABLES;
CREATE TABLE toasted (id int PRIMARY KEY, n int, big text, other text, bin bytea);
ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL, ALTER bin SET STORAGE EXTERNAL;

SELECT open_slot();

-- Out of line, and compressed within the row.
INSERT INTO toasted VALUES (1, 1, repeat('0123456789', 1000), repeat('x', 3000), repeat('ab', 5000)::bytea);
-- Not touched: not in the WAL.
UPDATE toasted SET n = 2;
UPDATE toasted SET other = 'y';
-- Touched: new value is there.
UPDATE toasted SET big = repeat('9876543210', 1000);
UPDATE toasted SET big = NULL;
UPDATE toasted SET big = 'small';
UPDATE toasted SET n = 3;
DELETE FROM toasted;
SELECT get_changes('toast_pub');

-- More than a frame: such a row has a frame to itself, together with what was
-- collected before.
BEGIN;
INSERT INTO toasted VALUES (1, 1, 'before');
INSERT INTO toasted VALUES (2, 1, repeat('0123456789', 30000), 'compressed and large: ' || repeat('x', 200000));
INSERT INTO toasted VALUES (3, 1, 'after');
COMMIT;
SELECT length(frame) > 300000, penstock_frame_text(frame)
FROM get_frames('toast_pub') AS frame;

-- The whole old row is in the WAL, also what was not touched.
ALTER TABLE toasted REPLICA IDENTITY FULL;
UPDATE toasted SET n = 5 WHERE id = 2;
DELETE FROM toasted WHERE id = 2;
SELECT get_changes('toast_pub');

-- A large value in the key: in the WAL as the old key even if it is not
-- touched.
CREATE TABLE big_key (k text COLLATE "C" PRIMARY KEY, n int);
ALTER TABLE big_key ALTER k SET STORAGE EXTERNAL;
INSERT INTO big_key VALUES (repeat('k', 2300), 1);
INSERT INTO big_key VALUES (repeat('l', 1000), 1);
UPDATE big_key SET n = 2;
UPDATE big_key SET k = 'short' WHERE k LIKE 'k%';
DELETE FROM big_key;
SELECT get_changes('toast_pub');

SELECT close_slot();
DROP TABLE toasted, big_key;
DROP PUBLICATION toast_pub;
