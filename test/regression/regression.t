# PostgreSQL's own regression database: its tests are run on the source, which
# leaves some six hundred tables of every kind and type; they are cloned, and
# then changed at random and followed, once in each way to apply.  At the end
# both databases hold the same rows and the same schema.
#
# What the tests themselves say does not matter here: of another minor version,
# or with another locale, some of them are expected to fail.
#
# SEED=… repeats a run.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Pair;
use Regression qw(start_tests wait_for failed_tests copy_roles);

# How much of a table a statement changes.
my $ROWS = 40;

# Each with the options of the follower, who has to be told that they are to
# change the pipeline.
my @MODES = (
	[ 'batch' ],
	[ 'transaction', '--apply=transaction' ],
	[ 'lanes', '--apply=transaction', '--lanes=4' ],
	[ 'without streaming', '--apply=batch', '--lanes=1', '--streaming=off' ],
	[ 'zstd', '--compression=zstd' ],
);

my $seed = $ENV{SEED} || time % 100000;
my $database = 'regression';

note("SEED=$seed");

my @SERVER = (
	'max_prepared_transactions = 4',
	'logical_decoding_work_mem = 64kB',
	'max_locks_per_transaction = 256',
	'max_replication_slots = 20',
);
my $pair = Penstock::Pair->new(
	database => $database,
	publish => '',
	source => \@SERVER,
	target => \@SERVER);

# All that they leave in the database is what is wanted of them.
my $process = start_tests($pair);
wait_for($process);
note('regression tests that failed, of this server: ',
	failed_tests($pair, $process));
give_identities();
$pair->source_sql("CREATE PUBLICATION $database FOR ALL TABLES");
my $tables = $pair->source_sql("SELECT count(*) FROM pg_publication_tables");
cmp_ok($tables, '>', 400, "the source has its $tables tables");
copy_roles($pair);
$pair->clone('--jobs=4');
$pair->equal_ok('cloned');
schemas_equal_ok('cloned');

for my $mode (@MODES)
{
	my ($name, @options) = @$mode;
	my $statements = change_everything();

	cmp_ok($statements, '>', $tables, "$name: $statements statements");
	$pair->follow_to_end('--set', @options);
	$pair->equal_ok("followed, $name");
}
schemas_equal_ok('followed');
done_testing();

# The source wants to know which row is meant.
sub give_identities
{
	$pair->source_sql(<<'END');
DO $$
DECLARE t regclass;
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace >= 2200
			AND c.relpersistence = 'p' AND c.relreplident <> 'f'
			AND NOT EXISTS (SELECT FROM pg_index i
				WHERE i.indrelid = c.oid AND i.indisvalid
					AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
						ELSE i.indisreplident END)
	LOOP
		EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t);
	END LOOP;
END $$;
END
}

# A few statements on each table, in a transaction of its own.  One that the
# table refuses (for a key, a check, a trigger) is no harm; returns how many were
# taken.  Many tables have no key, so each changed row is looked for among all.
sub change_everything
{
	my $taken = $pair->source_sql(<<"END");
SELECT setseed(($seed % 1000) / 1000.0);
SET client_min_messages = error;
CREATE TEMPORARY TABLE taken AS SELECT 0 AS n;
CREATE PROCEDURE pg_temp.try(statement text) LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE statement;
	UPDATE pg_temp.taken SET n = n + 1;
EXCEPTION WHEN OTHERS THEN
	NULL;
END \$\$;
DO \$\$
DECLARE
	tab record;
	col record;
	chosen text;
BEGIN
	FOR tab IN SELECT c.oid, c.relkind, c.oid::regclass::text AS name
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
			AND n.nspname NOT IN ('pg_catalog', 'information_schema')
			AND c.relname <> 'mark'
		ORDER BY random()
	LOOP
		chosen := format('(SELECT ctid FROM ONLY %s ORDER BY random() LIMIT $ROWS)',
			tab.name);
		CALL pg_temp.try(format(
			'INSERT INTO %s SELECT * FROM %1\$s ORDER BY random() LIMIT $ROWS',
			tab.name));
		CALL pg_temp.try(format(
			'INSERT INTO %s SELECT * FROM %1\$s LIMIT 5 ON CONFLICT DO NOTHING',
			tab.name));
		FOR col IN SELECT quote_ident(attname) AS name FROM pg_attribute
			WHERE attrelid = tab.oid AND attnum > 0 AND NOT attisdropped
				AND attgenerated = '' ORDER BY random() LIMIT 2
		LOOP
			CALL pg_temp.try(format(
				'UPDATE ONLY %s AS t SET %s = (SELECT o.%2\$s FROM %1\$s AS o
					ORDER BY random() LIMIT 1)
				  WHERE ctid = ANY (ARRAY%s)', tab.name, col.name, chosen));
		END LOOP;
		CALL pg_temp.try(format(
			'DELETE FROM ONLY %s WHERE ctid = ANY (ARRAY%s) AND random() < 0.5',
			tab.name, chosen));
		COMMIT;
	END LOOP;
END \$\$;
SELECT n FROM taken;
END
	$seed++;
	return (split /\n/, $taken)[-1];
}

# What pg_dump says of both sides: the same, but for the order of a table's
# columns.
sub schemas_equal_ok
{
	my ($title) = @_;
	my ($source, $target) = map { schema($_) } qw(source target);
	my %seen;

	$seen{$_}++ for @$source;
	$seen{$_}-- for @$target;
	my @differ = grep { $seen{$_} } sort keys %seen;
	is(scalar @differ, 0, "$title: the schemas are equal");
	splice @differ, 40 if @differ > 40;
	diag(map { ($seen{$_} > 0 ? '-' : '+') . " $_\n" } @differ);
}

# The statements of a dump, each with its lines in an order that does not
# depend on that of columns.
sub schema
{
	my ($side) = @_;
	my ($text, $said);

	IPC::Run::run(
		[
			'pg_dump', '--schema-only', '--no-sync',
			'--exclude-schema=penstock', '--no-publications',
			$pair->{$side}->connstr($database)
		],
		'>', \$text, '2>', \$said)
	  or die "pg_dump failed: $said";
	$text =~ s/^\\(?:un)?restrict .*\n//mg;
	return [
		map { s/,$//mg; join "\n", sort split /\n/ }
		grep { /\S/ && !/^--/ } split /;\n\n/, $text
	];
}
