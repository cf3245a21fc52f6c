# PgBouncer between the consumer and a server: a pool that keeps sessions is as
# good as the server; with one that does not nothing is begun.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Pooler;
use Penstock::Process;

my $FOLLOWER_FAILED = 1;
my $CHECK_FAILED = 1;

plan skip_all => 'there is no pgbouncer' unless Penstock::Pooler->is_installed;

my $pair = Penstock::Pair->new(target => ['wal_writer_delay = 10ms']);
my $directory = PostgreSQL::Test::Utils::tempdir_short();

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, v integer)');
$pair->source_sql('INSERT INTO t SELECT n, 0 FROM generate_series(1, 100) n');
$pair->source_sql('CREATE SEQUENCE numbers');

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
	my $before = $pair->target_contents(but_sequences => 1);

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
	is($pair->target_contents(but_sequences => 1), $before, 'the target is as it was');
	is($bouncer->setting($pair->name, 'search_path'), '"$user", public',
		'nothing is set in a session of others');

	# Others use the pool, so that no session is always the same.
	my $others = Penstock::Process->start(
		name => 'pgbench',
		command => [
			'pgbench', '--no-vacuum', '--time=3600', '--client=3',
			'--file=' . script('short', 'SELECT pg_backend_pid()'),
			$bouncer->conninfo($pair->name) ]);
	$pair->wait_for_sql('target', "SELECT count(*) > 1 FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()");
	$pair->fails_like($FOLLOWER_FAILED, $REFUSED, "$mode: beside others",
		'follow') for 1 .. 3;
	$others->end('INT');
	stop_bouncer($bouncer);
}

# All of its sessions are in use most of the time, so that a second one takes
# longer than is waited for.
my $bouncer = start_bouncer('transaction', 1);
my $long = Penstock::Process->start(
	name => 'pgbench',
	command => [
		'pgbench', '--no-vacuum', '--time=3600', '--client=2',
		'--file=' . script('long', 'SELECT pg_sleep(5)'),
		$bouncer->conninfo($pair->name) ]);
$pair->set_conninfo(target => $bouncer->conninfo($pair->name) . ' connect_timeout=60');
$pair->wait_for_sql('target', "SELECT count(*) > 0 FROM pg_stat_activity
	WHERE query = 'SELECT pg_sleep(5);'");
$pair->fails_like($FOLLOWER_FAILED, $REFUSED, 'transaction: all sessions in use',
	'follow');
$long->end('INT');
is($bouncer->setting($pair->name, 'search_path'),
	'"$user", public', 'nothing is set in a session of others');
stop_bouncer($bouncer);

$bouncer = start_bouncer('session');
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

# A pool with a session more than the follower keeps: its sequences are set with
# that one, which others can have in between.
my @single = ('--set', '--apply=batch', '--lanes=1', '--streaming=off',
	'--sequence-interval=1');

$bouncer = start_bouncer('session', 2);
$pair->set_conninfo(target => $bouncer->conninfo($pair->name));
my $follower = $pair->start('follow', @single);
draw();
wait_until('the sequence to be ahead', sub { lead() > 0 });
pass('a pool of two: the sequence is followed');
is($bouncer->setting($pair->name, 'port'),
	$pair->target->port, 'and the session given back');
$pair->stop_ok($follower);
stop_bouncer($bouncer);

# A pool with a single session that is in use: it cannot be asked twice.
$bouncer = start_bouncer('session', 1);
$pair->set_conninfo(target => $bouncer->conninfo($pair->name) . ' connect_timeout=2');
$follower = $pair->start('follow', @single);
$follower->wait_log(qr/warning sequences: no answer from target/);
like($follower->log, qr/hint: .*default_pool_size/,
	'a pool of one: what keeps sequences from being set, and what to do');
$pair->source_sql('UPDATE t SET v = v + 1');
$pair->wait_caught_up($follower);
draw();
cmp_ok(lead(), '<', 0, 'its sequences are not followed');
# Its looks at the source are 3 seconds apart.
my $now = $pair->source_sql('SELECT now()');
$pair->wait_for_sql('source', "SELECT query_start > '$now'::timestamptz + interval '4 s'
	FROM pg_stat_activity WHERE application_name = 'penstock sequences'");
is(scalar(() = $follower->log =~ /warning/g), 1, 'which is said once');
$pair->stop_ok($follower);
$pair->source_sql('UPDATE t SET v = v + 1');
draw();
my ($status, undef, $said) = $pair->run('follow', @single,
	'--endpos=' . $pair->source_lsn);
is($status, 0, 'it comes to its end');
unlike($said, qr/warning|error/, 'without a word');
$pair->equal_ok('session: a pool of one');
cmp_ok(lead(), '>=', 0, 'and there the sequence is where the source has it');
stop_bouncer($bouncer);
done_testing();

sub draw
{
	$pair->source_sql("SELECT count(nextval('numbers')) FROM generate_series(1, 5000)");
}

# How far the target's sequence is beyond the source's.
sub lead
{
	my $sql = 'SELECT last_value FROM numbers';

	return $pair->target_sql($sql) - $pair->source_sql($sql);
}

sub script
{
	my ($name, $sql) = @_;
	my $file = "$directory/$name.sql";

	append_to_file($file, "$sql;\n") if !-e $file;
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
