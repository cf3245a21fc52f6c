# Applications that write without a pause, and that go to the other server when
# one says that its tables were moved.
#
#     my @writers = Penstock::Writer::start($pair, 4);
#     …
#     my $committed = Penstock::Writer::end(@writers);
#
# Each keeps a session, and writes one transaction after the other: a row of
# table "entry", whose key is from a sequence, and a change of one of "account".
# What the server has committed, it notes.  A transaction that is refused was
# not committed, and is written at the other server.
package Penstock::Writer;

use strict;
use warnings;

use IPC::Open2;
use List::Util qw(max);
use Time::HiRes qw(time);

# Definitions of the tables.
sub tables_sql
{
	return 'CREATE TABLE entry (id bigserial PRIMARY KEY, writer int, n int);
		CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
		INSERT INTO account SELECT n, 0 FROM generate_series(1, 100) n';
}

# So many of them; the first connection string is that of the source.
sub start
{
	my ($pair, $count) = @_;
	my $lib = $INC{'Penstock/Writer.pm'} =~ s{/Penstock/Writer\.pm$}{}r;

	# Not in the process of a writer, whose output it would take away.
	require Penstock::Process;
	require Penstock::Poll;
	my @writers = map {
		Penstock::Process->start(
			name => "writer_$_",
			command => [
				$^X, (map { "-I$_" } $lib, @INC), '-MPenstock::Writer',
				'-e', 'Penstock::Writer::work(@ARGV)', $_,
				map { $pair->{$_}->connstr($pair->name) } qw(source target) ])
	} 1 .. $count;

	for my $writer (@writers)
	{
		Penstock::Poll::wait_until('a writer to begin',
			sub { $writer->output =~ /^begins$/m });
	}
	return @writers;
}

# Ends them; returns how many transactions were committed, for each writer.
sub end
{
	my (@writers) = @_;
	my %committed;

	for my $writer (@writers)
	{
		die "a writer has ended:\n" . $writer->log unless $writer->is_running;
		my $status = $writer->end('TERM');
		die "a writer ended with status $status:\n" . $writer->log
		  if $status != 0;
		my ($number, $count) = $writer->output =~ /^writer (\d+): (\d+)$/m;
		$committed{$number} = $count;
	}
	return \%committed;
}

# How long the longest wait was from one commit to the next, in ms.
sub longest_wait
{
	my (@writers) = @_;

	return max 0, map { $_->output =~ /^(\d+) ms$/mg } @writers;
}

# ---- In the process of a writer ----

sub work
{
	my ($number, @places) = @_;
	my ($n, $ends, $last) = (0, 0, time);
	my $session;

	$SIG{TERM} = sub { $ends = 1; };
	$| = 1;
	print "begins\n";
	$SIG{PIPE} = 'IGNORE';
	while (!$ends)
	{
		$session ||= open_session($places[0]);
		if (commits($session, $number, $n + 1))
		{
			my $ms = int((time - $last) * 1000);

			print "$ms ms\n" if $ms >= 50;
			$n++;
			$last = time;
			next;
		}
		close_session($session);
		$session = undef;
		@places = reverse @places;
	}
	close_session($session) if $session;
	print "writer $number: $n\n";
}

sub open_session
{
	my ($connstr) = @_;
	my ($out, $in);
	my $pid = open2($out, $in, 'sh', '-c',
		'exec psql -XAtq -v ON_ERROR_STOP=1 -d "$0" 2>&1', $connstr);

	return { pid => $pid, out => $out, in => $in };
}

sub close_session
{
	my ($session) = @_;

	close $session->{in};
	1 while readline $session->{out};
	waitpid $session->{pid}, 0;
}

# Whether it was committed; dies if it was refused for another reason than that
# the tables were moved.
sub commits
{
	my ($session, $number, $n) = @_;
	my $id = $n % 100 + 1;
	my $said = '';

	print { $session->{in} } "BEGIN; INSERT INTO entry (writer, n)
		VALUES ($number, $n); UPDATE account SET balance = balance + 1
		WHERE id = $id; COMMIT;\n\\echo done\n";
	$session->{in}->flush;
	while (defined(my $line = readline $session->{out}))
	{
		return 1 if $line eq "done\n";
		$said .= $line;
	}
	die "writer $number, transaction $n: $said"
	  unless $said =~ /was moved: writes go to/;
	return 0;
}

1;
