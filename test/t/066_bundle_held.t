# What the source holds back to send it with others: it is sent before an error
# ends the session, and before the source waits for more; and it can be asked to
# hold back nothing.

use strict;
use warnings;

use IPC::Run qw(run);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $BACKLOG = 2000;

# So soon everything that was written has arrived, though nothing follows it.
my $ARRIVES_S = 30;
my $BURSTS = 20;

my $pair = Penstock::Pair->new(
	source => ['log_replication_commands = on', 'autovacuum = off']);
$pair->source_sql(<<'END');
CREATE TABLE numbered (number bigserial PRIMARY KEY);
CREATE TABLE texts (id integer PRIMARY KEY, content text);
CREATE TABLE computed (n integer NOT NULL, note text,
	id integer GENERATED ALWAYS AS (n * 10) STORED PRIMARY KEY);
INSERT INTO computed VALUES (1);
CREATE PROCEDURE load(transactions integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. transactions LOOP
		INSERT INTO numbered DEFAULT VALUES;
		COMMIT;
	END LOOP;
END $$;
END
$pair->clone;

sent_before_error();
arrives_alone();
switched_off();
done_testing();


sub source_rows
{
	return $pair->source_sql('SELECT count(*) FROM numbered');
}

sub target_rows
{
	return $pair->target_sql('SELECT count(*) FROM numbered');
}

# An update that cannot be sent, with the source far behind.  What has come is
# looked at as it is, and what the follower makes of it.
sub sent_before_error
{
	my $file = $pair->source->basedir . '/received';
	my ($out, $err);

	$pair->source_sql(q(SELECT pg_create_logical_replication_slot('raw',
		'penstock')));
	$pair->source_sql("CALL load($BACKLOG)");
	my $last = $pair->source_sql('INSERT INTO texts VALUES (1, \'the last of it\')
		RETURNING content');
	$pair->source_sql(q(UPDATE computed SET note = 'one'));
	$pair->source_sql("CALL load($BACKLOG)");
	run [
		'pg_recvlogical', '--dbname=' . $pair->conninfo('source'),
		'--slot=raw', '--start', '--no-loop', "--file=$file",
		'--option=proto_version=1', '--option=publications=shop',
		'--option=bundle=true'
	  ],
	  '>', \$out, '2>', \$err;
	like($err, qr/cannot publish an update/, 'an update cannot be sent');
	like(slurp_file($file), qr/\Q$last/, 'all before it was sent');
	$pair->source_sql(q(SELECT pg_drop_replication_slot('raw')));
	$pair->fails_like(1, qr/cannot publish an update/,
		'the follower stops there, too', 'follow');
	is(target_rows(), $BACKLOG, 'and has applied all before it');
	$pair->run_or_die('table', 'pause', 'computed');
	$pair->follow_to_end;
	is(target_rows(), source_rows(), 'and goes on without the table');
	return;
}

# Transactions that reach the disk together, and the last of them: the source has
# more at hand while it decodes the first ones.  The server itself would write
# something every 15 s, which would send the last ones: it is kept from it.
sub arrives_alone
{
	my $follower = $pair->start('follow');
	my $slowest = 0;
	my $writer = $pair->source_sql("SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'background writer'");

	kill STOP => $writer;
	for my $burst (1 .. $BURSTS)
	{
		my $transactions = int rand 700;
		$pair->source_sql('SET synchronous_commit = off; '
			  . "CALL load($transactions)");
		my $rows = source_rows();
		my $started = time;
		wait_until("burst $burst of $transactions transactions to arrive",
			sub { target_rows() == $rows });
		$slowest = time - $started if time - $started > $slowest;
	}
	kill CONT => $writer;
	cmp_ok($slowest, '<', $ARRIVES_S, 'the last of a burst arrives by itself');
	$pair->stop_ok($follower);
	return;
}

sub switched_off
{
	my $log = $pair->source->logfile;
	my $asked = qr/START_REPLICATION SLOT "shop".*bundle/;

	$pair->source_sql("CALL load($BACKLOG)");
	like(slurp_file($log), $asked, 'bundles are asked for');
	my $offset = -s $log;
	$pair->follow_to_end('--bundle=off');
	like(slurp_file($log, $offset), qr/START_REPLICATION SLOT "shop"/,
		'it follows with --bundle=off');
	unlike(slurp_file($log, $offset), $asked, 'and asks for none');
	is(target_rows(), source_rows(), 'all of it is there');
	return;
}
