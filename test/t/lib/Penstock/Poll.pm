# Waiting for conditions.  One timeout serves every wait of every test: that of
# PostgreSQL's own tests, which PG_TEST_TIMEOUT_DEFAULT sets.  Its end is a
# failure, never a way to go on.
package Penstock::Poll;

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use List::Util qw(min);
use PostgreSQL::Test::Utils ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(wait_until pause);

# Between two looks.  Most of them start a program, and what is waited for wants
# the processor as well: who has waited long looks less often.
my $INTERVAL_S = 0.03;
my $INTERVAL_MAX_S = 0.3;
my $INTERVAL_PART = 0.1;

# Call a function until what it returns is true, and return that.
sub wait_until
{
	my ($what, $condition) = @_;
	my $started = time;
	my $deadline = $started + $PostgreSQL::Test::Utils::timeout_default;

	while (1)
	{
		my $result = $condition->();
		return $result if $result;
		my $now = time;
		croak "gave up waiting for $what" if $now > $deadline;
		pause(min($INTERVAL_MAX_S,
			$INTERVAL_S + $INTERVAL_PART * ($now - $started)));
	}
}

# Let time pass where time itself is the subject: a moment chosen at random, a
# stall of so many seconds.  Never to wait for something.
sub pause
{
	my ($seconds) = @_;
	my $end = time + $seconds;

	# Signals, such as that of a child that ended, cut a sleep short.
	while ((my $left = $end - time) > 0)
	{
		select undef, undef, undef, $left;
	}
}

1;
