# Changes of the source's schema that a target has already, cannot take now, or
# is not to take.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;

my $server = Penstock::Pair->new;

# A pair that was cloned with these options, with the tables that the SQL makes.
sub cloned
{
	my ($name, $sql, @options) = @_;
	my $pair = $server->with_database($name);

	$pair->source_sql($sql);
	$pair->clone(@options);
	return $pair;
}

# Types of the columns of a table of the target, by name.
sub columns
{
	my ($pair, $table) = @_;

	return $pair->target_sql(
		"SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod),
			', ' ORDER BY attnum) FROM pg_attribute
		  WHERE attrelid = '$table'::regclass AND attnum > 0
		    AND NOT attisdropped");
}

# The statements that a follower which has stopped asks for.
sub asked_for
{
	my ($log) = @_;

	return join "\n", $log =~ /^ +((?:ALTER|CREATE|DROP) .*;)$/mg;
}

subtest 'stop, made by hand' => sub {
	my $pair = cloned('by_hand', <<'SQL', '--ddl=stop');
CREATE TABLE t (id integer PRIMARY KEY, c text, gone integer);
CREATE TABLE old (id integer PRIMARY KEY);
CREATE TYPE mood AS ENUM ('sad', 'happy');
SQL
	# What the target has in addition is nobody's business.
	$pair->target_sql('ALTER TABLE t ADD extra text DEFAULT \'own\';
		CREATE INDEX own ON t (c)');
	my $sql = 'ALTER TABLE t ADD a integer NOT NULL DEFAULT 7, DROP gone;
		ALTER TABLE t RENAME c TO cc; CREATE INDEX ix ON t (a);
		CREATE TABLE made (id serial PRIMARY KEY, n integer REFERENCES t);
		ALTER TYPE mood ADD VALUE \'calm\'; DROP TABLE old';
	my $xid = $pair->source_sql("BEGIN; $sql; SELECT pg_current_xact_id();
		INSERT INTO t (id, cc) VALUES (1, 'one'); INSERT INTO made VALUES (5, 1);
		COMMIT");
	my $log = $pair->fails_like(1,
		qr/transaction $xid, which ends at [0-9A-F]+\/[0-9A-F]+, has changed/,
		'it stops, and says where', 'follow', '--endpos=' . $pair->source_lsn);
	is(scalar(() = asked_for($log) =~ /;$/mg), 11, 'each statement on a line');
	like($log, qr/Run that on target and follow again/, 'what is to be done');
	my ($status, $output) = $pair->run('status');
	like($output, qr/has changed the schema/, 'status says why it stopped');

	# Half of it is not enough.
	$pair->target_sql('ALTER TABLE t RENAME c TO cc; DROP TABLE old');
	$pair->fails_like(1, qr/has changed the schema/, 'half is not enough',
		'follow', '--endpos=' . $pair->source_lsn);

	my $statements = asked_for($log);
	$pair->target_sql('ALTER TABLE t RENAME cc TO c; CREATE TABLE old ()');
	$pair->target_sql($statements);
	$pair->follow_to_end;
	is(columns($pair, 't'), 'id integer, cc text, extra text, a integer',
		'the target has what was made by hand, and what is its own');
	is($pair->target_sql('SELECT id, cc, a, extra FROM t'), '1|one|7|own',
		'the row came');
	is($pair->target_sql('SELECT * FROM made'), '5|1', 'and one of a new table');

	# What was noted is where the next change begins.
	$pair->source_sql('ALTER TABLE t DROP a');
	$log = $pair->fails_like(1, qr/has changed the schema/, 'the next change',
		'follow', '--endpos=' . $pair->source_lsn);
	unlike($log, qr/"made"|"cc"/, 'asks for no more than that');
	like($log, qr/DROP COLUMN .*"a"/, 'but for that');
	$pair->run_or_die('follow', '--set', '--ddl=follow',
		'--endpos=' . $pair->source_lsn);
	is(columns($pair, 't'), 'id integer, cc text, extra text',
		'with --ddl=follow it is made');
	is($pair->target_sql('SELECT indexrelid::regclass FROM pg_index
			WHERE indrelid = \'t\'::regclass ORDER BY 1'),
		"t_pkey\nown", 'the target keeps an index of its own');
};

subtest 'follow, made before' => sub {
	my $pair = cloned('before', <<'SQL', '--ddl=follow');
CREATE TABLE t (id integer PRIMARY KEY, c text);
SQL
	$pair->both_sql('ALTER TABLE t ADD n integer; CREATE TABLE u (id integer
		PRIMARY KEY)');
	$pair->source_sql('INSERT INTO t VALUES (1, \'one\', 1); INSERT INTO u VALUES (1)');
	$pair->follow_to_end;
	$pair->equal_ok('what both sides have got');

	$pair->source_sql('ALTER TABLE t ADD m integer; INSERT INTO t VALUES (2, \'b\', 2, 2)');
	$pair->target_sql('ALTER TABLE t ADD m text');
	my $log = $pair->fails_like(1, qr/column "m" of relation "t" already exists/,
		'something else of that name', 'follow', '--endpos=' . $pair->source_lsn);
	like($log, qr/penstock schema diff/, 'the hint says how to see it');
	$pair->target_sql('ALTER TABLE t ALTER m TYPE integer USING m::integer');
	$pair->follow_to_end;
	$pair->equal_ok('made alike by hand');
};

done_testing();
