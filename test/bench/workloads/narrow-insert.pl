# Many small rows, each inserted by a statement of its own, 100 in a
# transaction.
#
# The row is the one that pgbench writes to pgbench_history with each of its
# transactions, with a bigint key before it: a row that exists, with the types
# that small rows have.  As with pgbench, "filler" stays null.  That is fair to
# all: it is 40 bytes of values in 6 columns, and one null, for every format.
my $transactions = $ENV{SMALL} ? 1_000 : 10_000;

return {
	title => "single-row inserts, 100 in a transaction",
	rows => $transactions * 100,
	setup => <<'END',
CREATE TABLE history (
	id bigint PRIMARY KEY,
	tid int,
	bid int,
	aid int,
	delta int,
	mtime timestamp,
	filler char(22)
);
END
	load => <<"END",
SET synchronous_commit = off;
DO '
BEGIN
	PERFORM setseed(0.5);
	FOR t IN 0 .. $transactions - 1 LOOP
		FOR i IN 1 .. 100 LOOP
			INSERT INTO history
			VALUES (t * 100 + i, 1 + random() * 1000, 1 + random() * 100,
					1 + random() * 10000000, (random() - 0.5) * 10000,
					clock_timestamp());
		END LOOP;
		COMMIT;
	END LOOP;
END;';
END
};
