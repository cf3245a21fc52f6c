# A source and a target that are in use, the consumer between them, and faults
# one after the other.
#
#     my $soak = Soak::Soak->new(seed => 1);
#     $soak->run(seconds => 600);
#
# The workload goes on all the time.  After each fault the target has to come
# as far as the source was when the fault ended, and what must be true of it at
# any moment has to be true.  After some, the writers are stopped, and source
# and target are compared row by row.
#
# Everything that can be wrong is a test of Test::More's.  What happens is told
# in notes, with the time since the start.
package Soak::Soak;

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);
use Penstock::Pooler;
use Penstock::Process;
use Soak::Faults qw(fault_kinds inject_fault crash_points);
use Soak::Follower;
use Soak::Invariants qw(answer violations);
use Soak::Network;
use Soak::Random;
use Soak::Workload;

# Faults between two comparisons.
my $COMPARE_EVERY = 7;

# One fault in so many is followed by another one before all is well again.
my $HURRY_ONE_IN = 3;

# Two followers have room beside each other, whatever lanes they have and
# open transactions they are at.
my $POOL_SIZE = 50;

# What is longer than this is not healed.
my $HEAL_S = 90;

# With what a follower is started; which, is random.
my %OPTIONS = (
	compression => [qw(none zstd)],
	memory => [qw(4MB 8MB 32MB)]);

# The log's writer of the target sleeps long, so that crashes lose something.
my @TARGET = (
	'fsync = on',
	'wal_writer_delay = 5s',
	'deadlock_timeout = 1s',
	'max_wal_size = 256MB',
	'autovacuum_naptime = 5s',
	'restart_after_crash = on',
);
my @SOURCE = (
	'fsync = on',
	'wal_sender_timeout = 2s',
	'logical_decoding_work_mem = 1MB',
	'max_wal_size = 256MB',
	'autovacuum_naptime = 5s',
	'restart_after_crash = on',
);

# Ways to apply.  The seed chooses one, unless the environment has.
my @MODES = (
	[ batch => 1 ],
	[ transaction => 1 ],
	[ transaction => 4 ],
);

sub choose_mode
{
	my ($seed) = @_;
	my ($apply, $lanes) = @{ $MODES[ $seed % @MODES ] };

	return if $ENV{PENSTOCK_APPLY};
	$ENV{PENSTOCK_APPLY} = $apply;
	$ENV{PENSTOCK_LANES} = $lanes;
	note("--apply=$apply --lanes=$lanes");
}

# Options: seed; kinds, the names of those to inject (default: all); has_pooler,
# whether there is one before the target; more are the workload's.
sub new
{
	my ($class, %option) = @_;
	my $seed = delete $option{seed};
	my $kinds = delete $option{kinds};
	my $has_pooler = delete $option{has_pooler};
	my $self = bless {
		seed => $seed,
		random => Soak::Random->new($seed),
		started => time,
		pair => Penstock::Pair->new(source => \@SOURCE, target => \@TARGET),
		count => 0,
		compared_at => 0,
		injected => {},
		deck => [],
		log_read => {},
	}, $class;

	choose_mode($seed);
	$self->choose_kinds($kinds);
	$self->set_up($has_pooler, %option);
	return $self;
}

# Which kinds there are here, and which not, and why.
sub choose_kinds
{
	my ($self, $wanted) = @_;
	my %is_known = map { $_ => 1 } fault_kinds();
	my @kinds = $wanted ? @$wanted : fault_kinds();

	for my $kind (@kinds)
	{
		die "there is no kind of fault \"$kind\"\n" unless $is_known{$kind};
	}
	if (!$ENV{PENSTOCK_SMALL_DISK})
	{
		my $why = $ENV{PENSTOCK_SMALL_DISK_WHY} || 'there is no small disk';
		note("left out: disk_full ($why)") if grep { $_ eq 'disk_full' } @kinds;
		@kinds = grep { $_ ne 'disk_full' } @kinds;
	}
	if (!$ENV{PENSTOCK_FAULTS_BIN})
	{
		note('left out: consumer_crash, consumer_crash_thrice'
			  . ' (no consumer with crash points was built)')
		  if grep { /^consumer_crash/ } @kinds;
		@kinds = grep { !/^consumer_crash/ } @kinds;
	}
	$self->{kinds} = \@kinds;
}

