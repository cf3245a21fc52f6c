# Penstock, with any options of "follow".
package Bench::Follow::Penstock;

use strict;
use warnings;

use parent 'Bench::Follow';

use Bench::Process qw(cpu_s peak_rss_kb run_measured spawn);
use Bench::Server;

sub missing
{
	my ($self) = @_;
	my $help = qx('$ENV{PENSTOCK_BIN}' follow --help);

	for my $option (@{ $self->{options} || [] })
	{
		my ($name) = $option =~ /^(--[a-z-]+)/;
		return "penstock follow has no $name" if $help !~ /\Q$name\E\b/;
	}
	return undef;
}

# Leaves, for all, the slot "start".
sub prepare
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};

	return unless Bench::Follow::template($pair, $self->{template});
	clone($pair, $self->{template});
	$target->sql($self->{template}, 'VACUUM ANALYZE; CHECKPOINT');
	$source->drop_slot('start');
	$source->copy_slot($pair->{database}, 'bench', 'start', 'pgoutput');
	$source->drop_slot('bench');
}

sub run
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};

	$target->sql('postgres', 'CREATE DATABASE run TEMPLATE ' . $self->{template});
	$source->copy_slot($pair->{database}, 'start', 'bench', 'penstock');
	my $cpu = $self->begin($pair);
	my $holder = $self->{held} && hold_snapshot($target);
	my $consumer = run_measured("$target->{directory}/follow.log",
		$self->follow($pair), "--endpos=$pair->{end_lsn}");
	Bench::Server::end_watcher($holder) if $holder;
	return {
		wall_s => $consumer->{wall_s},
		consumer_cpu_s => $consumer->{cpu_s},
		consumer_peak_rss_mb => $consumer->{peak_rss_kb} / 1024,
		$self->end($pair, $cpu),
	};
}

# A session whose snapshot keeps the target from cleaning up, as verify has one.
sub hold_snapshot
{
	my ($target) = @_;
	my $holder = $target->watcher('run');

	Bench::Server::ask($holder, 'BEGIN ISOLATION LEVEL REPEATABLE READ;'
		  . ' SELECT count(*) FROM penstock.progress');
	return $holder;
}

sub start
{
	my ($self, $pair) = @_;

	$pair->{target}->sql('postgres', 'CREATE DATABASE run');
	clone($pair, 'run');
	$self->{pid} =
	  spawn("$pair->{target}{directory}/follow.log", $self->follow($pair));
}

# What it used so far.
sub used
{
	my ($self) = @_;

	return (
		consumer_cpu_s => cpu_s($self->{pid}),
		consumer_peak_rss_mb => peak_rss_kb($self->{pid}) / 1024);
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;

	kill 'TERM', $pid;
	waitpid $pid, 0;
}

sub clean
{
	my ($self, $pair) = @_;

	$self->stop;
	drop_origins($pair);
	$self->SUPER::clean($pair);
}

# They belong to the server, not to the database that goes, and it has room for
# a few only.
sub drop_origins
{
	my ($pair) = @_;

	$pair->{target}->sql('postgres',
		'SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin'
		  . " WHERE starts_with(roname, 'penstock_')");
}

sub follow
{
	my ($self, $pair) = @_;

	return ($ENV{PENSTOCK_BIN}, 'follow', options($pair, 'run'),
		@{ $self->{options} || [] });
}

sub clone
{
	my ($pair, $database) = @_;

	run_measured("$pair->{target}{directory}/clone.log",
		$ENV{PENSTOCK_BIN}, 'clone', options($pair, $database));
}

sub options
{
	my ($pair, $database) = @_;

	return (
		'--source=' . $pair->{source}->conninfo($pair->{database}),
		'--target=' . $pair->{target}->conninfo($database),
		'--name=bench');
}

1;
