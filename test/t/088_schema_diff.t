# "penstock schema diff" finds what differs, prints statements that work, and
# with --apply makes the target's schema like the source's.

use strict;
use warnings;

use Test::More;

use Penstock::Objects qw(statements);
use Penstock::Pair;

# Other ones each time, unless it is given.
my $SEED = $ENV{PENSTOCK_SEED} || int(rand(1 << 30));
my $ROUNDS = 6;
my $STEPS = 30;

my $pair = Penstock::Pair->new;
my $version_num = $pair->source_sql('SHOW server_version_num');

$pair->source->safe_psql('postgres', 'CREATE ROLE alice; CREATE ROLE "Bob"');
$pair->target->safe_psql('postgres', 'CREATE ROLE alice; CREATE ROLE "Bob"');


# ---- From nothing ----

my $all = $pair->with_database('everything', publish => '');
# What comes of an index that not all partitions have is for the partitions to
# say, and no statement gives an index's column statistics.
for my $statement (statements($version_num))
{
	$all->source_sql($statement)
	  if $statement !~ /only_there|ON ONLY|ALTER INDEX odd/;
}
make_equal($all, 'all kinds of objects');


# ---- What is said ----

my $one = $pair->with_database('said', publish => '');
$one->both_sql('CREATE TABLE IF NOT EXISTS mark (number bigserial PRIMARY KEY);
	CREATE TABLE t (id integer PRIMARY KEY, a text, b integer); INSERT INTO t VALUES (1, \'x\', 2)');
is_deeply([ said($one) ], [ 0, '' ], 'it says nothing of what is equal, with status 0');
$one->source_sql('ALTER TABLE t DROP COLUMN a, ADD c integer NOT NULL DEFAULT 5; CREATE VIEW v AS SELECT 1 AS one');
is_deeply([ said($one) ], [ 1, <<'END' ], 'it prints statements, with status 1');
ALTER TABLE "public"."t" DROP COLUMN IF EXISTS "a"; -- loses rows
ALTER TABLE "public"."t" ADD COLUMN "c" integer DEFAULT 5 NOT NULL;
CREATE VIEW public.v AS  SELECT 1 AS one;
ALTER VIEW public.v OWNER TO postgres;
END
my ($status, $stdout, $stderr) = $one->run('schema', 'diff', '--apply');
is($status, 1, 'it does not lose rows');
like($stderr, qr/rows on target would be lost with 1 statement.*Nothing was changed.*--allow-loss/s,
	'and says so');
is($one->target_sql('SELECT a FROM t'), 'x', 'they are there');
($status) = $one->run('schema', 'diff', '--apply', '--allow-loss');
is($status, 0, 'unless it is told to');
is($one->target_sql('SELECT id, b, c FROM t'), '1|2|5', 'then what stays has its rows');
is_deeply([ said($one) ], [ 0, '' ], 'and nothing differs');

# What one command has changed is not half changed.
$one->source_sql('ALTER TABLE t ADD d integer; CREATE UNIQUE INDEX ON t (b)');
$one->target_sql('INSERT INTO t VALUES (2, 2)');
my $before = $one->target_contents;
($status, $stdout, $stderr) = $one->run('schema', 'diff', '--apply');
is($status, 1, 'it fails where a statement does');
like($stderr, qr/could not create unique index.*CREATE UNIQUE INDEX.*nothing was changed/s, 'and says which');
is($one->target_contents, $before, 'and changes nothing');
$one->target_sql('DELETE FROM t WHERE id = 2');

# No statement makes an operator.
$one->source_sql('CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)');
($status, $stdout, $stderr) = $one->run('schema', 'diff', '--apply');
is($status, 1, 'what it has no statement for still differs');
like($stderr, qr/operator public\.===\(integer,integer\): the target does not have it/, 'and is said');
$one->source_sql('DROP OPERATOR === (integer, integer)');

# The tables that are selected, and nothing else.
$one->source_sql('ALTER TABLE t ADD e integer; COMMENT ON TABLE t IS \'t\'; CREATE TABLE other (id integer)');
is_deeply([ said($one, '--table=t') ], [ 1, <<'END' ], 'it compares what is selected');
ALTER TABLE "public"."t" ADD COLUMN "e" integer;
COMMENT ON TABLE public.t IS 't';
END
make_equal($one, 'what is left');

# A pipeline that copies some tables has only these to compare.
my $few = $pair->with_database('few', publish => '');
$few->source_sql('CREATE TABLE listed (id serial PRIMARY KEY); CREATE TABLE unlisted (id integer);
	CREATE VIEW seen AS SELECT FROM listed; CREATE PUBLICATION few FOR TABLE mark, listed');
$few->clone;
is_deeply([ said($few) ], [ 0, '' ], 'of tables that are not published it says nothing');
unlike((checked($few))[1], qr/schema differs/, 'nor does "penstock check"');
$few->source_sql('ALTER TABLE listed ADD a integer; ALTER TABLE unlisted ADD a integer');
is_deeply([ said($few) ], [ 1, <<'END' ], 'of a published one it does');
ALTER TABLE "public"."listed" ADD COLUMN "a" integer;
END
like((checked($few))[1], qr/schema differs from the source's: 1 statement would make it the same.*penstock schema diff/s,
	'and so does "penstock check"');


# A range type is only named: its functions and casts come and go with it.
my $ranges = $pair->with_database('ranges', publish => '');
$ranges->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY);
	CREATE TYPE theirs AS RANGE (subtype = integer)');
$ranges->source_sql('CREATE TYPE ours AS RANGE (subtype = integer)');
like((said($ranges))[1], qr/^(-- .*range.*\n|-- type .*\n){2}$/, 'of a range type nothing else is said');

# Increments that make values disjoint are no difference, and are left alone.
my $strided = $pair->with_database('strided');
$strided->source_sql('CREATE SEQUENCE counter; CREATE SEQUENCE down INCREMENT -2');
$strided->clone('--ddl=stop', '--sequence-stride=3:1');
$strided->follow_to_end;
is($strided->target_sql("SELECT increment_by FROM pg_sequences WHERE sequencename = 'down'"),
	-6, 'values are disjoint');
is_deeply([ said($strided) ], [ 0, '' ], 'that is no difference');
unlike((checked($strided))[1], qr/schema differs/, 'nor for "penstock check"');
$strided->source_sql('ALTER SEQUENCE counter CACHE 7');
my $cached = 'ALTER SEQUENCE "public"."counter" AS bigint MINVALUE 1 MAXVALUE 9223372036854775807'
  . " START WITH 1 CACHE 7 NO CYCLE;\n";
is_deeply([ said($strided) ], [ 1, $cached ], 'another difference leaves it as it is');
$strided->target_sql($cached);
$strided->follow_to_end;
is($strided->target_sql("SELECT increment_by FROM pg_sequences WHERE sequencename = 'counter'"),
	3, 'and the follower goes on when that is done');


# ---- What belongs to the database as such ----

my $set = $pair->with_database('settled', publish => '');
$set->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
$set->source_sql(<<'END');
CREATE ROLE writer; CREATE ROLE stranger;
CREATE TABLE theirs (id integer); ALTER TABLE theirs OWNER TO writer;
ALTER DATABASE settled SET search_path = '', "Odd, one", "$user", public;
ALTER DATABASE settled SET work_mem = '7MB';
SET search_path = pg_catalog; SELECT set_config('search_path', 'public;CREATE/**/TABLE/**/public.owned(),"a""b", Select', false);
ALTER ROLE alice IN DATABASE settled SET search_path FROM CURRENT; RESET search_path;
ALTER DATABASE settled SET "my.own" = 'it''s';
ALTER DATABASE settled SET default_transaction_read_only = on;
ALTER ROLE alice IN DATABASE settled SET statement_timeout = '3min';
ALTER ROLE writer SET lock_timeout = '9s';
ALTER ROLE stranger SET lock_timeout = '9s';
COMMENT ON DATABASE settled IS 'here it''s';
REVOKE TEMPORARY ON DATABASE settled FROM PUBLIC;
GRANT CREATE ON DATABASE settled TO "Bob" WITH GRANT OPTION;
COMMENT ON EXTENSION plpgsql IS 'default';
CREATE COLLATION told (provider = libc, locale = 'C'); COMMENT ON COLLATION told IS 'told';
END
# The role is nobody's yet where it may not own anything.
$set->target->safe_psql('postgres', 'CREATE ROLE writer');
$set->target_sql(<<'END');
ALTER DATABASE settled SET geqo = off; ALTER ROLE "Bob" IN DATABASE settled SET geqo = off;
ALTER ROLE "Bob" SET geqo = off; GRANT CREATE ON DATABASE settled TO alice;
END
my @settled = grep { /DATABASE|ROLE|COLLATION public.told IS/ } split /\n/, (said($set))[1];
is_deeply([ sort @settled ], [ sort split /\n/, <<'END' ], 'it prints what the database and roles have set');
REVOKE TEMPORARY ON DATABASE settled FROM PUBLIC;
GRANT CREATE ON DATABASE settled TO "Bob" WITH GRANT OPTION;
COMMENT ON DATABASE settled IS 'here it''s';
COMMENT ON COLLATION public.told IS 'told';
ALTER DATABASE settled RESET geqo;
ALTER DATABASE settled SET "my.own" = 'it''s';
ALTER DATABASE settled SET search_path = '', "Odd, one", "$user", public;
ALTER DATABASE settled SET work_mem = '7MB';
ALTER ROLE "Bob" IN DATABASE settled RESET geqo;
ALTER ROLE alice IN DATABASE settled SET search_path = "public;create/**/table/**/public.owned()", "a""b", "select";
ALTER ROLE alice IN DATABASE settled SET statement_timeout = '3min';
ALTER ROLE writer SET lock_timeout = '9s';
END
unlike((said($set, '--table=theirs'))[1], qr/DATABASE|ROLE/, 'where tables are selected it does not');
unlike((said($set, '--no-privileges'))[1], qr/GRANT|REVOKE/, 'and no privileges where they are not wanted');
make_equal($set, 'what the database and roles have set');
is($set->target_sql('SELECT to_regclass(\'public.owned\')'), '', 'whatever is in them is nothing but a name');
$set->$_('SET default_transaction_read_only = off; ALTER ROLE alice IN DATABASE settled RESET search_path')
  for qw(source_sql target_sql);
my $settings_sql = q{SELECT c FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) c JOIN pg_database d
	ON d.oid = setdatabase WHERE datname = 'settled' AND c !~ 'read_only' ORDER BY setrole <> 0, c};
