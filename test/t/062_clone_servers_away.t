# Servers are restarted, crash or are unreachable while a clone runs: it waits and
# continues by itself, and what it leaves can be resumed.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

my $KILLED = 128 + 9;

# It copies small tables in parts.
local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $pair = Penstock::Pair->new;
$pair->source_sql(<<'END');
CREATE TABLE big (id int PRIMARY KEY, v text NOT NULL);
INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 10000) i;
CREATE INDEX ON big (md5(v));
CREATE VIEW large AS SELECT * FROM big;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM big;
END
$pair->source_sql("CREATE TABLE t$_ (id int PRIMARY KEY, v text);
	INSERT INTO t$_ SELECT i, 'v' FROM generate_series(1, 1000) i;
	ALTER TABLE t$_ ADD FOREIGN KEY (id) REFERENCES big") for 1 .. 5;

restarted($_) for qw(source target);
restarted_twice();
nothing_was_copied();
taken_over();
snapshot_lost();
stopped_while_it_waits();
done_testing();


# ---- Helpers ----

sub start_over
{
	wait_until('the slot to be free', sub {
		$pair->source_sql('SELECT count(*) FROM pg_replication_slots
			WHERE active') eq '0' });
	$pair->run_or_die('drop');
	$pair->recreate_target;
}

# When some tables are finished.
sub start_clone
{
	my (@options) = @_;
	my $clone = $pair->start('clone', '--max-rate=1MB/s', '--jobs=2', @options);

	$clone->wait_log(qr/copying \d+ tables?/);
	$pair->wait_for_sql('target', "SELECT parts_done > 1 FROM penstock.copy_table
		WHERE table_name = 'big'");
	return $clone;
}

sub ends_well
{
	my ($clone, $title) = @_;

	is($clone->wait_exit, 0, "$title: the clone ends with status 0")
	  or diag($clone->log);
	$pair->follow_to_end;
	$pair->equal_ok($title);
	is($pair->target_sql('SELECT count(*) FROM pg_indexes WHERE tablename = \'big\''),
		2, "$title: all indexes are there");
	is($pair->target_sql('SELECT count(*) FROM pg_constraint WHERE contype = \'f\''),
		5, "$title: all foreign keys are there");
	start_over();
}


# ---- Cases ----

sub restarted
{
	my ($side) = @_;

	for my $mode ('fast', 'immediate')
	{
		my $clone = start_clone();

		$pair->$side->stop($mode);
		$clone->wait_log(qr/the clone waits for its servers/);
		ok($clone->is_running, "$side is stopped, $mode: the clone waits");
		$pair->$side->start;
		$pair->source_sql('UPDATE big SET v = \'changed\' WHERE id % 100 = 0');
		$pair->source_sql('UPDATE t1 SET v = \'changed\'');
		ends_well($clone, "$side restarted, $mode");
		like($clone->log, qr/going on with the clone after/, 'and it says so');
	}
}

sub restarted_twice
{
	my $clone = start_clone();

	for my $count (1, 2)
	{
		$pair->target->stop('immediate');
		wait_until('it to wait', sub {
			(() = $clone->log =~ /the clone waits for its servers/g) == $count });
		$pair->target->start;
		wait_until('it to go on', sub {
			(() = $clone->log =~ /going on with the clone after/g) == $count });
	}
	ends_well($clone, 'twice');
}

# The source goes away while the slot waits for an open transaction.
sub nothing_was_copied
{
	my $open = Penstock::Session->new($pair->source, $pair->name);

	$open->run('BEGIN', 'INSERT INTO mark DEFAULT VALUES');
	my $clone = $pair->start('clone');
	$pair->wait_for_sql('source',
		"SELECT count(*) > 0 FROM pg_replication_slots WHERE active");
	$pair->source->stop('immediate');
	$clone->wait_log(qr/the clone waits for its servers/);
	$pair->source->start;
	ends_well($clone, 'while the slot was made');
}

# Who goes on with --resume is not disturbed by one that waits.
sub taken_over
{
	my $clone = start_clone();

	# Else it might be the one that is sooner back.
	$clone->signal('STOP');
	$pair->target->restart('immediate');
	my $other = $pair->start('clone', '--resume', '--max-rate=1MB/s');
	$other->wait_log(qr/copying \d+ tables?/);
	$clone->signal('CONT');
	isnt($clone->wait_exit, 0, 'the one that waited ends');
	is($other->wait_exit, 0, 'another one goes on') or diag($other->log);
	like($clone->log, qr/another clone goes on|there is no unfinished clone/,
		'and says why');
	$pair->follow_to_end;
	$pair->equal_ok('taken over');
	start_over();
}

# Only the session that holds the snapshot is ended.
sub snapshot_lost
{
	my $clone = start_clone();

	$pair->source_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE backend_type = 'walsender'");
	ends_well($clone, 'the snapshot is lost');
}

# A clone that is stopped while a server is away says how to go on, and that is
# true.
sub stopped_while_it_waits
{
	my $clone = start_clone();

	$pair->target->stop('fast');
	$clone->wait_log(qr/the clone waits for its servers/);
	isnt($clone->end('TERM'), $KILLED, 'it ends when it is told to');
	like($clone->log, qr/--resume\b.*" goes on with it/, 'and says how to go on');
	$pair->target->start;
	ends_well($pair->start('clone', '--resume'), 'resumed');
}
