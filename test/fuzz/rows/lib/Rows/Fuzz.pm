# Rounds of Rows::Round, one after the other, on two servers.  Each is a test of
# Test::More's.
#
#     my $fuzz = Rows::Fuzz->new(without => ['kills']);
#     $fuzz->run(seed => 1, rounds => 5);
package Rows::Fuzz;

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Rows::Features;
use Rows::Round;

# Slots and senders are for both pipelines and the subscription, origins for
# lanes.  Large transactions are streamed soon.
my @SETTINGS = (
	'max_connections = 100',
	'max_replication_slots = 60',
	'max_wal_senders = 30',
	'max_prepared_transactions = 30',
	'restart_after_crash = on',
	'deadlock_timeout = 200ms',
	'max_worker_processes = 20',
	"log_line_prefix = '%m [%p] %d x%x '",
	'client_connection_check_interval = 500ms',
);
my @SOURCE = ('logical_decoding_work_mem = 64kB', 'wal_sender_timeout = 10s');
my @TARGET = ('wal_retrieve_retry_interval = 200ms',
	'wal_receiver_status_interval = 1s');

# Options: only, without, of Rows::Features; steps, phases, results, spoil, of
# Rows::Round; servers, those of another one.
sub new
{
	my ($class, %option) = @_;
	# Schema changes are fuzzed elsewhere (test/fuzz/ddl); here tables are altered
	# on both sides by hand, and not in the same way.
	$ENV{PENSTOCK_DDL} = 'off';
	my $features = Rows::Features->new(
		map { $option{$_} ? ($_ => $option{$_}) : () } qw(only without));

	$option{servers} //= Penstock::Pair->new(
		source => [ @SETTINGS, @SOURCE ],
		target => [ @SETTINGS, @TARGET ],
		database => 'none',
		publish => '');
	return bless {
		%option,
		features => $features,
		rounds => 0,
		failed => 0,
	}, $class;
}

# Options: seed, of the first round; rounds and seconds, whichever ends it
# first; findings, after so many rounds with something wrong it ends, too.
sub run
{
	my ($self, %option) = @_;
	my $deadline = $option{seconds} && time + $option{seconds};
	my $seed = $option{seed};
	my $end = $option{rounds} && $seed + $option{rounds};

	while ((!$end || $seed < $end)
		&& (!$deadline || time < $deadline)
		&& (!$option{findings} || $self->{failed} < $option{findings}))
	{
		$self->round($seed++);
	}
}

sub round
{
	my ($self, $seed) = @_;
	my $started = time;
	my $round = Rows::Round->new(
		seed => $seed,
		servers => $self->{servers},
		features => $self->{features},
		map { defined $self->{$_} ? ($_ => $self->{$_}) : () }
		  qw(steps phases results spoil));
	my @findings = $round->run;

	$self->{rounds}++;
	$self->{failed}++ if @findings;
	$self->{findings} = \@findings;
	return if $self->{spoil};
	ok(!@findings, sprintf 'seed %d, %.1f s', $seed, time - $started);
	note($_) for grep { @findings || /subscription/ } $round->notes;
	return unless @findings;
	diag($_) for @findings;
	diag($self->repeat($seed));
	diag('its SQL and logs are in '
		  . ($ENV{PENSTOCK_KEPT} || $self->{results}) . '/' . $round->name);
}

sub repeat
{
	my ($self, $seed) = @_;
	my @settings = map { $self->{$_} ? uc($_) . '=' . join ',',
		ref $self->{$_} ? @{ $self->{$_} } : $self->{$_} : () }
	  qw(steps only without);

	return join ' ', "to repeat: make fuzz-rows SEED=$seed ROUNDS=1", @settings;
}

sub servers { return $_[0]{servers}; }

# Of the last round.
sub findings { return @{ $_[0]{findings} }; }

sub summary
{
	my ($self) = @_;

	return "rounds: $self->{rounds}, with findings: $self->{failed}";
}

1;
