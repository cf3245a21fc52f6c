# Whoever is in the way of a switch is named, and nobody waits for it for long.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $pair = Penstock::Pair->new(source => ['max_prepared_transactions = 5']);

$pair->source_sql('CREATE TABLE a (id int PRIMARY KEY);
	CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1);
	CREATE TABLE c (id int PRIMARY KEY)');
$pair->clone;
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);

# Prepared transactions have no session that could be ended.
$pair->source_sql("BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION 'left'");
$pair->fails_like(1,
	qr/Conflicting locks: prepared transaction "left" \(to be ended with COMMIT PREPARED or ROLLBACK PREPARED\) has RowExclusiveLock on public\.a/,
	'a prepared transaction', 'switch', '--max-wait=2');
$pair->source_sql("COMMIT PREPARED 'left'");

# Who locks rows is not in the way, but somebody who waits for him is.
my $reader = Penstock::Session->new($pair->source, $pair->name);
my $waiting = Penstock::Session->new($pair->source, $pair->name);
$reader->run('BEGIN', 'SELECT * FROM b FOR UPDATE');
$waiting->{in} .= "BEGIN; LOCK TABLE b IN EXCLUSIVE MODE;\n";
$waiting->{psql}->pump_nb;
wait_until('the LOCK TABLE to wait', sub {
	$waiting->{psql}->pump_nb;
	return $pair->source_sql("SELECT count(*) FROM pg_locks
		WHERE relation = 'b'::regclass AND NOT granted") == 1;
});
$pair->fails_like(1, qr/Conflicting locks: PID \d+ .* waits for ExclusiveLock on public\.b/,
	'somebody who waits for another lock', 'switch', '--max-wait=2');
$reader->end('COMMIT');
$waiting->end('COMMIT');

# Nobody follows, and nothing can be applied: the switch follows, not for
# ever.
$pair->wait_caught_up($follower);
$pair->stop_ok($follower);
my $blocker = Penstock::Session->new($pair->target, $pair->name);
$blocker->run('BEGIN', 'LOCK TABLE penstock.progress IN SHARE MODE');
$pair->source_sql('INSERT INTO b VALUES (2)');
my $begin = time;
$pair->fails_like(1, qr/target has not come to LSN \S+ within 5000 ms/,
	'a target that takes nothing, without a follower', 'switch', '--max-wait=5');
cmp_ok(time - $begin, '<', 60, 'it ends');
is(eval { $pair->source_sql('INSERT INTO b VALUES (3)'); 1 }, 1,
	'the writes go on at the source');
$blocker->end('COMMIT');

# What does not keep it from happening is said.
$pair->source_sql("CREATE PUBLICATION everything FOR ALL TABLES;
	SELECT pg_create_logical_replication_slot('others', 'test_decoding');
	INSERT INTO c SELECT generate_series(1, 10)");
$pair->source_sql('CREATE EXTENSION pg_prewarm')
  if $pair->source_sql("SELECT count(*) FROM pg_available_extensions
	WHERE name = 'pg_prewarm'");
my ($status, $output, $log) = $pair->run('switch', '--dry-run');
is($status, 0, 'a trial') or diag($log);
like($output, qr/^note: publication everything has all tables/m,
	'a publication of all tables is named');
like($output, qr/^note: replication slot others \(test_decoding\) decodes/m,
	'so is a slot');
SKIP: {
	skip 'no extensions are installed', 1
	  unless $pair->source_sql("SELECT count(*) FROM pg_extension
		WHERE extname = 'pg_prewarm'");
	like($output, qr/^note: the source has extension pg_prewarm, which/m,
		'and an extension that the target lacks');
}
($status, $output, $log) = $pair->run('switch', '--max-wait=180');
is($status, 0, 'and then it happens') or diag($log);
like($output, qr/^note: table public\.a has no statistics on the target/m,
	'a table without statistics is said');
is($pair->target_sql('SELECT count(*) FROM b'), 3, 'the target has all');
$pair->run_or_die('finish');
done_testing();
