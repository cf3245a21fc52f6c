-- Types that came with PostgreSQL 14.
\pset format unaligned
\pset tuples_only on

CREATE PUBLICATION types_pub FOR ALL TABLES;
CREATE TABLE multiranges (m4 int4multirange, m8 int8multirange,
	mn nummultirange, md datemultirange, a int4multirange[]);
CREATE TABLE infinite (n numeric);

SELECT open_slot();
INSERT INTO multiranges VALUES
	('{[1,3),[5,7)}', '{}', '{(1.5,)}', NULL, ARRAY['{[1,2)}'::int4multirange]);
INSERT INTO infinite VALUES ('Infinity'), ('-Infinity');
SELECT get_changes('types_pub');

SELECT close_slot();
DROP TABLE multiranges, infinite;
DROP PUBLICATION types_pub;
