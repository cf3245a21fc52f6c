# Tables that are truncated, rewritten, locked or dropped while a clone runs: it
# locks each only while it reads it, waits for others, and copies again what its
# snapshot does not show any more.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Nodes;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

# It copies small tables in parts, and waits for locks not so long at a time.
local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

# An update that needs the rows, and then they go.
my $truncate_often = <<'END';
UPDATE hot SET v = v + 1 WHERE id < 50;
BEGIN;
TRUNCATE hot;
INSERT INTO hot SELECT i, 0 FROM generate_series(1, 100) i;
COMMIT;
\sleep 50 ms
END

my $nodes = Penstock::Nodes->new(count => 2,
	placement => [ 'public.hot = hash(id)', '* = all' ],
	source => ['max_replication_slots = 20']);
my $first = $nodes->pair;

truncated_all_the_time();
locked_only_while_read();
rewritten();
waited_for();
gone();
single_table();
spread_over_nodes();
done_testing();


# ---- Helpers ----

# Another database with tables: big takes seconds at 2 MB/s, and is the first.
sub with_tables
{
	my ($name) = @_;
	my $pair = $first->with_database($name);

	make_tables($pair);
	return $pair;
}

sub make_tables
{
	my ($pair) = @_;

	$pair->source_sql(<<'END');
CREATE TABLE big (id int PRIMARY KEY, v text NOT NULL);
INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 10000) i;
CREATE TABLE small (id int PRIMARY KEY, v text);
INSERT INTO small SELECT i, 'small' FROM generate_series(1, 100) i;
CREATE TABLE hot (id int PRIMARY KEY, v int);
INSERT INTO hot SELECT i, 0 FROM generate_series(1, 100) i;
END
}

# Until a part of the large table is copied.
sub wait_for_big
{
	my ($pair, $clone) = @_;

	$clone->wait_log(qr/copying \d+ tables?/);
	$pair->wait_for_sql('target', "SELECT parts_done > 0 FROM penstock.copy_table
		WHERE table_name = 'big'");
}

# A session that runs a script of pgbench's over and over again.
sub repeat_script
{
	my ($pair, $script) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/' . $pair->name . '.sql';

	PostgreSQL::Test::Utils::append_to_file($file, $script);
	return $pair->start_pgbench('--client=1', "--file=$file");
}

sub ends_well
{
	my ($pair, $clone, $title) = @_;

	is($clone->wait_exit, 0, "$title: the clone ends with status 0")
	  or diag($clone->log);
	$pair->follow_to_end;
	$pair->equal_ok($title);
}


# ---- Cases ----

sub truncated_all_the_time
{
	my $pair = with_tables('often');
	my $writer = repeat_script($pair, $truncate_often);

	$pair->clone('--verify');
	$pair->end_pgbench($writer);
	$pair->follow_to_end;
	$pair->equal_ok('truncated every 50 ms');
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'), 1,
		'only the slot of the pipeline is left');
}

