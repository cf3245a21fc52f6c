-- Changes that came from elsewhere.
\pset format unaligned
\pset tuples_only on

CREATE PUBLICATION origin_pub FOR ALL TABLES;
CREATE TABLE origins (a int);
SELECT pg_replication_origin_create('regress_origin') > 0;
SELECT open_slot();

INSERT INTO origins VALUES (1);
SELECT pg_replication_origin_session_setup('regress_origin');
INSERT INTO origins VALUES (2);
BEGIN;
SELECT pg_replication_origin_xact_setup('1/2', '2020-01-01 00:00+00');
INSERT INTO origins VALUES (3);
COMMIT;
SELECT pg_logical_emit_message(false, 'p', 'from elsewhere') IS NOT NULL;
SELECT pg_replication_origin_session_reset();
INSERT INTO origins VALUES (4);

SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'origin_pub', 'messages', 'true');
SELECT get_changes('origin_pub', 'origin', 'none', 'messages', 'true');

SELECT close_slot();
SELECT pg_replication_origin_drop('regress_origin');
DROP TABLE origins;
DROP PUBLICATION origin_pub;
