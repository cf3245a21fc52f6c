# PgBouncer between the consumer and a server: a pool that keeps sessions is as
# good as the server; with one that does not nothing is begun.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Pooler;
use Penstock::Process;

my $FOLLOWER_FAILED = 1;
my $CHECK_FAILED = 1;

plan skip_all => 'there is no pgbouncer' unless Penstock::Pooler->is_installed;

my $pair = Penstock::Pair->new(target => ['wal_writer_delay = 10ms']);
my $directory = PostgreSQL::Test::Utils::tempdir_short();

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, v integer)');
$pair->source_sql('INSERT INTO t SELECT n, 0 FROM generate_series(1, 100) n');

my $REFUSED = qr/target is behind a connection pooler that does not keep sessions/;

for my $mode (qw(transaction statement))
{
	my $bouncer = start_bouncer($mode);

	$pair->set_conninfo(target => $bouncer->conninfo($pair->name));
	$pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: clone", 'clone');
	stop_bouncer($bouncer);
}
$pair->clone;
for my $mode (qw(transaction statement))
{
	my $bouncer = start_bouncer($mode);
	my $before = $pair->target_contents;

	$pair->set_conninfo(target => $bouncer->conninfo($pair->name));
	my $log = $pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: follow",
		'follow');
	my $port = $bouncer->port;
	like($log, qr/detail: What answers at host ".*", port $port, is a pooler/,
		'which one it is');
	my ($status, $output, $said) = $pair->run('check');
	is($status, $CHECK_FAILED, "$mode: check fails");
	like("$output $said" =~ s{\s+}{ }gr, qr{is behind a connection pooler that does not keep sessions},
		'and says why');
	like($output, qr/^ +ok +connected to database.*^ +error +target ".*is behind.*\d errors?/ms,
		'in its report, with all else');
	is($pair->target_contents, $before, 'the target is as it was');
	is($bouncer->setting($pair->name, 'search_path'), '"$user", public',
		'nothing is set in a session of others');

	# Others use the pool, so that no session is always the same.
	my $others = Penstock::Process->start(
		name => 'pgbench',
		command => [
			'pgbench', '--no-vacuum', '--time=3600', '--client=3',
			'--file=' . script(), $bouncer->conninfo($pair->name) ]);
	$pair->wait_for_sql('target', "SELECT count(*) > 1 FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()");
	$pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: beside others",
		'follow') for 1 .. 3;
	$others->end('INT');
	stop_bouncer($bouncer);
}

my $bouncer = start_bouncer('session');
$pair->set_conninfo(target => $bouncer->conninfo($pair->name));
my @lanes = ('--set', '--apply=transaction', '--lanes=3');
for my $options ([], \@lanes, \@lanes, \@lanes, [ '--set', '--apply=batch' ])
{
	my $follower = $pair->start('follow', @$options);

	$pair->source_sql('UPDATE t SET v = v + 1');
	$pair->wait_caught_up($follower);
	$pair->equal_ok("session: followed with \"@$options\"");
	if ($options == \@lanes)
	{
		# Sessions that nobody said good-bye to are given to others as they are.
		$follower->end('KILL');
		next;
	}
	$pair->stop_ok($follower);
}
stop_bouncer($bouncer);

# A pool with a single session that is in use: it cannot be asked twice.
$bouncer = start_bouncer('session', 1);
$pair->set_conninfo(target => $bouncer->conninfo($pair->name));
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

	return Penstock::Pooler->start($pair->target, mode => $mode, size => $size);
}

sub stop_bouncer
{
	my ($bouncer) = @_;

	$bouncer->stop;
	$pair->set_conninfo(target => undef);
}
