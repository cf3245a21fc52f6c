# A subscription, with any options of CREATE SUBSCRIPTION.
package Bench::Follow::Native;

use strict;
use warnings;

use parent 'Bench::Follow';

use Time::HiRes qw(time);

use Bench::Server;

sub prepare
{
	my ($self, $pair) = @_;

	return unless Bench::Follow::template($pair, $self->{template});
	$pair->{target}->load_dump($pair, $self->{template});
	$pair->{target}->sql($self->{template}, 'VACUUM ANALYZE; CHECKPOINT');
}

sub run
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};

	$target->sql('postgres', 'CREATE DATABASE run TEMPLATE ' . $self->{template});
	$source->copy_slot($pair->{database}, 'start', 'bench', 'pgoutput');
	$self->subscribe($pair, 'create_slot = false', 'enabled = false',
		q(slot_name = 'bench'), 'copy_data = false');
	my $watcher = $source->watcher($pair->{database});
	my $cpu = $self->begin($pair, $watcher);

	my $started = time;
	$target->sql('run', 'ALTER SUBSCRIPTION bench ENABLE');
	Bench::Follow::wait_for_slot($watcher, 'bench', $pair->{end_lsn});
	my $wall_s = time - $started;

	$target->sql('run', 'ALTER SUBSCRIPTION bench DISABLE');
	my %result = (wall_s => $wall_s, $self->end($pair, $cpu, $watcher));
	Bench::Server::end_watcher($watcher);
	return \%result;
}

sub start
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};

	$target->sql('postgres', 'CREATE DATABASE run');
	$target->load_dump($pair, 'run', '--schema-only');
	$source->sql($pair->{database},
		"SELECT pg_create_logical_replication_slot('bench', 'pgoutput')");
	$self->subscribe($pair, 'create_slot = false', q(slot_name = 'bench'));
	my $watcher = $target->watcher('run');
	Bench::Server::wait_for($watcher,
		q(SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel));
	Bench::Server::end_watcher($watcher);
}

sub used
{
	return ();
}

sub stop
{
	my ($self, $pair) = @_;

	$pair->{target}->sql('run', 'ALTER SUBSCRIPTION bench DISABLE');
}

sub subscribe
{
	my ($self, $pair, @with) = @_;
	my $conninfo = $pair->{source}->conninfo($pair->{database});
	my $with = join ', ', @with, @{ $self->{options} || [] };

	$pair->{target}->sql('run', "CREATE SUBSCRIPTION bench CONNECTION"
		  . " '$conninfo' PUBLICATION bench WITH ($with)");
}

sub clean
{
	my ($self, $pair) = @_;
	my $target = $pair->{target};

	if ($target->sql('postgres', 'SELECT count(*) FROM pg_subscription'))
	{
		$target->sql('run', 'ALTER SUBSCRIPTION bench DISABLE;'
			  . ' ALTER SUBSCRIPTION bench SET (slot_name = NONE);'
			  . ' DROP SUBSCRIPTION bench');
	}
	$self->SUPER::clean($pair);
}

1;
