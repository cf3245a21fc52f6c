# Many sessions of pgbench that write without a pause, and go to the other server
# when one says that its tables were moved; and some that only read.
#
#     $pair->source_sql(Penstock::Crowd::tables_sql());
#     my $crowd = Penstock::Crowd->start($pair, writers => 64, readers => 8);
#     …
#     $crowd->end('source');
#     $crowd->committed; $crowd->writer_waits($begin, $end); …
#
# A transaction writes a row of table "entry", whose key is from a sequence, and
# adds 1 to a row of "account".  The log of pgbench has each transaction that was
# committed, and when.  A pgbench ends when all of its sessions were refused, and
# another one begins at the other server: so there are several, of few sessions
# each.
package Penstock::Crowd;

use strict;
use warnings;

use Errno ();

use PostgreSQL::Test::Utils;

use Penstock::Process;

# Each session sleeps so long before a transaction.
my $THINK_MS = 50;

# Sessions of one pgbench.
my $SHARE = 8;

# Name of the constraint that ends the writers in good order, so that their logs
# are complete.
my $STOP = 'that_is_all';

# Definitions of the tables.
sub tables_sql
{
	return 'CREATE TABLE entry (id bigserial PRIMARY KEY, run int, writer int,
			n int);
		CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
		INSERT INTO account SELECT n, 0 FROM generate_series(1, 1000) n';
}

# Options: writers and readers, numbers of sessions; places, connection strings of
# the two places that writers go to, instead of the servers.
sub start
{
	my ($class, $pair, %option) = @_;
	my @servers = map { $pair->{$_}->connstr($pair->name) } qw(source target);
	my @places = $option{places} ? @{ $option{places} } : @servers;
	my $self = bless {
		pair => $pair,
		logs => PostgreSQL::Test::Utils::tempdir(),
	}, $class;

	append_to_file("$self->{logs}/write.sql", <<"END_OF_FILE");
\\sleep $THINK_MS ms
\\set n :n + 1
\\set account random(1, 1000)
BEGIN;
INSERT INTO entry (run, writer, n) VALUES (:run, :first + :client_id, :n);
UPDATE account SET balance = balance + 1 WHERE id = :account;
COMMIT;
END_OF_FILE
	append_to_file("$self->{logs}/read.sql", <<"END_OF_FILE");
\\sleep $THINK_MS ms
\\set account random(1, 1000)
SELECT balance FROM account WHERE id = :account;
END_OF_FILE
	for (my $first = 0; $first < $option{writers}; $first += $SHARE)
	{
		push @{ $self->{writers} },
		  $self->start_one($first, 'write', @places);
	}
	push @{ $self->{readers} },
	  map { $self->start_one($_ * $SHARE, 'read', $servers[$_]) } 0 .. 1
	  if $option{readers};
	return $self;
}

sub start_one
{
	my ($self, $first, $kind, @places) = @_;
	my $lib = $INC{'Penstock/Crowd.pm'} =~ s{/Penstock/Crowd\.pm$}{}r;

	return Penstock::Process->start(
		name => "${kind}_$first",
		command => [
			$^X, (map { "-I$_" } $lib, @INC), '-MPenstock::Crowd', '-e',
			'Penstock::Crowd::work(@ARGV)', $self->{logs}, $first, $kind,
			@places ]);
}

