# Large transactions are applied while they are in progress on the source: of
# what they did nothing is seen before they commit, nothing is left when they do
# not, and all of it is there when they do, whatever else happens meanwhile.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $KILLED = 128 + 9;

# Above these, transactions come in pieces, and are applied in parts.
my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB', 'wal_sender_timeout = 3s'],
	# So that to wait for one is to wait for the other.
	target => ['wal_writer_delay = 10ms']);
my @MEMORY = ('--memory=4MB');

$pair->pgbench_init(1);
$pair->source_sql(<<'END');
CREATE TABLE big (id integer PRIMARY KEY, value integer, note text);
CREATE TABLE other (id integer PRIMARY KEY, value integer);
CREATE TABLE emptied (id integer PRIMARY KEY);
INSERT INTO big SELECT n, 0, 'start' FROM generate_series(1, 20000) n;
INSERT INTO other SELECT n, 0 FROM generate_series(1, 100) n;
INSERT INTO emptied SELECT generate_series(1, 10);
END
$pair->clone;

my $follower = $pair->start('follow', '--verbose', @MEMORY);

# A session of the source, in which a transaction stays open.
my $session;

unseen_before_commit();
nothing_left_of_rollback();
savepoints();
on_what_others_committed();
beside_others();
lost_in_mid_stream('kill -9', sub {
	is($follower->end('KILL'), $KILLED, 'the follower is killed');
	$follower = $pair->start('follow', '--verbose', @MEMORY);
});
lost_in_mid_stream('crash of the target', sub {
	$pair->target->stop('immediate');
	$pair->target->start;
});
lost_in_mid_stream('restart of the source', sub {
	$pair->source->restart('fast');
}, 1);
hanging();
dies_while_applying();
switched_off();
done_testing();


# ---- A session ----

sub new_session
{
	return Penstock::Session->new($pair->source, $pair->name);
}

sub open_session
{
	$session = new_session();
	$session->run('BEGIN');
}

# All that is committed on the source by now is on the target, the mark that makes
# sure of it too: a session may have ended between the two.
sub wait_applied
{
	$pair->wait_caught_up($follower);
	my $marks = $pair->source_sql('SELECT max(number) FROM mark');
	$pair->wait_for_sql('target', "SELECT max(number) >= $marks FROM mark");
}

# Wait until there is a transaction open on the target that has done something.
sub wait_open
{
	my ($count) = @_;

	wait_until('a transaction to be open on the target', sub { is_open($count) });
}