sub set_up
{
	my ($self, $has_pooler, %option) = @_;
	my $pair = $self->{pair};

	# Of its own, so that what is done to it is done to nobody else.
	$pair->target->safe_psql('postgres', 'CREATE ROLE follower SUPERUSER LOGIN');
	$self->{pooler} = Penstock::Pooler->start(
		$pair->target,
		mode => 'session',
		size => $POOL_SIZE,
		user => 'follower') if $has_pooler;
	$self->{network} = {
		source => Soak::Network->new($pair->source),
		target => Soak::Network->new($self->{pooler} || $pair->target, 'follower'),
	};
	$pair->set_conninfo($_, $self->{network}{$_}->conninfo($pair->name))
	  for qw(source target);
	$self->{workload} = Soak::Workload->new(
		%option,
		pair => $pair,
		seed => $self->{seed});
	$self->{workload}->create_tables;
	# PgBouncer takes no "options", with which pg_restore is started.
	$pair->set_conninfo('target', undef) if $has_pooler;
	$pair->clone;
	$pair->set_conninfo('target', $self->{network}{target}->conninfo($pair->name));
	$self->use_small_disk if grep { $_ eq 'disk_full' } @{ $self->{kinds} };
	$self->{follower} = Soak::Follower->new(
		pair => $pair,
		options => sub {
			return map { "--$_=" . $self->{random}->pick(@{ $OPTIONS{$_} }) }
			  sort keys %OPTIONS;
		},
		on_failure => sub { $self->failed(@_) });
}

# A directory of our own there: a server that is gone left its own.
sub use_small_disk
{
	my ($self) = @_;
	my $place = "$ENV{PENSTOCK_SMALL_DISK}/$$";

	mkdir $place or die "could not create \"$place\": $!\n";
	$self->{pair}->target->safe_psql('postgres',
		"CREATE TABLESPACE small LOCATION '$place'");
	$self->{pair}->target_sql('ALTER TABLE scratch SET TABLESPACE small');
}

sub pair { return $_[0]{pair}; }
sub follower { return $_[0]{follower}; }
sub random { return $_[0]{random}; }
sub network { return $_[0]{network}{ $_[1] }; }

# Inject faults for so many seconds, and until there were so many faults.
sub run
{
	my ($self, %option) = @_;
	my $deadline = time + $option{seconds};
	my $faults_min = $option{faults} || 0;

	$self->{workload}->start;
	$self->{follower}->start;
	my $went_through = eval {
		$self->healed;
		while (time < $deadline || $self->{count} < $faults_min)
		{
			$self->one_fault;
			$self->compare
			  if $self->{count} >= $self->{compared_at} + $COMPARE_EVERY;
		}
		$self->compare if $self->{count} > $self->{compared_at};
		1;
	};
	$self->report_failure($@) unless $went_through;
	ok($went_through, 'it went through to the end');
	eval {
		$self->{workload}->stop;
		$self->{follower}->stop;
		1;
	} or diag($@);
}

sub report_failure
{
	my ($self, $error) = @_;
	my $process = $self->{follower}->process;

	diag($error);
	diag("the follower said last:\n"
		  . Soak::Follower::last_lines($process->log)) if $process;
}

# How many faults of which kinds there were, and of how many.
sub summary
{
	my ($self) = @_;

	return sprintf 'faults: %d of %d kinds', $self->{count},
	  scalar keys %{ $self->{injected} };
}

sub counts
{
	my ($self) = @_;

	return map { sprintf '%-24s %4d', $_, $self->{injected}{$_} || 0 }
	  @{ $self->{kinds} };
}

sub fault_count { return $_[0]{count}; }
sub kind_count { return scalar keys %{ $_[0]{injected} }; }


# ---- One fault ----

sub one_fault
{
	my ($self) = @_;
	my $kind = $self->next_kind;

	pause($self->{random}->between(0, 0.5));
	$self->tend;
	my $words = inject_fault($self, $kind);
	if (!defined $words)
	{
		$self->say("$kind: not this time");
		return;
	}
	$self->{count}++;
	$self->{injected}{$kind}++;
	$self->say("fault $self->{count}: $kind" . ($words ? " ($words)" : ''));
	return if $self->{random}->integer(1, $HURRY_ONE_IN) == 1;
	my $heal_s = $self->healed;
	$self->say(sprintf 'healed in %.1f s', $heal_s);
	$self->invariants_hold;
}

