# Rows of 120 columns, inserted and then updated.
#
# The columns take turns among the types that wide tables are made of: integer,
# bigint, numeric, text, timestamptz, double precision.
my $rows = $ENV{SMALL} ? 3_000 : 30_000;
my @types = qw(int bigint numeric(12,2) text timestamptz float8);
my @values = ('i + N', '(i::bigint << 20) + N', '(i * 31 + N) / 100.0',
	"'value N of ' || i", "timestamptz '2026-01-01' + i * interval 'N s'",
	'sqrt(i + N)');
my @columns = map { "c$_ $types[$_ % @types]" } 1 .. 119;
my @inserted =
  map { my $n = $_; $values[ $n % @values ] =~ s/\bN\b/$n/gr } 1 .. 119;

return {
	title => 'changes of rows with 120 columns, inserts and updates',
	rows => $rows * 2,
	setup => 'CREATE TABLE wide (id bigint PRIMARY KEY, '
	  . join(', ', @columns) . ');',
	load => <<"END",
SET synchronous_commit = off;
DO '
BEGIN
	FOR t IN 0 .. $rows / 100 - 1 LOOP
		INSERT INTO wide SELECT i, @{[ join(', ', map { s/'/''/gr } @inserted) ]}
		  FROM generate_series(t * 100 + 1, t * 100 + 100) i;
		COMMIT;
	END LOOP;
	FOR t IN 0 .. $rows / 100 - 1 LOOP
		UPDATE wide SET c1 = c1 + 1, c3 = c3 || ''!''
		 WHERE id BETWEEN t * 100 + 1 AND t * 100 + 100;
		COMMIT;
	END LOOP;
END;';
END
};
