# verify --repair: of rows that were damaged at random under constant writes, all
# are found and nothing else is; all are repaired, and a second verify finds
# nothing.  Triggers do not fire, each repaired row is noted, and what cannot or
# must not be repaired is said.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Nodes;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $ROWS = 20000;
my @NODES = qw(a b);

my $nodes = Penstock::Nodes->new(
	count => scalar @NODES,
	placement => [ 'public.account = hash(region)', 'public.mark = all' ]);
my $pair = $nodes->pair;

subtest 'one thousand rows, at random' => sub {
	$pair->source_sql(<<"SQL");
CREATE TABLE account (id bigint, region text, balance numeric(12,2), note text, tags text[],
	PRIMARY KEY (id, region));
INSERT INTO account SELECT n, 'region ' || n % 60, n / 7.0, repeat('it''s \\ ', n % 9), ARRAY['a', n::text]
  FROM generate_series(1, $ROWS) n;
SQL
	$nodes->run_or_die('clone');
	my $follower = $nodes->start('follow');
	$follower->wait_log(qr/following with slot/);
	my $writers = $pair->start_pgbench('--client=2', '--file=' . updates());

	# Rows that nobody writes are those with an ID above half of them.
	my %damaged = damage($ROWS / 2 + 1, $ROWS);
	my $found = verify($nodes, '--json');
	is($found->{status}, 1, 'they are found');
	is_deeply(counts($found), { map { $_ => scalar keys %{ $damaged{$_} } } keys %damaged },
		'all of them');
	is_deeply([ grep { !exists $damaged{ $_->[0] }{ $_->[1] } } shown($found) ], [], 'and nothing else');

	$found = verify($nodes, '--json', '--repair', '--max-delete=20');
	is($found->{status}, 0, 'they are repaired') or diag($found->{text}, $found->{log});
	is(outcome($found, 'account', $_), 'repaired', "on node $_") for @NODES;
	is(notes(), sum(map { scalar keys %{ $damaged{$_} } } keys %damaged),
		'each repaired row is noted');
	is($nodes->node_sql('a', q{SELECT count(*) FROM penstock.repair WHERE operation = 'delete'
		AND target_row->>'id' = row_key->>'id'}),
		$nodes->node_sql('a', q{SELECT count(*) FROM penstock.repair WHERE operation = 'delete'}),
		'with what the target had');

	$found = verify($nodes, '--json');
	is($found->{status}, 0, 'a second verify finds nothing') or diag($found->{text}, $found->{log});
	is(notes(), sum(map { scalar keys %{ $damaged{$_} } } keys %damaged), 'and notes nothing');
	$pair->end_pgbench($writers);
	$pair->stop_ok($follower);
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'), 1, 'no slot is left');
	is($nodes->node_sql('a', 'SELECT count(*) FROM penstock.fence'), 0, 'and no fence');
};

subtest 'what is repaired, and what is not' => sub {
	my $one = $pair->with_database('one');

	$one->source_sql(<<'SQL');
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 100);
CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int NOT NULL REFERENCES parent,
	twice int GENERATED ALWAYS AS (parent * 2) STORED, code text UNIQUE, at pg_lsn, j json);
