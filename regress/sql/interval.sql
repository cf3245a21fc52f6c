-- Intervals are written as text where they can be infinite: from 17 on.
\pset format unaligned
\pset tuples_only on

CREATE PUBLICATION interval_pub FOR ALL TABLES;
CREATE TABLE spans (number int, i interval, a interval[]);
SET IntervalStyle = 'iso_8601';

SELECT open_slot();
INSERT INTO spans VALUES
	(1, '0', '{}'),
	(2, '1 year 2 mons -3 days 04:05:06', '{1 day,NULL}'),
	(3, '-1 microsecond', NULL);
INSERT INTO spans VALUES (4, 'infinity', '{-infinity}');

SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'interval_pub');
SELECT get_changes('interval_pub', 'binary', 'false');

SELECT close_slot();
DROP TABLE spans;
DROP PUBLICATION interval_pub;