is($set->target_sql($settings_sql), $set->source_sql($settings_sql), 'both databases have the same settings');
$set->source_sql('SET default_transaction_read_only = off; ALTER DATABASE settled RESET ALL; COMMENT ON DATABASE settled IS NULL;
	GRANT TEMPORARY ON DATABASE settled TO PUBLIC; ALTER DATABASE settled SET work_mem = \'8MB\'');
make_equal($set, 'and when that has changed');
is($set->target_sql($settings_sql), $set->source_sql($settings_sql), 'they are the same again');
is($set->target_sql(q{SELECT shobj_description(oid, 'pg_database') IS NULL, has_database_privilege('writer', oid, 'TEMP'),
	has_database_privilege('alice', oid, 'CREATE') FROM pg_database WHERE datname = 'settled'}),
	't|t|t', 'so are comment and privileges, and what the target lets a role do stays');

# Another name of the database, in which the statements are to run.
$set->target->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$set->set_conninfo('target', $set->target->connstr('elsewhere'));
like((said($set))[1], qr/^ALTER DATABASE elsewhere SET work_mem = '8MB';$/m, 'the target may be called otherwise');
$set->set_conninfo('target', undef);


# ---- What stands on something ----

my $views = <<'END';
CREATE VIEW on_base AS SELECT id, n FROM base;
CREATE VIEW on_view AS SELECT id FROM on_base;
GRANT SELECT ON on_view TO alice;
COMMENT ON VIEW on_view IS 'seen';
COMMENT ON COLUMN on_view.id IS 'its number';
END
my $on = $pair->with_database('stands', publish => '');
$on->source_sql(<<"END");
CREATE TABLE base (id integer, n integer CONSTRAINT positive CHECK (n > 0), gone text,
	twice integer GENERATED ALWAYS AS (id * 2) STORED);