INSERT INTO child (parent, code, at, j) SELECT n, 'c' || n, '0/ABCD', '{"a":  1}' FROM generate_series(1, 100) n;
CREATE TABLE bag (a int);
ALTER TABLE bag REPLICA IDENTITY FULL;
INSERT INTO bag SELECT generate_series(1, 10);
CREATE TABLE part (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (50);
CREATE TABLE part_2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT n, 'a' FROM generate_series(1, 100) n;
ALTER PUBLICATION one SET (publish_via_partition_root);
CREATE TABLE "Odd names" ("A key" text PRIMARY KEY, "%s" bytea);
INSERT INTO "Odd names" SELECT 'k"''' || n, '\x0001' FROM generate_series(1, 30) n;
SQL
	$one->clone;
	$one->target_sql(<<'SQL');
ALTER TABLE child ADD kept text DEFAULT 'kept';
CREATE TABLE fired (what text);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO public.fired VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER fires AFTER INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION fire();
SET session_replication_role = replica;
DELETE FROM parent WHERE id = 7;
UPDATE child SET code = 'c2x', kept = 'mine' WHERE id = 2;
DELETE FROM child WHERE id IN (3, 4);
INSERT INTO child (id, parent, code) OVERRIDING SYSTEM VALUE VALUES (1000, 5000, 'c3');
DELETE FROM bag WHERE a = 4;
DELETE FROM part WHERE id IN (10, 60);
UPDATE part SET a = 'b' WHERE id = 11;
UPDATE "Odd names" SET "%s" = NULL WHERE "A key" = 'k"''5';
DELETE FROM "Odd names" WHERE "A key" = 'k"''6';
SQL
	my $found = verify($one, '--json', '--repair');
	is($found->{status}, 1, 'a table without a key differs still') or diag($found->{text}, $found->{log});
	is(outcome($found, $_), 'repaired', "$_ is repaired") for qw(parent child part), 'Odd names';
	is(outcome($found, 'bag'), 'different', 'the table without a key is not');
	like(table_of($found, 'bag')->{reason}, qr/not repaired: it has no key; "penstock table resync public\.bag/, 'which is said');
	is_deeply(table_of($found, 'child')->{repairs},
		{ inserted => 2, updated => 1, deleted => 1, repaired_before => 0 }, 'what was done is said');
	is($one->target_sql('SELECT count(*) FROM fired'), 0, 'no trigger fires');
	is($one->target_sql('SELECT code, kept FROM child WHERE id = 2'), 'c2|mine',
		'what only the target has is left alone');
	is($one->target_sql('SELECT parent, twice, code, at, j FROM child WHERE id = 3'), '3|6|c3|0/ABCD|{"a":  1}',
		'a row that was missing');
	$one->target_sql('INSERT INTO bag VALUES (4)');
	is(verify($one, '--json', '--tables=public.*')->{status}, 0, 'a second verify finds nothing');

	# Too much would be deleted.
	$one->source_sql('CREATE TABLE few (id int PRIMARY KEY); INSERT INTO few VALUES (1)');
	$one->run_or_die('table', 'add', 'few');
	$one->target_sql('INSERT INTO few VALUES (2), (3)');
	$found = verify($one, '--json', '--repair', '--tables=few');
	is($found->{status}, 1, 'more than --max-delete: not repaired');
	like(table_of($found, 'few')->{reason},
		qr/that would delete 2 of 3 rows; if that is right, add --max-delete=67/, 'which is said');
	is($one->target_sql('SELECT count(*) FROM few'), 3, 'and nothing is deleted');
	is(verify($one, '--json', '--repair', '--tables=few', '--max-delete=67')->{status}, 0, 'told to, it is');
	is($one->target_sql('SELECT count(*) FROM few'), 1, 'and they are gone');

	# A row that the stream corrects after it was found, and before the repair.
	$one->source_sql(q{CREATE TABLE large (id int PRIMARY KEY, a text);
		INSERT INTO large SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n});
	$one->run_or_die('table', 'add', 'large');
	my $follower = $one->start('follow');
	$follower->wait_log(qr/following with slot/);
	$one->target_sql(q{SET session_replication_role = replica; UPDATE large SET a = 'y' WHERE id IN (5, 6)});
	my $holder = Penstock::Session->new($one->target, $one->name);
	$holder->run('BEGIN', 'LOCK TABLE few');
	my $verify = $one->start('verify', '--json', '--repair', '--jobs=1', '--tables=large', '--tables=few');
	wait_until('verify to wait for the second table', sub {
		$one->target_sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'penstock verify'
			AND wait_event_type = 'Lock' AND query LIKE '%LOCK TABLE%'") > 0;
	});
	$one->source_sql(q{UPDATE large SET a = 'z' WHERE id = 5});
	$one->wait_caught_up($follower);
	$holder->end('COMMIT');
	is($verify->wait_exit, 0, 'a row that the stream has corrected meanwhile') or diag($verify->output, $verify->log);
	is_deeply(table_of({ json => decode_json($verify->output) }, 'large')->{repairs},
		{ inserted => 0, updated => 1, deleted => 0, repaired_before => 1 }, 'is left alone');
	is($one->target_sql(q{SELECT a FROM large WHERE id = 5}), 'z', 'as the stream has made it');
	$one->stop_ok($follower);

	# A row that cannot be written.
	$one->target_sql('ALTER TABLE few ADD CHECK (id <> 1) NOT VALID; DELETE FROM few');
	$found = verify($one, '--json', '--repair', '--tables=few');
	is($found->{status}, 1, 'a row that the target refuses');
	like(table_of($found, 'few')->{reason}, qr/not repaired: .*check constraint/, 'is said');

	# The notes stay.
	$one->run_or_die('drop');
	isnt($one->target_sql('SELECT count(*) FROM penstock.repair'), 0, 'the notes outlast the pipeline');
};

done_testing();

sub updates
{
	my $file = "$ENV{TESTDATADIR}/updates.sql";
	my $half = $ROWS / 2;

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle <<"SQL";
\\set a random(1, $half)
\\set r random(0, 59)
BEGIN;
UPDATE account SET balance = balance + 1 WHERE id = :a;
UPDATE account SET region = 'region ' || :r WHERE id = :a / 2;
INSERT INTO mark DEFAULT VALUES;
COMMIT;
SQL
	close $handle or die "could not write \"$file\": $!\n";
	return $file;
}

# Damages 1000 rows with IDs from $first to $last; returns what, by node and fault.
sub damage
{
	my ($first, $last) = @_;
	my %damaged;
	my %kept;
	my @ways = qw(changed missing extra moved);

	my %node_of = map { my $node = $_; map { $_ => $node } split /\n/,
		$nodes->node_sql($node, "SELECT id FROM account WHERE id BETWEEN $first AND $last") } @NODES;
	my @ids = sort { $a <=> $b } keys %node_of;
	my %sql = map { $_ => '' } @NODES;

	srand($ENV{PENSTOCK_SEED} // 17);
	while (keys %kept < 1000)
	{
		my $id = $ids[ int rand @ids ];
		my $way = $ways[ int rand @ways ];
		my $node = $node_of{$id};
		my ($other) = grep { $_ ne $node } @NODES;

		next if $kept{$id}++;
		if ($way eq 'changed')
		{
			$sql{$node} .= "UPDATE account SET note = note || 'x' WHERE id = $id;\n";
			$damaged{"$node different"}{$id} = 1;
		}
		elsif ($way eq 'missing')
		{
			$sql{$node} .= "DELETE FROM account WHERE id = $id;\n";
			$damaged{"$node missing"}{$id} = 1;
		}
		elsif ($way eq 'extra')
		{
			my $new = $id + 1000000;
			$sql{$node} .= "INSERT INTO account VALUES ($new, 'region 0', 0, '', NULL);\n";
			$damaged{"$node extra"}{$new} = 1;
		}
		else
		{
			my $region = 'region ' . $id % 60;
			$sql{$node} .= "DELETE FROM account WHERE id = $id;\n";
			$sql{$other} .= "INSERT INTO account VALUES ($id, '$region', 0, '', NULL);\n";
			$damaged{"$node missing"}{$id} = 1;
			$damaged{"$other misplaced"}{$id} = 1;
		}
	}
	$nodes->node_sql($_, "SET session_replication_role = replica; BEGIN; $sql{$_} COMMIT") for @NODES;
	return %damaged;
}

# How many rows were found, by node and fault.
sub counts
{
	my ($found) = @_;
	my %counts;

	for my $node (@NODES)
	{
		my $table = table_of($found, 'account', $node);
		my @faults = grep { $table->{$_}{rows} } qw(missing extra different misplaced);

		$counts{"$node $_"} = $table->{$_}{rows} for @faults;
	}
	return \%counts;
}

# Pairs of node with fault, and ID: the first of each kind.
sub shown
{
	my ($found) = @_;

	return map { my $node = $_; my $table = table_of($found, 'account', $node);
		map { my $fault = $_; map { [ "$node $fault", $_->{id} ] } @{ $table->{$fault}{keys} || [] } }
		qw(missing extra different misplaced) } @NODES;
}

sub sum { my $sum = 0; $sum += $_ for @_; return $sum; }

sub notes { return sum(map { $nodes->node_sql($_, 'SELECT count(*) FROM penstock.repair') } @NODES); }

sub verify
{
	my ($whom, @options) = @_;
	my ($exit, $text, $log) = $whom->run('verify', @options);

	return { status => $exit, text => $text, log => $log, json => eval { decode_json($text) } };
}

sub table_of
{
	my ($found, $name, $node) = @_;

	return (grep { $_->{table} eq "\"public\".\"$name\"" && (!$node || $_->{target} eq "target \"$node\"") }
		@{ $found->{json}{tables} })[0];
}

sub outcome
{
	my $table = table_of(@_);

	return $table && $table->{outcome};
}
