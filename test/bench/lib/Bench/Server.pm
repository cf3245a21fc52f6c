# A throw-away server: in a directory of the stage, on a socket there, with
# settings that a careful administrator would choose for the load.
package Bench::Server;

use strict;
use warnings;

use IPC::Open2;
use POSIX ();
use Time::HiRes qw(sleep time);

use Bench::Process qw(children children_cpu_s command_line);

my $TIMEOUT_S = 600;

# Durability as it is by default.  Vacuum would come and go as it likes, and
# its processes would be counted with those that are measured.  A server starts
# one worker of a subscription every wal_retrieve_retry_interval, by default 5 s:
# measured would be how long ago the last run was.
my @SETTINGS = (
	q(listen_addresses = ''),
	'shared_buffers = 512MB',
	'max_wal_size = 16GB',
	'checkpoint_timeout = 1h',
	'max_replication_slots = 20',
	'max_wal_senders = 20',
	'max_worker_processes = 20',
	'max_locks_per_transaction = 512',
	'wal_level = logical',
	'autovacuum = off',
	'wal_retrieve_retry_interval = 10ms',
	'fsync = on',
	'full_page_writes = on',
);

# Processes of a server that are always there.
my $ALWAYS = qr/^postgres:\ (?:\S+:\ )?(?:checkpointer|background\ writer|
	walwriter|archiver|stats\ collector|logical\ replication\ launcher|
	autovacuum\ launcher|io\ worker|startup|walreceiver|
	pglogical\ supervisor|pglogical\ manager)/x;

sub start
{
	my ($class, $name, @settings) = @_;
	my $directory = "$ENV{PENSTOCK_STAGE}/$name";
	my $self = bless {
		name => $name,
		directory => $directory,
		log => "$directory/log",
	}, $class;

	mkdir $directory or die "could not create \"$directory\": $!\n";
	$self->command('initdb', "--pgdata=$directory/data",
		'--username=postgres', '--auth=trust', '--encoding=UTF8',
		'--no-locale');
	$self->boot(@SETTINGS, @settings);
	return $self;
}

# A standby with a copy of a data directory.
sub start_copy
{
	my ($class, $name, $data, @settings) = @_;
	my $directory = "$ENV{PENSTOCK_STAGE}/$name";
	my $self = bless {
		name => $name,
		directory => $directory,
		log => "$directory/log",
	}, $class;

	mkdir $directory or die "could not create \"$directory\": $!\n";
	$self->command('cp', '-R', $data, "$directory/data");
	open my $signal, '>', "$directory/data/standby.signal" or die "$!\n";
	close $signal;
	$self->boot(@settings);
	return $self;
}

sub boot
{
	my ($self, @settings) = @_;
	my $data = "$self->{directory}/data";

	open my $conf, '>>', "$data/postgresql.conf" or die "$!\n";
	print $conf "$_\n"
	  for "unix_socket_directories = '$self->{directory}'", @settings;
	close $conf or die "could not write the settings: $!\n";
	$self->control('start');
}

sub restart
{
	my ($self) = @_;

	$self->control('--mode=fast', 'restart');
}

sub control
{
	my ($self, @how) = @_;
	my $data = "$self->{directory}/data";

	$self->command('pg_ctl', "--pgdata=$data", "--log=$self->{log}", '--wait',
		@how);
	open my $pid, '<', "$data/postmaster.pid" or die "$!\n";
	chomp($self->{pid} = <$pid>);
}

sub remove
{
	my ($self) = @_;

	$self->stop;
	system('rm', '-rf', $self->{directory});
}

sub stop
{
	my ($self) = @_;

	$self->command('pg_ctl', "--pgdata=$self->{directory}/data", '--wait',
		'--mode=immediate', 'stop');
}

# Quiet, unless it fails.
sub command
{
	my ($self, @command) = @_;
	my $log = "$self->{directory}/command.log";

	system('sh', '-c', 'exec "$@" >"$0" 2>&1', $log, @command) == 0
	  or die "\"$command[0]\" failed:\n" . Bench::Process::tail($log);
}

sub conninfo
{
	my ($self, $database) = @_;

	return "host=$self->{directory} user=postgres dbname=$database";
}

# Run statements; each is a transaction of its own, unless they say otherwise.
# Returns the lines of the last results.
sub sql
{
	my ($self, $database, $sql) = @_;
	my $file = "$self->{directory}/command.sql";

	open my $script, '>', $file or die "could not write \"$file\": $!\n";
	print $script $sql;
	close $script or die "could not write \"$file\": $!\n";
	# Some plugins talk at a level that no setting silences.
	open my $psql, '-|', 'sh', '-c', 'exec "$@" 2>"$0"', "$file.log",
	  psql($self->conninfo($database)), "--file=$file"
	  or die "could not run psql: $!\n";
	chomp(my @lines = <$psql>);
	close $psql
	  or die "psql failed on the $self->{name}: $sql\n",
	  Bench::Process::tail("$file.log");
	return wantarray ? @lines : $lines[-1];
}

