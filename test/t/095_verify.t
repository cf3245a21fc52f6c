# verify: rows that are missing, extra or different on the target are found under
# constant writes, all of them and nothing else; with a follower that runs, one
# that does not, and one that is restarted meanwhile.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $ROWS = 3000;
my $pair = Penstock::Pair->new;
my @faults = qw(missing extra different misplaced);

$pair->source_sql(<<"SQL");
CREATE TABLE account (id bigint PRIMARY KEY, region text, balance numeric, note text);
INSERT INTO account SELECT n, 'region ' || n % 7, n, repeat('x', n % 50)
  FROM generate_series(1, $ROWS) n;
CREATE TABLE "Still one" (a text, b int, "C d" jsonb, PRIMARY KEY (b, a));
INSERT INTO "Still one" SELECT 'k"' || n % 3, n, jsonb_build_object('n', n)
  FROM generate_series(1, 500) n;
CREATE TABLE bag (a int, b text);
INSERT INTO bag SELECT n % 10, 'b' || n % 3 FROM generate_series(1, 300) n;
ALTER TABLE bag REPLICA IDENTITY FULL;
CREATE TABLE part (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE part_2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT n, '2026-01-20'::date + n % 30 FROM generate_series(1, 400) n;
CREATE TABLE empty ();
CREATE DOMAIN short AS varchar(20) CHECK (length(VALUE) > 0);
CREATE DOMAIN shorter AS short NOT NULL;
CREATE TABLE domains (id int PRIMARY KEY, a short, b shorter, c short[]);
INSERT INTO domains SELECT n, 'a' || n, 'b' || n, ARRAY['c' || n] FROM generate_series(1, 100) n;
SQL
$pair->clone;

# Nobody follows.
my ($status, $output, $log) = $pair->run('verify');
is($status, 0, 'nobody follows: all is equal') or diag($output, $log);
unlike($log, qr/schema/, 'the schema is, too');
like($output, qr/^table "public"."account" on target: equal, $ROWS rows$/m,
	'each table is named');
like($log, qr/no follower uses slot "shop": following up to LSN/,
	'verify follows by itself');

my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
my $writers = $pair->start_pgbench('--client=3', '--file=' . updates());

for my $round (1 .. 3)
{
	my $found = verdict("round $round, under writes");
	is($found->{status}, 0, "round $round: no false alarm") or diag($found->{text});
}

# Rows that nobody writes are damaged: ids above 2000.
damage(<<'SQL');
UPDATE account SET balance = balance + 1 WHERE id IN (2001, 2500);
UPDATE account SET note = note || ' ' WHERE id = 2750;
UPDATE account SET region = NULL WHERE id = 2751;
DELETE FROM account WHERE id IN (2100, 2999);
INSERT INTO account VALUES (-5, 'x', 0, ''), (100000, 'y', NULL, NULL);
UPDATE "Still one" SET "C d" = '{"n": 1.0}' WHERE b = 1;
DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag WHERE a = 3 AND b = 'b0');
INSERT INTO bag VALUES (4, 'b1');
DELETE FROM part WHERE id = 17;
INSERT INTO empty DEFAULT VALUES;
UPDATE domains SET b = 'other' WHERE id = 9;
SQL

my $found = verdict('damaged rows');
is($found->{status}, 1, 'exit status 1');
is_deeply(keys_of($found, 'account'), {
	missing => [ { id => 2100 }, { id => 2999 } ],
	extra => [ { id => -5 }, { id => 100000 } ],
	different => [ map { { id => $_ } } 2001, 2500, 2750, 2751 ],
}, 'exactly these rows');
is_deeply(keys_of($found, 'Still one'),
	{ different => [ { a => 'k"1', b => 1 } ] }, 'a key of two columns');
is_deeply(keys_of($found, 'bag'),
	{ missing => ['(3,b0)'], extra => ['(4,b1)'] }, 'a table without a key');
is(count_of($found, 'part_2', 'missing'), 1, 'a partition');
is_deeply(keys_of($found, 'empty'), { extra => ['()'] }, 'a table without columns');
is_deeply(keys_of($found, 'domains'), { different => [ { id => 9 } ] },
	'columns whose types are domains');
is(outcome($found, 'mark'), 'equal', 'and the others are equal');
is(count_of($found, 'account', $_->[0]), $_->[1], "account: $_->[1] $_->[0]")
  for [ missing => 2 ], [ extra => 2 ], [ different => 4 ];

