# A server is killed at each step of a switch, there and back: the writes are at
# one place all the time, and the next attempt moves them.
#
# The switch stops at the step, a server ends and starts again, and the switch
# goes on.  It may fail then, or get to its end.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

# How often it goes through all steps with both servers.
my $ROUNDS = $ENV{PENSTOCK_ROUNDS} || 1;

# What is done at each step, one after the other: which server ends, what the
# follower does, and how often that comes in a row.
my @DEATHS = (
	{ dies => 'source', follower => 'runs', times => 2 },
	{ dies => 'target', follower => 'runs', times => 1 },
	{ dies => 'both', follower => 'starts again', times => 1 },
	{ dies => 'target', follower => 'runs', times => 2 },
	{ dies => 'source', follower => 'runs', times => 1 },
	{ dies => 'both', follower => 'starts again', times => 1 },
	{ dies => 'target', follower => 'stopped', times => 1 });

my @BEFORE = map { "switch.$_" }
  qw(begun has_publication way_back locked reached sequences before_commit);
my @AFTER = map { "switch.$_" } qw(committed opened released);
my %is_before = map { ($_ => 1) } @BEFORE;

my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $pair = Penstock::Pair->new;
my ($written, $place, $other) = (0, 'source', 'target');
my $follower;

$pair->source_sql('CREATE TABLE row (id serial PRIMARY KEY, number int UNIQUE)');
$pair->clone;

for my $round (1 .. $ROUNDS)
{
	my $death = ($round - 1) * 2;

	for my $step (@BEFORE, @AFTER)
	{
		# Each step gets others, and all of them in seven rounds.
		dies($step, $DEATHS[ $death++ % @DEATHS ]);
		dies($step, $DEATHS[ $death++ % @DEATHS ]);
	}
}
switch_ok('back in the end') if $place eq 'target';
start_follower();
write_ok('in the end');
$pair->wait_caught_up($follower);
complete_ok($_) for qw(source target);
$pair->equal_ok('in the end');
$pair->stop_ok($follower);
$pair->run_or_die('finish');
$pair->run_or_die('drop');
done_testing();

sub options
{
	return $place eq 'target' ? ('--back') : ();
}

sub start_follower
{
	$follower = $pair->start('follow', options());
	$follower->wait_log(qr/following with slot/);
}

sub end_follower
{
	return unless $follower;
	$follower->end('KILL') if $follower->is_running;
	$follower = undef;
}

# A row at the place of the writes; the other one takes none.
sub write_ok
{
	my ($title) = @_;
	my $sql = 'INSERT INTO row (number) VALUES (' . ($written + 1) . ')';
	my ($status, undef, $stderr) = $pair->$place->psql($pair->name, $sql);

	is($status, 0, "$title: the $place takes writes") or diag($stderr);
	$written++ if $status == 0;
}

sub complete_ok
{
	my ($side) = @_;

	is($pair->$side->safe_psql($pair->name,
			'SELECT count(*), count(DISTINCT number), max(number) FROM row'),
		"$written|$written|$written", "the $side has each row once");
}

sub dies
{
	my ($step, $death) = @_;
	my $title = "$step, from $place, $death->{dies} dies, follower $death->{follower}";
	my $from = $place;

	start_follower();
	write_ok($title);
	end_follower() if $death->{follower} eq 'stopped';
	for my $time (1 .. $death->{times})
	{
		die_once("$title, $time", $step, $death);
		# The first may have got to the end of it.
		last if !$is_before{$step};
	}
	switch_ok($title);
	write_ok("$title: moved");
	refuses_ok($title, $from);
	end_follower();
}

sub die_once
{
	my ($title, $step, $death) = @_;
	my $switch;

	{
		local $ENV{PENSTOCK_BIN} = $faults_bin;
		local $ENV{PENSTOCK_FAULT_STOP} = $step;
		$switch = $pair->start('switch', options());
	}
	wait_until("$title: the switch to stop", sub {
		die "it has ended:\n" . $switch->output . $switch->log
		  unless $switch->is_running;
		return is_stopped($switch->pid);
	});
	end_follower() if $death->{follower} eq 'starts again';
	for my $side (grep { $death->{dies} =~ /$_|both/ } qw(source target))
	{
		$pair->$side->stop('immediate');
		$pair->$side->start;
	}
	start_again() if $death->{follower} eq 'starts again';
	$switch->signal('CONT');
	my $status = $switch->wait_exit;

	note("$title: status $status\n" . $switch->output . $switch->log);
	# It could be done in spite of that, with a commit that nobody has disturbed.
	if ($is_before{$step} && $status != 0)
	{
		write_ok("$title: not moved");
		unlike($switch->output, qr/writes go to/, "$title: nor is it said");
	}
}

# It may find that there is nothing to follow any more.
sub start_again
{
	$follower = $pair->start('follow', options());
}

sub is_stopped
{
	my ($pid) = @_;

	open my $file, '<', "/proc/$pid/stat" or return 0;
	my $stat = readline $file // '';
	return $stat =~ /\) T /;
}

# The next attempt, which may find that the first got to the end.
sub switch_ok
{
	my ($title) = @_;
	my ($status, $output, $log) = $pair->run('switch', options());

	is($status, 0, "$title: the next attempt") or BAIL_OUT($log);
	($place, $other) = ($other, $place);
}

sub refuses_ok
{
	my ($title, $side) = @_;
	my (undef, undef, $stderr) =
	  $pair->$side->psql($pair->name, 'INSERT INTO row (number) VALUES (0)');

	like($stderr, qr/was moved: writes go to/, "$title: the $side refuses");
}
