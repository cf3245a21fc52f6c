# Random rows of a large table, updated and deleted one by one, 10 in a
# transaction.
my $rows = $ENV{SMALL} ? 200_000 : 5_000_000;
my $changes = $ENV{SMALL} ? 20_000 : 200_000;

return {
	title => 'random single-row updates and deletes of a large table',
	rows => $changes,
	setup => <<"END",
CREATE TABLE large (id int PRIMARY KEY, n int, filler text);
INSERT INTO large SELECT i, 0, 'row ' || i FROM generate_series(1, $rows) i;
END
	load => <<"END",
SET synchronous_commit = off;
DO '
BEGIN
	PERFORM setseed(0.5);
	FOR t IN 1 .. $changes / 10 LOOP
		FOR i IN 1 .. 9 LOOP
			UPDATE large SET n = n + 1
			 WHERE id = 1 + floor(random() * $rows / 2);
		END LOOP;
		DELETE FROM large WHERE id = $rows - t;
		COMMIT;
	END LOOP;
END;';
END
};
