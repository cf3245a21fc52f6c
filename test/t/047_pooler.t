# PgBouncer between the consumer and a server: a pool that keeps sessions is as
# good as the server; with one that does not nothing is begun.

use strict;
use warnings;

use Cwd qw(getcwd);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

my $FOLLOWER_FAILED = 1;
my $CHECK_FAILED = 1;

local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
plan skip_all => 'there is no pgbouncer' if system('pgbouncer --version > /dev/null 2>&1') != 0;

my $pair = Penstock::Pair->new(target => ['wal_writer_delay = 10ms']);
my $user = getpwuid $>;
my $directory = PostgreSQL::Test::Utils::tempdir_short();

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, v integer)');
$pair->source_sql('INSERT INTO t SELECT n, 0 FROM generate_series(1, 100) n');

my $REFUSED = qr/target is behind a connection pooler that does not keep sessions/;

for my $mode (qw(transaction statement))
{
	my $bouncer = start_bouncer($mode);

	$pair->set_conninfo(target => conninfo($bouncer));
	$pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: clone", 'clone');
	stop_bouncer($bouncer);
}
$pair->clone;
for my $mode (qw(transaction statement))
{
	my $bouncer = start_bouncer($mode);
	my $before = $pair->target_contents;

	$pair->set_conninfo(target => conninfo($bouncer));
	my $log = $pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: follow",
		'follow');
	like($log, qr/detail: What answers at host ".*", port $bouncer->{port}, is a pooler/,
		'which one it is');
	my ($status, $output, $said) = $pair->run('check');
	is($status, $CHECK_FAILED, "$mode: check fails");
	like("$output $said" =~ s{\s+}{ }gr, qr{is behind a connection pooler that does not keep sessions},
		'and says why');
	is($pair->target_contents, $before, 'the target is as it was');
	is(psql_setting($bouncer, 'search_path'), '"$user", public',
		'nothing is set in a session of others');

	# Others use the pool, so that no session is always the same.
	my $others = Penstock::Process->start(
		name => 'pgbench',
		command => [
			'pgbench', '--no-vacuum', '--time=600', '--client=3',
			'--file=' . script(), conninfo($bouncer) ]);
	$pair->wait_for_sql('target', "SELECT count(*) > 1 FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()");
	$pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: beside others",
		'follow') for 1 .. 3;
	$others->end('INT');
	stop_bouncer($bouncer);
}

my $bouncer = start_bouncer('session');
$pair->set_conninfo(target => conninfo($bouncer));
for my $options ([], [ '--set', '--apply=transaction', '--lanes=3' ])
{
	my $follower = $pair->start('follow', @$options);

	$pair->source_sql('UPDATE t SET v = v + 1');
	$pair->wait_caught_up($follower);
	$pair->equal_ok("session: followed with \"@$options\"");
	$pair->stop_ok($follower);
}
stop_bouncer($bouncer);

# A pool with a single session that is in use: it cannot be asked twice.
$bouncer = start_bouncer('session', 1);
$pair->set_conninfo(target => conninfo($bouncer));
$pair->source_sql('UPDATE t SET v = v + 1');
$pair->follow_to_end('--set', '--apply=batch', '--streaming=off');
$pair->equal_ok('session: a pool of one');
stop_bouncer($bouncer);
done_testing();

sub script
{
	my $file = "$directory/script.sql";

	append_to_file($file, "SELECT pg_backend_pid();\n") if !-e $file;
	return $file;
}

sub start_bouncer
{
	my ($mode, $size) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $host = $pair->target->host;
	my $target_port = $pair->target->port;
	my $file = "$directory/$mode.$port.ini";

	$size ||= 10;
	append_to_file("$directory/users", qq("$user" ""\n));
	append_to_file($file, <<"END");
[databases]
* = host=$host port=$target_port user=$user
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $directory
auth_type = any
auth_file = $directory/users
pool_mode = $mode
default_pool_size = $size
max_client_conn = 100
ignore_startup_parameters = extra_float_digits
END
	my $process = Penstock::Process->start(name => 'pgbouncer', command => [ 'pgbouncer', $file ]);
	my $bouncer = { port => $port, process => $process };

	wait_until('pgbouncer to answer', sub {
		$process->is_running or die $process->log;
		return psql_setting($bouncer, 'server_version_num') ne '' });
	return $bouncer;
}

sub stop_bouncer
{
	my ($bouncer) = @_;

	$bouncer->{process}->end('INT');
	$pair->set_conninfo(target => undef);
}

sub conninfo
{
	my ($bouncer) = @_;

	return "host=$directory port=$bouncer->{port} user=$user dbname=" . $pair->name;
}

sub psql_setting
{
	my ($bouncer, $name) = @_;
	my ($stdout, $stderr);

	IPC::Run::run([ 'psql', '-XAtqc', "SHOW $name", conninfo($bouncer) ], '>', \$stdout, '2>', \$stderr);
	chomp $stdout;
	return $stdout;
}
