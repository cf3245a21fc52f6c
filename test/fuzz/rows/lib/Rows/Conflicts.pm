# Rows that somebody changes on the target, under a policy for the conflicts
# that come of it: which must be noted, and what the target must have then.
#
# Whose key was changed there is noted on the target, in a table for each.  A
# conflict about any other key is a fault.  When nobody writes, each row of the
# source is touched once more: as many conflicts must be noted then as the
# target lacks rows.  Overwriting makes the two sides the same by that, but for
# the rows that the target alone was given; skipping leaves the noted keys as
# they are.
package Rows::Conflicts;

use strict;
use warnings;

use Exporter qw(import);

use Penstock::Process;
use Rows::Table qw(quote_ident);

our @EXPORT_OK = qw(tamper settle_conflicts);

my $TRIES = 15;

# An event: a few statements on the target.
sub tamper
{
	my ($round) = @_;

	return tamper_with($round,
		$round->random('happenings')->pick($round->schema->published));
}

sub tamper_with
{
	my ($round, $table) = @_;
	my $name = $table->name;
	my $noted = $table->noted_name;
	my $statements = $round->writers->some($table);

	# Statements of it may fail; the note of what the others did must not.
	$round->write_script('tamper', <<"END_OF_SQL");
\\set ON_ERROR_ROLLBACK on
SET lock_timeout = '700ms'; SET session_replication_role = replica;
BEGIN;
CREATE TABLE IF NOT EXISTS $noted (LIKE $name);
LOCK TABLE $name IN SHARE ROW EXCLUSIVE MODE;
CREATE TEMPORARY TABLE before ON COMMIT DROP AS TABLE $name;
$statements
DELETE FROM $name AS t WHERE abs(hashtext(t::text) % 6) = 0;
INSERT INTO $noted SELECT * FROM before b
 WHERE NOT EXISTS (SELECT FROM $name t WHERE t::text = b::text);
INSERT INTO $noted SELECT * FROM $name t
 WHERE NOT EXISTS (SELECT FROM before b WHERE t::text = b::text);
COMMIT;
END_OF_SQL
	for (1 .. $TRIES)
	{
		my $process = $round->psql('tamper', 'target');
		$round->tend_for(0.05) while $process->is_running;
		if ($process->log !~ /lock timeout|deadlock/)
		{
			$table->{is_noted} = 1;
			return $name;
		}
	}
	return;
}

# When nobody writes, and the target has all.
sub settle_conflicts
{
	my ($round) = @_;

	for my $table (grep { $_->{is_noted} } $round->schema->published)
	{
		tamper_with($round, $table);
		bring_keys($round, $table);
		my $missing = $round->pair->target_sql(missing_sql($table));
		my $before = count_conflicts($round, $table);
		my $column = $table->touched_column;
		$round->pair->source_sql(
			'UPDATE ' . $table->name . " SET $column = $column");
		$round->follow_to_end($table->name . ', touched');
		my $more = count_conflicts($round, $table) - $before;
		$round->say($table->name . ": $missing rows were missing, $before conflicts");
		$round->finding($table->name . ": $missing rows were missing, "
			  . "and $more conflicts noted") if $more != $missing;
		look_for_others($round, $table);
		$round->pair->target_sql(additional_sql($table))
		  if $round->schema->policy eq 'overwrite';
	}
}

sub keys_of
{
	my ($table) = @_;

	return join ', ', map { quote_ident($_) } $table->key;
}

# The keys that the source has, and those that were noted, on the other side.
sub bring_keys
{
	my ($round, $table) = @_;
	my $file = $round->directory . '/keys';
	my $keys = keys_of($table);
	my $noted = $table->noted_name;

	$round->pair->source_sql("COPY (SELECT $keys FROM "
		  . $table->name . ") TO '$file'");
	$round->pair->target_sql("DROP TABLE IF EXISTS public.source_keys;
		CREATE TABLE public.source_keys AS SELECT $keys FROM "
		  . $table->name . " LIMIT 0; COPY public.source_keys FROM '$file'");
	$round->pair->target_sql("COPY (SELECT $keys FROM $noted) TO '$file'");
	$round->pair->source_sql("DROP TABLE IF EXISTS $noted;
		CREATE TABLE $noted AS SELECT $keys FROM "
		  . $table->name . " LIMIT 0; COPY $noted FROM '$file'");
}

sub same_keys
{
	my ($table, $one, $other) = @_;

	return join ' AND ',
	  map { "$one.$_ = $other.$_" } map { quote_ident($_) } $table->key;
}

sub missing_sql
{
	my ($table) = @_;

	return 'SELECT count(*) FROM public.source_keys k WHERE NOT EXISTS
		(SELECT FROM ' . $table->name . ' t WHERE ' . same_keys($table, 't', 'k') . ')';
}

# What the target alone was given.
sub additional_sql
{
	my ($table) = @_;

	return 'SET session_replication_role = replica; DELETE FROM '
	  . $table->name . ' t WHERE EXISTS (SELECT FROM ' . $table->noted_name
	  . ' n WHERE ' . same_keys($table, 't', 'n')
	  . ') AND NOT EXISTS (SELECT FROM public.source_keys k WHERE '
	  . same_keys($table, 't', 'k') . ')';
}

sub count_conflicts
{
	my ($round, $table) = @_;

	return $round->pair->target_sql('SELECT count(*) FROM penstock.conflict
		WHERE (schema_name, table_name) = (' . $table->name_literals . ')');
}

# Keys are compared as values of their types: the ledger has them as text, which
# of some types is another one in each session.
sub look_for_others
{
	my ($round, $table) = @_;
	my $columns = join ', ',
	  map { quote_ident($_->{name}) . " $_->{type}{sql}" } $table->key_columns;
	my $others = $round->pair->target_sql(
		'SELECT c.operation, c.source_old, c.source_new FROM penstock.conflict c,
				jsonb_to_record(coalesce(source_old, source_new)) AS k(' . $columns . ')
		  WHERE (schema_name, table_name) = (' . $table->name_literals . ')
			AND NOT EXISTS (SELECT FROM ' . $table->noted_name . ' n
				WHERE ' . same_keys($table, 'n', 'k') . ')');

	$round->finding($table->name . ": conflicts nobody caused:\n$others")
	  if $others ne '';
}

1;