# For people.
($status, $output) = $pair->run('verify', '--tables=acc*', '--quiet');
is($status, 1, 'one table: exit status 1');
like($output, qr/^table "public"."account" on target: different
    2 missing
        \{"id" : 2\d\d\d\}
        \{"id" : 2\d\d\d\}
    2 extra
        .*
        .*
    4 different
(?:        .*\n){4}0 tables equal, 1 different, 0 not compared$/m, 'for people');
is(($pair->run('verify', '--tables=public.mark'))[0], 0, 'a table that is equal');
$pair->fails_like(3, qr/no table/, 'a pattern that names nothing', 'verify',
	'--tables=nothing');

# A follower that is killed and restarted while it is compared.
{
	my $verify = $pair->start('verify', '--json');
	$follower->end('KILL');
	$follower = $pair->start('follow');
	is($verify->wait_exit, 1, 'a follower that is restarted meanwhile');
	is(decode_json($verify->output)->{tables}[0] ? 1 : 0, 1, 'there is a verdict');
	$follower->wait_log(qr/following with slot/);
}

# What was damaged is mended.
fix();
is(verdict('mended')->{status}, 0, 'all is equal again');

$pair->end_pgbench($writers);
$pair->wait_caught_up($follower);
$pair->stop_ok($follower);
is($pair->source_sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%verify%'"),
	0, 'no slot is left');
is($pair->target_sql('SELECT count(*) FROM penstock.fence'), 0, 'and no fence');

done_testing();

sub updates
{
	my $file = "$ENV{TESTDATADIR}/updates.sql";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle <<'SQL';
\set a random(1, 1000)
\set b random(1001, 2000)
BEGIN;
UPDATE account SET balance = balance + 1 WHERE id = :a;
DELETE FROM account WHERE id = :b;
INSERT INTO account VALUES (:b, 'again', 0, 'x') ON CONFLICT DO NOTHING;
INSERT INTO bag VALUES (:a % 10, 'w');
INSERT INTO mark DEFAULT VALUES;
COMMIT;
SQL
	close $handle or die "could not write \"$file\": $!\n";
	return $file;
}

# As the pipeline would write: neither triggers nor another pipeline see it.
sub damage { $pair->target_sql("SET session_replication_role = replica; $_[0]"); }

sub fix
{
	damage(<<'SQL');
UPDATE account SET balance = id WHERE id IN (2001, 2500);
UPDATE account SET note = rtrim(note) WHERE id = 2750;
UPDATE account SET region = 'region ' || id % 7 WHERE id = 2751;
INSERT INTO account SELECT n, 'region ' || n % 7, n, repeat('x', n % 50)
  FROM unnest('{2100, 2999}'::int[]) n;
DELETE FROM account WHERE id IN (-5, 100000);
UPDATE "Still one" SET "C d" = '{"n": 1}' WHERE b = 1;
INSERT INTO bag VALUES (3, 'b0');
DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag WHERE a = 4 AND b = 'b1');
INSERT INTO part VALUES (17, '2026-02-06');
DELETE FROM empty;
UPDATE domains SET b = 'b9' WHERE id = 9;
SQL
}

sub verdict
{
	my ($title) = @_;
	my ($exit, $text, $errors) = $pair->run('verify', '--json');
	my $json = eval { decode_json($text) };

	diag("$title: $text$errors") unless $json;
	return { status => $exit, text => $text, json => $json };
}

sub table_of
{
	my ($found, $name) = @_;

	return (grep { $_->{table} eq "\"public\".\"$name\"" }
		@{ $found->{json}{tables} })[0];
}

sub outcome { return table_of(@_)->{outcome}; }

sub count_of
{
	my ($found, $name, $fault) = @_;

	return table_of($found, $name)->{$fault}{rows};
}

sub keys_of
{
	my ($found, $name) = @_;
	my $table = table_of($found, $name);
	my %keys;

	for my $fault (@faults)
	{
		my @keys = @{ $table->{$fault}{keys} || [] };
		$keys{$fault} = [ sort { by_id($a, $b) } @keys ] if @keys;
	}
	return \%keys;
}

sub by_id
{
	my ($one, $other) = @_;

	return ref $one ? ($one->{id} // $one->{b}) <=> ($other->{id} // $other->{b})
	  : $one cmp $other;
}