# All kinds come up before one comes up again.
sub next_kind
{
	my ($self) = @_;

	$self->{deck} = [ $self->{random}->shuffle(@{ $self->{kinds} }) ]
	  unless @{ $self->{deck} };
	return shift @{ $self->{deck} };
}

# So do crash points, of single ones and of several in a row.
sub next_crash_point
{
	my ($self, $times) = @_;
	my $deck = $self->{crash_points}{$times} //= [];

	@$deck = $self->{random}->shuffle(crash_points()) unless @$deck;
	return shift @$deck;
}

# Wait until the target is where the source is now; returns how long it took.
sub healed
{
	my ($self) = @_;
	my $started = time;
	my $lsn = $self->{pair}->source_lsn;
	my $sql = "SELECT end_lsn >= '$lsn' FROM penstock.progress";

	until ($self->ask('target', $sql) eq 't')
	{
		die "it does not heal: the target did not reach $lsn in $HEAL_S s\n"
		  if time - $started > $HEAL_S;
		$self->tend;
		pause(0.1);
	}
	return time - $started;
}

sub invariants_hold
{
	my ($self) = @_;
	my $violations;

	wait_until('the target to answer',
		sub { $violations = violations($self->{pair}->target, $self->{pair}->name) }
	);
	return unless @$violations;
	$self->failed("the target is in no state that the source was in\n"
		  . join "\n", @$violations);
	die "what comes after a failure says little\n";
}

# Stop the writers, follow to the end, compare, go on.
sub compare
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my $started = time;

	$self->{compared_at} = $self->{count};
	$self->{workload}->stop;
	$self->{follower}->stop;
	# Our rules for connections would go on into this.
	$self->{network}{$_}->set_rule for qw(source target);
	$self->wait_for_free_slot;
	my ($status, undef, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, "after $self->{count} faults: follow --endpos")
	  or diag("it said last:\n" . Soak::Follower::last_lines($log));
	$pair->equal_ok("after $self->{count} faults");
	for my $side (qw(source target))
	{
		my $violations = violations($pair->{$side}, $pair->name);
		is_deeply($violations, [],
			"after $self->{count} faults: what must be true of the $side is");
	}
	$self->say(sprintf 'compared in %.1f s', time - $started);
	die "what comes after a failure says little\n"
	  unless Test::More->builder->is_passing;
	$self->{workload}->start;
	$self->{follower}->start;
}

# A consumer that was killed may hold it until the source notices.
sub wait_for_free_slot
{
	my ($self) = @_;

	wait_until(
		'the slot to be free',
		sub {
			return $self->ask('source',
				'SELECT NOT active FROM pg_replication_slots') eq 't';
		});
}


# ---- What faults use ----

# Start again what has ended.
sub tend
{
	my ($self) = @_;

	$self->{follower}->tend;
	$self->{workload}->tend;
}

# The answer of a server; empty if it cannot be asked.
sub ask
{
	my ($self, $side, $sql) = @_;

	return answer($self->{pair}{$side}, $self->{pair}->name, $sql) // '';
}

# A session of somebody else's on the target, in the background.
sub start_session
{
	my ($self, $sql) = @_;

	return Penstock::Process->start(
		name => 'psql',
		command => [
			'psql', '--no-psqlrc', '--quiet', "--command=$sql",
			$self->{pair}->target->connstr($self->{pair}->name)
		]);
}

sub stop_server
{
	my ($self, $side, $mode) = @_;

	$self->{pair}{$side}->stop($mode);
}

sub start_server
{
	my ($self, $side) = @_;

	# A crash may have left something behind that has to end first.
	wait_until("the $side to start",
		sub { $self->{pair}{$side}->start(fail_ok => 1) });
}

# What the follower said since this was last asked.
sub new_log
{
	my ($self) = @_;
	my $process = $self->{follower}->process;
	my $log = $process->log;
	my $read = $self->{log_read}{ $process->pid } || 0;

	$self->{log_read}{ $process->pid } = length $log;
	return substr $log, $read;
}

# Quiet if it is as it should be.
sub check
{
	my ($self, $is_true, $what) = @_;

	$self->failed($what) unless $is_true;
}

sub failed
{
	my ($self, $what) = @_;
	my ($title, $more) = split /\n/, $what, 2;

	fail($title);
	diag($more) if $more;
}

sub say
{
	my ($self, $text) = @_;

	note(sprintf '%7.1f s  %s', time - $self->{started}, $text);
}

1;
