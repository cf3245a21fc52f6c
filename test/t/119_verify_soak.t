# verify in a loop, while rows are written without a pause and tables are
# rewritten, truncated, packed, attached and detached: not one false alarm.  Then
# 1000 rows are damaged at random: all are found and nothing else is, they are
# repaired, and a second verify finds nothing; all that meanwhile.
#
# PENSTOCK_MINUTES=10 for the real thing ("make soak-verify"); PENSTOCK_SEED
# chooses the rows, PENSTOCK_RATE how much is written.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Penstock::Process;

my $SECONDS = 60 * ($ENV{PENSTOCK_MINUTES} || 1 / 6);

# Transactions per second, of six changes each.  More than can be followed would
# keep verify waiting for the targets.
my $RATE = $ENV{PENSTOCK_RATE} || 200;
my $SEED = $ENV{PENSTOCK_SEED} || 1 + int rand 1e6;

# Rows with greater IDs are not written to, but for those that are damaged.
my $WRITTEN = 50_000;
my $ROWS = 100_000;

my $pair = Penstock::Pair->new;

note("PENSTOCK_SEED=$SEED");
srand $SEED;
$pair->source_sql(<<"SQL");
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL, note text);
INSERT INTO account SELECT n, n, repeat('it''s \\ ', n % 5) FROM generate_series(1, $ROWS) n;
CREATE TABLE bag (a int, b text);
ALTER TABLE bag REPLICA IDENTITY FULL;
CREATE TABLE altered (id int PRIMARY KEY, a int);
CREATE TABLE truncated (id int PRIMARY KEY, a int);
INSERT INTO altered SELECT n, n FROM generate_series(1, 2000) n;
CREATE TABLE root (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);
CREATE TABLE root_1 PARTITION OF root FOR VALUES FROM (1) TO (1000);
CREATE TABLE root_2 PARTITION OF root FOR VALUES FROM (1000) TO (2000);
INSERT INTO root SELECT n, n FROM generate_series(1, 1999) n;
ALTER PUBLICATION shop SET (publish_via_partition_root);
SQL
$pair->clone('--ddl=follow');
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);

my $writers = $pair->start_pgbench('--client=4', "--rate=$RATE", '--file=' . script('rows', <<"SQL"));
\\set a random(1, $WRITTEN)
\\set b random(1, $WRITTEN)
\\set new random(1000000, 2000000)
BEGIN;
UPDATE account SET balance = balance + 1 WHERE id = :a;
DELETE FROM account WHERE id = :new - 3;
INSERT INTO account VALUES (:new, :a, 'new') ON CONFLICT (id) DO UPDATE SET note = 'again';
UPDATE root SET a = a + 1 WHERE id = :a % 2000;
INSERT INTO bag VALUES (:a % 10, 'x');
DELETE FROM bag WHERE ctid = (SELECT ctid FROM bag WHERE a = :b % 10 LIMIT 1);
COMMIT;
SQL
my $changer = $pair->start_pgbench('--client=1', '--rate=0.5',
	map { '--file=' . script(@$_) } [ 'alter', <<'SQL' ], [ 'truncate', <<'SQL' ], [ 'pack', <<'SQL' ], [ 'attach', <<'SQL' ]);
ALTER TABLE altered ALTER a TYPE bigint;
UPDATE altered SET a = a + 1;
ALTER TABLE altered ALTER a TYPE int;
SQL
TRUNCATE truncated;
INSERT INTO truncated SELECT n, n FROM generate_series(1, 1000) n;
SQL
VACUUM FULL altered;
VACUUM FULL bag;
SQL
ALTER TABLE root DETACH PARTITION root_2;
ALTER TABLE root ATTACH PARTITION root_2 FOR VALUES FROM (1000) TO (2000);
SQL
my $packer = Penstock::Process->start(
	name => 'packer',
	command => [
		'pgbench', '--no-vacuum', '--time=3600', '--rate=0.3', '--file=' . script('pack_there', <<'SQL'),
VACUUM FULL altered;
VACUUM FULL truncated;
SQL
		$pair->target->connstr($pair->name)
	]);

my $end = time + $SECONDS;
my ($rounds, $uncompared) = (0, 0);
while (time < $end)
{
	my ($status, $found, $log) = verify();

	# A table may be rewritten each time; that is no alarm.
	BAIL_OUT("a false alarm in round $rounds:\n" . differences($found) . $log)
	  if $status != 0 && $status != 3;
	$uncompared++ if $status == 3;
	note(sprintf '%.1f s: round %d, status %d', time - $end + $SECONDS, $rounds++, $status);
}
ok($rounds > 0, 'verify in a loop');
diag("$rounds times, $uncompared of them without some table; no false alarm");
cmp_ok($uncompared, '<=', $rounds / 2, 'mostly all tables are compared');

my %damaged = damage();
my ($status, $found, $log) = verify('--tables=account');
is($status, 1, 'damaged rows are found');
is_deeply({ map { $_ => $found->{tables}[0]{$_}{rows} } qw(missing extra different) },
	{ map { $_ => scalar keys %{ $damaged{$_} } } keys %damaged }, 'all of them');
for my $fault (sort keys %damaged)
{
	is_deeply([ grep { !$damaged{$fault}{ $_->{id} } } @{ $found->{tables}[0]{$fault}{keys} } ],
		[], "and nothing else is $fault");
}
($status, $found, $log) = verify('--tables=account', '--repair');
is($status, 0, 'they are repaired') or diag($log);
is($pair->target_sql('SELECT count(*) FROM penstock.repair'), 1000, 'each of them');
($status, $found, $log) = verify('--tables=account');
is($status, 0, 'a second verify finds nothing') or diag(differences($found), $log);

is($packer->is_running, 1, 'the target was packed all the time') or diag($packer->log);
$packer->end('INT');
for my $process ($changer, $writers)
{
	is($process->is_running, 1, 'and the source written to') or diag($process->log);
	$process->end('INT');
}
$pair->wait_caught_up($follower);
is((verify())[0], 0, 'nothing differs in the end');
$pair->equal_ok('in the end');
$pair->stop_ok($follower);
done_testing();

sub script
{
	my ($name, $sql) = @_;
	my $file = "$ENV{TESTDATADIR}/$name.sql";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle $sql;
	close $handle or die "could not write \"$file\": $!\n";
	return $file;
}

sub verify
{
	my (@options) = @_;
	my ($exit, $text, $said) = $pair->run('verify', '--json', @options);

	return ($exit, eval { decode_json($text) }, $said);
}

sub differences
{
	my ($verdict) = @_;

	return JSON::PP->new->pretty->encode({
			%$verdict, tables => [ grep { $_->{outcome} ne 'equal' } @{ $verdict->{tables} || [] } ] });
}

# Damages 1000 rows that nobody writes; returns their IDs, by fault.
sub damage
{
	my (%damaged, %kept);
	my $sql = '';

	while (keys %kept < 1000)
	{
		my $id = $WRITTEN + 1 + int rand($ROWS - $WRITTEN);
		my $way = int rand 3;

		next if $kept{$id}++;
		$damaged{ qw(different missing extra) [$way] }{ $way == 2 ? -$id : $id } = 1;
		$sql .= (
			"UPDATE account SET balance = balance + 1 WHERE id = $id",
			"DELETE FROM account WHERE id = $id",
			"INSERT INTO account VALUES (-$id, 0, '')")[$way] . ";\n";
	}
	$pair->target_sql("SET session_replication_role = replica; BEGIN; $sql COMMIT");
	return %damaged;
}
