-- Tables that are left out, and those that are gone, where transactions are sent
-- while they are in progress.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE TABLE a (id int PRIMARY KEY, v text);
-- Where it is distributed by k, which its key lacks, an update cannot be represented.
CREATE TABLE placed (id int PRIMARY KEY, k int);
CREATE PUBLICATION left_out_pub FOR ALL TABLES;
SELECT open_slot();
CREATE FUNCTION peek(VARIADIC options text[]) RETURNS SETOF text
	LANGUAGE sql SET logical_decoding_work_mem = '64kB' AS $$
	SELECT penstock_frame_text(data) FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
		VARIADIC ARRAY['proto_version', '1', 'publications', 'left_out_pub', 'streaming', 'on'] || options) $$;

-- For each transaction how many rows of each table, and whether it came in pieces.
CREATE FUNCTION get_transactions(leave_out text)
	RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	a int := 0;
	placed int := 0;
	pieces text := '';
BEGIN
	FOR line IN SELECT peek('distribution', 'public.placed(k)', 'leave_out', leave_out) LOOP
		a := a + (line ~ '^  (insert|update) a:')::int;
		placed := placed + (line ~ '^  (insert|update) placed:')::int;
		IF line ~ '^stream' THEN
			pieces := ' in pieces';
		END IF;
		CONTINUE WHEN line !~ '^commit';
		RETURN NEXT a || ' of a, ' || placed || ' of placed' || pieces;
		a := 0; placed := 0; pieces := '';
	END LOOP;
END $$;

BEGIN;
INSERT INTO a SELECT i, 'a' FROM generate_series(1, 2000) AS i;
INSERT INTO placed SELECT i, i FROM generate_series(1, 2000) AS i;
UPDATE placed SET k = 0 WHERE id = 1;
COMMIT;
SELECT pg_current_wal_insert_lsn() AS first \gset
BEGIN;
INSERT INTO a SELECT i, 'a' FROM generate_series(2001, 5000) AS i;
INSERT INTO placed SELECT i, i FROM generate_series(2001, 5000) AS i;
COMMIT;
INSERT INTO a VALUES (5001, 'a');
BEGIN;
INSERT INTO a SELECT i, 'a' FROM generate_series(6001, 8000) AS i;
INSERT INTO placed SELECT i, i FROM generate_series(6001, 8000) AS i;
COMMIT;

-- For ever.
SELECT get_transactions('public.placed');

-- Up to a position: to know what that means, it takes the ends of transactions.
SELECT get_transactions('public.placed ' || :'first');
SELECT get_transactions('public.a, public.placed ' || :'first');
SELECT close_slot();

-- Gone.
SELECT open_slot();
BEGIN;
CREATE TABLE scratch (id int PRIMARY KEY, v text);
INSERT INTO scratch SELECT i, 'scratch' FROM generate_series(1, 3000) AS i;
CREATE TABLE stays AS SELECT i FROM generate_series(1, 3000) AS i;
DROP TABLE scratch;
INSERT INTO a SELECT i, 'a' FROM generate_series(10001, 13000) AS i;
COMMIT;
SELECT DISTINCT line FROM peek('binary', 'on') AS line WHERE line ~ '^(stream|commit)' AND line !~ '^stream \d+$';
SELECT close_slot();

DROP PUBLICATION left_out_pub;
DROP TABLE a, placed, stays;
DROP FUNCTION get_transactions, peek;
