# What happens to a round while its writers are at work.
package Rows::Events;

use strict;
use warnings;

use Exporter qw(import);

use Penstock::Poll qw(pause wait_until);
use Rows::Changes
  qw(change_both change_target add_enum_value reattach alter);
use Rows::Conflicts qw(tamper);
use Soak::Faults qw(crash_points);
use Soak::Invariants qw(answer);

our @EXPORT_OK = qw(happen);

# Points that "penstock table" passes.
my @COMMAND_CRASH_POINTS = map { "table.$_" } qw(removed slot_copied ready
  joining catching_up caught_up copying slot_created created rows copied);

# So many times, at most, a crash point is passed before the consumer dies there.
my $CRASH_AT_MAX = 5;

my $FENCE_S = 60;
my $TABLES_MADE_MAX = 3;

# Feature => what it does, and how often it is drawn.
my @EVENTS = (
	[ 'kills', \&consumer_killed, 4 ],
	[ 'crash_points', \&consumer_crashes, 4 ],
	[ 'restarts', \&consumer_restarted, 3 ],
	[ 'source_crashes', sub { server_crashed($_[0], 'source') }, 1 ],
	[ 'target_crashes', sub { server_crashed($_[0], 'target') }, 1 ],
	[ 'backends_killed', \&backend_killed, 2 ],
	[ 'backends_crash', \&backend_crashes, 1 ],
	[ 'stalls', \&backend_stalls, 2 ],
	[ 'cuts', \&connections_cut, 4 ],
	[ 'fences', \&fence, 2 ],
	[ 'table_commands', \&table_command, 5 ],
	[ 'new_tables', \&table_made, 3 ],
	[ 'new_partitions', \&partition_made, 3 ],
	[ 'publication_changes', \&change_publication, 4 ],
	[ 'truncates_paused', \&truncate_paused, 2 ],
	[ 'ddl', \&change_both, 4 ],
	[ 'reattach', \&reattach, 3 ],
	[ 'enum_values', \&add_enum_value, 2 ],
	[ 'target_ddl', \&change_target, 4 ],
	[ 'conflicts', \&tamper, 6 ],
);

# What would have to be known of conflicts, too.
my %IS_OTHERWISE = map { $_ => 1 } qw(table_commands new_tables new_partitions
  publication_changes truncates_paused ddl target_ddl);

sub may_happen
{
	my ($round, $feature) = @_;
	my $schema = $round->schema;

	return 0 unless $round->features->is_on($feature);
	return $round->network('target') if $feature eq 'cuts';
	return $schema->policy && !$schema->{operations} if $feature eq 'conflicts';
	return !$schema->policy || !$IS_OTHERWISE{$feature};
}

# One of them, if there are any.
sub happen
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $event = $random->pick(
		map { ($_) x $_->[2] } grep { may_happen($round, $_->[0]) } @EVENTS)
	  or return;
	my ($feature, $function) = @$event;
	my $words = $function->($round);
	$round->say("$feature: $words") if $words;
}

sub consumer_killed
{
	my ($round) = @_;

	$round->random('happenings')->pick($round->followers)->kill;
	return 'killed';
}

# It dies at one of its places, if it comes there.
sub consumer_crashes
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $point = $random->pick(crash_points()) . ':'
	  . $random->integer(1, $CRASH_AT_MAX);

	return unless $ENV{PENSTOCK_FAULTS_BIN};
	$round->follower->stop;
	$round->follower->foresee_crashes($point);
	$round->follower->start;
	return $point;
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

# Processes of a server's that work for the consumer.
sub backends
{
	my ($round, $side) = @_;
	my $name = $round->name;
	my $which = $side eq 'source'
	  ? "pid = (SELECT active_pid FROM pg_replication_slots
		WHERE slot_name = '$name')"
	  : "datname LIKE '$name%' AND application_name LIKE '%penstock%'";

	return split /\n/, $round->pair->$side->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE $which");
}

sub backend_killed
{
	my ($round) = @_;
	my $side = $round->random('happenings')->pick('source', 'target');
	my @pids = backends($round, $side);

	$round->pair->$side->safe_psql('postgres', "SELECT pg_terminate_backend($_)")
	  for @pids;
	return @pids . " of the $side terminated";
}

