# The watchdog: who keeps a target from getting anything, that it is over, and
# that the source keeps too much WAL.

use strict;
use warnings;

use Test::More;

use Penstock::Metrics;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $pair = Penstock::Pair->new(target => ['max_prepared_transactions = 5']);
my $metrics = Penstock::Metrics->new;

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, text text)');
$pair->source_sql("INSERT INTO t VALUES (1, 'one')");
$pair->clone;
my $follower = $pair->start('follow', $metrics->option, '--heartbeat=1', '--watchdog=2',
	'--slot-wal-warning=16MB');
$follower->wait_log(qr/following with slot/);

# ---- Somebody has a row ----

my $locker = Penstock::Session->new($pair->target, $pair->name);
$locker->run('BEGIN', "UPDATE t SET text = 'secret of 4711' WHERE id = 1");
my $pid = holder();
$pair->source_sql("UPDATE t SET text = 'two' WHERE id = 1");
$follower->wait_log(qr/warning watchdog: target is stuck: nothing was applied there for \d+ s/);
my ($report) = $follower->log =~ /(target is stuck.*)/s;
like($report, qr/has waited since .* for \w+Lock on table public\.t, which session $pid has/,
	'who waits, for which lock and table, and who has it');
like($report, qr/user "[^"]+", application "136_watchdog\.t", idle in transaction, in a transaction since \d/,
	'who that is, and since when');
like($report, qr/its last statement is UPDATE t SET text = \? WHERE id = \?;/,
	'and what it does, without values');
unlike($report, qr/secret|4711/, 'not one of them');
is($metrics->value('penstock_target_stuck'), 1, 'the metrics say so, too');
$locker->end('COMMIT');
$follower->wait_log(qr/info watchdog: target is not stuck any more/);
wait_until('the metrics to say that it is over',
	sub { $metrics->value('penstock_target_stuck') == 0 });
cmp_ok($metrics->value('penstock_target_stalls_total'), '>=', 1, 'it is counted');

# ---- Somebody has the table ----

$locker = Penstock::Session->new($pair->target, $pair->name);
$locker->run('BEGIN', 'LOCK TABLE t');
$pid = holder();
$pair->source_sql("INSERT INTO t VALUES (2, 'two')");
wait_until('a second report',
	sub { (() = $follower->log =~ /has waited since/g) == 2 });
like(($follower->log =~ /.*(has waited since.*)/s)[0],
	qr/for RowExclusiveLock on table public\.t, which session $pid has/, 'the lock is named');

# ---- The source keeps more and more WAL meanwhile ----

$pair->source_sql("SELECT count(pg_logical_emit_message(false, 'x', repeat('x', 1000000)))"
	  . ' FROM generate_series(1, 20)');
$follower->wait_log(qr/warning watchdog: slot "@{[$pair->name]}" keeps \d+ MB of WAL on the source/);
$locker->end('COMMIT');
wait_until('that to be over, too',
	sub { (() = $follower->log =~ /target is not stuck any more/g) >= 2 });

# ---- A prepared transaction has a row ----

$pair->wait_caught_up;
$pair->target_sql("BEGIN; UPDATE t SET text = 'held' WHERE id = 1; PREPARE TRANSACTION 'held'");
$pair->source_sql("UPDATE t SET text = 'three' WHERE id = 1");
$follower->wait_log(
	qr/on table public\.t, which a prepared transaction \(see pg_prepared_xacts\) has\./);
pass('a prepared transaction is told as one');
$pair->target_sql("ROLLBACK PREPARED 'held'");
wait_until('that to be over',
	sub { (() = $follower->log =~ /target is not stuck any more/g) >= 3 });

# ---- An idle one ----

$pair->wait_caught_up;
my $before = () = $follower->log =~ /target is stuck/g;
Penstock::Poll::pause(3);
is((() = $follower->log =~ /target is stuck/g), $before, 'an idle target is not stuck');
$pair->stop_ok($follower);

done_testing();

# The PID of the session whose transaction is open on the target.
sub holder
{
	return $pair->target_sql("SELECT pid FROM pg_stat_activity WHERE application_name ="
		  . " '136_watchdog.t' AND state = 'idle in transaction'");
}
