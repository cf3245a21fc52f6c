# The way between the consumer and one server: a proxy that can be cut, or
# stand still.
package Soak::Network;

use strict;
use warnings;

use Penstock::Poll qw(pause);
use Penstock::Proxy;

# Which user connects; the last of two settings wins.
sub new
{
	my ($class, $node, $user) = @_;

	return bless {
		user => $user,
		proxy => Penstock::Proxy->start($node),
	}, $class;
}

sub conninfo
{
	my ($self, $database) = @_;

	return $self->{proxy}->conninfo($database)
	  . ($self->{user} ? " user=$self->{user}" : '');
}

# All connections end; for so many seconds there are no new ones.
sub cut
{
	my ($self, $seconds) = @_;

	$self->{proxy}->stop;
	pause($seconds);
	$self->{proxy}->restart;
}

# For good.
sub stop
{
	my ($self) = @_;

	$self->{proxy}->stop;
}

# All connections end, and those to come have a rule; see Penstock::Proxy.
sub set_rule
{
	my ($self, $rule) = @_;

	$self->{proxy}->restart($rule);
}

# Nothing moves for so many seconds, though nothing is cut.
sub stall
{
	my ($self, $seconds) = @_;
	my @pids = $self->relays;

	kill 'STOP', @pids;
	pause($seconds);
	kill 'CONT', @pids;
	return scalar @pids;
}

# The processes that have a connection each.
sub relays
{
	my ($self) = @_;
	my $children =
	  "/proc/$self->{proxy}{pid}/task/$self->{proxy}{pid}/children";

	open my $file, '<', $children or return ();
	my $line = <$file> // '';
	return split ' ', $line;
}

1;
