# How long it takes until a target has the same backlog, end to end, and what
# each process on the way spends.
#
# Every run starts from the same: a new target database, made from a template
# that has what the source had before the backlog, and a slot that stands before
# it.  A run ends when the target has said to the source that it has everything
# safe (the standby: when it has replayed it).  "native" is a subscription.
package Bench::Apply;

use strict;
use warnings;

use Bench::Follow;
use Bench::Follow::Native;
use Bench::Follow::Penstock;
use Bench::Follow::Pglogical;
use Bench::Follow::Standby;
use Bench::Report qw(cell grouped medians print_table ratio);
use Bench::Server;

# Those whose options mean nothing elsewhere take part in these workloads only.
my %TRANSACTIONS = map { $_ => 1 } qw(tpcb single-insert);
my %SINGLE = ('single-insert' => 1);
my %BIG = ('big-transaction' => 1);
my %COMPRESSIBLE = map { $_ => 1 } qw(narrow-insert toast-updates wide-rows);

# In the order in which they are prepared.  The standby comes last: its copy of
# the source has the slots and all that the others left there.
sub contenders
{
	my @penstock = (
		{ name => 'penstock', latency => 1 },
		{
			name => 'penstock zstd',
			options => ['--compression=zstd'],
			only => \%COMPRESSIBLE,
		},
		{
			name => 'penstock transaction',
			options => ['--apply=transaction'],
			only => \%TRANSACTIONS,
		},
		{
			name => 'penstock transaction held',
			options => ['--apply=transaction'],
			only => \%SINGLE,
			held => 1,
		},
		map { {
				name => "penstock $_ lanes",
				options => [ '--apply=transaction', "--lanes=$_" ],
				only => \%TRANSACTIONS,
			} } 2, 4);
	my @native = (
		{ name => 'native text', latency => 1 },
		{ name => 'native binary', options => ['binary = true'] },
		{
			name => 'native streaming',
			options => ['streaming = true'],
			only => \%BIG,
		});

	return (
		(map { Bench::Follow::Penstock->new(template => 'base_penstock', %$_) }
			  @penstock),
		(map { Bench::Follow::Native->new(template => 'base_native', %$_) }
			  @native),
		Bench::Follow::Pglogical->new(name => 'pglogical'),
		Bench::Follow::Standby->new(name => 'standby'));
}

# One run, and whether what arrived is right.
sub run
{
	my ($follower, $pair) = @_;
	my $result = eval {
		my $run = $follower->run($pair);
		compare($follower, $pair);
		$run;
	};
	my $failure = $@;

	$follower->clean($pair);
	die $failure unless $result;
	return $result;
}

sub compare
{
	my ($follower, $pair) = @_;
	my @tables = map { "--table=$_" } $pair->{source}->sql($pair->{database},
		q(SELECT format('%I.%I', schemaname, tablename) FROM pg_tables)
		  . q( WHERE schemaname = 'public'));

	$pair->{target}->command("$ENV{PENSTOCK_STAGE}/test/compare", '--quiet',
		@tables, $pair->{source}->conninfo($pair->{database}),
		$follower->conninfo($pair));
}

# ---- Results ----

sub summarize
{
	my ($results) = @_;

	for my $result (@$results)
	{
		next unless @{ $result->{runs} };
		$result->{median} = medians(@{ $result->{runs} });
		$result->{median}{cpu_s} = cpu_s($result->{median});
	}
}

sub report
{
	my ($workload, $results) = @_;
	my @good = grep { $_->{median} } @$results;
	my @rows = [
		'',         'wall s', 'rows/s', 'walsender', 'consumer', 'apply',
		'CPU s', 'peak MB' ];

	for my $result (@good)
	{
		my $median = $result->{median};
		push @rows,
		  [ $result->{name},
			sprintf('%.2f', $median->{wall_s}),
			grouped($workload->{rows} / $median->{wall_s}),
			cell('%.2f', $median->{walsender_cpu_s}),
			cell('%.2f', $median->{consumer_cpu_s}),
			cell('%.2f', $median->{apply_cpu_s}),
			sprintf('%.2f', $median->{cpu_s}),
			cell('%.1f', $median->{consumer_peak_rss_mb}) ];
	}
	print_table(@rows);

	my ($ours) = grep { $_->{name} eq 'penstock' } @good;
	return unless $ours;
	@rows = [ 'penstock takes 1, ...', 'wall', 'CPU' ];
	for my $result (grep { $_ != $ours } @good)
	{
		push @rows,
		  [ "... $result->{name}",
			ratio($result->{median}{wall_s}, $ours->{median}{wall_s}),
			ratio($result->{median}{cpu_s}, $ours->{median}{cpu_s}) ];
	}
	print "\n";
	print_table(@rows);
}

sub cpu_s
{
	my ($median) = @_;
	my $sum = 0;

	$sum += $median->{$_} // 0
	  for qw(walsender_cpu_s consumer_cpu_s apply_cpu_s);
	return $sum;
}

1;
