# PgBouncer in front of a server.
#
#     my $pooler = Penstock::Pooler->start($node, mode => 'session');
#     $pair->set_conninfo(target => $pooler->conninfo($database));
#
# Its host and port are those of a server, so that Penstock::Proxy takes one,
# too.
package Penstock::Pooler;

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

use Penstock::Poll qw(wait_until);
use Penstock::Process;

# Where Debian has it.
my $PATH = '/usr/sbin';

sub is_installed
{
	local $ENV{PATH} = "$ENV{PATH}:$PATH";
	return system('pgbouncer --version > /dev/null 2>&1') == 0;
}

# Options: mode, PgBouncer's pool_mode; size, sessions of a database (10); user,
# who its sessions on the server are (default: who runs it).
sub start
{
	my ($class, $node, %option) = @_;
	my $user = $option{user} || getpwuid $>;
	my $size = $option{size} || 10;
	my $directory = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my ($host, $server_port) = ($node->host, $node->port);
	my $self = bless { host => $directory, port => $port, user => $user }, $class;

	# A server that was away is asked again at once.
	append_to_file("$directory/pooler.ini", <<"END_OF_FILE");
[databases]
* = host=$host port=$server_port user=$user
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $directory
auth_type = any
auth_file = $directory/users
admin_users = $user
pool_mode = $option{mode}
default_pool_size = $size
max_client_conn = 100
server_login_retry = 0.2
ignore_startup_parameters = extra_float_digits
END_OF_FILE
	append_to_file("$directory/users", qq("$user" ""\n));
	local $ENV{PATH} = "$ENV{PATH}:$PATH";
	$self->{process} = Penstock::Process->start(
		name => 'pgbouncer',
		command => [ 'pgbouncer', "$directory/pooler.ini" ]);
	wait_until('pgbouncer to answer', sub {
		$self->{process}->is_running or die $self->{process}->log;
		return $self->setting('postgres', 'server_version_num') ne '' });
	return $self;
}

sub stop
{
	my ($self) = @_;

	$self->{process}->end('INT');
}

sub host { return $_[0]{host}; }
sub port { return $_[0]{port}; }

sub conninfo
{
	my ($self, $database) = @_;

	return "host=$self->{host} port=$self->{port} user=$self->{user} dbname=$database";
}

# What a client sees; empty: it cannot connect.
sub setting
{
	my ($self, $database, $name) = @_;
	my ($stdout, $stderr);

	IPC::Run::run(
		[ 'psql', '-XAtqc', "SHOW $name", $self->conninfo($database) ],
		'>', \$stdout, '2>', \$stderr);
	chomp $stdout;
	return $stdout;
}

1;
