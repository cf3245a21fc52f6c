# Random rows of a table, deleted one by one, 10 in a transaction.
my $changes = $ENV{SMALL} ? 20_000 : 200_000;
my $rows = $changes * 5;

return {
	title => "random single-row deletes from a table of $rows rows",
	rows => $changes,
	setup => <<"END",
CREATE TABLE large (id int PRIMARY KEY, n int, filler text);
INSERT INTO large SELECT i, 0, 'row ' || i FROM generate_series(1, $rows) i;
END
	# A step that has no divisor in common with the number of rows comes by
	# each of them once, in an order that the table knows nothing of.
	load => <<"END",
SET synchronous_commit = off;
DO '
BEGIN
	FOR t IN 0 .. $changes / 10 - 1 LOOP
		FOR i IN t * 10 + 1 .. t * 10 + 10 LOOP
			DELETE FROM large WHERE id = 1 + (i::bigint * 7654321) % $rows;
		END LOOP;
		COMMIT;
	END LOOP;
END;';
END
};
