-- Frames compressed with zstd.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
\set get 'SELECT count(*) FROM pg_logical_slot_get_binary_changes(\'regress\', NULL, NULL, \'proto_version\', \'1\', \'publications\', \'zstd_pub\', \'compression\''

CREATE TABLE compressed (id int PRIMARY KEY, t text);
CREATE PUBLICATION zstd_pub FOR TABLE compressed;
SELECT open_slot();

-- Values of the option.
:get, 'none');
:get, 'ZSTD');
:get, 'zstd:1');
:get, 'zstd:19');
:get, 'zstd:20');
:get, 'zstd:0');
:get, 'zstd:');
:get, 'zstd:3x');
:get, 'lz4');

-- A short frame stays as it is, one that shrinks is compressed.
INSERT INTO compressed VALUES (1, 'short');
INSERT INTO compressed VALUES (2, repeat('a', 1000));
SELECT get_changes('zstd_pub', 'compression', 'zstd');

-- One that would not shrink stays as it is.
ALTER TABLE compressed ADD b bytea;
INSERT INTO compressed VALUES (4, '', (SELECT string_agg(sha512(i::text::bytea), '')
	FROM generate_series(1, 10) AS i));
SELECT lines[array_upper(lines, 1) - 1] ~ 'id=4', lines[1]
FROM (SELECT penstock_frame_lines(data) AS lines
	FROM pg_logical_slot_get_binary_changes('regress', NULL, NULL,
		'proto_version', '1', 'publications', 'zstd_pub', 'compression', 'zstd')) AS f
WHERE lines::text ~ 'id=4';

-- Of a large transaction all frames; together they are much smaller, and hold
-- the same.  Rows that alone fill a frame among them.
INSERT INTO compressed SELECT i, repeat('x' || i, 20) FROM generate_series(101, 3000) i;
BEGIN;
INSERT INTO compressed VALUES (5, repeat('five ', 40000));
UPDATE compressed SET t = t || '!' WHERE id < 6;
INSERT INTO compressed VALUES (6, repeat('6', 2000000));
COMMIT;
CREATE TEMP TABLE plain AS SELECT row_number() OVER () AS n, data
	FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
		'proto_version', '1', 'publications', 'zstd_pub');
CREATE TEMP TABLE zstd AS SELECT row_number() OVER () AS n, data
	FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
		'proto_version', '1', 'publications', 'zstd_pub', 'compression', 'zstd:9');
SELECT (SELECT sum(length(data)) FROM zstd) < 0.05 * (SELECT sum(length(data)) FROM plain);
CREATE FUNCTION all_lines(regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN QUERY EXECUTE format('SELECT unnest(lines) FROM
			(SELECT penstock_frame_lines(data) AS lines FROM %s ORDER BY n) AS f
			', $1);
	END $$;
SELECT count(*) FILTER (WHERE line = 'zstd') > 3 FROM all_lines('zstd') AS line;
CREATE TEMP TABLE plain_lines AS SELECT row_number() OVER () AS n, line
	FROM all_lines('plain') AS line;
CREATE TEMP TABLE zstd_lines AS SELECT row_number() OVER () AS n, line
	FROM all_lines('zstd') AS line WHERE line <> 'zstd';
SELECT count(*) > 2900 FROM plain_lines;
SELECT count(*) FROM plain_lines FULL JOIN zstd_lines USING (n)
	WHERE plain_lines.line IS DISTINCT FROM zstd_lines.line;

SELECT close_slot();
DROP TABLE compressed, plain, zstd, plain_lines, zstd_lines;
DROP FUNCTION all_lines;
DROP PUBLICATION zstd_pub;
