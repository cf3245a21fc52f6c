# "penstock table" is killed at each point of its work, and run again; the
# follower is killed while it works.  The other tables go on, and in the end
# everything is there once.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until pause);

my $KILLED = 128 + 9;
my $ROWS = 20_000;

my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

# Where "add" and "resync" can die; the last ones leave something to go on with.
my @POINTS = (
	'table.copying', 'table.slot_created', 'table.rows', 'table.copied',
	'table.catching_up', 'table.joining', 'table.caught_up', 'table.ready');

my $pair = Penstock::Pair->new(publish => 'TABLE mark');
$pair->source_sql(<<"END");
CREATE TABLE others (id integer PRIMARY KEY, n bigint NOT NULL DEFAULT 0);
INSERT INTO others SELECT n FROM generate_series(0, 100) n;
ALTER PUBLICATION shop ADD TABLE others;
CREATE TABLE big (id integer PRIMARY KEY, n bigint NOT NULL);
INSERT INTO big SELECT n, n FROM generate_series(1, $ROWS) n;
END
$pair->clone;
my $follower = $pair->start('follow');
my $file = PostgreSQL::Test::Utils::tempdir() . '/writes.sql';
PostgreSQL::Test::Utils::append_to_file($file, <<"END");
\\set id random(1, 100)
\\set big random(1, $ROWS)
BEGIN;
UPDATE others SET n = n + 1 WHERE id = :id;
UPDATE big SET n = n + 1 WHERE id = :big;
END;
END
my $writer = start_writer();

# A table that is new, to which every point leads in its turn.
for my $point (@POINTS, 'table.created')
{
	dies_at($point, 'add', 'big');
	others_go_on("$point, add");
	$pair->run_or_die('table', 'add', 'big');
	is(states(), 'big ready', "$point: it is ready at last");
	as_it_should_be("$point, add");
	$pair->run_or_die('table', 'remove', 'big');
	$pair->target_sql('DROP TABLE big');
}

# One that is there.
$pair->run_or_die('table', 'add', 'big');
for my $point ('table.copying', 'table.rows', 'table.joining')
{
	dies_at($point, 'resync', 'big');
	others_go_on("$point, resync");
	$pair->run_or_die('table', 'resync', 'big');
	as_it_should_be("$point, resync");
}

# Paused with its changes, and resumed.
dies_at('table.slot_copied', 'pause', '--keep', 'big');
$pair->run_or_die('table', 'pause', '--keep', 'big');
for my $point (grep { /catching_up|joining|caught_up|ready/ } @POINTS)
{
	others_go_on("$point, paused");
	dies_at($point, 'resume', 'big');
	others_go_on("$point, resume");
	$pair->run_or_die('table', $point =~ /ready/ ? 'add' : 'resume', 'big');
	as_it_should_be("$point, resume");
	$pair->run_or_die('table', 'pause', '--keep', 'big');
}
$pair->run_or_die('table', 'resume', 'big');

# The follower dies instead, at any moment.
for my $round (1 .. 4)
{
	my $table = $pair->start('table', 'resync', 'big');

	pause(rand 0.6);
	$follower->signal('KILL');
	$follower->wait_exit;
	$follower = $pair->start('follow');
	is($table->wait_exit, 0, "round $round: the table does not mind")
	  or diag($table->log);
	as_it_should_be("the follower was killed, round $round");
}

# None runs at all.
$pair->stop_ok($follower);
$pair->run_or_die('table', 'resync', 'big');
$follower = $pair->start('follow');
as_it_should_be('no follower');

# Killed for good: "drop" removes what it left.
dies_at('table.catching_up', 'resync', 'big');
$pair->end_pgbench($writer);
$pair->stop_ok($follower);
$pair->run_or_die('drop');
is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
	0, 'no slot is left');
is($pair->target_sql("SELECT to_regnamespace('penstock') IS NULL"),
	't', 'nothing is left on the target');

done_testing();

sub dies_at
{
	my ($point, @command) = @_;
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = $point;
	my ($status, undef, $log) = $pair->run('table', @command);

	is($status, $KILLED, "$point, $command[0]: it dies") or diag($log);
}

# A change of another table arrives, though nothing goes on with the one that was
# left.
sub others_go_on
{
	my ($title) = @_;
	my $n = $pair->source_sql(
		'UPDATE others SET n = n + 1 WHERE id = 0 RETURNING n');

	wait_until('a change to arrive',
		sub { $pair->target_sql('SELECT n FROM others WHERE id = 0') >= $n });
	pass("$title: the others go on");
}

sub as_it_should_be
{
	my ($title) = @_;

	$pair->end_pgbench($writer);
	$pair->wait_caught_up($follower);
	for my $table (qw(big others))
	{
		my $sql = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM $table t";
		is($pair->target_sql($sql),
			$pair->source_sql($sql), "$title: $table is equal");
	}
	is( $pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
		1, "$title: no slot is left over");
	$writer = start_writer();
}

# Without a change from it while a table is copied, the table need not catch up.
sub start_writer
{
	my $sql = 'SELECT sum(n) FROM others WHERE id > 0';
	my $before = $pair->source_sql($sql);
	my $process =
	  $pair->start_pgbench('--client=2', '--rate=200', "--file=$file");

	wait_until('the writer to write', sub { $pair->source_sql($sql) > $before });
	return $process;
}

sub states
{
	return $pair->target_sql("SELECT string_agg(table_name || ' ' || state, ', '
		ORDER BY table_name) FROM penstock.table_state");
}
