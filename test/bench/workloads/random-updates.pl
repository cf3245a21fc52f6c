# Random rows of a large table, updated one by one, 10 in a transaction.
# LARGE_ROWS says how large; the whole size is 10000000.
my $rows = $ENV{LARGE_ROWS} || ($ENV{SMALL} ? 200_000 : 2_000_000);
my $changes = $ENV{SMALL} ? 20_000 : 200_000;

return {
	title => "random single-row updates of a table of $rows rows",
	rows => $changes,
	setup => <<"END",
CREATE TABLE large (id int PRIMARY KEY, n int, filler text);
INSERT INTO large SELECT i, 0, 'row ' || i FROM generate_series(1, $rows) i;
END
	load => <<"END",
SET synchronous_commit = off;
DO '
DECLARE
	chosen int;
BEGIN
	PERFORM setseed(0.5);
	FOR t IN 1 .. $changes / 10 LOOP
		FOR i IN 1 .. 10 LOOP
			chosen := 1 + floor(random() * $rows);
			UPDATE large SET n = n + 1 WHERE id = chosen;
		END LOOP;
		COMMIT;
	END LOOP;
END;';
END
};
