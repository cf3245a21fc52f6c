-- Transactions that are sent while they are in progress, from 14 on.
\pset format unaligned
\pset tuples_only on

CREATE TABLE streaming (id int PRIMARY KEY, a text);
CREATE TABLE streaming_large (id int PRIMARY KEY, a text);
ALTER TABLE streaming_large ALTER a SET STORAGE EXTERNAL;
CREATE PUBLICATION streaming_pub FOR TABLE streaming, streaming_large;
SELECT open_slot();

-- What is read from the slot, each run of similar lines as one: how often, and
-- the first and the last id.  Whole pieces are similar if they follow one another
-- and are of one transaction.
CREATE FUNCTION get_summary(publications text, VARIADIC options text[] = '{}')
	RETURNS SETOF text LANGUAGE plpgsql SET logical_decoding_work_mem = '64kB' AS $$
DECLARE
	line text;
	kind text;
	id text;
	stream text; -- whose piece came last
	run_kind text;
	run_count int;
	run_first text;
	run_last text;
BEGIN
	FOR line IN
		SELECT text FROM get_frames(publications, VARIADIC options) AS frame,
			penstock_frame_text(frame) AS text
		UNION ALL SELECT 'end'
	LOOP
		CONTINUE WHEN line ~ '^(session|    )' OR line = stream;
		kind := regexp_replace(line, ':.*?( in sub .*)?$', '\1');
		id := substring(line FROM ': id=([0-9]+)');
		IF line ~ '^[^ ]' THEN
			stream := substring(line FROM '^stream [0-9]+');
		END IF;
		IF kind = run_kind THEN
			run_count := run_count + 1;
			run_last := id;
			CONTINUE;
		END IF;
		IF run_count > 1 THEN
			RETURN NEXT format('%s x %s: %s to %s', run_kind, run_count, run_first, run_last);
		ELSIF run_kind IS NOT NULL THEN
			RETURN NEXT concat_ws(': ', run_kind, run_first);
		END IF;
		run_kind := kind;
		run_count := 1;
		run_first := id;
	END LOOP;
END $$;

-- A large transaction, not in pieces and in pieces.
BEGIN;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(1, 2000) AS i;
UPDATE streaming SET a = 'b' WHERE id % 2 = 0;
DELETE FROM streaming WHERE id > 1000;
COMMIT;
SELECT count(*) FROM pg_logical_slot_peek_binary_changes('regress', NULL,
	NULL, 'proto_version', '1', 'publications', 'streaming_pub');
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on');

-- Small ones come whole.
INSERT INTO streaming VALUES (3000, 'small');
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on');

-- Frames are as large as without streaming.
BEGIN;
INSERT INTO streaming SELECT i, repeat('x', 100)
	FROM generate_series(10000, 10999) AS i;
COMMIT;
SET logical_decoding_work_mem = '64kB';
SELECT count(*) FILTER (WHERE length(frame) > 12000), count(*) > 5
FROM get_frames('streaming_pub', 'streaming', 'on', 'frame_size', '8192') AS frame;
RESET logical_decoding_work_mem;

-- Nothing of it is published: nothing is sent.
BEGIN;
CREATE TABLE streaming_other AS SELECT generate_series(1, 2000) AS id;
COMMIT;
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on');

-- Subtransactions are named; those rolled back before they were sent are not
-- sent, and those rolled back later are taken back.
TRUNCATE streaming;
BEGIN;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(1, 1000) AS i;
SAVEPOINT a;
INSERT INTO streaming VALUES (2001, 'short');
ROLLBACK TO a;
INSERT INTO streaming VALUES (3001, 'kept');
SAVEPOINT b;
INSERT INTO streaming SELECT i, 'b' FROM generate_series(4001, 6000) AS i;
SAVEPOINT c;
INSERT INTO streaming SELECT i, 'c' FROM generate_series(7001, 9000) AS i;
ROLLBACK TO b;
INSERT INTO streaming VALUES (9999, 'end');
TRUNCATE streaming_large;
COMMIT;
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on');

