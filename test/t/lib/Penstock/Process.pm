# A program in the background, with what it prints in a file.  Whatever way a
# test ends, its programs end with it.
package Penstock::Process;

use strict;
use warnings;

use PostgreSQL::Test::Utils qw(slurp_file);
use POSIX qw(:sys_wait_h);
use Scalar::Util qw(weaken);

use Penstock::Advice;
use Penstock::Poll qw(wait_until);

my $count = 0;
my %started;

# Options: name, of the files; command, an array; environment, a hash.
sub start
{
	my ($class, %option) = @_;
	my $base = sprintf '%s/%s_%02d_%s', $PostgreSQL::Test::Utils::log_path,
	  test_name(), ++$count, $option{name};
	my $self = bless {
		command => $option{command},
		stdout => "$base.out",
		stderr => "$base.log",
	}, $class;

	print "# starting: @{ $option{command} }\n";
	# Here, so that they are there when we return.
	open my $stdout, '>', $self->{stdout} or die "$self->{stdout}: $!\n";
	open my $stderr, '>', $self->{stderr} or die "$self->{stderr}: $!\n";
	$self->{pid} = fork() // die "could not fork: $!\n";
	$self->become($stdout, $stderr, %option) if $self->{pid} == 0;
	$started{ $self->{pid} } = $self;
	weaken($started{ $self->{pid} });
	return $self;
}

sub test_name
{
	my ($name) = $0 =~ m{([^/]+?)(?:\.t)?$};

	return $name;
}

# In the child; does not return, and leaves nothing of the test to run there.
sub become
{
	my ($self, $stdout, $stderr, %option) = @_;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM PIPE);
	untie *STDOUT;
	untie *STDERR;
	open(STDIN, '<', '/dev/null')
	  && open(STDOUT, '>&', $stdout)
	  && open(STDERR, '>&', $stderr)
	  or POSIX::_exit(126);
	# The name that PostgreSQL's modules give to what is run here; programs
	# that have one of their own are to be found by that.
	delete $ENV{PGAPPNAME};
	@ENV{ keys %{ $option{environment} || {} } } =
	  values %{ $option{environment} || {} };
	exec { $option{command}[0] } @{ $option{command} } or POSIX::_exit(127);
}

sub pid
{
	my ($self) = @_;

	return $self->{pid};
}

# What it printed so far.
sub output
{
	my ($self) = @_;

	return slurp_file($self->{stdout});
}

# What it said so far.
sub log
{
	my ($self) = @_;

	return slurp_file($self->{stderr});
}

sub is_running
{
	my ($self) = @_;

	return 0 if defined $self->{status};
	return 1 if waitpid($self->{pid}, WNOHANG) != $self->{pid};
	$self->ended($?);
	return 0;
}

sub ended
{
	my ($self, $status) = @_;

	# As a shell tells it: 128 + N if signal N ended it.
	$self->{status} = $status & 127 ? 128 + ($status & 127) : $status >> 8;
	delete $started{ $self->{pid} };
	print "# PID $self->{pid} ended with status $self->{status}\n";
	Penstock::Advice::check($self->output . $self->log);
}

sub signal
{
	my ($self, $name) = @_;

	kill $name, $self->{pid} if $self->is_running;
}

# Wait for its end; returns the exit status.
sub wait_exit
{
	my ($self) = @_;

	wait_until("the end of @{ $self->{command} }",
		sub { !$self->is_running });
	return $self->{status};
}

# Signal and wait.
sub end
{
	my ($self, $name) = @_;

	$self->signal($name);
	return $self->wait_exit;
}

# Wait for a line of its log; dies if it ends without.
sub wait_log
{
	my ($self, $pattern) = @_;

	wait_until(
		"$pattern in the log of @{ $self->{command} }",
		sub {
			my $is_running = $self->is_running;
			return 1 if $self->log =~ $pattern;
			return 0 if $is_running;
			die "ended with status $self->{status} before it said"
			  . " $pattern:\n"
			  . $self->log;
		});
}

# The most memory that it had at once, in bytes.
sub memory_peak
{
	my ($self) = @_;

	die "PID $self->{pid} has ended\n" unless $self->is_running;
	my ($kb) = slurp_file("/proc/$self->{pid}/status") =~ /^VmHWM:\s+(\d+) kB/m
	  or die "the memory of PID $self->{pid} is not known\n";
	return $kb * 1024;
}

sub kill_all
{
	for my $process (grep { defined } values %started)
	{
		# Without a look at exit statuses, which are the test's own by now.
		kill 'CONT', $process->{pid};
		kill 'KILL', $process->{pid};
		waitpid $process->{pid}, 0;
	}
	%started = ();
}

sub DESTROY
{
	my ($self) = @_;

	return if defined $self->{status} || !$started{ $self->{pid} };
	local ($?, $!);
	kill 'CONT', $self->{pid};
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	delete $started{ $self->{pid} };
}

END
{
	local $?;
	kill_all();
}

1;
