# Tables whose copies were made at different moments are brought to one point:
# what a copy has already is not applied to it again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;

$pair->source_sql(
	'CREATE TABLE early (id int PRIMARY KEY, v text);
	 CREATE TABLE late (id int PRIMARY KEY, v text);
	 CREATE TABLE "La.te" (id int PRIMARY KEY, v text);
	 CREATE TABLE bare (v text)');
$pair->source_sql("INSERT INTO $_ SELECT i, 'first' FROM generate_series(1, 9) i")
  for qw(early late "La.te");
$pair->source_sql("INSERT INTO bare VALUES ('first')");
$pair->clone;

# Copies a table anew, as of now.
sub copy_again
{
	my ($table) = @_;
	my $lsn = $pair->source_sql('SELECT pg_current_wal_insert_lsn()');
	my $rows = $pair->source_sql("SELECT coalesce(json_agg(t), '[]') FROM $table t");

	$pair->target_sql(
		"TRUNCATE $table;
		 INSERT INTO $table
		 SELECT (json_populate_record(NULL::$table, r)).*
		 FROM json_array_elements(\$\$$rows\$\$) r");
	return $lsn;
}

sub set_watermark
{
	my ($name, $lsn) = @_;

	$pair->target_sql(
		"INSERT INTO penstock.table_state
		 VALUES ('shop', 'public', '$name', 'ready', '$lsn')");
}

$pair->target_sql(
	'CREATE TABLE IF NOT EXISTS penstock.table_state (pipeline text NOT NULL,
		schema_name text NOT NULL, table_name text NOT NULL,
		state text NOT NULL, watermark pg_lsn NOT NULL, slot_name text,
		created boolean NOT NULL DEFAULT false,
		PRIMARY KEY (pipeline, schema_name, table_name))');

# Transactions that change all of them, before and after the watermarks.
sub change_all
{
	my ($n) = @_;

	$pair->source_sql(
		"BEGIN;
		 INSERT INTO early VALUES ($n, 'new');
		 INSERT INTO late VALUES ($n, 'new');
		 INSERT INTO \"La.te\" VALUES ($n, 'new');
		 INSERT INTO bare VALUES ('new $n');
		 UPDATE early SET id = id + 1000 WHERE id = 1 + $n % 7;
		 UPDATE late SET id = id + 1000 WHERE id = 1 + $n % 7;
		 UPDATE \"La.te\" SET id = id + 1000 WHERE id = 1 + $n % 7;
		 DELETE FROM late WHERE id = $n - 1;
		 COMMIT");
}

change_all(100);
$pair->source_sql('TRUNCATE early, late');
change_all(101);
set_watermark('late', copy_again('late'));
change_all(102);
$pair->source_sql('TRUNCATE "La.te", late');
change_all(103);
set_watermark('La.te', copy_again('"La.te"'));
set_watermark('bare', copy_again('bare'));
change_all(104);
$pair->follow_to_end;
$pair->equal_ok('three copies of other moments than the pipeline');
is($pair->target_sql('SELECT string_agg(v, \',\' ORDER BY v) FROM bare'),
	'first,' . join(',', map { "new $_" } 100 .. 104),
	'a table without a key has each row once');

change_all(105);
$pair->follow_to_end;
$pair->equal_ok('behind all watermarks');

$pair->run_or_die('drop');
is($pair->target_sql("SELECT count(*) FROM pg_namespace
	WHERE nspname = 'penstock'"), 0, 'drop takes the watermarks with it');

from_standby();
done_testing();


# ---- From a standby ----

# Its rows are of a later moment than the slot, while the source goes on.
sub from_standby
{
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$pair->recreate_target;
	$pair->pgbench_init(1);
	$pair->source->backup('base');
	$standby->init_from_backup($pair->source, 'base', has_streaming => 1);
	$standby->start;
	$pair->fails_like(1, qr/is not a standby/, 'a copy from what is no standby',
		'clone', '--copy-from=' . $pair->conninfo('source'));

	my $writers = $pair->start_pgbench('--client=2', '--rate=200');
	my ($status, undef, $log) = $pair->run('clone',
		'--copy-from=' . $standby->connstr($pair->name));
	is($status, 0, 'a copy from a standby');
	my ($position, $start) =
	  $log =~ m{rows are read from the standby, as of (\S+), .* at (\S+)};
	ok($position, 'it says how standby and slot were matched');
	is($standby->safe_psql('postgres', 'SELECT pg_is_wal_replay_paused()'),
		'f', 'the standby goes on');
	$pair->wait_for_sql('source',
		"SELECT pg_current_wal_lsn() > '$position'::pg_lsn + 10000");
	$pair->end_pgbench($writers);
	is($pair->source_sql("SELECT '$position'::pg_lsn > '$start'::pg_lsn"),
		't', 'the rows are newer than the slot');
	$pair->follow_to_end;
	$pair->equal_ok('followed after a copy from a standby');
	standby_of_sibling($standby);
}

# It has the identifier of the system, and goes on with what another server has
# written since that was promoted.
sub standby_of_sibling
{
	my ($standby) = @_;
	my $sibling = PostgreSQL::Test::Cluster->new('sibling');

	$sibling->init_from_backup($pair->source, 'base', has_streaming => 1);
	$sibling->start;
	$pair->source->wait_for_catchup($sibling, 'replay', $pair->source_lsn);
	$sibling->promote;
	$standby->stop;
	$standby->enable_streaming($sibling);
	$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = -1');
	$standby->start;
	$sibling->safe_psql($pair->name, 'CREATE TABLE elsewhere (n int)');
	$sibling->wait_for_catchup($standby, 'replay',
		$sibling->lsn('insert'));
	$pair->run_or_die('drop');
	$pair->recreate_target;
	$pair->fails_like(1, qr/WAL that is not in the source's history.*timeline 2/s,
		'a copy from a standby of a promoted sibling', 'clone',
		'--copy-from=' . $standby->connstr($pair->name));
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots
			WHERE slot_name = \'' . $pair->name . q(')),
		0, 'is refused before anything is made');
	$_->stop for $standby, $sibling;
}
