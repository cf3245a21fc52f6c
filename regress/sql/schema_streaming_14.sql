-- Schema changes in transactions that are sent while they are in progress.
\pset format unaligned
\pset tuples_only on
\set get 'SELECT * FROM get_pieces()'

CREATE TABLE t (a int PRIMARY KEY, b text);
CREATE TABLE other (a int);

-- All lines but columns and the like; of rows of one table that follow one
-- another the first.
CREATE FUNCTION get_pieces() RETURNS SETOF text LANGUAGE plpgsql
	SET logical_decoding_work_mem = '64kB' AS $$
DECLARE
	line text;
	kind text;
	kind_before text = '';
	stream_before text = '';
BEGIN
	FOR line IN
		SELECT text
		FROM get_frames('schema_pub', 'schema_changes', 'true', 'streaming', 'true')
			AS frame, penstock_frame_text(frame) AS text
	LOOP
		CONTINUE WHEN line ~ '^(session |    )' OR line = stream_before;
		IF line ~ '^stream ' THEN
			stream_before := replace(line, ' first', '');
		END IF;
		kind := regexp_replace(line, ':.*?( in sub .*)?$', '\1');
		CONTINUE WHEN kind = kind_before AND line ~ '^  (insert|update)';
		kind_before := kind;
		RETURN NEXT line;
	END LOOP;
END $$;
SELECT open_slot();

-- Before the pieces, between them, and after the last.
BEGIN;
CREATE TABLE made (a int, b text);
INSERT INTO made SELECT i, 'x' FROM generate_series(1, 2000) i;
ALTER TABLE t ADD c int;
INSERT INTO t SELECT i, 'x', i FROM generate_series(1, 2000) i;
ALTER TABLE made RENAME TO renamed;
CREATE TYPE en AS ENUM ('x');
COMMIT;
:get;

-- A subtransaction is rolled back of which something was sent.  What is left is
-- said again.
BEGIN;
ALTER TABLE other ADD b int;
INSERT INTO other SELECT i, 1 FROM generate_series(1, 2000) i;
SAVEPOINT s;
ALTER TABLE other ADD c int;
CREATE TABLE rolled_back (a int);
INSERT INTO other SELECT i, 2, 2 FROM generate_series(1, 2000) i;
ROLLBACK TO s;
INSERT INTO other SELECT i, 3 FROM generate_series(1, 2000) i;
SAVEPOINT s;
ALTER TABLE other ADD d int;
INSERT INTO other SELECT i, 4, 4 FROM generate_series(1, 2000) i;
RELEASE s;
COMMIT;
:get;

-- Both a transaction and its subtransaction have changed it, without rows
-- between.
BEGIN;
ALTER TABLE other ADD e int;
SAVEPOINT s;
ALTER TABLE other ADD f int;
INSERT INTO other (a) SELECT i FROM generate_series(1, 2000) i;
ROLLBACK TO s;
INSERT INTO t VALUES (0);
COMMIT;
:get;

-- All of it is rolled back.
BEGIN;
ALTER TABLE other ADD g int;
INSERT INTO other (a) SELECT i FROM generate_series(1, 2000) i;
ROLLBACK;
:get;

-- A rewrite in several pieces is one.
BEGIN;
SAVEPOINT s;
ALTER TABLE t ALTER c TYPE text USING 'c' || c;
RELEASE s;
INSERT INTO other (a) VALUES (1);
COMMIT;
:get;

-- Tables that are logged again, without rows, and with rows in several pieces.
CREATE TABLE quiet (a int, b text);
INSERT INTO quiet SELECT i, 'x' FROM generate_series(1, 2000) i;
SELECT count(*) > 0 FROM get_pieces();
BEGIN;
ALTER TABLE quiet SET UNLOGGED;
TRUNCATE quiet;
SAVEPOINT s;
ALTER TABLE quiet SET LOGGED;
INSERT INTO quiet SELECT i, 'x' FROM generate_series(1, 2000) i;
COMMIT;
:get;
BEGIN;
ALTER TABLE quiet SET UNLOGGED;
ALTER TABLE quiet SET LOGGED;
INSERT INTO other (a) VALUES (5);
COMMIT;
VACUUM FULL pg_class;
SELECT line FROM get_pieces() AS line WHERE line ~ '^  (rewrite|insert other)';

-- Definitions that take nested reads of catalogs: default operator classes,
-- operators, long values.
BEGIN;
CREATE TABLE nested (a int PRIMARY KEY, b text[] UNIQUE, c int4range, d text,
	CHECK (d <> ALL (b)), EXCLUDE USING gist (c WITH &&));
DO $$BEGIN
	EXECUTE 'ALTER TABLE nested ALTER d SET DEFAULT '''
		|| (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i)
		|| '''';
END$$;
CREATE TABLE by_range (a int, b text) PARTITION BY RANGE (a, lower(b));
CREATE INDEX ON nested (lower(d), b) WHERE d <> 'x';
INSERT INTO t SELECT i, 'x' FROM generate_series(10001, 12000) i;
COMMIT;
:get;

-- A piece ends wherever the memory is used up, also in the middle of a command.
DO $$BEGIN
	FOR n IN 300 .. 420 LOOP
		INSERT INTO other (a) SELECT i FROM generate_series(1, n) i;
		CREATE TABLE sequences (a int GENERATED ALWAYS AS IDENTITY, b serial,
			c bigserial, CHECK (a < b), UNIQUE (b, c));
		DROP TABLE sequences;
		COMMIT;
	END LOOP;
END$$;
SELECT count(*) > 0 FROM get_pieces();

-- Nor does what comes last get lost, if a piece ends right before the commit.
DO $$BEGIN
	FOR n IN 300 .. 420 LOOP
		INSERT INTO other (a) SELECT i FROM generate_series(1, n) i;
		EXECUTE format('CREATE TABLE last%s ()', n);
		COMMIT;
	END LOOP;
END$$;
SELECT count(DISTINCT line) FROM get_pieces() AS line
WHERE line ~ '^  schema: table public.last';
DO $$BEGIN
	FOR n IN 300 .. 420 LOOP
		EXECUTE format('DROP TABLE last%s', n);
	END LOOP;
END$$;
DROP TABLE t, other, renamed, nested, by_range, quiet;
DROP TYPE en;
DROP FUNCTION get_pieces();
SELECT close_slot();
