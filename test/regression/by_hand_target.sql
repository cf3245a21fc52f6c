-- On the target: statements that the source has noted are run where they arrive.
DROP FUNCTION by_hand.note_made, by_hand.note_dropped, by_hand.give_identity CASCADE;

CREATE TABLE by_hand.done (number bigint PRIMARY KEY, error text);

-- Enums, domains and composite types are followed, others are not.
CREATE FUNCTION by_hand.is_ours(type text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT t.typtype IN ('b', 'r', 'p') FROM pg_type t WHERE t.oid = to_regtype(type));
EXCEPTION WHEN undefined_object THEN
	-- It is only a shell.
	RETURN true;
END $$;

CREATE FUNCTION by_hand.run(number bigint, path text, kind text, statement text)
	RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO by_hand.done VALUES ($1) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	BEGIN
		PERFORM set_config('search_path', path, true);
		IF kind <> 'type' OR by_hand.is_ours(substring(statement FROM 'EXISTS (.*) CASCADE')) THEN
			EXECUTE statement;
		END IF;
	EXCEPTION WHEN OTHERS THEN
		UPDATE by_hand.done AS d SET error = SQLERRM WHERE d.number = $1;
	END;
	SET LOCAL search_path = pg_catalog;
END $$;

CREATE FUNCTION by_hand.run_all(said json) RETURNS void LANGUAGE sql AS $$
	SELECT by_hand.run(s.number, s.path, s.kind, s.statement)
	  FROM json_populate_recordset(NULL::by_hand.said, said) AS s
	 ORDER BY s.number
$$;

CREATE FUNCTION by_hand.arrived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM by_hand.run(NEW.number, NEW.path, NEW.kind, NEW.statement);
	RETURN NULL;
END $$;

CREATE TRIGGER arrived AFTER INSERT ON by_hand.said
	FOR EACH ROW EXECUTE FUNCTION by_hand.arrived();
ALTER TABLE by_hand.said ENABLE ALWAYS TRIGGER arrived;
