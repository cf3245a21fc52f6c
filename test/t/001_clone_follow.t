# The everyday use: copy a database that is written to all the time, follow it,
# stop, go on.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $CLIENTS = 4;

my $pair = Penstock::Pair->new;
$pair->pgbench_init(2);

my $writers = $pair->start_pgbench("--client=$CLIENTS");
wait_written(100);
my $follower = $pair->start('clone', '--follow', '--jobs=2');
$follower->wait_log(qr/following with slot/);
wait_written(1000);

# What status says while all of this goes on.
my $status = status();
is($status->{pipeline}, 'shop', 'status names the pipeline');
ok($status->{ok}, 'status finds the pipeline in order while it runs');
ok($status->{following}, 'status finds the follower');
is($status->{slot}{active_pid},
	$pair->source_sql('SELECT active_pid FROM pg_replication_slots'),
	'status knows who uses the slot');
is(scalar @{ $status->{targets} }, 1, 'status lists one target');
my $target = $status->{targets}[0];
ok( in_order(
		$status->{source}{confirmed_lsn}, $target->{durable_lsn},
		$target->{applied_lsn}, $target->{received_lsn},
		$target->{source_lsn}),
	'confirmed, durable, applied, received and written come in this order'
) or diag(explain($status));
ok($target->{rows} > $target->{transactions},
	'status counts rows and transactions');
ok($target->{rows_per_second} > 0, 'status sees rows come in');

$pair->end_pgbench($writers);
$pair->wait_caught_up($follower);
$pair->equal_ok('the writers have stopped');
balances_ok('after the first run');
$pair->stop_ok($follower, 'INT');
ok(!status()->{following}, 'status finds that nobody follows any more');

# The slot keeps what is written while nobody follows.
pgbench_transactions(200);
$follower = $pair->start('follow');
$pair->wait_caught_up($follower);
$pair->equal_ok('a second follower went on');

$writers = $pair->start_pgbench("--client=$CLIENTS");
wait_written(500);
$pair->stop_ok($follower, 'TERM',
	'a follower with its hands full stops');
$pair->end_pgbench($writers);

# An end that was asked for: what comes behind it is left for later.
my $endpos = $pair->source_lsn;
my $history = 'SELECT count(*) FROM pgbench_history';
my $written = $pair->source_sql($history);
pgbench_transactions(50);
$pair->run_or_die('follow', "--endpos=$endpos");
is($pair->target_sql($history),
	$written, '--endpos: the target has what was written before');
is( $pair->source_sql(
		"SELECT confirmed_flush_lsn >= '$endpos' FROM pg_replication_slots"),
	't',
	'--endpos: all of it is confirmed');
$pair->run_or_die('follow', "--endpos=$endpos");
is($pair->target_sql($history),
	$written, '--endpos that was reached before changes nothing');

$pair->follow_to_end;
$pair->equal_ok('what was left is followed later');
balances_ok('in the end');

# Two commands instead of one, and everything once more.
my $again = $pair->with_database('again');
$again->pgbench_init(1);
$again->clone;
$again->equal_ok('a clone without followers');
is($again->source_sql("SELECT count(*) FROM pg_replication_slots
	WHERE slot_name = 'again' AND NOT active"),
	1, 'a clone leaves its slot behind, unused');
$writers = $again->start_pgbench("--client=$CLIENTS");
$follower = $again->start('follow');
wait_until('transactions on the target',
	sub { $again->target_sql($history) > 100 });
$again->end_pgbench($writers);
$again->wait_caught_up($follower);
$again->equal_ok('followed after the clone');
$again->stop_ok($follower);

done_testing();

sub status
{
	return JSON::PP->new->decode(($pair->run('status', '--json'))[1]);
}

# The writers have added so many rows to the history.
sub wait_written
{
	my ($rows) = @_;
	my $count = 'SELECT count(*) FROM pgbench_history';
	my $before = $pair->source_sql($count);

	wait_until("$rows transactions",
		sub { $pair->source_sql($count) >= $before + $rows });
}

sub pgbench_transactions
{
	my ($transactions) = @_;

	system_or_bail('pgbench', '--no-vacuum', "--transactions=$transactions",
		$pair->source->connstr($pair->name));
}

sub in_order
{
	my @lsns = map { defined ? lsn_number($_) : return 0 } @_;

	for my $i (1 .. $#lsns)
	{
		return 0 if $lsns[ $i - 1 ] > $lsns[$i];
	}
	return 1;
}

sub lsn_number
{
	my ($high, $low) = map { hex } split m{/}, $_[0];

	return ($high << 32) + $low;
}

# What pgbench keeps true: all that it added is in each of three sums.
sub balances_ok
{
	my ($when) = @_;

	is( $pair->target_sql(
			'SELECT count(DISTINCT sum)
			   FROM (SELECT sum(abalance) FROM pgbench_accounts
			         UNION ALL SELECT sum(bbalance) FROM pgbench_branches
			         UNION ALL SELECT sum(tbalance) FROM pgbench_tellers
			         UNION ALL SELECT sum(delta) FROM pgbench_history) s'),
		1,
		"the balances on the target agree with one another $when");
}
