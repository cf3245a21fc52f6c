# A table of the target is altered while it is followed, in each of the ways to
# apply: what comes next is written as it must be to the table as it is then.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $FOLLOWER_FAILED = 1;

# Transactions that are alike, until it is sure that they are known to be.
my $ALIKE = 12;

my %MODES = (
	batch => [],
	transaction => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ],
	streaming => ['--memory=4MB']);

# Of each: the table t on both sides (or as the target has it); what makes it
# known to the follower, many times; what is done to the target; transactions of
# the source after that; and a query whose result the target must have (by
# default all of the table, and what the source has).  "stops" is what the
# follower says if it cannot go on, and "fix" what is then done to the target.
my @cases = (
	{
		name => 'retyped',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f bigint)',
		alter => 'ALTER TABLE t ALTER f TYPE double precision',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		change => ['INSERT INTO t SELECT 1000 + g, 99 + g FROM generate_series(1, 60) g',
			'INSERT INTO t VALUES (2000, 1)'],
		query => 'SELECT sum(f) FROM t',
		result => '7771',
	},
	{
		name => 'retyped_to_text',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f text)',
		target => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		alter => 'ALTER TABLE t ALTER f TYPE text',
		known => q(INSERT INTO t VALUES ({n}, '0')),
		change => [ q(INSERT INTO t SELECT 1000 + g, '00' || g FROM generate_series(1, 60) g),
			q(INSERT INTO t VALUES (2000, '007')), q(UPDATE t SET f = '008' WHERE id = 1)],
	},
	{
		name => 'column_added',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => q(ALTER TABLE t ADD note text; UPDATE t SET note = 'note ' || id),
		change => ['UPDATE t SET id = id + 1000, f = f + 1',
			'UPDATE t SET id = id + 1 WHERE id = (SELECT max(id) FROM t)'],
		query => 'SELECT count(note) = count(*) AND count(*) > 0, sum(f) = count(*) FROM t',
		result => 't|t',
	},
	{
		name => 'column_dropped',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer, g integer)',
		known => 'INSERT INTO t VALUES ({n}, 0, 1)',
		alter => 'ALTER TABLE t DROP g',
		change => ['INSERT INTO t SELECT 1000 + g, g, g FROM generate_series(1, 60) g',
			'INSERT INTO t VALUES (2000, 1, 1)'],
		stops => qr/column "g" of table "public"."\w+" does not exist on/,
		fix => 'ALTER TABLE t ADD g integer; UPDATE t SET g = 1',
	},
	{
		name => 'column_renamed',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => 'ALTER TABLE t RENAME f TO old; ALTER TABLE t ADD f integer DEFAULT 0',
		change => ['INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g',
			'UPDATE t SET f = 5 WHERE id = 1'],
		query => 'SELECT count(old) < count(*), sum(f) FROM t',
		result => 't|1835',
	},
	{
		name => 'trigger',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => q(CREATE TABLE t_log (number serial, id integer);
			CREATE FUNCTION t_log() RETURNS trigger LANGUAGE plpgsql AS
			$$BEGIN INSERT INTO public.t_log (id) VALUES (NEW.id); RETURN NULL; END$$;
			CREATE TRIGGER noted AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION t_log();
			ALTER TABLE t ENABLE ALWAYS TRIGGER noted),
		change => ['INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g',
			map { "INSERT INTO t VALUES (2000 + $_, 1)" } 1 .. 20 ],
		query => 'SELECT count(*), bool_and(id = before) FROM (SELECT id,
			lag(id, 1, 1000) OVER (ORDER BY number) + CASE id WHEN 2001 THEN 941 ELSE 1 END AS before FROM t_log) x',
		result => '80|t',
	},
	{
		name => 'rule',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => q(CREATE TABLE t_log (id integer);
			CREATE RULE noted AS ON INSERT TO t DO ALSO INSERT INTO t_log VALUES (NEW.id);
			ALTER TABLE t ENABLE ALWAYS RULE noted),
		change => ['INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g',
			'INSERT INTO t VALUES (2000, 1)'],
		query => 'SELECT count(*) FROM t_log',
		result => '61',
	},
	{
		name => 'identity',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer NOT NULL)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => 'ALTER TABLE t ALTER f ADD GENERATED ALWAYS AS IDENTITY',
		change => ['UPDATE t SET f = f + id', 'UPDATE t SET f = 7 WHERE id = 1',
			'INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g'],
	},
	{
		name => 'unique_index',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, {n})',
		alter => 'CREATE UNIQUE INDEX t_f ON t (f)',
		change => [ map { ("DELETE FROM t WHERE id = $_", "INSERT INTO t VALUES (1000 + $_, $_)") } 1 .. $ALIKE ],
	},
	{
		name => 'key_changed',
		create => 'CREATE TABLE t (id integer NOT NULL, f integer NOT NULL); ALTER TABLE t REPLICA IDENTITY FULL',
		target => 'CREATE TABLE t (id integer PRIMARY KEY, f integer NOT NULL)',
		known => 'INSERT INTO t VALUES ({n}, {n})',
		alter => 'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (f)',
		change => ['INSERT INTO t SELECT 1, 1000 + g FROM generate_series(1, 60) g',
			'UPDATE t SET id = 2 WHERE f = 1001', 'DELETE FROM t WHERE f = 1002',
			'UPDATE t SET id = 3 WHERE f > 1010'],
	},
	{
		name => 'created_anew',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => 'CREATE TABLE t_all AS TABLE t; DROP TABLE t;
			CREATE TABLE t (f bigint, id bigint PRIMARY KEY, more text);
			INSERT INTO t (id, f) TABLE t_all; DROP TABLE t_all',
		change => ['INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g',
			'UPDATE t SET f = 5 WHERE id = 1'],
		query => 'SELECT sum(id), sum(f) FROM t',
	},
	{
		name => 'another_in_its_place',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => 'CREATE TABLE t_new (f double precision, id integer PRIMARY KEY);
			INSERT INTO t_new SELECT f, id FROM t;
			ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t',
		change => ['INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g',
			'UPDATE t SET f = 5 WHERE id = 1'],
		query => 'SELECT sum(id), sum(f) FROM t',
	},
	{
		name => 'partitioned',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => 'ALTER TABLE t RENAME TO t_old;
			CREATE TABLE t (id integer PRIMARY KEY, f integer) PARTITION BY RANGE (id);
			CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000);
			CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1000) TO (5000);
			INSERT INTO t TABLE t_old; DROP TABLE t_old',
		change => ['UPDATE t SET f = 5 WHERE id = 1', 'UPDATE t SET f = f + 1', 'DELETE FROM t WHERE id = 2',
			'INSERT INTO t SELECT 1000 + g, g FROM generate_series(1, 60) g'],
		query => 'SELECT sum(id), sum(f) FROM t',
	},
	{
		name => 'partition_trigger',
		create => 'CREATE TABLE t (id integer PRIMARY KEY, f integer)',
		target => 'CREATE TABLE t (id integer PRIMARY KEY, f integer) PARTITION BY RANGE (id);
			CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000);
			CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1000) TO (5000)',
		known => 'INSERT INTO t VALUES ({n}, 0)',
		alter => q(CREATE FUNCTION t_none() RETURNS trigger LANGUAGE plpgsql AS
			$$BEGIN RETURN NULL; END$$;
			CREATE TRIGGER none BEFORE INSERT ON t_2 FOR EACH ROW EXECUTE FUNCTION t_none();
			ALTER TABLE t_2 ENABLE ALWAYS TRIGGER none),
		change => ['INSERT INTO t VALUES (1000, 1)'],
		stops => qr/row to insert|0 rows instead of 1|wrong/,
		fix => 'DROP TRIGGER none ON t_2',
	},
);

