# Writers on the source that never rest: pgbench, and again pgbench when the
# source went away under it.  What they do is in test/soak/workload.
package Soak::Workload;

use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Utils qw(slurp_file);
use Time::HiRes qw(time);

use Penstock::Poll qw(wait_until);
use Penstock::Process;

my $SCRIPTS = dirname(__FILE__) . '/../../workload';

# Script => weight.
my %SMALL = (
	steps => 30,
	single => 40,
	transfer => 30,
	savepoints => 10,
	rollback => 3,
	wipe => 2,
);
my $CLIENTS = 4;
my $BIG_ROWS = 50_000;

# No sooner is one started again, where the source does not take it.
my $PAUSE_S = 0.3;

# Writers end as they like only when the source went away.  What else they may
# have said is a mistake in the workload, and would leave it thinner and
# thinner.
my $MISTAKE = qr/ERROR:(?!.*(?:terminating|canceling|recovery mode))/;

# Options: pair; seed; rate and big_rate, in transactions per second.
sub new
{
	my ($class, %option) = @_;

	return bless {
		rate => 120,
		big_rate => 0.12,
		%option,
		processes => {},
		started_at => {},
	}, $class;
}

sub create_tables
{
	my ($self) = @_;

	$self->{pair}->source_sql(slurp_file("$SCRIPTS/schema.sql"));
}

sub start
{
	my ($self) = @_;

	$self->{is_wanted} = 1;
	$self->tend;
}

# Start what has ended.
sub tend
{
	my ($self) = @_;
	my $processes = $self->{processes};

	return unless $self->{is_wanted};
	for my $which (qw(small big))
	{
		my $process = $processes->{$which};

		next if $process && $process->is_running;
		$self->look_for_mistakes($process) if $process;
		next if time - ($self->{started_at}{$which} || 0) < $PAUSE_S;
		$processes->{$which} = $self->launch($which);
		$self->{started_at}{$which} = time;
	}
}

sub launch
{
	my ($self, $which) = @_;
	my @options =
	  $which eq 'small'
	  ? ("--client=$CLIENTS", "--rate=$self->{rate}",
		map { "--file=$SCRIPTS/$_.sql\@$SMALL{$_}" } sort keys %SMALL)
	  : ('--client=1', "--rate=$self->{big_rate}", "--define=rows=$BIG_ROWS",
		"--file=$SCRIPTS/big.sql");

	return $self->{pair}->start_pgbench(@options,
		'--random-seed=' . $self->{seed}++);
}

sub look_for_mistakes
{
	my ($self, $process) = @_;
	my ($line) = grep { $_ =~ $MISTAKE } split /\n/, $process->log;

	die "a writer failed: $line\n" if defined $line;
}

# Stop, and see to it that nothing of it goes on in the source.
sub stop
{
	my ($self) = @_;

	$self->{is_wanted} = 0;
	for my $process (values %{ $self->{processes} })
	{
		$process->end('INT');
		$self->look_for_mistakes($process);
	}
	$self->{processes} = {};
	wait_until(
		'the writers to end',
		sub {
			return $self->{pair}->source_sql(
				"SELECT count(*) FROM pg_stat_activity
				  WHERE application_name = 'pgbench'") eq '0';
		});
}

1;