sub is_open
{
	my ($count) = @_;

	$count ||= 1;
	return $pair->target_sql(
		"SELECT count(*) >= $count FROM pg_stat_activity
		  WHERE application_name LIKE 'penstock%' AND backend_xid IS NOT NULL
		    AND state LIKE 'idle in transaction%'") eq 't';
}

# What was written before the position from which the source begins again is
# sent when there is more.
sub wait_open_again
{
	my $id = 4000;

	wait_until(
		'the transaction to be open on the target again',
		sub {
			$session->run('INSERT INTO emptied VALUES (' . ++$id . ')');
			return is_open();
		});
}

# One that is left would stay; a position may just be noted.
sub none_open_ok
{
	my ($title) = @_;

	$pair->wait_for_sql('target',
		"SELECT count(*) = 0 FROM pg_stat_activity
		  WHERE application_name LIKE 'penstock%'
		    AND state LIKE 'idle in transaction%'");
	pass("$title: no transaction is left open");
}

sub applied_while_open
{
	my $log = $follower->log;

	return scalar(() = $log =~ /was applied while open/g);
}


# ---- What happens ----

sub unseen_before_commit
{
	open_session();
	$session->run("UPDATE big SET value = 1, note = 'new' WHERE id <= 15000",
		'DELETE FROM big WHERE id > 19000',
		"INSERT INTO big SELECT n, 1, 'more' FROM generate_series(30001, 35000) n",
		'TRUNCATE emptied', 'INSERT INTO emptied VALUES (99)');
	wait_open();
	is($pair->target_sql('SELECT sum(value), count(*) FROM big'),
		'0|20000', 'nothing is seen while it is in progress');
	$pair->source_sql('UPDATE other SET value = 1');
	$pair->wait_for_sql('target', 'SELECT bool_and(value = 1) FROM other');
	pass('others are applied meanwhile');
	$session->end('COMMIT');
	wait_applied();
	$pair->equal_ok('an open transaction that committed');
	is(applied_while_open(), 1, 'it was applied while open');
	none_open_ok('it committed');
}

sub nothing_left_of_rollback
{
	open_session();
	$session->run("UPDATE big SET value = 2", 'DELETE FROM other',
		"INSERT INTO big SELECT n, 2, 'no' FROM generate_series(40001, 45000) n");
	wait_open();
	$session->end('ROLLBACK');

	# They touch what it had locked.
	$pair->source_sql('UPDATE other SET value = 2; UPDATE big SET value = 3 WHERE id = 1');
	wait_applied();
	$pair->equal_ok('an open transaction that was rolled back');
	none_open_ok('it was rolled back');
	is(applied_while_open(), 1, 'there is none more');
}

sub savepoints
{
	open_session();
	$session->run(
		'UPDATE big SET value = 10 WHERE id <= 3000',
		'SAVEPOINT a',
		'UPDATE big SET value = 11 WHERE id BETWEEN 2001 AND 6000',
		'SAVEPOINT b',
		'UPDATE big SET value = 12 WHERE id BETWEEN 5001 AND 9000',
		'RELEASE b',
		'UPDATE big SET value = 13 WHERE id BETWEEN 8001 AND 8100',
		'SAVEPOINT c',
		'DELETE FROM big WHERE id <= 9000');
	wait_open();
	$session->run('ROLLBACK TO c', 'UPDATE big SET value = 14 WHERE id <= 4000');
	$session->run('SAVEPOINT d', 'TRUNCATE big', 'ROLLBACK TO d');
	$session->run('ROLLBACK TO a', 'UPDATE big SET value = 15 WHERE id <= 2500');

	# Each iteration is a subtransaction; of every third nothing stays.
	$session->end(<<'SQL', 'COMMIT');
DO $$
BEGIN
	FOR i IN 1 .. 40 LOOP
		BEGIN
			UPDATE big SET value = 100 + i WHERE id BETWEEN i * 200 AND i * 200 + 250;
			BEGIN
				INSERT INTO big SELECT 100000 + i * 1000 + n, i, 'inner'
					FROM generate_series(1, 100) n;
				IF i % 3 = 0 THEN RAISE 'inner'; END IF;
			EXCEPTION WHEN raise_exception THEN NULL;
			END;
			IF i % 7 = 0 THEN PERFORM 1 / 0; END IF;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$
SQL
	wait_applied();
	$pair->equal_ok('savepoints');
	none_open_ok('savepoints');
	unlike($follower->log, qr/cannot be applied/, 'nothing was refused');
}

# Rows that others wrote just before, in transactions that the target may not
# have yet.
sub on_what_others_committed
{
	my $script = "$PostgreSQL::Test::Utils::tmp_check/others.sql";

	append_to_file($script, <<'END');
\set id random(1, 20000)
INSERT INTO big VALUES (:id + 200000 + :client_id * 100000, 0, 'other')
 ON CONFLICT (id) DO UPDATE SET value = big.value + 1;
END
	my $writers = $pair->start_pgbench('--client=2', '--rate=400', "--file=$script");
	for my $round (1 .. 6)
	{
		my $end = $round % 3 == 0 ? 'ROLLBACK' : 'COMMIT';
		$pair->source_sql("BEGIN;
			UPDATE big SET note = 'round $round' WHERE id > 200000 OR id <= 3000;
			DELETE FROM big WHERE id > 200000 AND id % 5 = $round % 5;
			$end");
	}
	$pair->end_pgbench($writers);
	wait_applied();
	$pair->equal_ok('rows that others wrote just before');
}

# Several at a time, beside small ones, and ending in another order.
sub beside_others
{
	my $writers = $pair->start_pgbench('--client=2', '--rate=300');
	my @sessions = map { new_session() } 1 .. 4;

	for my $i (0 .. 3)
	{
		$sessions[$i]->run('BEGIN',
			"INSERT INTO big SELECT n, $i, 'beside' FROM generate_series(
				1000001 + $i * 10000, 1002000 + $i * 10000) n");
	}
	wait_open(4);
	for my $i (3, 0, 2, 1)
	{
		$sessions[$i]->end(
			"UPDATE big SET value = 7
			  WHERE id BETWEEN 1000001 + $i * 10000 AND 1002000 + $i * 10000",
			$i == 2 ? 'ROLLBACK' : 'COMMIT');
	}
	$pair->end_pgbench($writers);
	wait_applied();
	$pair->equal_ok('several at a time');
	none_open_ok('several at a time');
	unlike($follower->log, qr/cannot be applied/, 'nothing was refused');
}

# The source knows of all that the target has: what it sends again after that is
# not taken for something that the target may have.
sub wait_confirmed
{
	my $lsn = $pair->progress_lsn;

	$pair->wait_for_sql('source', "SELECT confirmed_flush_lsn >= '$lsn'
		FROM pg_replication_slots WHERE slot_name = 'shop'");
}

# The source begins again from what was confirmed.
sub lost_in_mid_stream
{
	my ($title, $lose, $ends_session) = @_;

	open_session();
	$session->run('UPDATE big SET value = value + 1 WHERE id <= 12000',
		"INSERT INTO emptied SELECT generate_series(1000, 4000)");
	wait_open();
	wait_confirmed();
	$lose->();
	if ($ends_session)
	{
		$session->abandon;
	}
	else
	{
		wait_open_again();
		$session->end('UPDATE big SET value = value + 1 WHERE id <= 12000',
			'DELETE FROM emptied WHERE id >= 1000', 'COMMIT');
	}
	$pair->source_sql('UPDATE other SET value = value + 1');
	wait_applied();
	$pair->equal_ok($title);
	none_open_ok($title);
}

# It hangs, and what it has open on the target holds its locks.
sub hanging
{
	my $first = $follower;

	open_session();
	$session->run('UPDATE big SET value = value + 1 WHERE id <= 12000');
	wait_open();
	$first->signal('STOP');
	$session->end('COMMIT');
	$pair->source_sql('UPDATE big SET value = value + 1 WHERE id <= 10');
	$follower = $pair->start('follow', '--verbose', @MEMORY);
	wait_applied();
	$pair->equal_ok('another one takes the place of one that hangs');
	is($first->end('KILL'), $KILLED, 'the one that hung ends');
}

sub dies_while_applying
{
	my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN} or die 'there is no consumer with crash points';

	$pair->stop_ok($follower);
	for my $point ('apply.open_txn:3', 'apply.commit_sent:1', 'apply.after_commit:1')
	{
		$pair->source_sql("BEGIN;
			UPDATE big SET value = value + 1 WHERE id <= 8000;
			INSERT INTO big SELECT last + n, 0, '$point'
			  FROM (SELECT max(id) AS last FROM big) l, generate_series(1, 3000) n;
			COMMIT");
		{
			local $ENV{PENSTOCK_BIN} = $faults_bin;
			local $ENV{PENSTOCK_FAULT} = $point;
			my ($status) = $pair->run('follow', @MEMORY);
			is($status, $KILLED, "it dies at $point");
		}
		wait_until('the slot to be free',
			sub { $pair->source_sql('SELECT NOT active FROM pg_replication_slots') eq 't' });
		$pair->follow_to_end(@MEMORY);
		$pair->equal_ok("it died at $point");
	}
}

sub switched_off
{
	$follower = $pair->start('follow', '--verbose', '--streaming=off', @MEMORY);
	$pair->source_sql('UPDATE big SET value = value + 1');
	wait_applied();
	$pair->equal_ok('--streaming=off');
	is(applied_while_open(), 0, 'nothing was applied while open');
	$pair->stop_ok($follower);
	$pair->run_or_die('drop');
	is($pair->target_sql('SELECT count(*) FROM pg_replication_origin'),
		0, 'no origin is left');
}