# Ends the writers, which are at that side, and the readers.
sub end
{
	my ($self, $side) = @_;
	my $pair = $self->{pair};
	my @all = (@{ $self->{writers} }, @{ $self->{readers} || [] });

	$self->check;
	$_->signal('TERM') for @all;
	$pair->$side->safe_psql($pair->name,
		"ALTER TABLE entry ADD CONSTRAINT $STOP CHECK (false) NOT VALID");
	$pair->$_->safe_psql('postgres', "SELECT pg_terminate_backend(pid)
		FROM pg_stat_activity WHERE application_name = 'penstock_reader'")
	  for qw(source target);
	for my $process (@all)
	{
		die "a session has failed:\n" . $process->log
		  if $process->wait_exit != 0;
	}
	$pair->$side->safe_psql($pair->name,
		"ALTER TABLE entry DROP CONSTRAINT $STOP");
	$self->read_logs;
}

# Dies unless all of them are at work.
sub check
{
	my ($self) = @_;

	for my $process (@{ $self->{writers} }, @{ $self->{readers} || [] })
	{
		die "a session has failed:\n" . $process->log
		  unless $process->is_running;
	}
}

# ---- What they have seen ----

# A line of a log: client, transaction, microseconds, script, and the time of its
# end in seconds and microseconds.
sub read_logs
{
	my ($self) = @_;

	for my $file (glob "$self->{logs}/*.log.*")
	{
		my ($kind, $first, $run) = $file =~ m{/(\w+)_(\d+)_(\d+)\.log\.} or die $file;

		for my $line (split /\n/, slurp_file($file))
		{
			my ($client, undef, $us, undef, $s, $part) = split / /, $line;
			my $who = $first + $client;

			push @{ $self->{$kind . '_ends'}{$who} },
			  [ $s + $part / 1e6, $us / 1e3 - $THINK_MS ];
			$self->{committed}{"$run|$who"}++ if $kind eq 'write';
		}
	}
	for my $kind (qw(write_ends read_ends))
	{
		@$_ = sort { $a->[0] <=> $b->[0] } @$_ for values %{ $self->{$kind} };
	}
	for my $file (glob "$self->{logs}/write_*.out")
	{
		push @{ $self->{connecting} },
		  slurp_file($file) =~ /^initial connection time = ([\d.]+) ms/m;
	}
}

# In how many ms the sessions of each pgbench were connected.
sub connecting
{
	my ($self) = @_;

	return @{ $self->{connecting} || [] };
}

# What the table "entry" must have, as lines "run|writer|rows|rows|rows".
sub committed
{
	my ($self) = @_;
	my $committed = $self->{committed};

	return join "\n", map { join '|', $_, ($committed->{$_}) x 3 }
	  sort keys %$committed;
}

# The same from a server.
sub committed_sql
{
	return q(SELECT run, writer, count(*), count(DISTINCT n), max(n) FROM entry
		GROUP BY 1, 2 ORDER BY (run || '|' || writer) COLLATE "C");
}

sub committed_count
{
	my ($self) = @_;
	my $sum = 0;

	$sum += $_ for values %{ $self->{committed} };
	return $sum;
}

# For each writer the longest time between two commits of which the later one was
# after $begin and the earlier one before $end, in ms, less what it sleeps.
sub writer_waits
{
	my ($self, $begin, $end) = @_;

	return map { longest_gap($_, $begin, $end) } values %{ $self->{write_ends} };
}

sub longest_gap
{
	my ($ends, $begin, $end) = @_;
	my $longest = 0;

	for my $i (first_after($ends, $begin) .. $#$ends)
	{
		next if $i == 0;
		last if $ends->[ $i - 1 ][0] > $end;
		my $ms = ($ends->[$i][0] - $ends->[ $i - 1 ][0]) * 1e3 - $THINK_MS;
		$longest = $ms if $ms > $longest;
	}
	return $longest;
}

# For each reader the longest query that ended then.
sub reader_waits
{
	my ($self, $begin, $end) = @_;
	my @waits;

	for my $ends (values %{ $self->{read_ends} })
	{
		my $longest = 0;

		for my $i (first_after($ends, $begin) .. $#$ends)
		{
			last if $ends->[$i][0] > $end;
			$longest = $ends->[$i][1] if $ends->[$i][1] > $longest;
		}
		push @waits, $longest;
	}
	return @waits;
}

# Index of the first end at or after a time.
sub first_after
{
	my ($ends, $time) = @_;
	my ($low, $high) = (0, scalar @$ends);

	while ($low < $high)
	{
		my $middle = int(($low + $high) / 2);

		if ($ends->[$middle][0] < $time) { $low = $middle + 1; }
		else { $high = $middle; }
	}
	return $low;
}

# Median, 99th percentile and maximum, as text.
sub summary
{
	my (@values) = sort { $a <=> $b } @_;

	return 'none' unless @values;
	return sprintf 'p50 %.0f ms, p99 %.0f ms, maximum %.0f ms',
	  map { $values[ int($_ * $#values + 0.5) ] } 0.5, 0.99, 1;
}

# ---- In a process of its own ----

# One pgbench after the other, at one place after the other.
sub work
{
	my ($logs, $first, $kind, @places) = @_;
	my ($run, $ends) = (0, 0);

	$SIG{TERM} = sub { $ends = 1; };
	$ENV{PGAPPNAME} = $kind eq 'read' ? 'penstock_reader' : 'pgbench';
	while (!$ends)
	{
		my $prefix = sprintf '%s/%s_%d_%d', $logs, $kind, $first, ++$run;
		my $pid = fork() // die "could not fork: $!\n";

		exec_pgbench($prefix, "$logs/$kind.sql", $first, $run, $places[0])
		  if $pid == 0;
		while (waitpid($pid, 0) == -1)
		{
			die "waitpid: $!\n" unless $!{EINTR};
		}
		check_said(slurp_file("$prefix.out")) unless $kind eq 'read' && $ends;
		@places = reverse @places;
	}
}

sub exec_pgbench
{
	my ($prefix, $script, $first, $run, $place) = @_;

	$SIG{TERM} = 'DEFAULT';
	open STDOUT, '>', "$prefix.out" or die "$prefix.out: $!\n";
	open STDERR, '>&', \*STDOUT or die "$prefix.out: $!\n";
	exec 'pgbench', '--no-vacuum', "--client=$SHARE", '--jobs=1',
	  '--time=100000', "--file=$script", '--log', "--log-prefix=$prefix.log",
	  (map { "--define=$_" } "first=$first", "run=$run", 'n=0'), $place
	  or die "pgbench: $!\n";
}

# Dies if one was refused for another reason than that the tables were moved.
sub check_said
{
	my ($said) = @_;

	for my $line (grep { /ERROR|FATAL|aborted/ } split /\n/, $said)
	{
		next if $line =~ /was moved: writes go to|"$STOP"/;
		die "$said\n" unless $line =~ /: aborted: |Run was aborted/;
	}
}

1;
