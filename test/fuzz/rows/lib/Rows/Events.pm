# What happens to a round while its writers are at work.
package Rows::Events;

use strict;
use warnings;

use Exporter qw(import);

use Penstock::Poll qw(pause);
use Rows::Changes qw(change_both change_target);

our @EXPORT_OK = qw(happen);

# Feature => what it does, and how often it is drawn.
my @EVENTS = (
	[ 'kills', \&consumer_killed, 4 ],
	[ 'restarts', \&consumer_restarted, 3 ],
	[ 'source_crashes', sub { server_crashed($_[0], 'source') }, 1 ],
	[ 'target_crashes', sub { server_crashed($_[0], 'target') }, 1 ],
	[ 'backends_killed', \&backend_killed, 2 ],
	[ 'table_commands', \&table_command, 5 ],
	[ 'ddl', \&change_both, 4 ],
	[ 'target_ddl', \&change_target, 4 ],
);

# One of them, if it is there.
sub happen
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $event = $random->pick(map { ($_) x $_->[2] } @EVENTS);
	my ($feature, $function) = @$event;

	return unless $round->features->is_on($feature);
	my $words = $function->($round);
	$round->say("$feature: $words") if $words;
}

sub consumer_killed
{
	my ($round) = @_;

	$round->follower->kill;
	return 'killed';
}

sub consumer_restarted
{
	my ($round) = @_;

	$round->follower->restart;
	return 'restarted';
}

sub server_crashed
{
	my ($round, $side) = @_;
	my $server = $round->pair->$side;

	$server->stop('immediate');
	pause($round->random('happenings')->between(0, 0.3));
	$server->start;
	# The writers have ended, and what they had prepared lets others wait.
	$round->end_prepared if $side eq 'source';
	return "$side stopped at once and started";
}

sub backend_killed
{
	my ($round) = @_;
	my $side = $round->random('happenings')->pick('source', 'target');
	my $name = $round->name;
	my $which = $side eq 'source'
	  ? "pid = (SELECT active_pid FROM pg_replication_slots
		WHERE slot_name = '$name')"
	  : "datname LIKE '$name%' AND application_name LIKE '%penstock%'";

	my $count = $round->pair->$side->safe_psql('postgres',
		"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		  WHERE $which");
	return "$count of the $side terminated";
}

# One that makes the table's rows what they should be, or puts it aside.
sub table_command
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $table = $random->pick($round->schema->published);

	return if $round->schema->nodes > 1;
	my $command = $random->pick('resync', 'pause', 'pause --keep', 'remove');
	my $aside = $round->{aside}{ $table->name };

	# Partitions are told apart by publications only.
	return if $table->{partitions};
	if ($aside)
	{
		$command = $aside eq 'remove' ? 'add' : 'resume';
	}
	elsif ($command eq 'remove' && !$round->schema->may_remove($table))
	{
		$command = 'resync';
	}
	run_table_command($round, $table, $command);
	return "$command " . $table->name;
}

sub run_table_command
{
	my ($round, $table, $command) = @_;
	my ($verb, @options) = split / /, $command;
	my $name = $table->name;

	# What the target has is thrown away by nobody else.
	$round->pair->target_sql(
		"SET session_replication_role = replica; DELETE FROM $name")
	  if $verb eq 'add';
	$round->wait_for_end(
		$round->pair->start('table', $verb, $name, @options,
			$round->copy_options),
		"table $command $name");
	$round->{aside}{$name} = $verb =~ /^(pause|remove)$/ ? $verb : undef;
	# Rows that are copied anew are new ones.
	$table->{kept} = 'none' if $table->{kept} && $verb ne 'pause';
	$round->native->forget($name) if $round->native && $verb eq 'remove';
}

1;
