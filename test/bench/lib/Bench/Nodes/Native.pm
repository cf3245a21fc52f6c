# A subscription for all rows, or several for a part each.
package Bench::Nodes::Native;

use strict;
use warnings;

use parent 'Bench::Nodes::Contender';

use Time::HiRes qw(time);

use Bench::Follow;
use Bench::Server;

sub prepare
{
	my ($self, $pair) = @_;
	my $target = $pair->{target};
	my @templates = $self->templates;

	$self->create_templates($pair);
	for my $i (0 .. $#templates)
	{
		$target->load_dump($pair, $templates[$i]);
		$target->sql($templates[$i],
			join ' ', map { "DELETE FROM $_ WHERE bid % $self->{count} <> $i;" }
			  qw(branches tellers accounts history));
	}
	$self->vacuum_templates($pair);
}

sub run
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};
	my @databases = $self->databases;

	$self->create_nodes($pair);
	$self->subscribe($pair, $_) for 0 .. $#databases;
	my $watcher = $source->watcher($pair->{database});
	my $cpu = $self->begin($pair, $watcher);

	my $started = time;
	$target->sql($_, 'ALTER SUBSCRIPTION bench ENABLE') for @databases;
	Bench::Follow::wait_for_slot($watcher, "bench_$_", $pair->{end_lsn})
	  for 0 .. $#databases;
	my $wall_s = time - $started;

	$target->sql($_, 'ALTER SUBSCRIPTION bench DISABLE') for @databases;
	my %result = (wall_s => $wall_s, $self->end($pair, $cpu, $watcher));
	Bench::Server::end_watcher($watcher);
	return \%result;
}

sub subscribe
{
	my ($self, $pair, $i) = @_;
	my ($source, $target) = @$pair{qw(source target)};
	my $conninfo = $source->conninfo($pair->{database});
	my $publication = $self->{count} == 1 ? 'bench' : "bench_$i";

	$source->copy_slot($pair->{database}, 'start', "bench_$i", 'pgoutput');
	$target->sql("run_$i", "CREATE SUBSCRIPTION bench CONNECTION '$conninfo'"
		  . " PUBLICATION $publication WITH (slot_name = 'bench_$i',"
		  . ' create_slot = false, enabled = false, copy_data = false)');
}

sub clean
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};
	my %there = map { $_ => 1 } $target->sql('postgres',
		'SELECT datname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid');

	for my $database (grep { $there{$_} } $self->databases)
	{
		$target->sql($database, 'ALTER SUBSCRIPTION bench DISABLE;'
			  . ' ALTER SUBSCRIPTION bench SET (slot_name = NONE);'
			  . ' DROP SUBSCRIPTION bench');
	}
	$source->end_slot("bench_$_") for 0 .. $self->{count} - 1;
	$self->SUPER::clean($pair);
}

1;
