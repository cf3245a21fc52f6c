# All nodes at one position of the source, while it is written to: money that
# is moved between nodes is never missing, nor there twice.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $ACCOUNTS = 200;
my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [ 'public.account = hash(id)', 'public.mark = all' ]);
my $pair = $nodes->pair;

$pair->source_sql(
	"CREATE TABLE account (id int PRIMARY KEY, balance int);
	 INSERT INTO account SELECT n, 100 FROM generate_series(1, $ACCOUNTS) n");
$nodes->run_or_die('clone');

my $follower = $nodes->start('follow');
$follower->wait_log(qr/following with slot/);

# An idle source first.
my $lsn = fence_for_a_second();

like($lsn, qr{^[0-9A-F]+/[0-9A-F]+$}, 'an idle source: the position is printed');

my $writers = $pair->start_pgbench('--client=4', '--file=' . transfers());

for my $round (1 .. 3)
{
	my $applied = applied();

	wait_until('transfers that are applied', sub { applied() > $applied + 50 });
	my $fence = $nodes->start('fence');

	$fence->wait_log(qr/all targets are at LSN/);
	($lsn) = $fence->log =~ m{all targets are at LSN ([0-9A-F/]+)};
	is(join(' ', map { position($_) } $nodes->names),
		join(' ', ($lsn) x 3), "round $round: all nodes are at its position");
	is(total(), $ACCOUNTS * 100, "round $round: nothing is between two nodes");

	my $before = contents();

	wait_until('the source to go on, far enough', sub {
		$pair->source_sql(
			"SELECT pg_current_wal_lsn() - '$lsn'::pg_lsn > 200000") eq 't';
	});
	is(contents(), $before, "round $round: they stay as they are");
	isnt($pair->source_sql('SELECT pg_current_wal_lsn()'), $lsn,
		"round $round: the source does not");
	$nodes->fails_like(1, qr/is fenced already/,
		'another fence at that time', 'fence')
	  if $round == 1;

	# However it ends.
	$fence->end($round == 2 ? 'KILL' : 'INT');
	my $held = applied();
	wait_until('the follower goes on', sub { applied() > $held });
}

like($follower->log, qr/info follow: a fence was put up on target "\w", at LSN/,
	'the follower says why it starts again');
unlike($follower->log, qr/tables that are followed/, 'and nothing of tables');

# One fence after the other: while the follower still waits for the first to go,
# the next is there and waits for the follower.
{
	my $fence = $nodes->start('fence');
	my %sessions;

	$fence->wait_log(qr/all targets are at LSN/);
	# From here on the follower cannot see that it goes.
	for my $name ($nodes->names)
	{
		$sessions{$name} = Penstock::Session->new($pair->target, "node_$name");
		$sessions{$name}->run('BEGIN', 'LOCK TABLE penstock.fence');
	}
	$fence->end('KILL');
	wait_until('the sessions of the first to end', sub {
		$pair->target_sql("SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'penstock fence'") == 0;
	});
	my $next = $nodes->start('fence');
	wait_until('the next fence to be on its way', sub {
		sum_of("SELECT count(*) FROM pg_locks WHERE NOT granted
			AND mode = 'RowExclusiveLock'") > 0;
	});
	$_->end('COMMIT') for values %sessions;
	$next->wait_log(qr/all targets are at LSN/);
	pass('one fence after the other: the follower gets to the second');
	$next->end('INT');
	my $held = applied();
	wait_until('the follower goes on', sub { applied() > $held });
}

# A follower that is killed while it is held, and comes back.
my $fence = $nodes->start('fence');
$fence->wait_log(qr/all targets are at LSN/);
$follower->end('KILL');
$follower = $nodes->start('follow');
$follower->wait_log(qr/holding at the fence/);
is(total(), $ACCOUNTS * 100, 'a follower that starts again holds as well');
$fence->end('TERM');

$pair->end_pgbench($writers);
$pair->wait_caught_up($follower);
$nodes->spread_ok('when all fences are gone', account => 'id');
$pair->stop_ok($follower);

# Without a pipeline there is nothing to hold.
$nodes->run_or_die('drop');
is($nodes->node_sql('b', "SELECT to_regnamespace('penstock')"),
	'', 'drop takes what fences have left');
$nodes->fails_like(1, qr/does not exist/, 'no pipeline', 'fence');

done_testing();

sub fence_for_a_second
{
	my ($status, $output) = $nodes->run('fence', '--hold=1');

	is($status, 0, 'fence --hold ends by itself');
	chomp $output;
	return $output;
}

sub transfers
{
	my $file = "$ENV{TESTDATADIR}/transfers.sql";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle <<"SQL";
\\set a random(1, @{[ $ACCOUNTS / 2 ]})
\\set b random(@{[ $ACCOUNTS / 2 + 1 ]}, $ACCOUNTS)
\\set n random(1, 50)
BEGIN;
UPDATE account SET balance = balance - :n WHERE id = :a;
UPDATE account SET balance = balance + :n WHERE id = :b;
COMMIT;
SQL
	close $handle or die "could not write \"$file\": $!\n";
	return $file;
}

sub sum_of
{
	my ($sql) = @_;
	my $sum = 0;

	$sum += $nodes->node_sql($_, $sql) for $nodes->names;
	return $sum;
}

sub total { return sum_of('SELECT sum(balance) FROM account'); }

sub applied
{
	return sum_of('SELECT transactions FROM penstock.progress');
}

sub contents
{
	return join "\n", map {
		$nodes->node_sql($_, 'SELECT id, balance FROM account ORDER BY id')
	} $nodes->names;
}

sub position
{
	return $nodes->node_sql($_[0], 'SELECT end_lsn FROM penstock.progress');
}
