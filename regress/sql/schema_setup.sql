-- What the tests of the option schema_changes use.

CREATE PUBLICATION schema_pub FOR ALL TABLES;

-- All changes since the last call, as text.
CREATE FUNCTION get_schema() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line
	FROM get_changes('schema_pub', 'schema_changes', 'true') AS line
	WHERE line NOT LIKE 'session %' $$;

-- Definitions that the server writes in another way than the plugin has,
-- among these lines; of objects since the one with that OID.
CREATE FUNCTION wrong_definitions(lines text[], since oid) RETURNS SETOF text
	LANGUAGE sql SET search_path = pg_catalog SET DateStyle = ISO
	SET IntervalStyle = postgres SET TimeZone = UTC AS $$
	SELECT definition
	FROM (
		SELECT ' ' || conname || ': ' || pg_get_constraintdef(oid)
		FROM pg_constraint
		WHERE pg_constraint.oid > since AND contype NOT IN ('n', 't')
		UNION ALL
		SELECT '.' || relname || ': ' || pg_get_indexdef(oid)
		FROM pg_class
		WHERE oid > since AND relkind IN ('i', 'I')
			AND relnamespace = 'public'::regnamespace
		UNION ALL
		SELECT ' by ' || pg_get_partkeydef(oid)
		FROM pg_class
		WHERE oid > since AND relkind = 'p'
		UNION ALL
		SELECT ' bound ' || pg_get_expr(relpartbound, oid)
		FROM pg_class
		WHERE oid > since AND relispartition AND relkind IN ('r', 'p')
		UNION ALL
		SELECT ' ' || attname || ' ' || format_type(atttypid, atttypmod)
		FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
		WHERE attrelid > since AND relkind IN ('r', 'p', 'c')
			AND attnum > 0 AND NOT attisdropped
			AND relnamespace = 'public'::regnamespace
		UNION ALL
		SELECT CASE attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END
			|| pg_get_expr(adbin, adrelid)
		FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
			JOIN pg_class ON pg_class.oid = attrelid
		WHERE attrelid > since AND relkind IN ('r', 'p')
	) AS definitions (definition)
	WHERE length(definition) < 300
		AND NOT EXISTS (
			SELECT FROM unnest(lines) AS line WHERE strpos(line, definition) > 0)
	ORDER BY definition $$;
