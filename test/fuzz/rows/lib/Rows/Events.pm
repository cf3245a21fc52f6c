# What happens to a round while its writers are at work.
package Rows::Events;

use strict;
use warnings;

use Exporter qw(import);

use Penstock::Poll qw(pause wait_until);
use Rows::Table qw(quote_ident);

our @EXPORT_OK = qw(happen);

# Feature => what it does, and how often it is drawn.
my @EVENTS = (
	[ 'kills', \&consumer_killed, 4 ],
	[ 'restarts', \&consumer_restarted, 3 ],
	[ 'source_crashes', sub { server_crashed($_[0], 'source') }, 1 ],
	[ 'target_crashes', sub { server_crashed($_[0], 'target') }, 1 ],
	[ 'backends_killed', \&backend_killed, 2 ],
	[ 'table_commands', \&table_command, 5 ],
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
	  : "datname = '$name' AND application_name LIKE '%penstock%'";

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
	my $name = $table->name;
	my $aside = $round->{aside}{$name};
	my $command = $random->pick('resync', 'pause', 'pause --keep');

	return if $table->{partitions};
	$command = 'resume' if $aside;
	my @command = split / /, $command;
	my $verb = shift @command;
	$round->wait_for_end(
		$round->pair->start('table', $verb, $name, @command,
			$round->copy_options), "table $command $name");
	$round->{aside}{$name} = $command =~ /pause/;
	return "$command $name";
}

1;