# The server takes all others along, and starts again by itself.
sub backend_crashes
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $side = $random->pick('source', 'target');
	my $pid = $random->pick(backends($round, $side), undef) or return;

	kill 'KILL', $pid;
	wait_until(
		"the $side to answer after a crash",
		sub {
			return !kill(0, $pid)
			  && answer($round->pair->$side, 'postgres', 'SELECT 1');
		});
	$round->end_prepared if $side eq 'source';
	return "one of the $side killed";
}

sub backend_stalls
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $side = $random->pick('source', 'target');
	my $seconds = $random->between(0.1, 2);
	my @pids = backends($round, $side);

	kill 'STOP', @pids;
	$round->tend_for($seconds);
	kill 'CONT', @pids;
	return sprintf '%d of the %s for %.1f s', scalar @pids, $side, $seconds;
}

# Now, or the next ones in the middle of something.
sub connections_cut
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $side = $random->pick('source', 'target');
	my $seconds = $random->between(0, 1);
	my $bytes = int $random->pick(1500, 20000, 200000) * $random->draw;
	my $direction = $random->pick(qw(request_bytes reply_bytes));
	my $is_later = $random->draw < 0.5;
	my $network = $round->network($side);

	if (!$is_later)
	{
		$network->cut($seconds);
		return "of the $side";
	}
	$network->set_rule(sub { $_[0] <= 3 ? { $direction => $bytes } : {} });
	$round->tend_for(0.5 + $seconds);
	# Commands give up where a follower goes on.
	$network->set_rule;
	return "of the $side, $direction $bytes";
}

# All targets are at its position, and stay there while it lasts.
sub fence
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $signal = $random->pick('INT', 'TERM', 'KILL');
	my $is_held = $random->draw < 0.5;
	my $is_killed = $random->draw < 0.3;
	my $fence = $round->pair->start('fence', '--hold=60');
	my $lsn;

	await($round, 'fence', $FENCE_S,
		sub { ($lsn) = $fence->log =~ m{all targets are at LSN ([0-9A-F/]+)} });
	my @before = map { position($round, $_) } $round->target_databases;
	$round->follower->kill if $is_killed;
	$round->tend_for($random->between(0.1, 0.8)) if $is_held;
	my @after = map { position($round, $_) } $round->target_databases;
	$fence->end($signal);
	$round->finding("a fence at $lsn: targets were at @before, and then at @after")
	  if grep { $_ ne $lsn } @before, @after;
	return "at $lsn, ended by $signal";
}

sub position
{
	my ($round, $database) = @_;

	return $round->pair->target->safe_psql($database,
		'SELECT end_lsn FROM penstock.progress WHERE pipeline = '
		  . "'" . $round->name . "'");
}

# It comes true in time, while the follower is looked after.
sub await
{
	my ($round, $what, $seconds, $condition) = @_;

	for (1 .. $seconds * 10)
	{
		return if $condition->();
		$round->tend_for(0.1);
	}
	$round->finding("$what: not in $seconds s");
	die "what comes after a failure says little\n";
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
	my @command = ('table', $verb, $name, @options, $round->copy_options);
	$round->wait_for_end($round->pair->start(@command), "table $command $name")
	  unless die_on_the_way($round, @command);
	$round->{aside}{$name} = $verb =~ /^(pause|remove)$/ ? $verb : undef;
	# Rows that are copied anew are new ones.
	$table->{kept} = 'none' if $table->{kept} && $verb ne 'pause';
	$round->native->forget($name) if $round->native && $verb eq 'remove';
}

# What such a command has begun, the same command finishes.  True if it never came
# to where it was to die, and is through.
sub die_on_the_way
{
	my ($round, @command) = @_;
	my $random = $round->random('happenings');
	my $wanted = $round->chance('command_crashes', 0.3);
	my $point = $random->pick(@COMMAND_CRASH_POINTS);

	return 0 if !$wanted || !$ENV{PENSTOCK_FAULTS_BIN};
	local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN};
	local $ENV{PENSTOCK_FAULT} = $point;
	my $process = $round->pair->start(@command);
	$round->tend_for(0.05) while $process->is_running;
	my $status = $process->wait_exit;
	$round->say("@command[ 1, 2 ] at $point: status $status");
	return $status == 0;
}