-- All of it rolled back.
BEGIN;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(10001, 12000) AS i;
ROLLBACK;
INSERT INTO streaming VALUES (20000, 'after');
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on');

-- It changes the table: records are sent where they apply, and again after it.
BEGIN;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(30001, 33000) AS i;
SAVEPOINT a;
ALTER TABLE streaming ADD b int DEFAULT 7;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(34001, 37000) AS i;
ROLLBACK TO a;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(38001, 41000) AS i;
ALTER TABLE streaming RENAME a TO c;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(42001, 45000) AS i;
COMMIT;
INSERT INTO streaming VALUES (49001, 'after');
BEGIN;
ALTER TABLE streaming RENAME c TO a;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(50001, 53000) AS i;
ROLLBACK;
INSERT INTO streaming VALUES (59001, 'after');
SET logical_decoding_work_mem = '64kB';
SELECT line FROM get_frames('streaming_pub', 'streaming', 'on') AS frame,
	penstock_frame_text(frame) AS line
WHERE line !~ 'id=..[^0]|id=..0[^0]|id=..00[^1]|^stream .$';
RESET logical_decoding_work_mem;
ALTER TABLE streaming RENAME c TO a;

-- It is rolled back, and what is known of its catalog rows is gone while they
-- are looked at: a table, and the value of an enumeration, which is noticed in
-- the middle of a row.  What came before is sent, the row is not.
CREATE TYPE streaming_enum AS ENUM ('one', 'two');
CREATE TABLE streaming_enums (id int PRIMARY KEY, a text, e streaming_enum);
CREATE PUBLICATION streaming_all_pub FOR ALL TABLES;
SELECT close_slot();
SELECT open_slot();
BEGIN;
INSERT INTO streaming SELECT i, 'a' FROM generate_series(60001, 63000) AS i;
CREATE TABLE streaming_new (id int PRIMARY KEY);
INSERT INTO streaming_new SELECT generate_series(1, 3000);
ROLLBACK;
INSERT INTO streaming_enums VALUES (1000, 'before', 'one');
BEGIN;
INSERT INTO streaming_enums
	SELECT i, 'a', CASE WHEN i < 4500 THEN 'one' ELSE 'two' END::streaming_enum
	FROM generate_series(2001, 5000) AS i;
ROLLBACK;
INSERT INTO streaming_enums VALUES (9999, 'after', 'one');
SELECT * FROM get_summary('streaming_all_pub', 'streaming', 'on');

-- Rows larger than a frame, and messages.
BEGIN;
INSERT INTO streaming_large SELECT i, repeat('x', 100000)
	FROM generate_series(1, 3) AS i;
SELECT pg_logical_emit_message(true, 'prefix', 'content') IS NOT NULL;
SAVEPOINT a;
UPDATE streaming_large SET id = id + 10;
SELECT pg_logical_emit_message(false, 'prefix', 'at once') IS NOT NULL;
COMMIT;
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on', 'messages', 'on');

-- Where a transaction came from is known when it commits.
SELECT pg_replication_origin_create('streaming_origin') IS NOT NULL;
SELECT pg_replication_origin_session_setup('streaming_origin');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/1234', '2026-01-01');
INSERT INTO streaming SELECT i, 'a' FROM generate_series(70001, 73000) AS i;
COMMIT;
SELECT pg_replication_origin_session_reset();
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on');
BEGIN;
SELECT pg_replication_origin_session_setup('streaming_origin');
INSERT INTO streaming SELECT i, 'a' FROM generate_series(80001, 83000) AS i;
COMMIT;
SELECT pg_replication_origin_session_reset();
SELECT * FROM get_summary('streaming_pub', 'streaming', 'on', 'origin', 'none');
SELECT pg_replication_origin_drop('streaming_origin');

SELECT close_slot();
DROP PUBLICATION streaming_pub, streaming_all_pub;
DROP TABLE streaming, streaming_large, streaming_other, streaming_enums;
DROP TYPE streaming_enum;
DROP FUNCTION get_summary;
