# The transaction of TPC-B, as pgbench has it: three updates and an insert, of
# rows whose "filler" is empty in accounts and null elsewhere.
#
# One session writes them, so that the log holds them one after the other, and
# at scale 20 some of its keys come again and again (branches, tellers) while
# others hardly do (accounts), as in pgbench itself.
my $transactions = $ENV{SMALL} ? 10_000 : 100_000;
my $scale = 20;

return {
	title => "changes in $transactions TPC-B transactions",
	rows => $transactions * 4,
	setup => <<"END",
CREATE TABLE branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance int,
					  filler char(84));
CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int,
					   filler char(84));
CREATE TABLE history (tid int, bid int, aid int, delta int, mtime timestamp,
					  filler char(22));
INSERT INTO branches SELECT i, 0 FROM generate_series(1, $scale) i;
INSERT INTO tellers SELECT i, 1 + (i - 1) / 10, 0
  FROM generate_series(1, $scale * 10) i;
INSERT INTO accounts SELECT i, 1 + (i - 1) / 100000, 0, ''
  FROM generate_series(1, $scale * 100000) i;
END
	load => <<"END",
SET synchronous_commit = off;
DO '
DECLARE
	a int;
	b int;
	t int;
	d int;
BEGIN
	PERFORM setseed(0.5);
	FOR i IN 1 .. $transactions LOOP
		a := 1 + floor(random() * $scale * 100000);
		b := 1 + floor(random() * $scale);
		t := 1 + floor(random() * $scale * 10);
		d := (random() - 0.5) * 10000;
		UPDATE accounts SET abalance = abalance + d WHERE aid = a;
		UPDATE tellers SET tbalance = tbalance + d WHERE tid = t;
		UPDATE branches SET bbalance = bbalance + d WHERE bid = b;
		INSERT INTO history VALUES (t, b, a, d, clock_timestamp());
		COMMIT;
	END LOOP;
END;';
END
};
