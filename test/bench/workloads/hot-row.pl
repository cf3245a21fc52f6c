# A counter: one row, updated by every transaction.
my $transactions = $ENV{SMALL} ? 20_000 : 200_000;

return {
	title => 'updates of the same row, each its own transaction',
	rows => $transactions,
	setup => 'CREATE TABLE counter (id int PRIMARY KEY, n bigint);'
	  . ' INSERT INTO counter VALUES (1, 0);',
	load => <<"END",
SET synchronous_commit = off;
DO '
BEGIN
	FOR i IN 1 .. $transactions LOOP
		UPDATE counter SET n = n + 1 WHERE id = 1;
		COMMIT;
	END LOOP;
END;';
END
};
