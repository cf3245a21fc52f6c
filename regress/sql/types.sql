-- How values of each type are written.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE PUBLICATION types_pub FOR ALL TABLES;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE "Pair" AS (a int, "B" text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);

-- Settings that text output must not depend on.
SET DateStyle = 'Postgres, MDY';
SET TimeZone = 'America/New_York';
SET IntervalStyle = 'iso_8601';
SET extra_float_digits = 0;
SET bytea_output = 'escape';
SET quote_all_identifiers = on;

CREATE TABLE numbers (i2 smallint, i4 int, i8 bigint, o oid, b bool,
	f4 real, f8 double precision, n numeric, m money);
CREATE TABLE strings (t text, v varchar(10), c char(5), n name, "c1" "char",
	b bytea, j json, jb jsonb, jp jsonpath, u uuid, bi bit(3), vb varbit);
CREATE TABLE times (d date, t time, tz timetz, ts timestamp, tstz timestamptz);
CREATE TABLE others (ip inet, ci cidr, ma macaddr, m8 macaddr8, p point,
	ls lseg, pa path, bx box, po polygon, li line, ci2 circle, lsn pg_lsn,
	tv tsvector, tq tsquery, r4 int4range, rd daterange);
CREATE TABLE arrays (i4 int[], t text[], tstz timestamptz[], b bool[],
	jb jsonb[], r int4range[], m money[], mo mood[], rc regclass[]);
CREATE TABLE locals (m mood, p "Pair", d positive, rc regclass, rt regtype,
	x xid, tid tid, ov oidvector, iv int2vector, pd pg_catalog.regproc);

SELECT open_slot();
INSERT INTO numbers VALUES
	(0, 0, 0, 0, false, 0, 0, 0, 0),
	(-32768, -2147483648, -9223372036854775808, 4294967295, true,
	 '-Infinity', 'NaN', 'NaN', -1),
	(32767, 2147483647, 9223372036854775807, 1, true,
	 1.5, 0.1, 123456789012345678901234567890.123, '1234567.89'),
	(-1, 63, -64, 64, NULL, NULL, NULL, NULL, NULL);
INSERT INTO strings VALUES
	('', '', '', '', '', '', '{}', '{}', '$', '00000000-0000-0000-0000-000000000000', B'000', B''),
	('it''s', 'abc', 'abc', 'abc', 'x', '\x00ff', '{"a" : 1}', '{"a" : 1}', '$.a', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', B'101', B'10101'),
	(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO times VALUES
	('2000-01-01', '00:00', '00:00+00', '2000-01-01', '2000-01-01 00:00+00'),
	('1999-12-31', '23:59:59.999999', '12:00+02', '1999-12-31 23:59:59.999999', '2020-06-01 12:00+02'),
	('infinity', '24:00', '00:00-12', 'infinity', 'infinity'),
	('-infinity', NULL, NULL, '-infinity', '-infinity'),
	('4713-01-01 BC', NULL, NULL, '4713-01-01 BC', '4713-01-02 00:00+00 BC');
INSERT INTO others VALUES
	('10.1.2.3/8', '2001:db8::/32', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
	 '(1,2)', '((0,0),(1,1))', '[(0,0),(1,1)]', '((0,0),(1,1))', '((0,0),(1,1))',
	 '{1,2,3}', '<(1,2),3>', '16/B374D848', 'a:1 b:2A', 'a & !b', '[1,5)', 'empty');
INSERT INTO arrays VALUES
	('{1,NULL,3}', '{{a,b},{c,NULL}}', '{2000-01-01 00:00:00+00}', '{t,f}',
	 '{"{\"a\": 1}"}', '{"[1,5)"}', '{$1.00}', '{sad,happy}', '{pg_class}');
INSERT INTO locals VALUES
	('happy', '(1,x y)', 5, 'numbers', 'mood', '7', '(1,2)', '1 2', '3 4', 'now');

-- With binary: integers as such, what is portable in binary, the rest as text.
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'types_pub');

-- Without.
SELECT get_changes('types_pub', 'binary', 'false');

-- Decoding leaves the session as it was.
SHOW DateStyle;
SHOW IntervalStyle;
SHOW extra_float_digits;
SHOW bytea_output;
SHOW TimeZone;
SHOW search_path;
SHOW quote_all_identifiers;

-- Also within a transaction.
BEGIN;
INSERT INTO locals (d) VALUES (6);
COMMIT;
BEGIN;
SELECT count(*) FROM get_frames('types_pub');
SHOW TimeZone;
SHOW search_path;
COMMIT;

SELECT close_slot();
DROP TABLE numbers, strings, times, others, arrays, locals;
DROP TYPE mood, "Pair", positive;
DROP PUBLICATION types_pub;
