-- Names and text are in the encoding of the reader.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
SET client_encoding = 'UTF8';

CREATE TYPE "stimmüng" AS ENUM ('schön');
CREATE TABLE "täble" ("kéy" text PRIMARY KEY, m "stimmüng", j jsonb, js json,
	b bytea, a text[], v varchar(10));
CREATE PUBLICATION "pübl" FOR TABLE "täble";
SELECT open_slot();

INSERT INTO "täble" VALUES ('ä', 'schön', '{"ö": 1}', '{"ü": 1}', 'ß', '{é}', 'ascii');
SELECT pg_logical_emit_message(true, 'prä', 'fü') IS NOT NULL;
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', '"pübl"', 'messages', 'true');

-- One byte each; bytea and the message's content are bytes and stay.
SET client_encoding = 'LATIN1';
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', U&'"p\00FCbl"', 'messages', 'true');

-- As they are.
SET client_encoding = 'SQL_ASCII';
SELECT penstock_frame_text(data)
FROM pg_logical_slot_peek_binary_changes('regress', NULL, NULL,
	'proto_version', '1', 'publications', U&'"p\00FCbl"', 'messages', 'true')
OFFSET 0 LIMIT 2;

-- A character that the reader's encoding does not have: which column it is in
-- is said.
SET client_encoding = 'UTF8';
SELECT count(*) FROM get_frames('"pübl"');
INSERT INTO "täble" (v, "kéy") VALUES ('€', 'euro');
SET client_encoding = 'LATIN1';
DO $$
DECLARE
	context text;
BEGIN
	PERFORM get_frames(U&'"p\00FCbl"');
EXCEPTION WHEN untranslatable_character THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	-- Not caught for good, because that would not release the slot.
	RAISE '%', regexp_replace(split_part(context, E'\n', 1), '[^a-z" ]', '.', 'g');
END $$;
SET client_encoding = 'UTF8';

SELECT close_slot();
DROP TABLE "täble";
DROP TYPE "stimmüng";
DROP PUBLICATION "pübl";
RESET client_encoding;
