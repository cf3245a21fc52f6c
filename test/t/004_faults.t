# What goes wrong around the consumer while it follows: connections break,
# servers stop and crash, locks are in the way.  It heals by itself each time,
# and nothing is lost or there twice.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);
use Penstock::Proxy;

my $CLIENTS = 2;
my $SENDER_TIMEOUT_S = 2;

# PENSTOCK_SEED repeats a run, as far as moments can be repeated.
my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

# What is lost in a crash must be what a real one would lose.  The target's
# log is written late, so that there is something to lose.
my $pair = Penstock::Pair->new(
	source => [ "wal_sender_timeout = '${SENDER_TIMEOUT_S}s'", 'fsync = on' ],
	target => [ 'fsync = on', 'wal_writer_delay = 10s',
		'wal_writer_flush_after = 1GB', 'deadlock_timeout = 3s' ]);
$pair->pgbench_init(1);
$pair->source_sql('CREATE TABLE numbered (number bigserial, filler text)');
my $script = "$PostgreSQL::Test::Utils::tmp_check/faults.sql";
append_to_file($script, "INSERT INTO numbered (filler) VALUES ('x');\n");
$pair->clone;

my $writers;
my $follower = $pair->start('follow');

start_writers();
for my $round (1 .. 3)
{
	wait_applied_more();
	terminate('source', "backend_type = 'walsender'");
}
finish_ok('walsender terminated, three times');