sub psql
{
	my ($conninfo) = @_;

	return ('psql', '--no-psqlrc', '--quiet', '--tuples-only', '--no-align',
		'--set=ON_ERROR_STOP=1', "--dbname=$conninfo");
}

# The tables of a pair's source, and what is in them, but no publications.
sub load_dump
{
	my ($self, $pair, $database, @options) = @_;

	$self->command('bash', '-c',
		'set -o pipefail; source=$1; target=$2; shift 2;'
		  . ' pg_dump --no-publications "$@" "$source" |'
		  . ' psql --quiet --set=ON_ERROR_STOP=1 "$target"',
		'bash', $pair->{source}->conninfo($pair->{database}),
		$self->conninfo($database), @options);
}

# pglogical's supervisor does not answer when everybody is asked to close the
# files of a database, which DROP DATABASE waits for.  It is ended before, and
# comes back when the server is restarted.
sub drop_database
{
	my ($self, $database) = @_;

	$self->sql('postgres', 'SELECT pg_terminate_backend(pid)'
		  . q( FROM pg_stat_activity WHERE backend_type LIKE 'pglogical%'));
	$self->sql('postgres', "DROP DATABASE IF EXISTS \"$database\" WITH (FORCE)");
}

sub wait_until
{
	my ($self, $query) = @_;
	my $watcher = $self->watcher('postgres');

	wait_for($watcher, $query);
	end_watcher($watcher);
}

# Wait until a query says "t", over one connection, whose process is not among
# those that have ended while others are measured.  Ask for it before that.
sub watcher
{
	my ($self, $database) = @_;
	my $pid = open2(my $out, my $in, psql($self->conninfo($database)));
	my $watcher = { pid => $pid, out => $out, in => $in };

	$watcher->{backend} = ask($watcher, 'SELECT pg_backend_pid()');
	return $watcher;
}

sub ask
{
	my ($watcher, $query) = @_;

	print { $watcher->{in} } "$query;\n";
	$watcher->{in}->flush;
	my $answer = readline($watcher->{out}) // die "psql has ended\n";
	chomp $answer;
	return $answer;
}

sub wait_for
{
	my ($watcher, $query) = @_;
	my $deadline = time + $TIMEOUT_S;

	until (ask($watcher, $query) eq 't')
	{
		die "gave up after $TIMEOUT_S s: $query\n" if time > $deadline;
		sleep 0.02;
	}
}

sub end_watcher
{
	my ($watcher) = @_;

	close $watcher->{in};
	waitpid $watcher->{pid}, 0;
}

# Wait until no process is left but those that are always there, and those of
# the watchers.
sub settle
{
	my ($self, @watchers) = @_;
	my %known = map { $_->{backend} => 1 } @watchers;
	my $deadline = time + $TIMEOUT_S;
	my @others;

	do
	{
		die "the $self->{name} still has: @others\n" if time > $deadline;
		# One that has ended, but whom its parent has not asked for its times,
		# has no command line.
		@others = grep { !$known{$_} && command_line($_) !~ $ALWAYS }
		  children($self->{pid});
		sleep 0.01 if @others;
	} while (@others);
}

# CPU time of all sessions that have ended so far.
sub sessions_cpu_s
{
	my ($self) = @_;

	return children_cpu_s($self->{pid});
}

sub version
{
	my ($self) = @_;

	return $self->sql('postgres', 'SHOW server_version');
}

# ---- Slots ----

# The copy stands where the slot stood, whatever decodes from it.
sub copy_slot
{
	my ($self, $database, $from, $to, $plugin) = @_;

	$self->sql($database,
		"SELECT pg_copy_logical_replication_slot('$from', '$to', false,"
		  . " '$plugin')");
}

sub drop_slot
{
	my ($self, $slot) = @_;

	$self->sql('postgres',
		"SELECT pg_drop_replication_slot(slot_name)"
		  . "  FROM pg_replication_slots WHERE slot_name = '$slot'");
}

# The same, and whoever reads from it is sent away.
sub end_slot
{
	my ($self, $slot) = @_;

	$self->sql('postgres',
		'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots'
		  . " WHERE slot_name = '$slot' AND active");
	$self->wait_until('SELECT NOT EXISTS (SELECT FROM pg_replication_slots'
		  . " WHERE slot_name = '$slot' AND active)");
	$self->drop_slot($slot);
}

# ---- Libraries ----

# Is this output plugin installed, or in the stage?
sub has_library
{
	my ($name) = @_;

	chomp(my $directory = qx('$ENV{PG_CONFIG}' --pkglibdir));
	return grep { -e "$_/$name.so" } $directory, $ENV{PENSTOCK_LIBDIR};
}

# Settings that let the server load them.  Servers have such a list since
# August 2026; others do not know the setting.
sub library_settings
{
	my (@libraries) = @_;
	my @settings = "dynamic_library_path = '\$libdir:$ENV{PENSTOCK_LIBDIR}'";

	push @settings, "output_plugin_libraries = '" . join(', ', @libraries) . "'"
	  if qx(postgres --describe-config) =~ /^output_plugin_libraries\t/m;
	return @settings;
}

1;
