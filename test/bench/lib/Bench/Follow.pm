# What makes a target follow a source: the base of the contenders that apply.
#
# A follower is used in two ways.  A backlog: prepare() makes, before the
# backlog is written, the template of a target and the slot at which it stands;
# then, as often as one likes, run() applies the backlog to a new target, and
# clean() takes it away.  Live: start() makes a copy of its own and follows,
# until stop().
#
# All work on the databases of a Bench::Pair: {source} and {target} are servers,
# {database} is the source's; {end_lsn} is the end of the backlog.  The target's
# database is "run".
package Bench::Follow;

use strict;
use warnings;

# name; what else the kinds want to know.
sub new
{
	my ($class, %self) = @_;

	return bless {%self}, $class;
}

# Why it cannot take part; undef if it can.
sub missing
{
	return undef;
}

# Settings that the servers need for it.
sub settings
{
	return ();
}

# The output plugins that it needs, beside penstock and pgoutput.
sub libraries
{
	return ();
}

# Does it have a say in this workload?
sub wants
{
	my ($self, $workload) = @_;

	return !$self->{only} || $self->{only}{ $workload->{name} };
}

# Where the target is, to compare it.
sub conninfo
{
	my ($self, $pair) = @_;

	return $pair->{target}->conninfo('run');
}

# Both servers at rest; what their sessions have used so far.
sub begin
{
	my ($self, $pair, @watchers) = @_;

	$_->sql('postgres', 'CHECKPOINT') for @$pair{qw(source target)};
	$pair->{source}->settle(@watchers);
	$pair->{target}->settle;
	return {
		source => $pair->{source}->sessions_cpu_s,
		target => $pair->{target}->sessions_cpu_s,
	};
}

sub end
{
	my ($self, $pair, $before, @watchers) = @_;

	$pair->{source}->settle(@watchers);
	$pair->{target}->settle;
	return (
		walsender_cpu_s => $pair->{source}->sessions_cpu_s - $before->{source},
		apply_cpu_s => $pair->{target}->sessions_cpu_s - $before->{target});
}

# Until the slot "bench" has confirmed everything up to a position.
sub wait_for_slot
{
	my ($watcher, $slot, $lsn) = @_;

	Bench::Server::wait_for($watcher,
		"SELECT coalesce(confirmed_flush_lsn >= '$lsn', false)"
		  . " FROM pg_replication_slots WHERE slot_name = '$slot'");
}

# Make the template, unless another contender of the same kind has.
sub template
{
	my ($pair, $name) = @_;

	return 0
	  if $pair->{target}->sql('postgres',
		"SELECT count(*) FROM pg_database WHERE datname = '$name'");
	$pair->{target}->sql('postgres', "CREATE DATABASE $name");
	return 1;
}

# What prepare() made.
sub forget
{
	my ($self, $pair) = @_;

	$pair->{target}->drop_database($self->{template})
	  if $self->{template};
}

# Also after a failure: whatever there is goes.
sub clean
{
	my ($self, $pair) = @_;

	$pair->{source}->end_slot('bench');
	$pair->{target}->drop_database('run');
}

1;
