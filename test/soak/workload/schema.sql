-- What the soak test writes to.  Each function is one step of a writer; writers
-- have numbers, and rows of their own wherever a row can be changed, so that no
-- step fails because of another writer.

-- The ledger: whatever moves between accounts, the sum stays.
CREATE TABLE account (
	id integer PRIMARY KEY,
	balance bigint NOT NULL,
	note text);
INSERT INTO account SELECT n, 1000, 'account ' || n FROM generate_series(1, 400) n;
CREATE TABLE transfer (
	number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	payer integer, payee integer, amount bigint,
	at timestamptz DEFAULT clock_timestamp());

CREATE FUNCTION transfer(a integer, b integer, amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF a = b THEN RETURN; END IF;
	PERFORM 1 FROM account WHERE id IN (a, b) ORDER BY id FOR UPDATE;
	UPDATE account SET balance = balance - amount WHERE id = a;
	UPDATE account SET balance = balance + amount, note = 'last from ' || a
	 WHERE id = b;
	INSERT INTO transfer (payer, payee, amount) VALUES (a, b, amount);
END $$;

-- The numbered table: without a key, so nothing but the consumer keeps a row
-- from being there twice.  A writer's numbers have no gaps, because a
-- transaction that is rolled back gives its numbers back.
CREATE TABLE counter (writer integer PRIMARY KEY, last bigint NOT NULL);
INSERT INTO counter SELECT n, 0 FROM generate_series(0, 19) n;
CREATE TABLE numbered (writer integer, number bigint, filler text);

CREATE FUNCTION number(w integer, rows integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	top bigint;
BEGIN
	UPDATE counter SET last = last + rows WHERE writer = w RETURNING last INTO top;
	INSERT INTO numbered
		SELECT w, n, CASE WHEN n % 3 > 0 THEN repeat('x', (n % 90)::integer) END
		  FROM generate_series(top - rows + 1, top) n;
END $$;

-- Values out of line, which an update that does not touch them leaves out.
CREATE TABLE toasted (
	id integer PRIMARY KEY,
	revision integer NOT NULL DEFAULT 0,
	small text,
	large text,
	larger text);
ALTER TABLE toasted ALTER large SET STORAGE EXTERNAL,
	ALTER larger SET STORAGE EXTERNAL;

CREATE FUNCTION large_value() RETURNS text LANGUAGE sql VOLATILE AS
$$ SELECT repeat(md5(random()::text), 100 + (random() * 400)::integer) $$;

INSERT INTO toasted
	SELECT w * 1000 + n, 0, 'small', large_value(),
		   CASE WHEN n % 2 = 0 THEN large_value() END
	  FROM generate_series(0, 19) w, generate_series(1, 20) n;

CREATE FUNCTION toast(w integer, step integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	r toasted;
BEGIN
	SELECT * INTO r FROM toasted WHERE id BETWEEN w * 1000 AND w * 1000 + 999
	 ORDER BY random() LIMIT 1 FOR UPDATE;
	CASE step % 8
		WHEN 0 THEN -- beside
			UPDATE toasted SET revision = revision + 1, small = 'beside'
			 WHERE id = r.id;
		WHEN 1 THEN -- within
			UPDATE toasted SET revision = revision + 1, large = large_value()
			 WHERE id = r.id;
		WHEN 2 THEN -- one of two, and then beside it
			UPDATE toasted SET larger = large_value() WHERE id = r.id;
			UPDATE toasted SET small = md5(r.revision::text),
				revision = revision + 1 WHERE id = r.id;
		WHEN 3 THEN -- the key, values left where they are
			UPDATE toasted
			   SET id = w * 1000 + (r.id % 1000 + 500) % 1000
			 WHERE id = r.id AND r.id % 1000 NOT IN (0, 500);
		WHEN 4 THEN -- deleted, and there again
			DELETE FROM toasted WHERE id = r.id;
			INSERT INTO toasted VALUES
				(r.id, r.revision + 1, 'again', r.large, large_value());
		WHEN 5 THEN -- to none, or to a short one
			UPDATE toasted SET large = NULL, larger = 'short' WHERE id = r.id;
		WHEN 6 THEN -- often in one transaction
			UPDATE toasted SET large = large_value() WHERE id = r.id;
			UPDATE toasted SET small = 'first' WHERE id = r.id;
			UPDATE toasted SET large = r.large, larger = large WHERE id = r.id;
			UPDATE toasted SET small = 'second' WHERE id = r.id;
		WHEN 7 THEN -- moved, changed, moved back
			UPDATE toasted SET id = -r.id WHERE id = r.id;
			UPDATE toasted SET small = 'travelled' WHERE id = -r.id;
			UPDATE toasted SET id = r.id WHERE id = -r.id;
	END CASE;
END $$;

-- Keys and other unique values that change places.
CREATE TABLE keyed (
	id integer PRIMARY KEY,
	code integer UNIQUE,
	place integer UNIQUE DEFERRABLE,
	label text);
INSERT INTO keyed SELECT w * 1000 + n, w * 1000 + n, w * 1000 + n, 'label ' || n
	FROM generate_series(0, 19) w, generate_series(1, 30) n;

CREATE FUNCTION swap(w integer, step integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	a keyed;
	b keyed;
BEGIN
	PERFORM 1 FROM counter WHERE writer = w FOR UPDATE;
	SELECT * INTO a FROM keyed WHERE id BETWEEN w * 1000 AND w * 1000 + 999
	 ORDER BY random() LIMIT 1;
	SELECT * INTO b FROM keyed WHERE id BETWEEN w * 1000 AND w * 1000 + 999
		AND id <> a.id ORDER BY random() LIMIT 1;
	CASE step % 6
		WHEN 0 THEN -- keys
			UPDATE keyed SET id = -a.id WHERE id = a.id;
			UPDATE keyed SET id = a.id WHERE id = b.id;
			UPDATE keyed SET id = b.id WHERE id = -a.id;
		WHEN 1 THEN -- unique values, by way of none
			UPDATE keyed SET code = NULL WHERE id = a.id;
			UPDATE keyed SET code = a.code WHERE id = b.id;
			UPDATE keyed SET code = b.code WHERE id = a.id;
		WHEN 2 THEN -- unique values, at once
			UPDATE keyed SET place = CASE id WHEN a.id THEN b.place
				ELSE a.place END WHERE id IN (a.id, b.id);
		WHEN 3 THEN -- what one row gives up the other one takes
			DELETE FROM keyed WHERE id = a.id;
			UPDATE keyed SET code = a.code, label = 'taken' WHERE id = b.id;
			INSERT INTO keyed VALUES (a.id, b.code, a.place, 'again');
		WHEN 4 THEN -- all move up by one, the last to the front
			UPDATE keyed SET id = -id WHERE id BETWEEN w * 1000 AND w * 1000 + 999;
			UPDATE keyed SET id = w * 1000 + 1 + (-id % 1000) % 30
			 WHERE -id BETWEEN w * 1000 AND w * 1000 + 999;
		WHEN 5 THEN -- nothing but a label
			UPDATE keyed SET label = md5(random()::text) WHERE id IN (a.id, b.id);
	END CASE;
END $$;

-- Rows that are alike, with nothing to tell them apart.
CREATE TABLE alike (writer integer, value integer, label text, large text);
ALTER TABLE alike REPLICA IDENTITY FULL;
ALTER TABLE alike ALTER large SET STORAGE EXTERNAL;
INSERT INTO alike
	SELECT w, n % 5, CASE WHEN n % 2 = 0 THEN 'label' END, NULL
	  FROM generate_series(0, 19) w, generate_series(1, 30) n;

CREATE FUNCTION change_alike(w integer, step integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	one tid;
BEGIN
	PERFORM 1 FROM counter WHERE writer = w FOR UPDATE;
	SELECT ctid INTO one FROM alike WHERE writer = w ORDER BY random() LIMIT 1;
	CASE step % 6
		WHEN 0 THEN UPDATE alike SET value = (value + 1) % 5 WHERE ctid = one;
		WHEN 1 THEN UPDATE alike SET label = CASE WHEN label IS NULL
			THEN 'label' END WHERE ctid = one;
		WHEN 2 THEN -- one away, one more
			DELETE FROM alike WHERE ctid = one;
			INSERT INTO alike VALUES (w, step % 5, NULL, NULL);
		WHEN 3 THEN -- all of a kind
			UPDATE alike SET label = 'label' WHERE writer = w AND value = 2;
		WHEN 4 THEN
			UPDATE alike SET large = CASE WHEN large IS NULL
				THEN repeat('ab', 2000) END WHERE ctid = one;
		WHEN 5 THEN -- there and back
			UPDATE alike SET value = value + 10 WHERE writer = w AND value = 1;
			UPDATE alike SET value = value - 10 WHERE writer = w AND value = 11;
	END CASE;
END $$;

-- What is emptied now and then.  It is on the small disk, where there is one:
-- large enough to need room there each time.
CREATE TABLE scratch (number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	writer integer, filler text);
ALTER TABLE scratch ALTER filler SET STORAGE PLAIN;
CREATE TABLE scratch_more (number bigint, scratch bigint REFERENCES scratch);

CREATE FUNCTION scribble(w integer, rows integer) RETURNS void
LANGUAGE sql AS $$
	-- In the order in which wipe() locks.
	LOCK TABLE scratch, scratch_more IN ROW EXCLUSIVE MODE;
	WITH written AS (
		INSERT INTO scratch (writer, filler)
		SELECT w, repeat('scratch', 200) FROM generate_series(1, rows)
		RETURNING number)
	INSERT INTO scratch_more SELECT number, number FROM written;
$$;

CREATE FUNCTION wipe(w integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	LOCK TABLE scratch, scratch_more IN ACCESS EXCLUSIVE MODE;
	PERFORM scribble(w, 3);
	IF w % 2 = 0 THEN
		TRUNCATE scratch, scratch_more RESTART IDENTITY;
	ELSE
		TRUNCATE scratch CASCADE;
	END IF;
	PERFORM scribble(w, 3);
END $$;

-- Rows that move between partitions.
CREATE TABLE parted (id integer, part integer, value integer,
	PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0);
CREATE TABLE parted_1 (value integer, part integer NOT NULL, id integer NOT NULL,
	PRIMARY KEY (id, part));
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES IN (1);
INSERT INTO parted SELECT w * 1000 + n, 0, n
	FROM generate_series(0, 19) w, generate_series(1, 30) n;

CREATE FUNCTION move_part(w integer, step integer) RETURNS void
LANGUAGE sql AS $$
	UPDATE parted SET part = 1 - part, value = value + 1
	 WHERE id = w * 1000 + 1 + step % 30;
$$;

-- Transactions that are large: some with a part that is rolled back.
CREATE TABLE big (writer integer, number integer, value integer, filler text,
	PRIMARY KEY (writer, number));

CREATE FUNCTION big_change(w integer, step integer, rows integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 FROM counter WHERE writer = w FOR UPDATE;
	IF NOT EXISTS (SELECT FROM big WHERE writer = w) THEN
		INSERT INTO big SELECT w, n, n % 1000, repeat('b', n % 50)
		  FROM generate_series(1, rows) n;
	ELSIF step % 4 = 0 THEN
		DELETE FROM big WHERE writer = w;
		INSERT INTO big SELECT w, n, n % 777, 'in place of another'
		  FROM generate_series(1, rows) n;
	ELSIF step % 4 = 1 THEN
		UPDATE big SET value = value + 1 WHERE writer = w;
	ELSIF step % 4 = 2 THEN
		BEGIN
			UPDATE big SET number = number + rows WHERE writer = w;
			RAISE EXCEPTION 'not this time';
		EXCEPTION WHEN raise_exception THEN
			UPDATE big SET number = -number WHERE writer = w AND number % 10 = 0;
		END;
	ELSE
		DELETE FROM big WHERE writer = w;
	END IF;
	PERFORM number(w, 5);
END $$;
