# How long it takes until a target has the same backlog, end to end, and what
# each process on the way spends.
#
# Every run starts from the same: a new target database, made from a template
# that has what the source had before the backlog, and a new slot that stands
# before it.  A run ends when the target has said to the source that it has
# everything safe.  "native" is a subscription, with and without binary format.
package Bench::Apply;

use strict;
use warnings;

use Time::HiRes qw(time);

use Bench::Process qw(run_measured);
use Bench::Report qw(grouped medians print_table ratio);
use Bench::Server;

my @CONTENDERS = (
	{ name => 'penstock', prepare => \&prepare_penstock, run => \&run_penstock },
	{
		name => 'native text',
		prepare => \&prepare_native,
		run => sub { run_native(@_, 'false') },
	},
	{
		name => 'native binary',
		prepare => \&prepare_native,
		run => sub { run_native(@_, 'true') },
	},
);

sub contenders
{
	return @CONTENDERS;
}

# ---- Templates, made before the backlog ----

# Leaves the template "base_penstock" and, for all, the slot "start".
sub prepare_penstock
{
	my ($source, $target, $workload) = @_;

	$target->sql('postgres', 'CREATE DATABASE base_penstock');
	run_measured("$target->{directory}/clone.log", $ENV{PENSTOCK_BIN}, 'clone',
		penstock_options($source, $target, $workload, 'base_penstock'));
	$target->sql('base_penstock', 'VACUUM ANALYZE; CHECKPOINT');
	$source->drop_slot('start');
	$source->copy_slot($workload->{name}, 'bench', 'start', 'pgoutput');
	$source->drop_slot('bench');
}

sub prepare_native
{
	my ($source, $target, $workload) = @_;
	my $from = $source->conninfo($workload->{name});
	my $to = $target->conninfo('base_native');

	return
	  if $target->sql('postgres',
		"SELECT count(*) FROM pg_database WHERE datname = 'base_native'");
	$target->sql('postgres', 'CREATE DATABASE base_native');
	$target->command('bash', '-c', 'set -o pipefail; pg_dump --no-publications'
		  . ' "$0" | psql --quiet --set=ON_ERROR_STOP=1 "$1"', $from, $to);
	$target->sql('base_native', 'VACUUM ANALYZE; CHECKPOINT');
}

sub penstock_options
{
	my ($source, $target, $workload, $database) = @_;

	return (
		'--source=' . $source->conninfo($workload->{name}),
		'--target=' . $target->conninfo($database),
		'--name=bench');
}

# ---- Runs ----

sub run_penstock
{
	my ($source, $target, $workload) = @_;

	$target->sql('postgres', 'CREATE DATABASE run TEMPLATE base_penstock');
	$source->copy_slot($workload->{name}, 'start', 'bench', 'penstock');
	my $cpu = begin($source, $target);
	my $consumer = run_measured("$target->{directory}/follow.log",
		$ENV{PENSTOCK_BIN}, 'follow', "--endpos=$workload->{end_lsn}",
		penstock_options($source, $target, $workload, 'run'));
	return {
		wall_s => $consumer->{wall_s},
		consumer_cpu_s => $consumer->{cpu_s},
		consumer_peak_rss_mb => $consumer->{peak_rss_kb} / 1024,
		end($source, $target, $cpu),
	};
}

sub run_native
{
	my ($source, $target, $workload, $binary) = @_;
	my $conninfo = $source->conninfo($workload->{name});

	$target->sql('postgres', 'CREATE DATABASE run TEMPLATE base_native');
	$source->copy_slot($workload->{name}, 'start', 'bench', 'pgoutput');
	$target->sql('run', "CREATE SUBSCRIPTION bench CONNECTION '$conninfo'"
		  . ' PUBLICATION bench WITH (create_slot = false, enabled = false,'
		  . " slot_name = 'bench', copy_data = false, binary = $binary)");
	my $watcher = $source->watcher($workload->{name});
	my $cpu = begin($source, $target, $watcher);

	my $started = time;
	$target->sql('run', 'ALTER SUBSCRIPTION bench ENABLE');
	Bench::Server::wait_for($watcher,
		"SELECT confirmed_flush_lsn >= '$workload->{end_lsn}'"
		  . " FROM pg_replication_slots WHERE slot_name = 'bench'");
	my $wall_s = time - $started;

	$target->sql('run', 'ALTER SUBSCRIPTION bench DISABLE');
	my %result = (
		wall_s => $wall_s,
		consumer_cpu_s => 0,
		consumer_peak_rss_mb => 0,
		end($source, $target, $cpu, $watcher));
	Bench::Server::end_watcher($watcher);
	$target->sql('run', 'ALTER SUBSCRIPTION bench SET (slot_name = NONE);'
		  . ' DROP SUBSCRIPTION bench');
	return \%result;
}

# Both servers at rest; what their sessions have used so far.
sub begin
{
	my ($source, $target, @watchers) = @_;

	$_->sql('postgres', 'CHECKPOINT') for $source, $target;
	$source->settle(@watchers);
	$target->settle;
	return { source => $source->sessions_cpu_s, target => $target->sessions_cpu_s };
}

sub end
{
	my ($source, $target, $before, @watchers) = @_;

	$source->settle(@watchers);
	$target->settle;
	return (
		walsender_cpu_s => $source->sessions_cpu_s - $before->{source},
		apply_cpu_s => $target->sessions_cpu_s - $before->{target});
}

# Did it arrive?  Then make room for the next.
sub finish
{
	my ($source, $target, $workload) = @_;
	my $compare = "$ENV{PENSTOCK_STAGE}/test/compare";

	$target->command($compare, '--quiet',
		$source->conninfo($workload->{name}), $target->conninfo('run'));
	$source->drop_slot('bench');
	$target->sql('postgres', 'DROP DATABASE run');
}

# ---- Results ----

sub summarize
{
	my ($results) = @_;

	$_->{median} = medians(@{ $_->{runs} }) for @$results;
}

sub report
{
	my ($workload, $results) = @_;
	my @rows = [
		'',         'wall s', 'rows/s', 'walsender', 'consumer', 'apply',
		'CPU s', 'peak MB' ];

	for my $result (@$results)
	{
		my $median = $result->{median};
		my @cpu = @$median{qw(walsender_cpu_s consumer_cpu_s apply_cpu_s)};
		push @rows,
		  [ $result->{name},
			sprintf('%.2f', $median->{wall_s}),
			grouped($workload->{rows} / $median->{wall_s}),
			(map { sprintf '%.2f', $_ } @cpu, cpu_s($result)),
			$median->{consumer_peak_rss_mb}
			? sprintf('%.1f', $median->{consumer_peak_rss_mb})
			: '-' ];
	}
	print_table(@rows);

	my ($ours) = grep { $_->{name} eq 'penstock' } @$results;
	return unless $ours;
	@rows = [ 'penstock takes 1, ...', 'wall', 'CPU' ];
	for my $result (grep { $_ != $ours } @$results)
	{
		push @rows,
		  [ "... $result->{name}",
			ratio($result->{median}{wall_s}, $ours->{median}{wall_s}),
			ratio(cpu_s($result), cpu_s($ours)) ];
	}
	print "\n";
	print_table(@rows);
}

sub cpu_s
{
	my ($result) = @_;
	my $median = $result->{median};

	return $median->{walsender_cpu_s} + $median->{consumer_cpu_s} +
	  $median->{apply_cpu_s};
}

1;
