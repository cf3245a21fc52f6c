# What would make a copy fail when its rows are there, is asked before: foreign
# keys of partitions by "clone", and whatever "clone" asks by "table", too.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Nodes;
use Penstock::Pair;

my $FAILED = 1;

# Parents with partitions whose columns are in another order.
my $PARTITIONED = <<'END';
CREATE TABLE par (id int PRIMARY KEY, kept bool) PARTITION BY RANGE (id);
CREATE TABLE par_1 PARTITION OF par FOR VALUES FROM (0) TO (100);
CREATE TABLE par_2 (kept bool, id int PRIMARY KEY);
ALTER TABLE par ATTACH PARTITION par_2 FOR VALUES FROM (100) TO (200);
CREATE TABLE kid (id int PRIMARY KEY, p int REFERENCES par)
	PARTITION BY RANGE (id);
CREATE TABLE kid_1 PARTITION OF kid FOR VALUES FROM (0) TO (1000);
INSERT INTO par SELECT i, i <> 107 FROM generate_series(1, 150) i;
INSERT INTO kid SELECT i, i FROM generate_series(1, 150) i;
END
my $UNFULFILLED =
  qr/foreign key "kid_p_fkey" of table "public"\."kid" cannot be fulfilled/;

my $pair = Penstock::Pair->new;

filtered_partitions();
placed_partitions();
table_keys();
table_privileges();
table_columns();
done_testing();

sub is_untouched
{
	my ($db, $title) = @_;

	is( $db->target_sql(
			"SELECT count(*) FROM penstock.table_state WHERE state = 'copying'"),
		0,
		"$title: nothing is begun");
}

sub filtered_partitions
{
	my $db = $pair->with_database('filtered', publish => '');

	$db->source_sql($PARTITIONED);
	for my $kind ('root', 'leaf')
	{
		my $by_root = $kind eq 'root';
		my $tables = $by_root ? 'par WHERE (kept), kid'
			: 'par_1 WHERE (kept), par_2 WHERE (kept), kid';

		$db->source_sql("CREATE PUBLICATION filtered FOR TABLE mark, $tables
			WITH (publish_via_partition_root = $by_root)"
			=~ s/= \)/= false)/r =~ s/= 1\)/= true)/r);
		$db->fails_like($FAILED, $UNFULFILLED, "a filter, published by $kind",
			'clone');
		$db->source_sql('DELETE FROM kid WHERE p = 107');
		$db->clone;
		is($db->target_sql('SELECT count(*) FROM par JOIN kid ON p = par.id'),
			149, "without these rows it clones: by $kind");
		$db->run_or_die('drop');
		$db->recreate_target;
		$db->source_sql('DROP PUBLICATION filtered;
			INSERT INTO kid VALUES (107, 107)');
	}
}

sub placed_partitions
{
	my $nodes = Penstock::Nodes->new(
		pair => $pair->with_database('placed'), count => 2,
		placement => [
			'public.par_1 = hash(id)', 'public.par_2 = hash(id)',
			'public.kid_1 = hash(id)', '* = all' ]);

	$nodes->pair->source_sql($PARTITIONED);
	$nodes->fails_like($FAILED, qr/$UNFULFILLED.*nodes where those of table "public"\."par"/s,
		'partitions that are placed by other columns', 'clone');
}

# Keys to other tables are left out, so nothing is in the way of the rows.
sub table_keys
{
	my $db = $pair->with_database('keys', publish => 'TABLE mark');

	$db->clone;
	$db->source_sql($PARTITIONED);
	$db->source_sql('ALTER PUBLICATION keys ADD TABLE kid');
	$db->run_or_die('table', 'add', 'public.kid');
	is($db->target_sql('SELECT count(*) FROM kid'), 150,
		'a table that refers to one that is not there is added');
}

sub table_privileges
{
	my $db = $pair->with_database('privileges');

	$db->clone;
	$db->source_sql('CREATE ROLE reader LOGIN REPLICATION;
		CREATE TABLE s (id serial PRIMARY KEY);
		INSERT INTO s SELECT FROM generate_series(1, 10);
		GRANT SELECT ON s, mark TO reader');
	$db->set_conninfo('source', $db->source->connstr($db->name) . ' user=reader');
	$db->fails_like($FAILED, qr/sequence/,
		'a sequence that may not be read', 'table', 'add', 'public.s');
	is_untouched($db, 'a sequence');
	$db->source_sql('GRANT SELECT ON SEQUENCE s_id_seq TO reader;
		ALTER TABLE s OWNER TO reader');
	$db->fails_like($FAILED, qr/"?reader"?/, 'a role that is not there', 'table',
		'add', 'public.s');
	is_untouched($db, 'a role');
	$db->target_sql('CREATE ROLE reader');
	$db->run_or_die('table', 'add', 'public.s');
	is($db->target_sql("SELECT count(*), nextval('s_id_seq') FROM s"),
		'10|11', 'then it is added');
}

# A table is not emptied for rows that it cannot take.
sub table_columns
{
	my $db = $pair->with_database('columns');

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY, v text);
		INSERT INTO t VALUES (1, 1)');
	$db->clone;
	$db->target_sql('ALTER TABLE t RENAME v TO other');
	$db->fails_like($FAILED, qr/table "public"\."t" on target has no column "v"/,
		'a column that is not there', 'table', 'resync', 'public.t');
	is_untouched($db, 'a column');
	is($db->target_sql('SELECT * FROM t'), '1|1', 'nor are rows removed');
}
