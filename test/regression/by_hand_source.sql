-- On the source: tables without a key get a replica identity, and statements about
-- what is not followed are noted.
CREATE SCHEMA by_hand;

CREATE TABLE by_hand.said (
	number bigserial PRIMARY KEY,
	xid text NOT NULL DEFAULT pg_current_xact_id()::text,
	path text NOT NULL,
	kind text NOT NULL,	-- of object, for what is dropped
	statement text NOT NULL);

CREATE FUNCTION by_hand.note_made() RETURNS event_trigger
	LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	-- Not a block of code that does more.
	IF current_query() !~* '^(\s|--[^\n]*\n)*(CREATE|ALTER)\M' THEN
		RETURN;
	END IF;
	INSERT INTO by_hand.said (path, kind, statement)
	SELECT current_setting('search_path'), '', current_query()
	  FROM pg_event_trigger_ddl_commands() AS c
	 WHERE NOT c.in_extension
	   AND c.command_tag ~ '^(CREATE|ALTER) (FUNCTION|PROCEDURE|AGGREGATE|OPERATOR|CAST|COLLATION|EXTENSION|ACCESS METHOD|TEXT|TYPE|CONVERSION|LANGUAGE|ROUTINE|VIEW|FOREIGN|SERVER)'
	   AND c.schema_name IS DISTINCT FROM 'pg_temp'
	   AND NOT EXISTS (SELECT FROM pg_type t WHERE c.classid = 'pg_type'::regclass
			AND t.oid = c.objid AND t.typtype IN ('e', 'c', 'd'))
	   AND NOT EXISTS (SELECT FROM pg_class t WHERE c.classid = 'pg_class'::regclass
			AND t.oid = c.objid AND t.relkind NOT IN ('v', 'f'))
	 LIMIT 1;
END $$;

CREATE FUNCTION by_hand.note_dropped() RETURNS event_trigger
	LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	INSERT INTO by_hand.said (path, kind, statement)
	SELECT current_setting('search_path'), d.object_type,
		format('DROP %s IF EXISTS %s CASCADE', upper(replace(d.object_type, '-', ' ')),
			d.object_identity)
	  FROM pg_event_trigger_dropped_objects() AS d
	 WHERE NOT d.is_temporary AND d.schema_name !~ '^pg_temp'
	   AND d.object_type IN ('function', 'procedure', 'aggregate', 'operator',
			'operator class', 'operator family', 'cast', 'collation',
			'extension', 'type', 'view', 'text search configuration',
			'text search dictionary', 'text search parser',
			'text search template', 'conversion', 'foreign table', 'server',
			'foreign-data wrapper');
END $$;

CREATE FUNCTION by_hand.give_identity() RETURNS event_trigger
	LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT DISTINCT t.oid::regclass::text
		FROM pg_event_trigger_ddl_commands() AS c JOIN pg_class AS t
			ON c.classid = 'pg_class'::regclass AND t.oid = c.objid
		WHERE t.relkind IN ('r', 'p') AND t.relpersistence = 'p'
			AND t.relreplident IN ('d', 'i', 'n')
			AND NOT EXISTS (SELECT FROM pg_index i
				WHERE i.indrelid = t.oid AND i.indisvalid
					AND CASE t.relreplident WHEN 'd' THEN i.indisprimary
						ELSE i.indisreplident END)
	LOOP
		BEGIN
			EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', name);
		EXCEPTION WHEN OTHERS THEN
			NULL;
		END;
	END LOOP;
END $$;

CREATE EVENT TRIGGER by_hand_note_made ON ddl_command_end
	EXECUTE FUNCTION by_hand.note_made();
CREATE EVENT TRIGGER by_hand_note_dropped ON sql_drop
	EXECUTE FUNCTION by_hand.note_dropped();
CREATE EVENT TRIGGER by_hand_give_identity ON ddl_command_end
	EXECUTE FUNCTION by_hand.give_identity();
