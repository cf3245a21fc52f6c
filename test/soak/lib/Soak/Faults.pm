# The kinds of faults.  Each is a function of the soak test that goes on; it
# injects the fault, ends it, and returns a few words about what it did; or
# nothing, if the moment was not one for it.  That everything heals afterwards
# is for the caller to see.
package Soak::Faults;

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(time);

use Penstock::Poll qw(pause wait_until);

our @EXPORT_OK = qw(fault_kinds inject_fault crash_points);

# How long one waits for a moment at which a fault does something, before it is
# left for another time.
my $MOMENT_S = 10;

# Name => the most times that it is passed before the consumer dies there.
my %CRASH_POINTS = (
	'apply.after_commit' => 5,
	'apply.after_copy' => 2,
	'apply.before_commit' => 5,
	'apply.before_rollback' => 1,
	'apply.before_statement' => 100,
	'apply.commit_sent' => 5,
	'apply.open_txn' => 20,
	'stream.before_confirm' => 5,
	'stream.confirm_queued' => 5,
);

my %KINDS = (
	# The consumer itself.
	consumer_killed => \&consumer_killed,
	consumer_ended => \&consumer_ended,
	consumer_stopped => \&consumer_stopped,
	consumer_crash => \&consumer_crash,
	consumer_crash_thrice => \&consumer_crash_thrice,
	second_consumer => \&second_consumer,
	consumer_succeeded => \&consumer_succeeded,

	# Servers.
	source_fast => sub { restart_server($_[0], 'source', 'fast') },
	source_immediate => sub { restart_server($_[0], 'source', 'immediate') },
	target_fast => sub { restart_server($_[0], 'target', 'fast') },
	target_immediate => sub { restart_server($_[0], 'target', 'immediate') },
	both_immediate => \&both_immediate,
	source_backend_killed =>
	  sub { kill_backend($_[0], 'source', "backend_type = 'walsender'") },
	target_backend_killed =>
	  sub { kill_backend($_[0], 'target', "usename = 'follower'") },
	target_loses_commits => \&target_loses_commits,
	disk_full => \&disk_full,

	# Sessions.
	walsender_terminated => \&walsender_terminated,
	apply_terminated =>
	  sub { signal_apply($_[0], 'pg_terminate_backend', 1) },
	apply_cancelled => sub { signal_apply($_[0], 'pg_cancel_backend', 3) },
	rows_locked => \&rows_locked,
	deadlock => \&deadlock,
	role_timeouts => \&role_timeouts,
	slow_target => \&slow_target,

	# The network.
	source_cut => sub { cut($_[0], 'source') },
	target_cut => sub { cut($_[0], 'target') },
	source_stalled => sub { stall($_[0], 'source') },
	target_stalled => sub { stall($_[0], 'target') },
	source_cut_midway => sub { cut_midway($_[0], 'source') },
	target_cut_midway => sub { cut_midway($_[0], 'target') },
	commit_replies_dropped => \&commit_replies_dropped,
);

# Names of all kinds.
sub fault_kinds
{
	return sort keys %KINDS;
}

# Points that a follower passes.
sub crash_points
{
	return sort keys %CRASH_POINTS;
}

sub inject_fault
{
	my ($soak, $kind) = @_;

	return $KINDS{$kind}->($soak);
}


# ---- Helpers ----

sub seconds
{
	return sprintf '%.1f s', $_[0];
}

# The condition came true in time; the follower is looked after meanwhile.
sub comes_true
{
	my ($soak, $condition, $seconds) = @_;
	my $deadline = time + ($seconds || $MOMENT_S);

	until ($condition->())
	{
		return 0 if time > $deadline;
		pause(0.05);
		$soak->tend;
	}
	return 1;
}

