-- What each of the four clients of pgbench does over and over, beside pgbench's
-- own script.  None of it can fail, whatever the others do at the same time.

\set id random(1, 2000)
\set some random(1, 50)
\set dice random(1, 10)
\set new_id random(10000, 2000000000)

SELECT write_many(:id);
\if :dice = 1
	DELETE FROM many WHERE id = :id + 1;
	DELETE FROM keyless WHERE number = :some;
	DELETE FROM "Parted ""table""" WHERE "the key" = :id * 4 + :client_id;
\elif :dice = 2
	-- Another key.
	UPDATE many SET id = :new_id WHERE id = :id;
	-- Another partition.
	UPDATE "Parted ""table""" SET region = 'north'
	 WHERE "the key" = :id * 4 + :client_id;
\elif :dice = 3
	UPDATE large SET value = repeat(md5(:id::text), 500) WHERE id = :some;
\elif :dice = 4
	BEGIN;
	INSERT INTO keyless VALUES (:some, 'rolled back');
	SAVEPOINT a;
	INSERT INTO other.child (id, at) VALUES (:some, clock_timestamp());
	ROLLBACK TO SAVEPOINT a;
	INSERT INTO other.child (id, at) VALUES (:some, clock_timestamp());
	END;
\endif
\if :ranges
	UPDATE ranges SET mi = mi * int4multirange(int4range(:dice, :dice + :id)),
		ami[2] = nummultirange(numrange(:some, :id + 50)) WHERE id = :some;
\endif
UPDATE large SET number = number + 1 WHERE id = :some;
INSERT INTO keyless VALUES (:some, :dice);
UPDATE keyless SET word = 'x' WHERE number = :some AND word = '3';
INSERT INTO "Parted ""table""" (region, note) VALUES ('west', :dice);
INSERT INTO other.excepted (number) VALUES (:dice);
UPDATE other.excepted SET number = number + 1 WHERE id = :some;

-- This table does not exist at first.
SELECT count(to_regclass('other.added')) AS added \gset
\if :added
	INSERT INTO other.added (value) VALUES (repeat(md5(:id::text), :some));
	UPDATE other.added SET number = number + 1 WHERE id = :id;
	DELETE FROM other.added WHERE id = 3000 + :id;
\endif