COMMENT ON COLUMN base.twice IS 'computed';
COMMENT ON CONSTRAINT positive ON base IS 'more than that';
COMMENT ON COLUMN base.gone IS 'there';
CREATE FUNCTION of_row(r base) RETURNS integer LANGUAGE sql AS 'SELECT 1';
$views
END
make_equal($on, 'what stands on a table');

# Each is the same afterwards, but what it stands on has been another one.
$on->source_sql(<<"END");
DROP VIEW on_view, on_base;
ALTER TABLE base ALTER n TYPE bigint, DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (n > 1),
	DROP COLUMN gone, ADD COLUMN gone text,
	DROP COLUMN twice, ADD COLUMN twice integer GENERATED ALWAYS AS (id * 3) STORED;
COMMENT ON COLUMN base.twice IS 'computed';
COMMENT ON CONSTRAINT positive ON base IS 'more than that';
COMMENT ON COLUMN base.gone IS 'there';
$views
END
make_equal($on, 'when that was altered');
$on->source_sql(<<"END");
DROP TABLE base CASCADE;
CREATE TABLE base (id integer, n text, k integer) PARTITION BY LIST (k);
COMMENT ON TABLE base IS 'again';
CREATE FUNCTION of_row(r base) RETURNS integer LANGUAGE sql AS 'SELECT 1';
$views
END
make_equal($on, 'when that was made again');


