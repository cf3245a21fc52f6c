# The consumer is killed, again and again, at moments that nobody chose, and
# started again each time: nothing is lost, nothing is there twice.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);

my $KILLS_FOLLOWING = 9;
my $CLIENTS = 4;
my $KILLED = 128 + 9;

# PENSTOCK_SEED repeats a run, as far as moments can be repeated.
my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

my $pair = Penstock::Pair->new;
$pair->pgbench_init(5);
# Without a key: what is applied twice is there twice.
$pair->source_sql(
	'CREATE SEQUENCE number; CREATE TABLE numbered (number bigint, filler text)'
);

my $script = "$PostgreSQL::Test::Utils::tmp_check/numbered.sql";
append_to_file($script, <<'END');
BEGIN;
INSERT INTO numbered SELECT nextval('number'), repeat('x', 50)
  FROM generate_series(1, 7);
UPDATE pgbench_accounts SET filler = md5(random()::text)
 WHERE aid BETWEEN 1 AND 20;
INSERT INTO numbered VALUES (nextval('number'), NULL);
END;
END
my $writers = $pair->start_pgbench("--client=$CLIENTS", '--rate=1500',
	'--builtin=tpcb-like@3', "--file=$script\@1");

# Once in the middle of the copy.  What is there then cannot be followed, and
# is not mistaken for a copy.
my $copier = $pair->start('clone', '--follow');
$copier->wait_log(qr/copying \d+ tables?/);
pause(rand 0.2);
is($copier->end('KILL'), $KILLED, 'the copy is killed');
$pair->fails_like(1, qr/target has no progress of pipeline "shop"/,
	'what is left of a copy cannot be followed', 'follow');
wait_until('the slot to be free',
	sub { $pair->source_sql('SELECT NOT active FROM pg_replication_slots') eq 't' });
$pair->run_or_die('drop');
$pair->recreate_target;

# The rest while following; the first time behind a copy.
my @command = ('clone', '--follow');
for my $kill (1 .. $KILLS_FOLLOWING)
{
	my $before = $kill == 1 ? '0/0' : $pair->progress_lsn;
	my $follower = $pair->start(@command);

	# Without this no moment would be late enough to have done something.
	$follower->wait_log(qr/following with slot/);
	$pair->wait_for_sql('target',
		"SELECT end_lsn > '$before' FROM penstock.progress") if $kill % 2;
	pause(rand 0.8);
	is($follower->end('KILL'), $KILLED, "the follower is killed, $kill")
	  or diag($follower->log);
	@command = ('follow');
}

my $follower = $pair->start('follow');
$pair->end_pgbench($writers);
$pair->wait_caught_up($follower);
$pair->equal_ok('killed ten times');
$pair->stop_ok($follower);

my $numbers = $pair->target_sql(
	'SELECT count(*), count(DISTINCT number), max(number) FROM numbered');
my ($count, $distinct, $last) = split /\|/, $numbers;
is($count, $distinct, 'no number is there twice');
# Transactions that pgbench broke off when it ended took numbers with them.
is($numbers,
	$pair->source_sql(
		'SELECT count(*), count(DISTINCT number), max(number) FROM numbered'),
	'no number is missing');
cmp_ok($count, '>', 1000, 'there were numbers enough to tell');
is( $pair->target_sql(
		'SELECT count(DISTINCT sum)
		   FROM (SELECT sum(abalance) FROM pgbench_accounts
		         UNION ALL SELECT sum(bbalance) FROM pgbench_branches
		         UNION ALL SELECT sum(tbalance) FROM pgbench_tellers
		         UNION ALL SELECT sum(delta) FROM pgbench_history) s'),
	1,
	'the balances on the target agree with one another');

done_testing();