start_writers();
for my $round (1 .. 3)
{
	wait_applied_more();
	terminate('target', "application_name LIKE 'penstock%'
		AND datname = current_database()");
}
finish_ok('sessions on the target terminated, three times');

for my $mode (qw(fast immediate))
{
	start_writers();
	wait_applied_more();
	$pair->target->restart if $mode eq 'fast';
	if ($mode eq 'immediate')
	{
		$pair->target->stop('immediate');
		$pair->target->start;
	}
	wait_applied_more();
	finish_ok("target stopped ($mode) and started again");
}

for my $mode (qw(fast immediate))
{
	start_writers();
	wait_applied_more();
	# pgbench does not survive it.
	$pair->source->stop($mode);
	$writers->wait_exit;
	$pair->source->start;
	start_writers();
	wait_applied_more();
	finish_ok("source stopped ($mode) and started again");
}

# Commits that the target had made and then lost in a crash.  Whether there are
# any is a matter of moments: until there are.
my $lost = 0;
for my $round (1 .. 20)
{
	start_writers();
	wait_applied_more();
	# What it applies again before one looks would hide the loss.
	$follower->signal('STOP');
	my $had = $pair->progress_lsn;
	$pair->target->stop('immediate');
	$pair->target->start;
	$lost = $pair->target_sql("SELECT end_lsn < '$had' FROM penstock.progress
		WHERE pipeline = 'shop'") eq 't';
	$follower->signal('CONT');
	end_writers();
	$pair->wait_caught_up($follower);
	last if $lost;
}
ok($lost, 'the target lost commits in a crash');
equal_ok('after the loss');

# A lock on the target, for longer than wal_sender_timeout.
start_writers();
wait_applied_more();
my $other = $pair->target->background_psql($pair->name, on_error_stop => 0);
my $walsender = $pair->source_sql(
	'SELECT active_pid FROM pg_replication_slots');
$other->query_safe('BEGIN; LOCK TABLE numbered');
$pair->wait_for_sql('target',
	"SELECT count(*) > 0 FROM pg_locks WHERE NOT granted");
pause(2 * $SENDER_TIMEOUT_S);
is( $pair->source_sql('SELECT active_pid FROM pg_replication_slots'),
	$walsender,
	'a follower that waits for a lock keeps its connection to the source');
$other->query_safe('COMMIT');
finish_ok('lock on the target for so long');

# Locks of somebody else on the target deadlock with ours: each of the two holds
# what the other one wants.  Which tables ours holds when it meets the lock is a
# matter of moments; the server ends the one of them that is quicker to look.
# Ours looks once, after the target's deadlock_timeout: by then the other one has
# to have come to its second lock.
start_writers();
$other->query_safe("SET deadlock_timeout = '20s'");
for my $round (1 .. 20)
{
	wait_applied_more();
	$other->query_safe(
		'BEGIN; LOCK TABLE pgbench_branches IN SHARE MODE');
	$pair->wait_for_sql('target',
		'SELECT count(*) > 0 FROM pg_locks WHERE NOT granted');
	$other->query_safe('LOCK TABLE pgbench_accounts IN SHARE MODE');
	$other->query_safe('ROLLBACK');
	last if $follower->log =~ /deadlock detected/;
}
$other->quit;
finish_ok('locks of another session on the target');
like($follower->log, qr/target reports: deadlock detected/,
	'there was a deadlock');

# Stopped for longer than wal_sender_timeout: the source hangs up meanwhile.
start_writers();
wait_applied_more();
$follower->signal('STOP');
$pair->wait_for_sql('source', 'SELECT NOT active FROM pg_replication_slots');
$follower->signal('CONT');
finish_ok('consumer stopped (SIGSTOP) and continued');
$pair->stop_ok($follower);

# Connections that break after so many bytes, in each direction.
for my $side (qw(source target))
{
	for my $direction (qw(request_bytes reply_bytes))
	{
		my @limits = cuts($side, $direction);
		my $proxy = Penstock::Proxy->start($pair->{$side}, sub {
			my ($number) = @_;
			my $limit = $limits[ $number - 1 ];
			return defined $limit ? { $direction => $limit } : {};
		});
		through($side, $proxy, "$side: $direction cut at @limits");
	}
}

# A commit that happens, but whose reply does not arrive.  A transaction is
# more than one message, so this is not the same as any byte.
my $proxy = Penstock::Proxy->start($pair->target, sub {
	my ($number) = @_;
	my $commits = 0;

	return {} if $number > 6;
	return {
		reply => sub {
			my ($type, $body) = @_;
			return 'CUT'
			  if $type eq 'C' && $body eq "COMMIT\0" && ++$commits == 3;
			return ($type, $body);
		} };
});
through('target', $proxy, 'replies to commits dropped');

changed_and_away();
done_testing();

# The writers write until they are ended.
sub start_writers
{
	$writers = $pair->start_pgbench("--client=$CLIENTS", '--rate=600',
		'--builtin=tpcb-like@2', "--file=$script\@1");
}

sub end_writers
{
	$pair->end_pgbench($writers);
}

# What was committed on the source by now arrives on the target.
sub wait_applied_more
{
	my $lsn = $pair->source_lsn;

	wait_until(
		"position $lsn on the target",
		sub {
			die "the follower has ended:\n" . $follower->log
			  unless $follower->is_running;
			return $pair->target_sql(
				"SELECT end_lsn >= '$lsn' FROM penstock.progress") eq 't';
		});
}

sub terminate
{
	my ($side, $condition) = @_;
	my $query = "SELECT count(pg_terminate_backend(pid))
		FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND $condition";

	wait_until("a session to terminate on the $side",
		sub { $pair->{$side}->safe_psql($pair->name, $query) > 0 });
}

# The writers stop, and all that they wrote arrives.
sub finish_ok
{
	my ($title) = @_;

	end_writers();
	$pair->wait_caught_up($follower);
	equal_ok($title);
}

sub equal_ok
{
	my ($title) = @_;

	$pair->equal_ok($title);
	is($pair->target_sql('SELECT count(*) - count(DISTINCT number)
		FROM numbered'), 0, "$title: no number is there twice");
}

# Some bytes behind the start, where connecting and starting is under way, and
# some far enough for a part of the work to be done.
sub cuts
{
	my ($side, $direction) = @_;
	# What the consumer tells the source is little.
	my $is_little = $side eq 'source' && $direction eq 'request_bytes';
	my @early = map { 1 + int rand($is_little ? 400 : 1500) } 1 .. 3;
	my @late = map { int rand($is_little ? 1000 : 60000) } 1 .. 5;

	return (@early, @late);
}

sub through
{
	my ($side, $proxy, $title) = @_;

	$pair->set_conninfo($side, $proxy->conninfo($pair->name));
	start_writers();
	$follower = $pair->start('follow');
	wait_applied_more() for 1 .. 5;
	finish_ok($title);
	my $retries = () = $follower->log =~ /trying again/g;
	# A cut may also meet a connection that has had all it wanted.
	cmp_ok($retries, '>=', 1, "$title: it happened");
	$pair->stop_ok($follower);
	$pair->set_conninfo($side, undef);
}

# A command changes what is followed, and before the follower can see that it
# was that, and no other consumer, nobody can connect to the target.
sub changed_and_away
{
	my $closed = "$PostgreSQL::Test::Utils::tmp_check/closed";
	my $proxy = Penstock::Proxy->start($pair->target,
		sub { return -e $closed ? { request_bytes => 0 } : {} });
	my $direct = $pair->conninfo('target');

	$pair->set_conninfo('target', $proxy->conninfo($pair->name));
	$follower = $pair->start('follow');
	$pair->wait_caught_up($follower);
	append_to_file($closed, '');
	$pair->set_conninfo('target', $direct);
	$pair->run_or_die('table', 'pause', 'numbered');
	$pair->source_sql('INSERT INTO mark DEFAULT VALUES');
	$follower->wait_log(qr/trying again/);
	unlink $closed;
	$pair->wait_caught_up($follower);
	unlike($follower->log, qr/taken over/,
		'a change that cannot be looked at is no other consumer');
	$pair->stop_ok($follower);
}
