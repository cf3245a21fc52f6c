# Single tables: into a pipeline that runs, copied anew, aside and back, and out
# of it, while the other tables go on being followed.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $ROWS = 200_000;

# What the others may lag behind while a table joins: much more than a slow machine
# needs, and less than a follower that waits for something that does not come.
my $LAG_S = 10;

my $pair = Penstock::Pair->new(publish => 'TABLE mark');
$pair->pgbench_init(1);
$pair->source_sql(<<"END");
CREATE TABLE others (id integer PRIMARY KEY, n bigint NOT NULL DEFAULT 0);
INSERT INTO others SELECT n FROM generate_series(1, 1000) n;
ALTER PUBLICATION shop ADD TABLE others, pgbench_accounts, pgbench_branches,
	pgbench_tellers;
ALTER TABLE pgbench_history ADD id bigserial PRIMARY KEY;
CREATE TYPE shade AS ENUM ('light', 'dark');
CREATE TABLE big (id integer PRIMARY KEY, n bigint NOT NULL, shade shade,
	note text);
CREATE INDEX ON big (n);
INSERT INTO big SELECT n, n, 'dark', 'note ' || n FROM generate_series(1, $ROWS) n;
END
$pair->clone;
my $follower = $pair->start('follow');
my $script = script('writes', <<"END");
\\set id random(1, 1000)
\\set big random(101, $ROWS)
BEGIN;
UPDATE others SET n = n + 1 WHERE id = :id;
UPDATE big SET n = n + 1, shade = 'light' WHERE id = :big;
END;
END
my $writer = start_writer();

# A table that is new.
my ($status, $lag) = run_and_measure('table', 'add', 'big');
is($status, 0, 'a table is added while it is written to');
cmp_ok($lag, '<', $LAG_S, 'the others do not wait for it');
$pair->wait_caught_up($follower);
is(states(), 'big ready', 'it is ready');
is(slots(), 'shop', 'its own slot is gone');
is( $pair->target_sql('SELECT count(*) FROM pg_indexes
		WHERE tablename = \'big\''),
	2, 'it has its indexes');
($status) = $pair->run('table', 'add', 'big');
is($status, 0, 'to add it again is no mistake');

# What is wrong on the target is put right: rows that nobody writes to meanwhile,
# which would be a conflict before the table is aside.
$pair->target_sql('DELETE FROM big WHERE id <= 100');
($status, $lag) = run_and_measure('table', 'resync', 'big');
is($status, 0, 'a table that was damaged is copied anew');
cmp_ok($lag, '<', $LAG_S, 'the others do not wait for that either');
at_rest('after resync');

# Aside, with and without its changes.
for my $keep (0, 1)
{
	my $title = $keep ? 'kept' : 'not kept';

	($status) = $pair->run('table', 'pause', ($keep ? '--keep' : ()),
		'public.big');
	is($status, 0, "it is paused, changes $title");
	is(states(), 'big paused', "and is $title");
	is(slots(), $keep ? 'shop, ' . own_slot() : 'shop',
		'the source keeps what it should');
	$pair->wait_caught_up($follower);
	my $before = $pair->target_sql('SELECT sum(n) FROM big');
	my $others = $pair->target_sql('SELECT sum(n) FROM others');
	wait_until('the others to go on',
		sub { $pair->target_sql('SELECT sum(n) FROM others') > $others });
	is($pair->target_sql('SELECT sum(n) FROM big'),
		$before, 'it stands still');
	($status, $lag) = run_and_measure('table', 'resume', 'big');
	is($status, 0, "it is resumed, changes $title");
	cmp_ok($lag, '<', $LAG_S, 'the others do not wait');
	at_rest("after a pause, changes $title");
}

# Out of the pipeline.
($status) = $pair->run('table', 'remove', 'big');
is($status, 0, 'it is removed');
my $before = $pair->target_sql('SELECT sum(n) FROM big');
$pair->wait_caught_up($follower);
is($pair->target_sql('SELECT sum(n) FROM big'),
	$before, 'what the target has stays as it was');
is( $pair->source_sql(
		"SELECT count(*) FROM pg_publication_tables WHERE tablename = 'big'"),
	0, 'it is not published any more');
$pair->fails_like(1, qr/table "public"."big" on target is not empty/,
	'its rows are not thrown away by accident', 'table', 'add', 'big');
$pair->target_sql('DROP TABLE big');
($status) = $pair->run('table', 'add', 'big');
is($status, 0, 'it is added once more');
at_rest('at the end');
$pair->end_pgbench($writer);
$pair->stop_ok($follower);

$pair->run_or_die('drop');
is($pair->target_sql("SELECT to_regnamespace('penstock') IS NULL"),
	't', 'nothing of it is left');

done_testing();

# Nobody writes for a moment: both sides are the same.
sub at_rest
{
	my ($title) = @_;

	$pair->end_pgbench($writer);
	$pair->wait_caught_up($follower);
	is(digest('target', $_), digest('source', $_), "$title: $_ is equal")
	  for qw(big others);
	$writer = start_writer();
}

sub start_writer
{
	return $pair->start_pgbench('--client=2', '--rate=200', "--file=$script");
}

sub digest
{
	my ($side, $table) = @_;
	my $sql = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM $table t";

	return $side eq 'source' ? $pair->source_sql($sql) : $pair->target_sql($sql);
}

# The longest time for which the target showed nothing new of a row that the
# source changed.
sub run_and_measure
{
	my @command = @_;
	my $process = $pair->start(@command);
	my $longest = 0;

	while ($process->is_running)
	{
		my $started = time;
		my $n = $pair->source_sql(
			'UPDATE others SET n = n + 1 WHERE id = 1000 RETURNING n');

		wait_until('a change to arrive',
			sub { $pair->target_sql('SELECT n FROM others WHERE id = 1000') >= $n });
		my $seconds = time - $started;
		$longest = $seconds if $seconds > $longest;
	}
	note sprintf 'longest lag: %.2f s', $longest;
	note $process->log;
	return ($process->wait_exit, $longest);
}

sub states
{
	return $pair->target_sql("SELECT string_agg(table_name || ' ' || state, ', '
		ORDER BY table_name) FROM penstock.table_state");
}

sub slots
{
	return $pair->source_sql("SELECT string_agg(slot_name, ', '
		ORDER BY slot_name) FROM pg_replication_slots");
}

sub own_slot
{
	return 'shop_t' . $pair->source_sql("SELECT 'big'::regclass::oid");
}

sub script
{
	my ($name, $text) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";

	PostgreSQL::Test::Utils::append_to_file($file, $text);
	return $file;
}
