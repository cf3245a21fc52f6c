# Single rows, each inserted by a transaction of its own.
my $rows = $ENV{SINGLE_ROWS} || ($ENV{SMALL} ? 20_000 : 200_000);

return {
	title => 'single-row inserts, each its own transaction',
	rows => $rows,
	setup => 'CREATE TABLE events (id bigint PRIMARY KEY, kind int,'
	  . ' at timestamptz, note text);',
	load => <<"END",
SET synchronous_commit = off;
DO '
BEGIN
	FOR i IN 1 .. $rows LOOP
		INSERT INTO events
		VALUES (i, i % 10, clock_timestamp(), ''event '' || i);
		COMMIT;
	END LOOP;
END;';
END
};
