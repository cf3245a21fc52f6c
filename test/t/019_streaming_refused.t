# A target may refuse what the source allowed, or let it wait: then a large
# transaction is applied when it has committed, and there is never a standstill.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Session;

# What autovacuum commits makes durable what was committed before.
my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB'],
	target => ['autovacuum = off']);

$pair->source_sql(<<'END');
CREATE TABLE big (id integer PRIMARY KEY, value integer);
CREATE TABLE other (id integer PRIMARY KEY, value integer);
INSERT INTO big SELECT n, n FROM generate_series(1, 5000) n;
INSERT INTO other SELECT n, n FROM generate_series(1, 100) n;
END
$pair->clone;

my $follower;
my $session;

others_wait();
refused_and_rolled_back();
refused_and_committed();
too_many_subtransactions();
too_many_at_a_time();
table_that_is_not_there();
no_connection_left();
ahead_of_the_source();
conflict_policies();
done_testing();


sub start_follower
{
	$follower = $pair->start('follow', '--verbose', @_);
	$follower->wait_log(qr/following with slot/);
}

sub open_session
{
	$session = Penstock::Session->new($pair->source, $pair->name);
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

# That $count is open on the target, having done something.
sub wait_open
{
	my ($count) = @_;

	$count ||= 1;
	$pair->wait_for_sql('target',
		"SELECT count(*) >= $count FROM pg_stat_activity
		  WHERE application_name LIKE 'penstock%' AND backend_xid IS NOT NULL
		    AND state LIKE 'idle in transaction%'");
}

# All is there, and large transactions are applied while open again.
sub goes_on_ok
{
	my ($title) = @_;
	my $rows = $pair->source_sql('SELECT count(*) FROM big');

	wait_applied();
	$pair->equal_ok($title);
	$pair->source_sql('UPDATE big SET value = value + 100000');
	wait_applied();
	$pair->equal_ok("$title, and another one");
	like($follower->log, qr/was applied while open\n(?!.*cannot be applied)/s,
		"$title: the next one is applied while open");
	$pair->stop_ok($follower);
}

# A key that only the target has lets others wait for the open transaction,
# which ends on the source only after them.
sub others_wait
{
	$pair->target_sql('CREATE UNIQUE INDEX big_value ON big (value)');
	start_follower();
	open_session();
	$session->run('UPDATE big SET value = -value WHERE id <= 4000');
	wait_open();
	$pair->source_sql('UPDATE big SET value = -17 WHERE id = 5000');
	$follower->wait_log(qr/cannot be applied to target while it is open on the source/);
	like($follower->log, qr/Other transactions wait for its locks/, 'why is said');
	$pair->wait_for_sql('target', 'SELECT value = -17 FROM big WHERE id = 5000');
	pass('what waited is applied before the transaction ends');
	$session->end('UPDATE big SET value = -5000 WHERE id = 17', 'COMMIT');
	goes_on_ok('others wait');
	$pair->target_sql('DROP INDEX big_value');
}

# It would never have been seen in the ordinary way.
sub refused_and_rolled_back
{
	$pair->target_sql('ALTER TABLE big ADD CHECK (value > -1000000)');
	start_follower();
	open_session();
	$session->run('UPDATE big SET value = -2000000 WHERE id <= 4000');
	$follower->wait_log(qr/cannot be applied to target while it is open on the source/);
	$session->end('ROLLBACK');
	$pair->source_sql('UPDATE other SET value = value + 1');
	wait_applied();
	$pair->equal_ok('refused and rolled back');
	$pair->stop_ok($follower);
}

# In the ordinary way it is said which row it is.
sub refused_and_committed
{
	$pair->source_sql('BEGIN;
		UPDATE big SET value = value + 1 WHERE id <= 4000;
		UPDATE big SET value = -2000000 WHERE id = 3456;
		COMMIT');
	$pair->fails_like(1, qr/check constraint.*3456.*table "public"\."big"/s,
		'a row that is refused stops it', 'follow');
	$pair->target_sql('ALTER TABLE big DROP CONSTRAINT big_value_check');
	start_follower();
	goes_on_ok('mended');
}

sub too_many_subtransactions
{
	start_follower();
	$pair->source_sql(<<'SQL');
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		BEGIN
			INSERT INTO big VALUES (1000000 + i, i);
			IF i % 5 = 0 THEN RAISE 'some'; END IF;
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
	END LOOP;
END $$
SQL
	$follower->wait_log(qr/It has too many subtransactions/);
	goes_on_ok('too many subtransactions');
}

sub too_many_at_a_time
{
	my @sessions = map { Penstock::Session->new($pair->source, $pair->name) } 1 .. 10;

	start_follower();
	for my $i (0 .. 9)
	{
		$sessions[$i]->run('BEGIN',
			"INSERT INTO big SELECT 2000000 + $i * 10000 + n, 0 FROM generate_series(1, 2000) n");
	}
	$follower->wait_log(qr/There are too many large transactions at a time/);
	$sessions[$_]->end($_ % 3 == 0 ? 'ROLLBACK' : 'COMMIT') for reverse 0 .. 9;
	wait_applied();
	$pair->equal_ok('too many at a time');
	$pair->stop_ok($follower);
}

# A table that was made in a transaction that is rolled back is nobody's loss.
sub table_that_is_not_there
{
	start_follower();
	open_session();
	$session->run('CREATE TABLE never (id integer PRIMARY KEY)',
		'INSERT INTO never SELECT generate_series(1, 5000)');
	$pair->source_sql('UPDATE other SET value = value + 1');
	wait_applied();
	pass('a table that is not there: others go on meanwhile');
	$session->end('ROLLBACK');
	$pair->source_sql('UPDATE other SET value = value + 1');
	wait_applied();
	$pair->equal_ok('a table that is not there');
	$pair->stop_ok($follower);
}

# The ordinary way takes no further connection.
sub no_connection_left
{
	my $role = 'few';

	$pair->target_sql("CREATE ROLE $role SUPERUSER LOGIN CONNECTION LIMIT 1");
	$pair->target_sql("ALTER ROLE $role NOSUPERUSER");
	$pair->target_sql("GRANT ALL ON ALL TABLES IN SCHEMA public, penstock TO $role;
		GRANT ALL ON SCHEMA public, penstock TO $role");
	$pair->set_conninfo('target', $pair->target->connstr($pair->name) . " user=$role");
	start_follower();
	$pair->source_sql('UPDATE big SET value = value + 3');
	$follower->wait_log(qr/cannot be applied to target while it is open on the source/);
	wait_applied();
	$pair->equal_ok('no connection left');
	$pair->stop_ok($follower);
	$pair->set_conninfo('target', undef);
}

# A ledger wants to know where the transaction committed.
sub conflict_policies
{
	$pair->target_sql('DELETE FROM big WHERE id = 2000');
	start_follower('--set', '--on-conflict=skip');
	$pair->source_sql('UPDATE big SET value = value + 5 WHERE id <= 4000');
	wait_applied();
	is( $pair->target_sql('SELECT count(*) FROM penstock.conflict'),
		1, 'a conflict is settled');
	unlike($follower->log, qr/open on the source|open transactions/, 'and the transaction is taken when it has committed');
	$pair->stop_ok($follower);
	$pair->follow_to_end('--set', '--on-conflict=stop');
}

# The target has a large transaction, and one behind it, of which the source was
# not told: both come again.  To refuse the large one until it has passed, and
# no longer, would have it come, and be refused, for ever.
sub ahead_of_the_source
{
	my @options = ('--memory=4MB');
	my $is_ahead = 0;

	# The follower makes durable what has not been for a while: until it is
	# killed before.
	for my $round (1 .. 20)
	{
		start_follower(@options);
		wait_applied();
		$is_ahead = killed_ahead(3_000_000 + 100_000 * $round);
		last if $is_ahead;
	}
	ok($is_ahead, 'ahead of the source: the target is');
	start_follower(@options);
	goes_on_ok('ahead of the source');
}

# Of many rows, from one number on, and of what comes after, nothing is confirmed.
sub killed_ahead
{
	my ($first) = @_;

	# What is applied is not durable meanwhile.
	my @writers = split /\n/, $pair->target_sql("SELECT pid FROM pg_stat_activity
		WHERE backend_type IN ('walwriter', 'background writer')");
	kill 'STOP', @writers;
	$pair->source_sql("INSERT INTO big SELECT $first + n, 0
		FROM generate_series(1, 60000) n");
	my $large = $pair->source_lsn;
	$pair->source_sql('UPDATE other SET value = value + 1');
	my $lsn = $pair->source_lsn;
	$pair->source_sql('UPDATE other SET value = value + 1');
	$pair->wait_for_sql('target',
		"SELECT end_lsn > '$lsn' FROM penstock.progress");
	$follower->end('KILL');
	kill 'CONT', @writers;
	return $pair->source_sql("SELECT confirmed_flush_lsn < '$large'
		FROM pg_replication_slots") eq 't';
}
