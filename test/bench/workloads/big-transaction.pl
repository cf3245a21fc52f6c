# One transaction that updates every row of a table.
my $rows = $ENV{SMALL} ? 100_000 : 1_000_000;

return {
	title => 'updates in one transaction',
	rows => $rows,
	setup => <<"END",
CREATE TABLE big (id int PRIMARY KEY, n int, filler text);
INSERT INTO big SELECT i, 0, 'row ' || i FROM generate_series(1, $rows) i;
END
	load => 'UPDATE big SET n = n + 1;',
	live => 1,
};
