# verify: what happens to tables while they are compared is no difference, however
# odd it looks in a snapshot; what differs beside the rows is one.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $pair = Penstock::Pair->new;
my $holder;
my @tables = qw(altered truncated vacuumed clustered root dropped renamed mark);

$pair->source_sql(<<'SQL');
CREATE TABLE first (id int PRIMARY KEY, filler text);
INSERT INTO first SELECT n, repeat('x', 500) FROM generate_series(1, 3000) n;
CREATE TABLE altered (id int PRIMARY KEY, a int);
CREATE TABLE truncated (id int PRIMARY KEY, a int);
CREATE TABLE vacuumed (id int PRIMARY KEY, a int);
CREATE TABLE clustered (id int PRIMARY KEY, a int);
CREATE TABLE renamed (id int PRIMARY KEY, a int, b int);
CREATE TABLE dropped (id int PRIMARY KEY, a int);
CREATE TABLE root (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);
CREATE TABLE root_1 PARTITION OF root FOR VALUES FROM (1) TO (1000);
CREATE TABLE root_2 (id int PRIMARY KEY, a int);
INSERT INTO altered SELECT n, n FROM generate_series(1, 500) n;
INSERT INTO truncated SELECT * FROM altered;
INSERT INTO vacuumed SELECT * FROM altered;
INSERT INTO clustered SELECT * FROM altered;
INSERT INTO dropped SELECT * FROM altered;
INSERT INTO renamed SELECT id, a, -a FROM altered;
INSERT INTO root SELECT * FROM altered;
INSERT INTO root_2 SELECT id + 1000, a FROM altered;
ALTER PUBLICATION shop SET (publish_via_partition_root);
CREATE SEQUENCE drawn;
SELECT nextval('drawn') FROM generate_series(1, 5);
SQL
$pair->clone('--ddl=follow');
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);

# The first table, which is the largest, keeps the only worker waiting, so that all
# this happens between the snapshots and the reading.
my $verify = held();
$pair->source_sql(<<'SQL');
ALTER TABLE altered ALTER a TYPE bigint;
UPDATE altered SET a = a + 1;
TRUNCATE truncated;
INSERT INTO truncated VALUES (1, 1);
ALTER TABLE root ATTACH PARTITION root_2 FOR VALUES FROM (1000) TO (2000);
ALTER TABLE renamed RENAME a TO c;
ALTER TABLE renamed RENAME b TO a;
ALTER TABLE renamed RENAME c TO b;
DROP TABLE dropped;
SQL
for my $server (qw(source target))
{
	my $run = "${server}_sql";
	$pair->$run('VACUUM FULL vacuumed');
	$pair->$run('CLUSTER clustered USING clustered_pkey');
}
wait_until('the follower to have followed', sub {
	$pair->target_sql("SELECT to_regclass('dropped') IS NULL") eq 't';
});
release();
is($verify->wait_exit, 0, 'rewritten, truncated, altered, attached: no false alarm')
  or diag($verify->output, $verify->log);
my $verdict = decode_json($verify->output);
is(join(' ', map { $_->{outcome} } @{ $verdict->{tables} }),
	join(' ', ('equal') x @{ $verdict->{tables} }), 'all tables are equal');
my %lsns = map { $_->{lsn} => 1 } @{ $verdict->{tables} };
is(scalar keys %lsns, 2, 'some as of a later position');
is((grep { $_->{table} =~ /dropped/ } @{ $verdict->{tables} }), 0,
	'a table that was dropped does not count');

# A column that is dropped and made again has the same name, and no values; the
# target has not come to that when its rows are read.
$verify = held();
$follower->end('KILL');
$pair->source_sql('ALTER TABLE altered DROP a; ALTER TABLE altered ADD a int');
release();
is($verify->wait_exit, 0, 'a column made again: no false alarm')
  or diag($verify->output, $verify->log);
$follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);

# The session that exports the source's snapshot ends: what is left is compared
# with a newer one.
$verify = held();
$pair->source_sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
	WHERE slot_name LIKE '%verify%'");
release();
is($verify->wait_exit, 0, 'a snapshot that is lost: another one is made')
  or diag($verify->output, $verify->log);
is((grep { $_->{outcome} ne 'equal' } @{ decode_json($verify->output)->{tables} }), 0,
	'all tables are compared');

