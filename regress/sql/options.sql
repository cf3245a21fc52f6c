-- Options are checked when decoding starts, one by one.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
\set get 'SELECT count(*) FROM pg_logical_slot_get_binary_changes(\'regress\', NULL, NULL'

CREATE PUBLICATION options_pub FOR ALL TABLES;
CREATE PUBLICATION "Options, other" FOR ALL TABLES;
SELECT open_slot();

-- What is required.
:get);
:get, 'proto_version', '1');
:get, 'publications', 'options_pub');
:get, 'proto_version', '1', 'publications', 'options_pub');

-- Versions: only 1 is spoken, and a newer reader is told so even if it asks
-- for more that is not known.
:get, 'proto_version', '2', 'publications', 'options_pub');
:get, 'proto_version', '2', 'publications', 'options_pub', 'shiny', 'yes');
:get, 'proto_version', '0', 'publications', 'options_pub');
:get, 'proto_version', '-1', 'publications', 'options_pub');
:get, 'proto_version', '99999999999999999999', 'publications', 'options_pub');
:get, 'proto_version', '', 'publications', 'options_pub');
:get, 'proto_version', '1x', 'publications', 'options_pub');

-- Unknown, misspelt, repeated.
:get, 'proto_version', '1', 'publications', 'options_pub', 'publication_names', 'x');
:get, 'proto_version', '1', 'publications', 'options_pub', 'Messages', 'true');
:get, 'proto_version', '1', 'publications', 'options_pub', 'messages', 'true', 'messages', 'true');
:get, 'proto_version', '1', 'proto_version', '1', 'publications', 'options_pub');

-- Lists of publications.
:get, 'proto_version', '1', 'publications', '');
:get, 'proto_version', '1', 'publications', 'options_pub,');
:get, 'proto_version', '1', 'publications', '"options_pub');
:get, 'proto_version', '1', 'publications', 'options_pub, OPTIONS_PUB');
:get, 'proto_version', '1', 'publications', ' OPTIONS_PUB , "Options, other"');

-- The others.
:get, 'proto_version', '1', 'publications', 'options_pub', 'origin', 'local');
:get, 'proto_version', '1', 'publications', 'options_pub', 'origin', 'NONE');
:get, 'proto_version', '1', 'publications', 'options_pub', 'origin', 'any');
:get, 'proto_version', '1', 'publications', 'options_pub', 'messages', 'maybe');
:get, 'proto_version', '1', 'publications', 'options_pub', 'schema_changes', 'some');
:get, 'proto_version', '1', 'publications', 'options_pub', 'messages', 'on');
:get, 'proto_version', '1', 'publications', 'options_pub', 'binary', '2');
:get, 'proto_version', '1', 'publications', 'options_pub', 'binary', 'off');
:get, 'proto_version', '1', 'publications', 'options_pub', 'frame_size', '1023');
:get, 'proto_version', '1', 'publications', 'options_pub', 'frame_size', '16777217');
:get, 'proto_version', '1', 'publications', 'options_pub', 'frame_size', '64kB');
:get, 'proto_version', '1', 'publications', 'options_pub', 'frame_size', '1024');
:get, 'proto_version', '1', 'publications', 'options_pub', 'frame_size', '16777216');

-- Bundles: what a function held back when it ends would never be sent.
:get, 'proto_version', '1', 'publications', 'options_pub', 'bundle', 'maybe');
:get, 'proto_version', '1', 'publications', 'options_pub', 'bundle', 'on');
:get, 'proto_version', '1', 'publications', 'options_pub', 'bundle', 'off');

-- Frames are binary.
SELECT data FROM pg_logical_slot_get_changes('regress', NULL, NULL, 'proto_version', '1', 'publications', 'options_pub');

SELECT close_slot();
DROP PUBLICATION options_pub, "Options, other";
