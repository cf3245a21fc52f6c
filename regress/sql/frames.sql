-- Frames: how many, how large, what is in them.
\pset format unaligned
\pset tuples_only on

CREATE TABLE frames (id int PRIMARY KEY, t text);
CREATE TABLE unpublished (id int);
CREATE PUBLICATION frames_pub FOR TABLE frames;
SELECT open_slot();

-- Nothing published, no frame; the slot moves on all the same.
SELECT confirmed_flush_lsn AS before FROM pg_replication_slots WHERE slot_name = 'regress' \gset
INSERT INTO unpublished SELECT generate_series(1, 1000);
BEGIN;
INSERT INTO frames VALUES (1, 'rolled back');
ROLLBACK;
BEGIN; COMMIT;
CREATE TABLE another (a int);
SELECT count(*) FROM get_frames('frames_pub');
SELECT confirmed_flush_lsn > :'before' FROM pg_replication_slots WHERE slot_name = 'regress';

-- A small transaction is one frame, the session is in the first.
INSERT INTO frames VALUES (1, 'a');
BEGIN;
INSERT INTO unpublished VALUES (1);
INSERT INTO frames VALUES (2, 'b');
INSERT INTO frames VALUES (3, 'c');
INSERT INTO unpublished VALUES (1);
COMMIT;
SELECT row_number() OVER () AS number, penstock_frame_lines(frame) FROM get_frames('frames_pub') AS frame;

-- A large one is sent whenever frame_size is reached, and goes beyond that by
-- less than a row.
BEGIN;
INSERT INTO frames SELECT i, repeat('x', 90) FROM generate_series(1001, 2000) i;
COMMIT;
CREATE TEMP TABLE sizes (size int, first text, last text, lines int);
INSERT INTO sizes
	SELECT length(frame), lines[1], lines[array_length(lines, 1)], array_length(lines, 1)
	FROM (SELECT data AS frame, penstock_frame_lines(data) AS lines
		FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
			'proto_version', '1', 'publications', 'frames_pub', 'frame_size', '1024')) f;
SELECT count(*) > 90, max(size) < 1024 + 110, sum(lines) - 4 AS changes_and_columns FROM sizes;
SELECT first FROM sizes WHERE first LIKE 'session%';
SELECT last FROM sizes WHERE last LIKE 'commit%';
-- The same rows in other frames.
SELECT count(*), sum(array_length(penstock_frame_lines(data), 1)) - 4
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'frames_pub', 'frame_size', '65536');
SELECT count(*), sum(array_length(penstock_frame_lines(data), 1)) - 4
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'frames_pub', 'frame_size', '16777216');
SELECT count(*) FROM get_frames('frames_pub');

-- Rows around the sizes where a length takes one byte more.
BEGIN;
INSERT INTO frames SELECT i, repeat('y', i) FROM generate_series(100, 140) i;
INSERT INTO frames SELECT i + 2000, repeat('y', i) FROM generate_series(16360, 16390) i;
COMMIT;
SELECT count(*) FROM get_frames('frames_pub') AS frame, penstock_frame_text(frame) AS line
WHERE line LIKE '  insert frames: id=% t=''yyy%';

-- Very many columns: the list of integers has a long length, bitmaps are long.
SELECT 'CREATE TABLE wide (' || string_agg(format('c%s bigint', i), ', ') || ')'
FROM generate_series(1, 300) i \gexec
ALTER PUBLICATION frames_pub ADD TABLE wide;
INSERT INTO wide SELECT;
INSERT INTO wide (c1, c300) VALUES (1, 300);
SELECT 'INSERT INTO wide VALUES (' || string_agg((-i)::text, ', ') || ')'
FROM generate_series(1, 300) i \gexec
SELECT 'INSERT INTO wide VALUES (' || string_agg('9223372036854775807', ', ') || ')'
FROM generate_series(1, 300) i \gexec
SELECT length(line), md5(line), line LIKE '%VALUES LEFT%', line LIKE '%MISSING%'
FROM get_frames('frames_pub') AS frame, penstock_frame_text(frame) AS line
WHERE line LIKE '  insert%';

SELECT close_slot();
DROP TABLE frames, unpublished, another, sizes, wide;
DROP PUBLICATION frames_pub;
