# Runs commands of the consumer: the base of Penstock::Pair and Penstock::Nodes.
#
# Who derives from it has a method command(), which makes a command line of a
# verb and options, and a method source_lsn().
package Penstock::Runner;

use strict;
use warnings;

use Test::More;

use Penstock::Process;

# In the background; returns a Penstock::Process.
sub start
{
	my ($self, $verb, @options) = @_;

	return Penstock::Process->start(
		name => $verb,
		command => [ $self->command($verb, @options) ]);
}

# To its end; returns exit status, standard output, standard error.
sub run
{
	my ($self, $verb, @options) = @_;
	my $process = $self->start($verb, @options);
	my $status = $process->wait_exit;

	print map { "# $_\n" } split /\n/, $process->log;
	return ($status, $process->output, $process->log);
}

# Exit status 0 is taken for granted: dies otherwise.  Returns what it printed.
sub run_or_die
{
	my ($self, $verb, @options) = @_;
	my ($status, $output, $log) = $self->run($verb, @options);

	die "penstock $verb ended with status $status:\n$log" if $status != 0;
	return $output;
}

# Follow to where the source is now.
sub follow_to_end
{
	my ($self, @options) = @_;

	return $self->run_or_die('follow', '--endpos=' . $self->source_lsn,
		@options);
}

# It ends with this status, and what it says on standard error is like that.
sub fails_like
{
	my ($self, $status, $pattern, $title, $verb, @options) = @_;
	my ($actual, $output, $log) = $self->run($verb, @options);

	subtest $title => sub {
		plan tests => 2;
		is($actual, $status, 'exit status');
		like($log, $pattern, 'message');
	};
	return $log;
}

1;
