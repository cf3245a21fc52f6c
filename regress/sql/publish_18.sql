-- Publishing generated columns, from PostgreSQL 18 on.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never

CREATE TABLE generated (id int PRIMARY KEY, a int,
	s int GENERATED ALWAYS AS (a + 1) STORED,
	v int GENERATED ALWAYS AS (a * 2) VIRTUAL);
CREATE PUBLICATION pub_stored FOR TABLE generated
	WITH (publish_generated_columns = stored);
CREATE PUBLICATION pub_none FOR TABLE generated
	WITH (publish_generated_columns = none);
CREATE PUBLICATION pub_list FOR TABLE generated (id, s)
	WITH (publish_generated_columns = none);
-- A virtual column has no value in the WAL but a meaning in a filter.
CREATE PUBLICATION pub_filter FOR TABLE generated WHERE (v > 10)
	WITH (publish = 'insert');
SELECT open_slot();

INSERT INTO generated VALUES (1, 1), (2, 10);
UPDATE generated SET a = 2 WHERE id = 1;
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'pub_stored');
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'pub_none');
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'pub_list');
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'pub_filter');
-- They must agree.
SELECT get_changes('pub_stored, pub_none');

SELECT close_slot();
DROP PUBLICATION pub_stored, pub_none, pub_list, pub_filter;
DROP TABLE generated;
