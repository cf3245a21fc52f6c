# Trouble of several kinds at a time, and trouble that tells little of itself.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Server qw(start_server);

my $pair = Penstock::Pair->new;
$pair->source_sql(<<'END');
CREATE TABLE item (number integer PRIMARY KEY, name text);
INSERT INTO item SELECT n, 'item ' || n FROM generate_series(1, 10) n;
END
$pair->clone;


# ---- Another server in the source's place, while the right one is followed ----

my $follower = $pair->start('follow');
$pair->source_sql("INSERT INTO item VALUES (11, 'first')");
$pair->wait_caught_up($follower);
my $session = q(SELECT string_agg(pid::text, ' ' ORDER BY pid)
	FROM pg_stat_activity WHERE application_name LIKE 'penstock%');
my $sessions = $pair->target_sql($session);
isnt($sessions, '', 'the follower has sessions on the target');

my $stranger = start_server('stranger');
$stranger->safe_psql('postgres', 'CREATE DATABASE shop');
$stranger->safe_psql('shop', $_)
  for 'CREATE TABLE item (number integer PRIMARY KEY, name text)',
  'CREATE PUBLICATION shop FOR ALL TABLES',
  q(SELECT pg_create_logical_replication_slot('shop', 'penstock'));
$pair->set_conninfo('source', $stranger->connstr('shop'));
$pair->fails_like(1, qr/target was copied from another server than the source/,
	'a follower of another server is refused', 'follow');
$pair->set_conninfo('source', undef);
$stranger->stop('immediate');
$pair->source_sql("INSERT INTO item VALUES (12, 'second')");
$pair->wait_caught_up($follower);
is($pair->target_sql($session),
	$sessions, 'the follower of the right one keeps its sessions');
unlike($follower->log, qr/trying again/, 'and did not notice');
$pair->equal_ok('after a follower of another server');
$pair->stop_ok($follower);


# ---- What is only found at commit ----

$pair->target_sql(<<'END');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE check_violation USING MESSAGE = 'no more than that',
		CONSTRAINT = 'enough', TABLE = 'item', SCHEMA = 'public'; END $$;
CREATE CONSTRAINT TRIGGER enough AFTER INSERT ON item
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	WHEN (new.number = 22) EXECUTE FUNCTION refuse();
ALTER TABLE item ENABLE ALWAYS TRIGGER enough;
END
my @xids = map {
	$pair->source_sql(
		"INSERT INTO item VALUES ($_, 'x') RETURNING xmin::text::xid")
} 21 .. 23;
my $log = $pair->fails_like(
	1, qr/error .*no more than that/, 'a constraint that fails at commit stops it',
	'follow', '--endpos=' . $pair->source_lsn);
my ($first, $last) = $log =~
  /committing \d+ transactions, from (\d+), commit LSN \S+, to (\d+), commit LSN/;
($first) = ($last) = $log =~ /committing transaction (\d+), commit LSN/
  if !defined $first;
ok( defined $first && $first <= $xids[1] && $last >= $xids[1],
	'it names the transactions that the refused one is among');
like($log, qr/constraint "enough" of table "public"."item"/,
	'it names the constraint');
$pair->target_sql('DROP TRIGGER enough ON item');
$pair->follow_to_end;
$pair->equal_ok('without the constraint');


# ---- One trouble is over, the next begins ----

$pair->target->stop;
$pair->source->stop;
$follower = $pair->start('follow');
$follower->wait_log(qr/trying again in 800 ms/);
$pair->source->start;
$follower->wait_log(qr/could not connect to target.*?trying again in \d+ ms/s);
my ($pause) = $follower->log =~
  /could not connect to target.*?trying again in (\d+) ms/s;
is($pause, 100, 'an attempt that gets further is soon tried again');
$follower->wait_log(qr/could not connect to target.*trying again in 400 ms/s);
$pair->target->start;
$pair->source_sql("INSERT INTO item VALUES (31, 'back')");
$pair->wait_caught_up($follower);
$pair->equal_ok('when all is well again');
$pair->stop_ok($follower);


# ---- Partitions that log less than is told of their rows ----

my $parts = $pair->with_database('parts',
	publish => 'ALL TABLES WITH (publish_via_partition_root)');
