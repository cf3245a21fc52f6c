# "penstock follow" under somebody who starts it again when it ends, as systemd
# would.  How it may end must have been said before; any other end is noted as
# a failure.
package Soak::Follower;

use strict;
use warnings;

my $KILLED = 128 + 9;
my $TERMINATED = 128 + 15;

# So many unforeseen ends in a row are the end of it all.
my $UNFORESEEN_MAX = 5;

my $LOG_LINES = 15;

# Options: pair; on_failure, called with a text; options, function that returns
# the options of the next start.
sub new
{
	my ($class, %option) = @_;

	return bless {
		options => sub { () },
		%option,
		foreseen => {},
		starts => 0,
		unforeseen => 0,
		crash_points => [],
	}, $class;
}

sub start
{
	my ($self) = @_;

	$self->{is_wanted} = 1;
	$self->tend;
}

# The next end may be with this status.
sub foresee
{
	my ($self, @statuses) = @_;

	$self->{foreseen} = { map { $_ => 1 } @statuses };
}

# From the next start on, each start takes one of these, NAME:N, to die there;
# and behind the last, they live again.
sub foresee_crashes
{
	my ($self, @points) = @_;

	$self->{crash_points} = [@points];
}

sub process { return $_[0]{process}; }

sub is_running
{
	my ($self) = @_;

	return $self->{process} && $self->{process}->is_running;
}

# How often it was started so far.
sub starts { return $_[0]{starts}; }

# Start it if it has ended.
sub tend
{
	my ($self) = @_;

	return if !$self->{is_wanted} || $self->is_running;
	$self->judge if $self->{process};
	$self->launch;
}

sub judge
{
	my ($self) = @_;
	my $status = $self->{process}->wait_exit;
	my $foreseen = $self->{crash_point} ? $status == $KILLED
	  : $self->{foreseen}{$status};

	$self->{foreseen} = {};
	if ($foreseen)
	{
		$self->{unforeseen} = 0;
		return;
	}
	$self->{on_failure}->("the follower ended with status $status\n"
		  . last_lines($self->{process}->log));
	die "the follower ends time and again\n"
	  if ++$self->{unforeseen} >= $UNFORESEEN_MAX;
}

sub launch
{
	my ($self) = @_;
	my $point = shift @{ $self->{crash_points} };

	$self->{crash_point} = $point;
	local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN} if $point;
	local $ENV{PENSTOCK_FAULT} = $point if $point;
	$self->{process} =
	  $self->{pair}->start('follow', $self->{options}->());
	$self->{starts}++;
}

# In good order; it is not started again until start().
sub stop
{
	my ($self) = @_;
	my $process = $self->{process} or return;

	$self->{is_wanted} = 0;
	$self->{crash_points} = [];
	# One that has just been started may not have come to handle signals.
	$self->foresee(0,
		$self->{crash_point} ? $KILLED : (),
		$process->log eq '' ? $TERMINATED : ());
	$self->{crash_point} = undef;
	$process->end('TERM');
	$self->judge;
	$self->{process} = undef;
}

# It dies of this, and is started again.
sub kill
{
	my ($self) = @_;

	$self->foresee($KILLED);
	$self->{process}->end('KILL');
	$self->tend;
}

# It ends as it should, and is started again.
sub restart
{
	my ($self) = @_;

	$self->stop;
	$self->start;
}

sub last_lines
{
	my ($text) = @_;
	my @lines = split /^/, $text;

	splice @lines, 0, -$LOG_LINES if @lines > $LOG_LINES;
	return join '', map { "    $_" } @lines;
}

1;