# What was found is said, also if verify does not come to its end.
$pair->target_sql('DELETE FROM first WHERE id = 17');
$verify = held('--wait-for=vacuumed');
$verify->end('INT');
is($verify->wait_exit, 1, 'stopped after a difference was found: exit status 1');
$verdict = decode_json($verify->output);
is($verdict->{tables}[0]{missing}{rows}, 1, 'it is said');
is($verdict->{complete}, JSON::PP::false, 'and that there may be more');
like($verdict->{failure}, qr/stop/, 'and why');
is($pair->target_sql('SELECT different, complete FROM penstock.verified'), 't|f',
	'it is noted for a switch, too');
release();
$pair->target_sql("INSERT INTO first VALUES (17, repeat('x', 500))");

# Time is over before the first table can be read: it is named.
$verify = held('--max-snapshot=1');
is($verify->wait_exit, 3, 'no time: exit status 3');
release();
$verdict = decode_json($verify->output);
is_deeply([ map { $_->{outcome} } grep { $_->{table} =~ /"first"/ } @{ $verdict->{tables} } ],
	['not compared'], 'what could not be compared is said');
is($verdict->{different}, JSON::PP::false, 'and nothing differs');

# Beside the rows.
$pair->target_sql('CREATE INDEX odd ON vacuumed (a)');
$pair->target_sql("ALTER TABLE clustered DISABLE TRIGGER ALL");
my ($status, $output) = $pair->run('verify', '--quiet');
is($status, 1, 'another schema: exit status 1');
like($output, qr/^schema of target: DROP INDEX .*"odd"/m, 'it is said')
  or diag($output);
$pair->target_sql('DROP INDEX odd');
is(($pair->run('verify'))[0], 0, 'and mended') or diag($output);

$pair->stop_ok($follower);

# A sequence that the follower cannot set.
$holder = Penstock::Session->new($pair->target, $pair->name);
$holder->run('BEGIN', 'ALTER SEQUENCE drawn CACHE 1');
$follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
$pair->source_sql("SELECT setval('drawn', 100000)");
($status, $output) = $pair->run('verify', '--quiet');
is($status, 1, 'a sequence that lags: exit status 1');
like($output, qr/^sequence .*drawn.* on target has not come to where the source's was$/m,
	'it is said') or diag($output);
$holder->end('ROLLBACK');
$follower->end('KILL');
is(($pair->run('verify'))[0], 0, 'where nobody follows, verify has it followed');

# A sequence that is drawn from all the time, and one that begins again.
{
	my $file = "$ENV{TESTDATADIR}/drawing.sql";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle "SELECT nextval('drawn') FROM generate_series(1, 100);\n";
	close $handle or die "could not write \"$file\": $!\n";
	my $drawing = $pair->start_pgbench('--client=1', "--file=$file");
	for my $round (1 .. 2)
	{
		($status, $output) = $pair->run('verify', '--quiet');
		is($status, 0, "a sequence that moves on is no difference, round $round") or diag($output);
	}
	$pair->end_pgbench($drawing);
}

# What is not the pipeline's, or not yet.
$pair->run_or_die('table', 'remove', 'clustered');
$pair->target_sql('DELETE FROM clustered WHERE id < 10');
($status, $output) = $pair->run('verify');
is($status, 0, 'a table that was removed from the pipeline does not count') or diag($output);
like($output, qr/^table "public"."clustered" on target: left out: it was removed from the pipeline$/m,
	'that is said');

done_testing();

# A verify that has its snapshots and waits for the first table, or for another one
# (--wait-for).

sub held
{
	$holder = Penstock::Session->new($pair->target, $pair->name);
	my ($table) = map { /^--wait-for=(.*)/ } @_;
	my @options = grep { !/^--wait-for/ } @_;

	$holder->run('BEGIN', 'LOCK TABLE ' . ($table // 'first'));
	my $process = $pair->start('verify', '--json', '--jobs=1', @options);
	wait_until('verify to wait for the table', sub {
		$pair->target_sql("SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'penstock verify' AND wait_event_type = 'Lock'
			AND query LIKE '%LOCK TABLE%'") > 0;
	});
	return $process;
}

sub release { $holder->end('COMMIT'); }