sub locked_only_while_read
{
	my $pair = with_tables('locks');
	my $clone = $pair->start('clone', '--max-rate=1MB/s', '--jobs=2');

	wait_for_big($pair, $clone);
	is($pair->source_sql("SELECT count(*) FROM pg_locks l
		JOIN pg_stat_activity a USING (pid)
		WHERE relation = 'small'::regclass AND a.application_name LIKE 'penstock%'"),
		0, 'a table is not locked before its turn');
	$pair->source_sql("UPDATE small SET v = 'again'; TRUNCATE small;
		INSERT INTO small VALUES (1, 'new')");
	$pair->source_sql('TRUNCATE big; INSERT INTO big VALUES (1, \'new\')');
	ok($clone->is_running, 'truncating waits for a part of the clone at most');
	ends_well($pair, $clone, 'truncated before and while they are read');
	like($clone->log, qr/table "public"."small" was truncated, rewritten or replaced/,
		'it says so');
}

sub rewritten
{
	my $pair = with_tables('rewrite');

	$pair->source_sql(<<'END');
CREATE TABLE root (id int, v text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF root FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF root FOR VALUES FROM (10) TO (100);
ALTER TABLE root ADD PRIMARY KEY (id);
INSERT INTO root SELECT i, 'p' FROM generate_series(1, 99) i;
DROP PUBLICATION rewrite;
CREATE PUBLICATION rewrite FOR ALL TABLES WITH (publish_via_partition_root);
DELETE FROM big WHERE id % 3 = 0;
END
	my $clone = $pair->start('clone', '--max-rate=1MB/s', '--jobs=2');
	wait_for_big($pair, $clone);
	$pair->source_sql('UPDATE root SET v = \'u\'');
	$pair->source_sql('TRUNCATE low');
	$pair->source_sql('VACUUM FULL big');
	$pair->source_sql('CLUSTER small USING small_pkey');
	$pair->source_sql('ALTER TABLE hot ALTER v TYPE bigint');
	$pair->source_sql('UPDATE big SET v = \'moved\' WHERE id % 5 = 0');
	$pair->source_sql('UPDATE hot SET v = 2');
	ends_well($pair, $clone, 'rewritten by VACUUM FULL, CLUSTER, ALTER TABLE');
}

# Somebody has locked a table for longer than one attempt to lock it lasts.
sub waited_for
{
	my $pair = with_tables('wait');
	my $other = $pair->source->background_psql($pair->name);

	my $clone = $pair->start('clone', '--max-rate=1MB/s', '--jobs=2', '--verbose');
	$clone->wait_log(qr/copying \d+ tables?/);
	$other->query_safe('BEGIN; LOCK TABLE small, hot');
	$clone->wait_log(qr/waiting for table "public"."(?:hot|small)" on source: session \d+ .*has locked it/);
	$pair->wait_for_sql('target', "SELECT count(*) = 10000 FROM big");
	ok($clone->is_running, 'the clone waits');
	$other->query_safe('UPDATE small SET v = \'other\'');
	$other->query_safe('COMMIT');
	$other->quit;
	ends_well($pair, $clone, 'locked for a while');
}

sub gone
{
	my $pair = with_tables('gone');

	$pair->source_sql('CREATE TABLE scratch (id int PRIMARY KEY);
		INSERT INTO scratch SELECT generate_series(1, 10);
		CREATE TABLE replaced (id int PRIMARY KEY);
		INSERT INTO replaced SELECT generate_series(1, 10)');
	my $clone = $pair->start('clone', '--max-rate=1MB/s', '--jobs=2');
	wait_for_big($pair, $clone);
	$pair->source_sql('UPDATE scratch SET id = 100 + id');
	$pair->source_sql('DROP TABLE scratch');
	$pair->source_sql('DROP TABLE replaced; CREATE TABLE replaced (id int PRIMARY KEY);
		INSERT INTO replaced SELECT generate_series(5, 20)');
	is($clone->wait_exit, 0, 'tables are dropped: the clone ends with status 0')
	  or diag($clone->log);
	like($clone->log, qr/table "public"."scratch" was dropped, .* stays without rows/,
		'it says so');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT count(*) FROM scratch'), 0, 'the dropped one is empty');
	$pair->target_sql('DROP TABLE scratch');
	$pair->equal_ok('dropped and replaced');
}

sub single_table
{
	my $pair = with_tables('single');
	my $writer;

	$pair->clone;
	$writer = repeat_script($pair, $truncate_often);
	my $follower = $pair->start('follow');
	$pair->run_or_die('table', 'resync', 'public.hot');
	$pair->end_pgbench($writer);
	$pair->wait_caught_up($follower);
	$pair->equal_ok('a table that is truncated all the time is copied by itself');
	$pair->stop_ok($follower);
}

sub spread_over_nodes
{
	make_tables($first);
	my $writer = repeat_script($first, $truncate_often);

	$nodes->run_or_die('clone');
	cmp_ok($nodes->node_sql($_, 'SELECT count(*) FROM penstock.table_state
		WHERE watermark IS NOT NULL'), '<=', 4, "node $_ knows how new tables are")
	  for $nodes->names;
	$first->end_pgbench($writer);
	$nodes->follow_to_end;
	$nodes->spread_ok('truncated while it is spread', 'public.hot' => 'id');
	$nodes->copied_ok('meanwhile', $_, $nodes->names) for 'big', 'small';
}