my $servers = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB'],
	target => ['wal_writer_delay = 10ms']);

for my $mode (qw(batch transaction lanes streaming))
{
	my $pair = $servers->with_database($mode);

	subtest $mode => sub { run_mode($pair, $mode) };
}
done_testing();

# A statement about this case's table.
sub of_case
{
	my ($case, $sql) = @_;

	$sql =~ s/\bt(?=_|\b)(?!\.\w)/$case->{name}/g;
	return $sql;
}

sub numbered
{
	my ($sql, $n) = @_;

	$sql =~ s/\{n\}/$n/g;
	return $sql;
}

sub run_mode
{
	my ($pair, $mode) = @_;
	my @options = ('--verbose', @{ $MODES{$mode} });

	$pair->source_sql('CREATE TABLE filler (id integer, text text)');
	for my $case (@cases)
	{
		$pair->source_sql(of_case($case, $case->{create}));
	}
	$pair->clone;
	for my $case (grep { $_->{target} } @cases)
	{
		$pair->target_sql(of_case($case, "DROP TABLE t; $case->{target}"));
	}
	my $follower = $pair->start('follow', @options);

	for my $n (1 .. $ALIKE)
	{
		change($pair, $mode, map { numbered(of_case($_, $_->{known}), $n) } @cases);
	}
	$pair->wait_caught_up($follower);
	for my $case (@cases)
	{
		$follower = run_case($pair, $mode, $follower, $case, @options);
	}
	$pair->stop_ok($follower);
}

sub run_case
{
	my ($pair, $mode, $follower, $case, @options) = @_;
	my $query = of_case($case, $case->{query} || 'SELECT * FROM t ORDER BY 1, 2');

	$pair->target_sql(of_case($case, $case->{alter}));
	change($pair, $mode, map { of_case($case, $_) } @{ $case->{change} });
	if ($case->{stops})
	{
		is($follower->wait_exit, $FOLLOWER_FAILED, "$case->{name}: the follower stops");
		like($follower->log, $case->{stops}, "$case->{name}: what it says");
		$pair->target_sql(of_case($case, $case->{fix}));
		$follower = $pair->start('follow', @options);
	}
	$pair->wait_caught_up($follower);
	is($pair->target_sql($query), $case->{result} // $pair->source_sql($query), $case->{name});
	return $follower;
}

# In streaming: all as one transaction that is large enough to come in pieces.
sub change
{
	my ($pair, $mode, @sql) = @_;

	if ($mode ne 'streaming')
	{
		$pair->source_sql(join ';', map { ('BEGIN', $_, 'COMMIT') } @sql);
		return;
	}
	$pair->source_sql(join ';', 'BEGIN',
		q(INSERT INTO filler SELECT g, repeat('x', 100) FROM generate_series(1, 3000) g), @sql, 'COMMIT');
}
