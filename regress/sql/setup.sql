-- What the other tests use: frames as text, and a slot's changes as such.

CREATE FUNCTION penstock_frame_lines(bytea) RETURNS text[]
	LANGUAGE c STRICT AS 'penstock_regress';

CREATE FUNCTION penstock_frame_text(bytea) RETURNS SETOF text
	LANGUAGE sql AS 'SELECT unnest(penstock_frame_lines($1))';

CREATE FUNCTION open_slot() RETURNS void LANGUAGE sql AS $$
	SELECT pg_create_logical_replication_slot('regress', 'penstock') $$;

CREATE FUNCTION close_slot() RETURNS void LANGUAGE sql AS $$
	SELECT pg_drop_replication_slot('regress') $$;

-- All frames since the last call, as they are.
CREATE FUNCTION get_frames(publications text, VARIADIC options text[] = '{}')
	RETURNS SETOF bytea LANGUAGE sql AS $$
	SELECT data FROM pg_logical_slot_get_binary_changes('regress', NULL, NULL,
		VARIADIC ARRAY['proto_version', '1', 'publications', publications]
			|| options) $$;

-- The same as text.
CREATE FUNCTION get_changes(publications text, VARIADIC options text[] = '{}')
	RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line
	FROM get_frames(publications, VARIADIC options) AS frame,
		penstock_frame_text(frame) AS line
	-- From PostgreSQL 18 on these are constraints, too.
	WHERE line NOT LIKE '    not null %' $$;
