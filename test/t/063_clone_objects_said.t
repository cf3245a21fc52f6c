# What comes with the tables or is said not to: comments on everything, also on
# what is built apart from the dump, materialized views that read each other
# where nobody can see it, and foreign keys, large objects and settings that a
# clone cannot or does not carry.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Pair;
use Penstock::Process;

my $KILLED = 128 + 9;
my $FAILED = 1;

my $first = Penstock::Pair->new;

comments();
hidden_views();
foreign_keys();
large_objects();
settings();
done_testing();


# ---- Helpers ----

# What pg_dump says of the schema, as lines that are one statement each.
sub schema_of
{
	my ($pair, $side) = @_;
	my ($stdout, $stderr);

	IPC::Run::run(
		[
			'pg_dump', '--schema-only', '--no-publications',
			'--exclude-schema=penstock', $pair->$side->connstr($pair->name)
		],
		'>', \$stdout, '2>', \$stderr) or die "pg_dump failed: $stderr";
	$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
	return $stdout;
}

sub same_schema_ok
{
	my ($pair, $title) = @_;
	my ($source, $target) = map { schema_of($pair, $_) } qw(source target);

	is($target, $source, "$title: pg_dump says the same of both");
}


# ---- Cases ----

sub comments
{
	my $pair = $first->with_database('said');

	$pair->source_sql(<<'END');
CREATE TABLE a (id int CONSTRAINT a_key PRIMARY KEY, v int CONSTRAINT a_v UNIQUE,
	w int, r int4range, CONSTRAINT a_w CHECK (w > 0),
	CONSTRAINT a_r EXCLUDE USING gist (r WITH &&));
CREATE TABLE b (a int CONSTRAINT b_a REFERENCES a, CONSTRAINT b_self UNIQUE (a));
CREATE INDEX a_index ON a (w);
CREATE TABLE p (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
ALTER TABLE p ADD CONSTRAINT p_key PRIMARY KEY (id);
CREATE INDEX p_v ON p (v);
CREATE MATERIALIZED VIEW m AS SELECT w, count(*) AS n FROM a GROUP BY w;
CREATE UNIQUE INDEX m_index ON m (w);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TRIGGER a_trigger BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION noted();
CREATE EVENT TRIGGER told ON ddl_command_end EXECUTE FUNCTION told();
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE POLICY a_policy ON a USING (true);
CREATE RULE b_rule AS ON DELETE TO b DO ALSO NOTHING;
CREATE STATISTICS a_statistics ON v, w FROM a;
COMMENT ON CONSTRAINT a_key ON a IS 'the key';
COMMENT ON CONSTRAINT a_v ON a IS 'the unique constraint';
COMMENT ON CONSTRAINT a_w ON a IS 'the check';
COMMENT ON CONSTRAINT a_r ON a IS 'the exclusion';
COMMENT ON CONSTRAINT b_a ON b IS 'the foreign key';
COMMENT ON CONSTRAINT p_key ON p IS 'the key above';
COMMENT ON CONSTRAINT p1_pkey ON p1 IS 'the key below';
COMMENT ON INDEX a_key IS 'the index of the key';
COMMENT ON INDEX a_index IS 'the index; with ''quotes''';
COMMENT ON INDEX p_v IS 'the index above';
COMMENT ON INDEX p1_v_idx IS 'the index below';
COMMENT ON INDEX m_index IS 'the index of the view';
COMMENT ON MATERIALIZED VIEW m IS 'the view';
COMMENT ON TRIGGER a_trigger ON a IS 'the trigger';
COMMENT ON EVENT TRIGGER told IS 'the event trigger';
COMMENT ON POLICY a_policy ON a IS 'the policy';
COMMENT ON RULE b_rule ON b IS 'the rule';
COMMENT ON STATISTICS a_statistics IS 'the statistics';
COMMENT ON COLUMN a.v IS 'the column';
COMMENT ON TABLE a IS 'the table';
INSERT INTO a (id, v, w) SELECT i, i, i FROM generate_series(1, 10) i;
END
	$pair->clone;
	same_schema_ok($pair, 'comments');
	$pair->run_or_die('drop');

	# Those that an earlier run has not come to are not forgotten.
	my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
	  or die "there is no consumer with crash points: run \"make check-e2e\"\n";
	for my $point ('clone.built', 'clone.before_progress')
	{
		$pair->recreate_target;
		{
			local $ENV{PENSTOCK_BIN} = $faults_bin;
			local $ENV{PENSTOCK_FAULT} = $point;
			my ($status) = $pair->run('clone');
			is($status, $KILLED, "dies at $point");
		}
		$pair->clone('--resume');
		same_schema_ok($pair, "comments, resumed after $point");
		$pair->run_or_die('drop');
	}
}

sub hidden_views
{
	my $pair = $first->with_database('views');

	$pair->source_sql(<<'END');
CREATE TABLE a (id int PRIMARY KEY);
INSERT INTO a SELECT generate_series(1, 10);
CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 0; END';
CREATE MATERIALIZED VIEW a1 AS SELECT public.total() AS n;
CREATE MATERIALIZED VIEW a2 AS SELECT count(*) AS n FROM a;
CREATE MATERIALIZED VIEW a3 AS SELECT n FROM a1;
CREATE MATERIALIZED VIEW a4 AS SELECT 1 AS n WITH NO DATA;
CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE plpgsql
	AS 'BEGIN RETURN (SELECT n + 1 FROM public.a2); END';
REFRESH MATERIALIZED VIEW a1;
REFRESH MATERIALIZED VIEW a3;
END
	$pair->clone('--jobs=3');
	is($pair->target_sql('SELECT n FROM a1'), 11, 'a view that reads another by a function');
	is($pair->target_sql('SELECT n FROM a3'), 11, 'and one that reads that');
	is($pair->target_sql("SELECT relispopulated FROM pg_class WHERE relname = 'a4'"),
		'f', 'one that is not filled on the source is not');
	$pair->run_or_die('drop');
	$pair->recreate_target;

	# What cannot be filled at all is told.
	$pair->source_sql('CREATE OR REPLACE FUNCTION total() RETURNS bigint
		LANGUAGE plpgsql AS \'BEGIN RETURN (SELECT n FROM nowhere); END\'');
	my $log = $pair->fails_like($FAILED, qr/relation "nowhere" does not exist/,
		'a view that cannot be filled', 'clone');
	like($log, qr/filling materialized view public\.a1/, 'is named');
	like($log, qr/--resume/, 'and how to go on');
	$pair->source_sql('CREATE OR REPLACE FUNCTION total() RETURNS bigint
		LANGUAGE sql AS \'SELECT 5\'');
	$pair->target_sql('CREATE OR REPLACE FUNCTION total() RETURNS bigint
		LANGUAGE plpgsql AS \'BEGIN RETURN 5; END\'');
	$pair->clone('--resume');
	is($pair->target_sql('SELECT n FROM a3'), 5, 'it is filled when that is mended');
}

# Row filters that leave out what others refer to.
sub foreign_keys
{
	my $pair = $first->with_database('keys', publish => '');

	$pair->source_sql(<<'END');
CREATE TABLE tenant (id int PRIMARY KEY);
CREATE TABLE item (tenant int REFERENCES tenant, id int, parent int,
	PRIMARY KEY (tenant, id),
	CONSTRAINT item_parent FOREIGN KEY (tenant, parent) REFERENCES item);
INSERT INTO tenant VALUES (1), (2);
INSERT INTO item VALUES (1, 1, NULL), (1, 2, 1), (2, 3, NULL);
CREATE PUBLICATION keys FOR TABLE mark, tenant WHERE (id = 1), item;
END
	my $log = $pair->fails_like($FAILED,
		qr/foreign key "item_tenant_fkey" of table "public"."item" cannot be fulfilled/,
		'a foreign key that a row filter breaks', 'clone');
	like($log, qr/table "public"."tenant" which the row filters leave out/, 'is named');
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots
		WHERE slot_name = \'keys\''), 0, 'before a slot is made');
	is($pair->target_sql("SELECT count(*) FROM pg_class WHERE relname = 'item'"), 0,
		'and before a table is');
	$pair->source_sql('ALTER PUBLICATION keys SET TABLE mark, tenant WHERE (id = 1),
		item WHERE (tenant = 1)');
	$pair->clone;
	is($pair->target_sql('SELECT count(*) FROM pg_constraint WHERE contype = \'f\''),
		2, 'with filters that agree the keys are there');
}

