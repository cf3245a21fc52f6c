# Single transactions, on one connection or on several: the consumer is killed,
# and the target crashes, while there is much to do; and rows are in the way.
# Nothing is lost, nothing is there twice, and what is refused is named.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);

my $KILLS = 3;
my $KILLED = 128 + 9;
my $FOLLOWER_FAILED = 1;

my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

my $pair = Penstock::Pair->new(target => ['restart_after_crash = on']);
$pair->pgbench_init(2);
# Without a key: what is applied twice is there twice.
$pair->source_sql('CREATE SEQUENCE number;
	CREATE TABLE numbered (number bigint, filler text);
	CREATE TABLE slow (number int PRIMARY KEY, filler text)');
my $script = "$PostgreSQL::Test::Utils::tmp_check/numbered.sql";
append_to_file($script, <<'END');
BEGIN;
INSERT INTO numbered SELECT nextval('number'), repeat('x', 50)
  FROM generate_series(1, 30);
UPDATE pgbench_accounts SET filler = md5(random()::text)
 WHERE aid BETWEEN 1 AND 20;
INSERT INTO numbered VALUES (nextval('number'), NULL);
END;
END
$pair->clone;

for my $mode ([], ['--lanes=4'])
{
	my $title = @$mode ? 'four lanes' : 'one lane';

	killed($title, '--apply=transaction', @$mode);
	refused($title, '--apply=transaction', @$mode);
	settled($title, '--apply=transaction', @$mode);
}
done_testing();

sub killed
{
	my ($title, @options) = @_;
	my $writers = $pair->start_pgbench('--client=4', '--rate=1000',
		'--builtin=tpcb-like@5', "--file=$script\@1");
	my $follower;

	for my $kill (1 .. $KILLS)
	{
		$follower = start_beyond($pair->progress_lsn, @options);
		pause(rand 0.5);
		is($follower->end('KILL'), $KILLED, "$title: it is killed, $kill");
	}
	$follower = start_beyond($pair->progress_lsn, @options);
	$pair->target->stop('immediate');
	$pair->target->start;
	$pair->end_pgbench($writers);
	$pair->wait_caught_up($follower);
	$pair->equal_ok("$title: killed, and the target crashed");
	my $numbers = $pair->target_sql(
		'SELECT count(*), count(DISTINCT number) FROM numbered');
	my ($count, $distinct) = split /\|/, $numbers;
	is($count, $distinct, "$title: no number is there twice");
	$pair->stop_ok($follower, 'TERM', "$title: the follower stops");
}

# A follower that has applied something.
sub start_beyond
{
	my ($before, @options) = @_;
	my $follower = $pair->start('follow', @options);

	$pair->wait_for_sql('target',
		"SELECT end_lsn > '$before' FROM penstock.progress");
	return $follower;
}

# Many transactions, one of which finds a row missing or in the way.
sub refused
{
	my ($title, @options) = @_;

	$pair->source_sql('TRUNCATE slow');
	$pair->source_sql("INSERT INTO slow VALUES ($_, 'old')") for 1 .. 20;
	$pair->follow_to_end(@options);
	for my $spoil (
		[ 'UPDATE', 'DELETE FROM slow WHERE number = 11',
			"INSERT INTO slow VALUES (11, 'old')", qr/row to update does not exist/ ],
		[ 'INSERT', "INSERT INTO slow VALUES (111, 'mine')",
			'DELETE FROM slow WHERE number = 111', qr/duplicate key value/ ])
	{
		my ($verb, $break, $fix, $message) = @$spoil;

		$pair->target_sql($break);
		$pair->source_sql(
			$verb eq 'UPDATE'
			? "UPDATE slow SET filler = filler || '+' WHERE number = $_"
			: "INSERT INTO slow VALUES (100 + $_, 'new')") for 1 .. 20;
		my $log = $pair->fails_like($FOLLOWER_FAILED, $message,
			"$title: $verb is refused", 'follow', @options,
			'--endpos=' . $pair->source_lsn);
		like($log, qr/"number" = 1?11\b/, "$title: $verb: the row is named");
		is( $pair->target_sql(
				$verb eq 'UPDATE'
				? q(SELECT string_agg(number::text, ',' ORDER BY number)
					  FROM slow WHERE filler = 'old+')
				: q(SELECT string_agg((number - 100)::text, ',' ORDER BY number)
					  FROM slow WHERE filler = 'new')),
			join(',', 1 .. 10),
			"$title: $verb: what came before is there, nothing behind is");
		$pair->target_sql($fix);
		$pair->follow_to_end(@options);
		$pair->equal_ok("$title: $verb: mended");
	}
}

# The same, with a policy.
sub settled
{
	my ($title, @options) = @_;

	for my $policy ('skip', 'overwrite')
	{
		$pair->target_sql("UPDATE slow SET filler = 'mine' WHERE number = 5;
			DELETE FROM slow WHERE number = 6");
		$pair->source_sql('DELETE FROM slow WHERE number = 5');
		$pair->source_sql("INSERT INTO slow VALUES (5, '$policy')");
		$pair->source_sql("UPDATE slow SET filler = '$policy' WHERE number = 6");
		$pair->source_sql("UPDATE slow SET filler = '$policy' WHERE number = 7");
		$pair->follow_to_end(@options, '--set', "--on-conflict=$policy");
		is( $pair->target_sql("SELECT string_agg(number::text, ',' ORDER BY number)
				FROM slow WHERE filler = '$policy'"),
			$policy eq 'skip' ? '5,7' : '5,6,7',
			"$title: --on-conflict=$policy");
		$pair->target_sql("INSERT INTO slow VALUES (6, '$policy')")
		  if $policy eq 'skip';
		$pair->equal_ok("$title: --on-conflict=$policy");
	}
	$pair->follow_to_end(@options, '--set', '--on-conflict=stop');
}