# Its first rows are there before it is published, or come when it is followed.
sub table_made
{
	my ($round) = @_;
	my $schema = $round->schema;

	return if $schema->nodes > 1 || !$schema->may_add;
	return if ++$round->{tables_made} > $TABLES_MADE_MAX;
	my $table = $schema->make_table;
	my $name = $table->name;
	$round->keep_text("$table->{name}.sql", $table->source_ddl);
	$round->native->forget($name) if $round->native;
	$round->pair->source_sql($table->source_ddl);
	$round->run_writer("rows_$table->{name}", $table) if $schema->is_by_list;
	my @command = ('table', 'add', $name, $round->copy_options);
	$round->wait_for_end($round->pair->start(@command), "table add $name")
	  unless die_on_the_way($round, @command);
	$round->run_writer("more_$table->{name}", $table);
	return $name;
}

# Behind the keys that writers use.  Where partitions are followed by themselves
# it has to be taken in.
sub partition_made
{
	my ($round) = @_;
	my $schema = $round->schema;
	my $random = $round->random('happenings');
	my @tables = grep {
		$_->{partitions} && $_->{partitions}{by} ne 'HASH' && !$_->{partitions}{made}
		  && !$_->{target}{is_whole} && !$round->{aside}{ $_->name }
	} $schema->published;
	my $table = $random->pick(@tables, undef) or return;
	my ($name, $by) = ($table->name, $table->{partitions}{by});
	my $leaf = { name => "$table->{name}_pnew",
		bound => $by eq 'LIST' ? 'FOR VALUES IN (25001, 25002, 25003)'
		: 'FOR VALUES FROM (25001) TO (25100)' };
	my $leaf_name = $table->leaf_name($leaf);

	return if $schema->nodes > 1 || !$schema->may_add;
	my $sql = "CREATE TABLE $leaf_name PARTITION OF $name $leaf->{bound}";
	$sql .= "; ALTER TABLE $leaf_name REPLICA IDENTITY FULL"
	  if $table->{identity} eq 'full';
	alter($round, 'source', $sql) or return;
	$table->{partitions}{made} = 1;
	if (!$schema->is_root)
	{
		my @command = ('table', 'add', $leaf_name, $round->copy_options);
		die_on_the_way($round, @command);
		$round->wait_for_end($round->pair->start(@command), "table add $leaf_name");
		$round->native->forget($name) if $round->native;
	}
	$leaf->{is_moved} = $schema->is_root;
	push @{ $table->{partitions}{leaves} }, $leaf;
	$round->run_writer("rows_$leaf->{name}", $table, 25001);
	return $leaf_name;
}

# Rows that the one filter has and the other has not come and go with a copy.
sub change_publication
{
	my ($round) = @_;
	my $schema = $round->schema;
	my $table = $round->random('happenings')->pick($schema->published);
	my $name = $table->name;

	return if $schema->nodes > 1 || !$schema->is_by_list || !$schema->may_add;
	return if $table->{partitions} || $round->{aside}{$name};
	run_table_command($round, $table, 'pause');
	$schema->choose_anew($table);
	my $publication = ($schema->publications)[0];
	$round->pair->source_sql("BEGIN;
		ALTER PUBLICATION $publication DROP TABLE $name;
		ALTER PUBLICATION $publication ADD TABLE "
		. $schema->publication_item($table) . '; COMMIT');
	$round->native->forget($name) if $round->native;
	run_table_command($round, $table, 'resume');
	return $schema->publication_item($table);
}

# What refers to a row that goes, goes too, but not where that is paused.
sub truncate_paused
{
	my ($round) = @_;
	my $schema = $round->schema;
	my $random = $round->random('happenings');
	my $restarts = $random->pick('', ' RESTART IDENTITY');
	my $is_kept = $random->draw < 0.5;
	my $is_resumed = $random->draw < 0.7;
	my @linked = grep { $_->{is_published} && @{ $_->{references} } }
	  $schema->tables;
	my $child = $random->pick(@linked, undef) or return;
	my $parent = $child->{references}[0]{table};
	my $paused = $random->pick($child, $parent);

	return if $schema->nodes > 1 || $paused->{partitions};
	return if !$paused->{is_published} || $round->{aside}{ $paused->name };
	run_table_command($round, $paused, $is_kept ? 'pause --keep' : 'pause');
	alter($round, 'source', 'TRUNCATE ' . $parent->name . "$restarts CASCADE");
	$round->tend_for($random->between(0, 0.5));
	run_table_command($round, $paused, 'resume') if $is_resumed;
	return $parent->name . ', with ' . $paused->name . ' paused';
}

1;
