# pglogical.  Its subscriptions make their own slot when they are created, and
# know it by name; so the subscription is a part of the template, disabled.
package Bench::Follow::Pglogical;

use strict;
use warnings;

use parent 'Bench::Follow';

use Time::HiRes qw(time);

use Bench::Server;

my $TEMPLATE = 'base_pglogical';

sub missing
{
	return Bench::Server::has_library('pglogical')
	  && Bench::Server::has_library('pglogical_output')
	  ? undef
	  : 'not installed';
}

sub settings
{
	return q(shared_preload_libraries = 'pglogical');
}

sub libraries
{
	return 'pglogical_output';
}

# Tables without a key can be sent as far as they are inserted into.
my $REPLICATION_SETS = <<'END';
SELECT pglogical.replication_set_add_table(
           CASE WHEN EXISTS (SELECT FROM pg_index i
                              WHERE i.indrelid = c.oid AND indisprimary)
                THEN 'default' ELSE 'default_insert_only' END, c.oid)
  FROM pg_class c
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r';
END

sub prepare
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};
	my @dsn = ($source->conninfo($pair->{database}),
		$target->conninfo($TEMPLATE));

	$target->restart;
	return unless Bench::Follow::template($pair, $TEMPLATE);
	$target->load_dump($pair, $TEMPLATE);
	$target->sql($TEMPLATE, 'VACUUM ANALYZE; CHECKPOINT');
	$source->sql($pair->{database}, 'CREATE EXTENSION pglogical;'
		  . " SELECT pglogical.create_node('source', '$dsn[0]');"
		  . $REPLICATION_SETS);
	$target->sql($TEMPLATE, 'CREATE EXTENSION pglogical;'
		  . " SELECT pglogical.create_node('target', '$dsn[1]')");
	$target->sql($TEMPLATE,
		"SELECT pglogical.create_subscription('bench', '$dsn[0]',"
		  . ' synchronize_structure := false, synchronize_data := false)');
	my $watcher = $target->watcher($TEMPLATE);
	Bench::Server::wait_for($watcher, q(SELECT status = 'replicating')
		  . ' FROM pglogical.show_subscription_status()');
	$self->{slot} = Bench::Server::ask($watcher,
		'SELECT sub_slot_name FROM pglogical.subscription');
	Bench::Server::end_watcher($watcher);
	$target->sql($TEMPLATE,
		q(SELECT pglogical.alter_subscription_disable('bench', true)));
	# No worker of its own may use it, or it would not do as a template.
	$target->sql('postgres',
		"ALTER DATABASE $TEMPLATE WITH ALLOW_CONNECTIONS false;"
		  . ' SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
		  . " WHERE datname = '$TEMPLATE'");
	$target->wait_until(
		"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '$TEMPLATE')");
	$source->wait_until('SELECT NOT active FROM pg_replication_slots'
		  . " WHERE slot_name = '$self->{slot}'");
	$source->copy_slot($pair->{database}, $self->{slot}, 'start_pglogical',
		'pglogical_output');
	$source->drop_slot($self->{slot});
}

sub run
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};
	my $slot = $self->{slot};

	# Its supervisor: see Bench::Server::drop_database.
	$target->restart;
	$target->sql('postgres', "CREATE DATABASE run TEMPLATE $TEMPLATE");
	$target->sql('postgres', 'ALTER DATABASE run WITH ALLOW_CONNECTIONS true');
	# It connects to itself.
	$target->sql('run', 'UPDATE pglogical.node_interface'
		  . " SET if_dsn = '@{[ $target->conninfo('run') ]}'"
		  . q( WHERE if_name = 'target'));
	# What it remembers of where it stood.
	$target->sql('postgres',
		"SELECT pg_replication_origin_drop('$slot')"
		  . " FROM pg_replication_origin WHERE roname = '$slot'");
	$target->sql('postgres', "SELECT pg_replication_origin_create('$slot')");
	$source->copy_slot($pair->{database}, 'start_pglogical', $slot,
		'pglogical_output');
	my $watcher = $source->watcher($pair->{database});
	my $cpu = $self->begin($pair, $watcher);

	$target->sql('run', q(SELECT pglogical.alter_subscription_enable('bench', true)));
	# How soon its supervisor looks is not what is measured.
	Bench::Server::wait_for($watcher, 'SELECT active FROM pg_replication_slots'
		  . " WHERE slot_name = '$slot'");
	my $started = time;
	Bench::Follow::wait_for_slot($watcher, $slot, $pair->{end_lsn});
	my $wall_s = time - $started;

	$target->sql('run', q(SELECT pglogical.alter_subscription_disable('bench', true)));
	my %result = (wall_s => $wall_s, $self->end($pair, $cpu, $watcher));
	Bench::Server::end_watcher($watcher);
	return \%result;
}

sub clean
{
	my ($self, $pair) = @_;

	$pair->{target}->drop_database('run');
	$pair->{source}->end_slot($self->{slot}) if $self->{slot};
	$self->SUPER::clean($pair);
}

sub forget
{
	my ($self, $pair) = @_;
	my $target = $pair->{target};

	$pair->{source}->drop_slot('start_pglogical');
	$target->drop_database($TEMPLATE);
	$target->sql('postgres', 'SELECT pg_replication_origin_drop(roname)'
		  . q( FROM pg_replication_origin WHERE roname LIKE 'pgl\_%'));
}

1;
