-- pg_logical_emit_message().
\pset format unaligned
\pset tuples_only on

CREATE PUBLICATION message_pub FOR ALL TABLES;
CREATE TABLE messages (a int);
SELECT open_slot();

SELECT pg_logical_emit_message(true, 'prefix', 'alone') IS NOT NULL;
SELECT pg_logical_emit_message(false, 'prefix', 'at once') IS NOT NULL;
SELECT pg_logical_emit_message(true, '', ''::bytea) IS NOT NULL;
SELECT pg_logical_emit_message(true, 'bin', '\x0001ff'::bytea) IS NOT NULL;
BEGIN;
INSERT INTO messages VALUES (1);
SELECT pg_logical_emit_message(true, 'prefix', 'between') IS NOT NULL;
SELECT pg_logical_emit_message(false, 'prefix', 'before its transaction') IS NOT NULL;
INSERT INTO messages VALUES (2);
COMMIT;
-- Rolled back, but not what took effect at once.
BEGIN;
SELECT pg_logical_emit_message(true, 'prefix', 'never') IS NOT NULL;
SELECT pg_logical_emit_message(false, 'prefix', 'whatever happens') IS NOT NULL;
ROLLBACK;
-- Larger than a frame.
SELECT pg_logical_emit_message(true, 'prefix', repeat('x', 100000)) IS NOT NULL;
SELECT pg_logical_emit_message(false, 'prefix', repeat('y', 100000)) IS NOT NULL;
-- What is not part of a transaction is not flushed until one commits.
INSERT INTO messages VALUES (3);

-- Only for those who ask.
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', 'message_pub');
SELECT get_changes('message_pub', 'messages', 'true');

SELECT close_slot();
DROP TABLE messages;
DROP PUBLICATION message_pub;