$parts->source_sql(<<'END');
CREATE TABLE whole (a int NOT NULL, b int NOT NULL, t text)
	PARTITION BY RANGE (a);
CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF whole FOR VALUES FROM (10) TO (20);
ALTER TABLE low ADD PRIMARY KEY (a);
ALTER TABLE high ADD PRIMARY KEY (a);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE good (a int PRIMARY KEY) PARTITION BY RANGE (a);
CREATE TABLE good_low PARTITION OF good FOR VALUES FROM (0) TO (10);
END
my $warned = qr/table "public"\."whole" is published as a whole, and the replica identity of 2 of its partitions lacks columns of its own/;
my $said = findings($parts);
like($said, $warned, 'check sees a replica identity that is the root\'s only');
unlike($said, qr/"good" is published as a whole/,
	'and nothing wrong with a key that all have');
my @fix = $said =~ /(ALTER TABLE public\.(?:low|high) REPLICA IDENTITY FULL;)/g;
is(scalar @fix, 2, 'it says how to fix it');
$parts->source_sql($_) for @fix;
$said = findings($parts);
unlike($said, $warned, 'and is content then');
$parts->source_sql('ALTER TABLE whole REPLICA IDENTITY DEFAULT');
$said = findings($parts);
like($said, qr/"whole" is published as a whole, and has no replica identity/,
	'check sees that the root has none');
$parts->source_sql('ALTER TABLE whole REPLICA IDENTITY FULL');
$parts->clone;
$follower = $parts->start('follow');
$parts->source_sql($_)
  for q(INSERT INTO whole SELECT n, n, 'x' FROM generate_series(1, 19) n),
  'UPDATE whole SET b = b + 1', 'DELETE FROM whole WHERE a % 2 = 0';
$parts->wait_caught_up($follower);
$parts->equal_ok('what check was content with');
$parts->stop_ok($follower);


# ---- No room for the target's WAL ----

SKIP:
{
	skip $ENV{PENSTOCK_SMALL_DISK_WHY} || 'there is no small disk', 3
	  if !$ENV{PENSTOCK_SMALL_DISK};
	my $ballast = "$ENV{PENSTOCK_SMALL_DISK}/ballast";
	my $wal = "$ENV{PENSTOCK_SMALL_DISK}/wal";
	my $small = $pair->with_database('small');

	$small->{target} = small_log_server($wal);
	$small->{target}->safe_psql('postgres', 'CREATE DATABASE small');
	$small->source_sql('CREATE TABLE t (id int PRIMARY KEY, filler text)');
	$small->clone;
	$follower = $small->start('follow', '--memory=4MB');
	fill_disk($ballast);
	$small->source_sql(
		"INSERT INTO t SELECT n, repeat(md5(n::text), 30)
		   FROM generate_series(1, 20000) n");
	wait_until('the target to find no room',
		sub { slurp_file($small->target->logfile) =~ /PANIC.*No space left on device/ });
	$follower->wait_log(qr/trying again/);
	ok($follower->is_running, 'a target without room for its log is waited for');
	unlink $ballast or die "$ballast: $!\n";
	$small->target->stop('immediate', fail_ok => 1);
	$small->target->{_pid} = undef;
	$small->target->start;
	$small->wait_caught_up($follower);
	$small->equal_ok('a target that had no room for its log');
	$small->stop_ok($follower);
	$small->target->stop;
}

done_testing();

# What check says, in one line.
sub findings
{
	my (undef, $output) = $_[0]->run('check');

	return $output =~ s/\s+/ /gr;
}

# A server whose log is where there is little room, in pieces that fit.
sub small_log_server
{
	my ($wal) = @_;
	my $node = PostgreSQL::Test::Cluster->new('small');

	$node->init(extra =>
		  [ '--encoding=UTF8', '--no-locale', "--waldir=$wal", '--wal-segsize=1' ]);
	$node->append_conf('postgresql.conf',
		"max_wal_size = 4MB\nmin_wal_size = 2MB\nfsync = off\n"
		  . "max_connections = 20\nrestart_after_crash = off\n");
	$node->start;
	return $node;
}

sub fill_disk
{
	my ($file) = @_;

	open my $handle, '>', $file or die "$file: $!\n";
	for my $bytes (64 * 1024, 4096, 512)
	{
		1 while syswrite $handle, "\0" x $bytes;
	}
	close $handle;
}