# ---- At random ----

note("PENSTOCK_SEED=$SEED");
srand($SEED);
my $random = $pair->with_database('by_chance', publish => '');
$random->source_sql($_) for base();
make_equal($random, 'what is there first');
for my $round (1 .. $ROUNDS)
{
	my @steps = map { step() } 1 .. $STEPS;

	$random->source->psql('by_chance', join("\n", map { "$_;" } @steps), on_error_stop => 0);
	last unless make_equal($random, "round $round");
}

done_testing();

# Status and output of a comparison.
sub said
{
	my ($where, @options) = @_;
	my ($status, $stdout, $stderr) = $where->run('schema', 'diff', @options);

	diag($stderr) if $stderr;
	return ($status, $stdout);
}

sub checked
{
	my ($where) = @_;

	return $where->run('check');
}

sub dump_of
{
	my ($where, $side) = @_;
	my ($stdout, $stderr);

	IPC::Run::run([ 'pg_dump', '--schema-only', '--no-publications', $where->conninfo($side) ],
		'>', \$stdout, '2>', \$stderr) or die "pg_dump failed: $stderr";
	# What servers note of a column since November 2026 is a matter of theirs.
	$stdout =~ s/^ALTER TABLE .* SET \(pg_attver=.*\n//mg;
	$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
	return $stdout;
}

sub make_equal
{
	my ($where, $title) = @_;
	my (undef, $printed) = $where->run('schema', 'diff');
	my ($status, $stdout, $stderr) = $where->run('schema', 'diff', '--apply', '--allow-loss');

	is($status, 0, "$title: the statements work") or diag($stderr, $printed);
	my ($source, $target) = map { dump_of($where, $_) } qw(source target);
	my $equal = $source eq $target;
	ok($equal, "$title: what pg_dump writes of both is the same");
	diag(difference($source, $target), $printed) unless $equal;
	($status, $stdout) = $where->run('schema', 'diff');
	is("$status: $stdout", '0: ', "$title: and nothing is left to do");
	return $equal && $status == 0;
}

# The lines that only one of them has.
sub difference
{
	my ($source, $target) = @_;
	my %count;

	$count{$_}++ for split /\n/, $source;
	$count{$_}-- for split /\n/, $target;
	return map { $count{$_} ? ($count{$_} > 0 ? "- $_\n" : "+ $_\n") : () } sort keys %count;
}

sub base
{
	return (
		'CREATE SCHEMA s1',
		(map { "CREATE TABLE t$_ (id integer PRIMARY KEY, a text, b integer, c numeric(8,2))" } 1 .. 4),
		'CREATE TABLE part (id integer, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
		"CREATE TABLE part_1 PARTITION OF part FOR VALUES IN ('1')",
		"CREATE TYPE kind AS ENUM ('x', 'y')",
		'CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0)',
		'CREATE TYPE pair AS (x integer, y text)',
		'CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS \'SELECT 2 * n\'',
		'CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS \'BEGIN RETURN new; END\'',
		'CREATE VIEW v1 AS SELECT id, a FROM t1',
		'CREATE VIEW v2 AS SELECT id FROM v1',
	);
}

sub one_of { return $_[ int(rand(@_)) ]; }
sub table { return one_of(map { "t$_" } 1 .. 6); }
sub column { return one_of(qw(a b c d e "F f")); }
sub type { return one_of('text', 'integer', 'bigint', 'numeric(9,3)', 'kind', 'amount', 'pair', 'varchar(30)',
		'timestamptz', 'integer[]'); }
sub label { return one_of('small', 'it\'\'s', 'z', 'w', 'q') . int(rand(30)); }

# One statement, which may fail.
sub step
{
	my ($table, $column, $n) = (table(), column(), int(rand(40)));
	my @steps = (
		"CREATE TABLE $table (id serial PRIMARY KEY, a text, b integer DEFAULT $n)",
		"CREATE TABLE $table (id bigint GENERATED BY DEFAULT AS IDENTITY, $column " . type() . ')',
		"DROP TABLE $table CASCADE",
		"ALTER TABLE $table RENAME TO " . table(),
		"ALTER TABLE $table ADD $column " . type(),
		"ALTER TABLE $table ADD $column integer NOT NULL DEFAULT $n",
		"ALTER TABLE $table ADD $column integer GENERATED ALWAYS AS (id * 2) STORED",
		"ALTER TABLE $table DROP COLUMN $column CASCADE",
		"ALTER TABLE $table RENAME $column TO " . column(),
		"ALTER TABLE $table ALTER $column TYPE text",
		"ALTER TABLE $table ALTER $column TYPE bigint",
		"ALTER TABLE $table ALTER $column SET DEFAULT NULL",
		"ALTER TABLE $table ALTER b SET DEFAULT twice($n)",
		"ALTER TABLE $table ALTER $column DROP DEFAULT",
		"ALTER TABLE $table ALTER $column SET NOT NULL",
		"ALTER TABLE $table ALTER $column DROP NOT NULL",
		"ALTER TABLE $table ALTER a SET STORAGE " . one_of(qw(EXTERNAL MAIN PLAIN EXTENDED)),
		"ALTER TABLE $table ALTER $column SET STATISTICS $n",
		"ALTER TABLE $table SET (fillfactor = " . (50 + $n) . ')',
		"ALTER TABLE $table RESET (fillfactor)",
		"ALTER TABLE $table REPLICA IDENTITY " . one_of(qw(FULL NOTHING DEFAULT)),
		"ALTER TABLE $table ADD CONSTRAINT c$n CHECK (b > $n)",
		"ALTER TABLE $table ADD CONSTRAINT c$n CHECK (b <> $n) NOT VALID",
		"ALTER TABLE $table VALIDATE CONSTRAINT c$n",
		"ALTER TABLE $table DROP CONSTRAINT c$n",
		"ALTER TABLE $table ADD CONSTRAINT u$n UNIQUE (a)",
		"ALTER TABLE $table DROP CONSTRAINT u$n",
		"ALTER TABLE $table ADD CONSTRAINT f$n FOREIGN KEY (b) REFERENCES " . table(),
		"ALTER TABLE $table DROP CONSTRAINT f$n",
		"ALTER TABLE $table " . one_of('ENABLE', 'DISABLE') . ' ROW LEVEL SECURITY',
		"ALTER TABLE $table OWNER TO " . one_of('alice', '"Bob"', 'postgres'),
		"CREATE INDEX i$n ON $table ($column)",
		"CREATE INDEX i$n ON $table (lower(a)) WHERE b > $n",
		"DROP INDEX i$n",
		"ALTER INDEX i$n RENAME TO i" . int(rand(40)),
		"CREATE TABLE part_$n PARTITION OF part FOR VALUES IN ('$n')",
		"DROP TABLE part_$n",
		"ALTER TABLE part ADD $column integer",
		"CREATE SEQUENCE q" . ($n % 4) . " INCREMENT " . ($n + 1),
		'ALTER SEQUENCE q' . ($n % 4) . " INCREMENT " . ($n + 1) . ' CACHE 3',
		'DROP SEQUENCE q' . ($n % 4),
		'ALTER TYPE kind ADD VALUE \'' . label() . '\'' . one_of('', ' BEFORE \'y\''),
		'ALTER TYPE pair ADD ATTRIBUTE z' . ($n % 5) . ' integer',
		'ALTER DOMAIN amount SET DEFAULT ' . $n,
		'ALTER DOMAIN amount ADD CONSTRAINT d' . ($n % 5) . " CHECK (VALUE < 1000 + $n) NOT VALID",
		'ALTER DOMAIN amount DROP CONSTRAINT d' . ($n % 5),
		'CREATE TYPE e' . ($n % 3) . ' AS ENUM (\'one\')',
		'DROP TYPE e' . ($n % 3),
		'CREATE SCHEMA s' . ($n % 4),
		'DROP SCHEMA s' . ($n % 4),
		'CREATE OR REPLACE FUNCTION f' . ($n % 4) . "(a integer) RETURNS integer LANGUAGE sql AS 'SELECT $n + a'",
		'CREATE FUNCTION f' . ($n % 4) . "(a integer, b text DEFAULT 'x') RETURNS text LANGUAGE sql AS 'SELECT b'",
		'CREATE FUNCTION f' . ($n % 4) . "(a $table) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
		'DROP FUNCTION f' . ($n % 4) . '(integer)',
		'CREATE OR REPLACE VIEW v' . ($n % 5) . " AS SELECT id, b FROM $table WHERE b > $n",
		# No view of itself, which the server lets stand and nobody can use.
		'CREATE OR REPLACE VIEW v' . ($n % 4 + 1) . ' AS SELECT id FROM v' . int(rand($n % 4 + 1)),
		'CREATE MATERIALIZED VIEW m' . ($n % 3) . " AS SELECT id, $column FROM $table",
		'CREATE INDEX mi' . ($n % 3) . ' ON m' . ($n % 3) . ' (id)',
		'DROP VIEW v' . ($n % 5) . ' CASCADE',
		'DROP MATERIALIZED VIEW m' . ($n % 3),
		"CREATE TRIGGER g$n BEFORE INSERT ON $table FOR EACH ROW EXECUTE FUNCTION noted()",
		"ALTER TABLE $table DISABLE TRIGGER g$n",
		"DROP TRIGGER g$n ON $table",
		"CREATE RULE r$n AS ON DELETE TO $table WHERE old.id = $n DO INSTEAD NOTHING",
		"CREATE POLICY p$n ON $table FOR SELECT TO alice USING (b > $n)",
		"DROP POLICY p$n ON $table",
		"CREATE STATISTICS x$n ON a, b FROM $table",
		"GRANT SELECT, INSERT ON $table TO " . one_of('alice', '"Bob"', 'PUBLIC', 'alice WITH GRANT OPTION'),
		"GRANT UPDATE ($column) ON $table TO alice",
		"REVOKE ALL ON $table FROM alice",
		'REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC',
		'GRANT USAGE ON SCHEMA s1 TO alice',
		"COMMENT ON TABLE $table IS 'about $n'",
		"COMMENT ON COLUMN $table.$column IS " . one_of("'it''s $n'", 'NULL'),
		"COMMENT ON CONSTRAINT c$n ON $table IS 'checked'",
		'COMMENT ON FUNCTION twice IS \'' . $n . '\'',
		'COMMENT ON VIEW v' . ($n % 5) . ' IS \'seen\'',
	);

	return one_of(@steps);
}