# The process of the session that applies, on the target.
sub apply_pid
{
	my ($soak) = @_;

	return $soak->ask('target',
		"SELECT pid FROM pg_stat_activity
		  WHERE usename = 'follower' AND application_name = 'penstock'
		  ORDER BY backend_start DESC LIMIT 1") || undef;
}

sub has_waiting_apply
{
	my ($soak) = @_;

	return $soak->ask('target',
		"SELECT count(*) > 0 FROM pg_stat_activity
		  WHERE usename = 'follower' AND wait_event_type = 'Lock'") eq 't';
}

# The slot is in use.
sub is_streaming
{
	my ($soak) = @_;

	return $soak->ask('source',
		'SELECT bool_and(active) FROM pg_replication_slots') eq 't';
}


# ---- The consumer ----

sub consumer_killed
{
	my ($soak) = @_;
	my $times = $soak->random->integer(1, 3);

	for (1 .. $times)
	{
		pause($soak->random->between(0, 0.6));
		$soak->follower->tend;
		$soak->follower->kill;
	}
	return "$times times";
}

sub consumer_ended
{
	my ($soak) = @_;

	$soak->follower->restart;
	return 'SIGTERM';
}

sub consumer_stopped
{
	my ($soak) = @_;
	my $stall_s = $soak->random->between(0.2, 3.5);

	$soak->follower->process->signal('STOP');
	pause($stall_s);
	$soak->follower->process->signal('CONT');
	return 'SIGSTOP for ' . seconds($stall_s);
}

sub consumer_crash
{
	return crash($_[0], 1);
}

sub consumer_crash_thrice
{
	return crash($_[0], 3);
}

# The points take turns, so that all come up.
sub crash
{
	my ($soak, $times) = @_;
	my $follower = $soak->follower;
	my $point = $soak->next_crash_point($times);
	my @ways = map { "$point:" . $soak->random->integer(1, $CRASH_POINTS{$point}) }
	  1 .. $times;

	$follower->stop;
	my $before = $follower->starts;
	$follower->foresee_crashes(@ways);
	$follower->start;
	# The start behind the last death is the one that lives.
	return "@ways"
	  if comes_true($soak, sub { $follower->starts > $before + $times }, 30);
	$follower->restart;
	return;
}

# Somebody starts a second one beside it.
sub second_consumer
{
	my ($soak) = @_;

	return unless comes_true($soak, sub { is_streaming($soak) });
	my $first = $soak->follower->process;
	my $said_before = length $first->log;
	my $second = $soak->pair->start('follow');
	pause($soak->random->between(1, 3));
	# One that begins its stream again lets go of the slot for a moment, and
	# says so.
	$soak->check(
		!($first->is_running
			&& $second->log =~ /following with slot/
			&& substr($first->log, $said_before) !~
			/begins again|starting again|trying again/),
		'of two consumers one waits');
	$second->signal('TERM');
	my $status = $second->wait_exit;
	$soak->check($status == 0 || $status == 1,
		"the second consumer ends in good order (status $status)");
	return 'beside the first';
}

# The first one seems dead, and a second one takes its place; but then the
# first one awakes.
sub consumer_succeeded
{
	my ($soak) = @_;
	my $first = $soak->follower->process;

	return unless comes_true($soak, sub { is_streaming($soak) });
	$first->signal('STOP');
	my $second = $soak->pair->start('follow');
	# The source has to notice, and pauses between attempts have grown.
	my $took_over = comes_true($soak,
		sub { $second->log =~ /following with slot/ }, 20);
	$soak->check($took_over, 'somebody takes the place of one that hangs');
	pause($soak->random->between(0, 1));
	# It may give up, or wait for the slot.
	$soak->follower->foresee(1);
	$first->signal('CONT');
	pause($soak->random->between(1, 2));
	$soak->check($second->is_running,
		'who took over is not disturbed by who comes back');
	$second->signal('TERM');
	my $status = $second->wait_exit;
	$soak->check($status == 0, "the second one ends, status $status");
	$soak->follower->tend;
	$soak->follower->foresee;
	return 'SIGSTOP, SIGCONT when there was another one';
}


# ---- Servers ----

sub restart_server
{
	my ($soak, $side, $mode) = @_;
	my $down_s = $soak->random->pick(0, $soak->random->between(0, 2));

	$soak->stop_server($side, $mode);
	pause($down_s);
	$soak->start_server($side);
	return 'down for ' . seconds($down_s);
}

sub both_immediate
{
	my ($soak) = @_;

	$soak->stop_server($_, 'immediate') for qw(target source);
	$soak->start_server($_) for qw(source target);
	return '';
}

# A crash before what was committed has reached the disk: the log's writer is
# held up, so that there is something to lose, and then its death takes the
# server along.
sub target_loses_commits
{
	my ($soak) = @_;
	my $progress = 'SELECT end_lsn FROM penstock.progress';
	my $writer = $soak->ask('target',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");

	return unless $writer;
	kill 'STOP', $writer;
	pause($soak->random->between(0.3, 1.5));
	my $had = $soak->ask('target', $progress);
	# What it applies again would hide what was lost.
	$soak->follower->process->signal('STOP');
	kill 'KILL', $writer;
	my $has = after_crash($soak, 'target', $writer, $progress);
	$soak->follower->process->signal('CONT');
	return "progress was at $had, is at $has";
}

# The answer of a server that restarts by itself, since this process of it is
# dead.
sub after_crash
{
	my ($soak, $side, $pid, $sql) = @_;
	my $answer = '';

	wait_until("the $side to answer after a crash",
		sub { !kill(0, $pid) && length($answer = $soak->ask($side, $sql)) });
	return $answer;
}

# A process of a server dies, and with it all of its sessions.
sub kill_backend
{
	my ($soak, $side, $condition) = @_;
	my $pid;

	return
	  unless comes_true(
		$soak,
		sub {
			$pid = $soak->ask($side,
				"SELECT pid FROM pg_stat_activity WHERE $condition LIMIT 1");
		});
	kill 'KILL', $pid;
	after_crash($soak, $side, $pid, 'SELECT 1');
	return 'kill -9';
}

# No room is left where table "scratch" is, until somebody makes some.
sub disk_full
{
	my ($soak) = @_;
	my $ballast = "$ENV{PENSTOCK_SMALL_DISK}/ballast";

	$soak->new_log;
	open my $file, '>', $ballast or die "$ballast: $!\n";
	for my $bytes (64 * 1024, 4096, 512)
	{
		1 while syswrite $file, "\0" x $bytes;
	}
	close $file;
	my $happened =
	  comes_true($soak, sub { $soak->new_log =~ /No space left on device/ });
	pause($soak->random->between(0, 1)) if $happened;
	unlink $ballast or die "$ballast: $!\n";
	return $happened ? 'no space left' : undef;
}


# ---- Sessions ----

sub walsender_terminated
{
	my ($soak) = @_;
	my $sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE backend_type = 'walsender'";

	return 'pg_terminate_backend'
	  if comes_true($soak, sub { ($soak->ask('source', $sql) || 0) > 0 });
	return;
}

sub signal_apply
{
	my ($soak, $function, $times) = @_;
	my $hit = 0;

	for (1 .. $times)
	{
		my $sql = "SELECT count($function(pid)) FROM pg_stat_activity
			WHERE usename = 'follower' AND application_name = 'penstock'
			  AND ('$function' <> 'pg_cancel_backend' OR state <> 'idle')";

		$hit++
		  if comes_true($soak, sub { ($soak->ask('target', $sql) || 0) > 0 });
	}
	return $hit ? "$function, $hit times" : undef;
}

# Somebody else has rows that are to be changed.
sub rows_locked
{
	my ($soak) = @_;
	my $lock_s = $soak->random->between(0.3, 3);
	my $what = $soak->random->pick(
		'SELECT FROM account FOR UPDATE',
		'SELECT FROM toasted WHERE id % 2 = 0 FOR UPDATE',
		'LOCK TABLE numbered IN SHARE MODE',
		'LOCK TABLE keyed IN ACCESS EXCLUSIVE MODE',
		'SELECT FROM penstock.progress FOR UPDATE');

	my $other = $soak->start_session("BEGIN; $what; SELECT pg_sleep($lock_s)");
	my $happened = comes_true($soak, sub { has_waiting_apply($soak) }, $lock_s);
	$other->wait_exit;
	return $happened ? "$what, for " . seconds($lock_s) : undef;
}

# Each of two holds what the other one wants; the consumer has to yield, for it
# is the first to look.
sub deadlock
{
	my ($soak) = @_;
	my $sql = 'SELECT deadlocks FROM pg_stat_database WHERE datname = '
	  . 'current_database()';
	my @tables = $soak->random->shuffle(qw(account counter transfer));
	my $before = $soak->ask('target', $sql);

	for my $try (1 .. 6)
	{
		my ($first, $then) = @tables;
		my $other = $soak->start_session("SET deadlock_timeout = '20s'; BEGIN;
			LOCK TABLE $first IN SHARE MODE; SELECT pg_sleep(0.3);
			SET lock_timeout = '3s'; LOCK TABLE $then IN SHARE MODE");
		$other->wait_exit;
		return "over $first and $then"
		  if comes_true($soak,
			sub { ($soak->ask('target', $sql) || 0) > $before }, 1);
		push @tables, shift @tables;
	}
	return;
}

# Whoever looks after the target has set timeouts for everybody.
sub role_timeouts
{
	my ($soak) = @_;
	my @settings = qw(statement_timeout lock_timeout
	  idle_in_transaction_session_timeout);

	$soak->ask('target', "ALTER ROLE follower SET $_ = '5ms'") for @settings;
	signal_apply($soak, 'pg_terminate_backend', 1);
	pause($soak->random->between(1, 2));
	$soak->ask('target', 'ALTER ROLE follower RESET ALL');
	return "@settings = 5ms";
}

# The target takes longer than the source has patience.
sub slow_target
{
	my ($soak) = @_;
	my $stall_s = $soak->random->between(1.5, 4);

	$soak->ask('source', "ALTER SYSTEM SET wal_sender_timeout = '1s'");
	$soak->ask('source', 'SELECT pg_reload_conf()');
	# So that the consumer knows.
	walsender_terminated($soak);
	my $pid;
	comes_true($soak,
		sub { is_streaming($soak) && ($pid = apply_pid($soak)) });
	# Behind what it waits for in blocking ways, which is rare.
	$soak->healed;
	my $walsender =
	  $soak->ask('source', 'SELECT active_pid FROM pg_replication_slots');
	kill 'STOP', $pid if $pid;
	pause($stall_s);
	my $same = $walsender eq
	  $soak->ask('source', 'SELECT active_pid FROM pg_replication_slots');
	kill 'CONT', $pid if $pid;
	$soak->ask('source', 'ALTER SYSTEM RESET wal_sender_timeout');
	$soak->ask('source', 'SELECT pg_reload_conf()');
	return unless $pid;
	return 'wal_sender_timeout = 1s, target stands still for '
	  . seconds($stall_s)
	  . ($same ? ', stream kept' : ', stream lost');
}


# ---- The network ----

sub cut
{
	my ($soak, $side) = @_;
	my $cut_s = $soak->random->pick(0, $soak->random->between(0, 3));

	$soak->network($side)->cut($cut_s);
	return 'for ' . seconds($cut_s);
}

sub stall
{
	my ($soak, $side) = @_;
	my $stall_s = $soak->random->between(0.5, 3.5);

	my $connections = $soak->network($side)->stall($stall_s);
	return 'for ' . seconds($stall_s) if $connections;
	return;
}

# The next connections break in the middle of something.
sub cut_midway
{
	my ($soak, $side) = @_;
	my $direction =
	  $soak->random->pick(qw(request_bytes reply_bytes));
	my $times = 3;
	my @limits =
	  map { int $soak->random->pick(1500, 20000, 200000) * $soak->random->draw }
	  1 .. $times;

	$soak->network($side)->set_rule(
		sub {
			my ($number) = @_;
			return $number <= $times ? { $direction => $limits[ $number - 1 ] } : {};
		});
	pause($soak->random->between(0.5, 2));
	return "$direction @limits";
}

# Commits happen, and nobody is told.
sub commit_replies_dropped
{
	my ($soak) = @_;
	my $times = 3;
	my @at = map { $soak->random->integer(1, 4) } 1 .. $times;

	$soak->network('target')->set_rule(
		sub {
			my ($number) = @_;
			my $commits = 0;

			return {} if $number > $times;
			return {
				reply => sub {
					my ($type, $body) = @_;
					return 'CUT'
					  if $type eq 'C'
					  && $body eq "COMMIT\0"
					  && ++$commits == $at[ $number - 1 ];
					return ($type, $body);
				} };
		});
	pause($soak->random->between(1, 3));
	return "commits number @at";
}

1;