# Those that the role may not read are found before rows are copied, and those
# that a copy of the data alone leaves out are told.
sub large_objects
{
	my $pair = $first->with_database('large');
	my $plain = $pair->source->connstr('large') . ' user=reader';

	$pair->source_sql("SELECT lo_from_bytea(0, '\\x01'), lo_from_bytea(0, '\\x02')");
	$_->safe_psql('postgres', 'CREATE ROLE reader LOGIN REPLICATION')
	  for $pair->source, $pair->target;
	$pair->source_sql('GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
		GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader');
	$pair->set_conninfo('source', $plain);
	my $log = $pair->fails_like($FAILED,
		qr/user "reader" may not read all large objects on source/,
		'large objects that the role may not read', 'clone');
	like($log, qr/There are 2 that it may not.*GRANT SELECT ON LARGE OBJECT \d+ TO reader/s,
		'and how it may');
	$pair->set_conninfo('source', undef);
	$pair->clone('--schema-only');
	my ($status, undef, $said) = $pair->run('clone', '--data-only');
	is($status, 0, 'the data alone');
	like($said, qr/the source has 2 large objects, which --data-only does not copy/,
		'says what it leaves out');
}

sub settings
{
	my $pair = $first->with_database('settings');

	$pair->source_sql(<<'END');
CREATE ROLE writer;
ALTER DATABASE settings SET timezone = 'Asia/Tokyo';
ALTER DATABASE settings SET search_path = public, "Odd one";
ALTER DATABASE settings SET work_mem = '8MB';
ALTER ROLE writer IN DATABASE settings SET statement_timeout = '5s';
ALTER ROLE writer SET lock_timeout = '1s';
END
	$pair->target_sql('ALTER DATABASE settings SET work_mem = \'8MB\'');
	my ($status, undef, $log) = $pair->run('clone');
	is($status, 0, 'a database with settings');
	my @statements = $log =~ /(ALTER (?:DATABASE|ROLE) .*;)$/mg;
	is(scalar @statements, 3, 'it tells those that the target lacks');
	$pair->target_sql("CREATE ROLE writer; @statements");
	$pair->run_or_die('drop');
	$pair->recreate_target;
	$pair->target_sql("@statements; ALTER DATABASE settings SET work_mem = '8MB'");
	(undef, undef, $log) = $pair->run('clone');
	unlike($log, qr/settings of the source's database/, 'and they run as they stand');
}
