# The stream from the source is interrupted, because something in its WAL cannot
# be sent, or because a connection is lost.  Transactions that were received
# completely are applied first, so that the target has everything that it can
# have, and each attempt gets further; nothing of an incomplete transaction stays.

use strict;
use warnings;

use IPC::Run qw(run);
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Proxy;
use Penstock::Session;

my $BACKLOG = 1000;

# Of a large transaction, more than the source keeps in memory.
my $LARGE = 5000;

# Interruptions of a source that sends.
my $CANCELS = 10;

# Transactions that get through before the connection is cut.
my $ARRIVE = 777;

my %MODES = (
	batch => [],
	transaction => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ],
	whole => ['--streaming=off'],
);

my $servers = Penstock::Pair->new(
	source => [ 'logical_decoding_work_mem = 64kB', 'autovacuum = off' ],
	target => ['wal_writer_delay = 10ms']);

for my $mode (sort keys %MODES)
{
	my $pair = new_pair($mode, @{ $MODES{$mode} });

	connection_cut($pair, $mode, @{ $MODES{$mode} });
	cannot_be_sent($pair, $mode, @{ $MODES{$mode} });
}
my $pair = new_pair('more');
cannot_end() if $pair->source_sql('SHOW server_version_num') >= 140000;
cancelled();
target_is_slow();
target_dies();
done_testing();


sub new_pair
{
	my ($name, @options) = @_;
	my $new = $servers->with_database($name);

	$new->source_sql(<<'END');
CREATE TABLE numbered (number bigserial, filler text);
CREATE TABLE big (id integer PRIMARY KEY, filler text);
CREATE TABLE texts (id integer PRIMARY KEY, content text);
ALTER TABLE texts ALTER content SET STORAGE EXTERNAL;
CREATE TABLE computed (n integer NOT NULL, note text,
	id integer GENERATED ALWAYS AS (n * 10) STORED PRIMARY KEY);
INSERT INTO computed VALUES (1);
CREATE PROCEDURE load(transactions integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. transactions LOOP
		INSERT INTO numbered (filler) VALUES (format('<%s>', i));
		COMMIT;
	END LOOP;
END $$;
END
	$new->clone(@options);
	return $new;
}

sub numbered
{
	my ($of, $side) = @_;
	my $sql = 'SELECT count(*) FROM numbered';

	return $side eq 'source' ? $of->source_sql($sql) : $of->target_sql($sql);
}

# A large transaction, which comes in pieces if that is asked for, stays open;
# another one has ended, and behind it one cannot be sent, which has changed much
# before.
sub cannot_be_sent
{
	my ($of, $mode, @options) = @_;
	my $insert = "INSERT INTO big SELECT n, 'large' FROM generate_series";
	my $open = Penstock::Session->new($of->source, $of->name);

	$open->run('BEGIN', "$insert(1, $LARGE) n");
	$of->source_sql("CALL load($BACKLOG)");
	$of->source_sql("$insert(100001, 100000 + $LARGE) n");
	$of->source_sql("CALL load(100)");
	my $before = numbered($of, 'source');
	$of->source_sql("BEGIN; $insert(200001, 200000 + $LARGE) n;
		UPDATE computed SET note = 'one'; COMMIT");
	$of->source_sql("CALL load($BACKLOG)");

	my $log = $of->fails_like(1, qr/cannot publish an update/,
		"$mode: an update cannot be sent", 'follow', @options);
	like($log, qr/context: .*streaming from the source, after LSN [0-9A-F]+\//s,
		"$mode: where that was is said");
	is(numbered($of, 'target'), $before,
		"$mode: all before it is applied, and nothing else");
	is($of->target_sql('SELECT min(id), max(id) FROM big'),
		'100001|' . (100000 + $LARGE),
		"$mode: so is a large one that has ended, and no other");
	$of->wait_for_sql('target', "SELECT count(*) = 0 FROM pg_stat_activity
		WHERE application_name LIKE 'penstock%' AND datname = current_database()");
	pass("$mode: no session is left");

	$open->end('COMMIT');
	$of->run_or_die('table', 'pause', 'computed');
	$of->follow_to_end(@options);
	$of->equal_ok("$mode: without the table it goes on",
		'--exclude=public.computed');
	return;
}

# So many transactions get through, each in a message; then nothing does.
sub arriving
{
	my ($flag) = @_;
	my ($count, $limit) = (0);

	return sub {
		my ($type, $body) = @_;

		return @_ unless $type eq 'd' && $body =~ /^w/;
		$limit //= -e $flag ? 0 : $ARRIVE;
		append_to_file($flag, 'used') if $count == 0;
		return 'CUT' if ++$count > $limit;
		return @_;
	};
}

sub connection_cut
{
	my ($of, $mode, @options) = @_;
	my $flag = "$PostgreSQL::Test::Utils::tmp_check/cut_$mode";
	my $proxy = Penstock::Proxy->start($of->source,
		sub { return { reply => arriving($flag) } });
	my $before = numbered($of, 'target');

	$of->source_sql("CALL load($BACKLOG)");
	$of->set_conninfo('source', $proxy->conninfo($of->name));
	my $follower = $of->start('follow', '--bundle=off', @options);
	$follower->wait_log(qr/warning follow: lost the connection to source/);
	is(numbered($of, 'target'), $before + $ARRIVE,
		"$mode: what arrived before the connection was cut is applied");
	$of->stop_ok($follower, 'TERM', "$mode: the follower");
	$of->set_conninfo('source', undef);
	return;
}

# The reader's encoding lacks a character of an origin's name, which is sent
# when the transaction ends that came in pieces.  The last of them has ended with
# a large value, so that there are no more.
sub cannot_end
{
	my $file = $pair->source->basedir . '/received';
	my $session = Penstock::Session->new($pair->source, $pair->name);
	my ($out, $err);

	$pair->source_sql(q(SELECT pg_create_logical_replication_slot('raw',
		'penstock'), pg_replication_origin_create('from €')));
	$session->run(q(SELECT pg_replication_origin_session_setup('from €')),
		'BEGIN', "INSERT INTO big SELECT generate_series(1, $LARGE)",
		q(INSERT INTO texts VALUES (2, repeat('large', 100000))));
	$pair->source_sql("CALL load($BACKLOG)");
	$pair->source_sql(q(INSERT INTO texts VALUES (1, 'the last of it')));
	$session->end('COMMIT');
	$pair->source_sql("CALL load($BACKLOG)");
	local $ENV{PGCLIENTENCODING} = 'LATIN1';
	run [
		'pg_recvlogical', '--dbname=' . $pair->conninfo('source'),
		'--slot=raw', '--start', '--no-loop', "--file=$file",
		map { "--option=$_" } 'proto_version=1', 'publications=more',
		'bundle=true', 'streaming=true'
	  ],
	  '>', \$out, '2>', \$err;
	like($err, qr/has no equivalent in encoding "LATIN1"/,
		'a commit cannot be sent');
	like(slurp_file($file), qr/the last of it/, 'all before it was sent');
	$pair->source_sql(q(SELECT pg_drop_replication_slot('raw')));
	$pair->follow_to_end;
	return;
}

# Wherever the source is interrupted, also while it sends, nothing comes twice.
sub cancelled
{
	my $cancel = 'SELECT count(pg_cancel_backend(active_pid))
		FROM pg_replication_slots WHERE active';
	my $follower = $pair->start('follow');
	my $cancels = 0;

	for (1 .. $CANCELS)
	{
		$pair->source_sql("CALL load($BACKLOG / 2)");
		$cancels += $pair->source_sql($cancel);
	}
	$pair->wait_caught_up($follower);
	$pair->equal_ok("cancelled, $cancels times");
	$pair->stop_ok($follower);
	return;
}

# What was received takes a while, and meanwhile the log says what is going on;
# a signal ends it as soon as at any other time.
sub target_is_slow
{
	my $session = Penstock::Session->new($pair->target, $pair->name);
	my $follower = $pair->start('follow');

	$follower->wait_log(qr/following with slot/);
	$session->run('BEGIN', 'LOCK TABLE numbered IN SHARE MODE');
	$pair->source_sql('CALL load(10)');
	$pair->wait_for_sql('target', "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE application_name = 'penstock' AND wait_event_type = 'Lock'");
	$pair->source_sql('SELECT pg_terminate_backend(active_pid)
		FROM pg_replication_slots WHERE active');
	$follower->wait_log(qr/info source: applying what was received up to LSN/);
	$session->end('COMMIT');
	$pair->wait_caught_up($follower);
	$pair->equal_ok('the source is lost while the target is slow');

	$session = Penstock::Session->new($pair->target, $pair->name);
	$session->run('BEGIN', 'LOCK TABLE numbered IN SHARE MODE');
	$pair->source_sql('CALL load(10)');
	$pair->wait_for_sql('target', "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE application_name = 'penstock' AND wait_event_type = 'Lock'");
	$pair->source_sql('SELECT pg_terminate_backend(active_pid)
		FROM pg_replication_slots WHERE active');
	# It may not have noticed when it is asked.
	wait_until('the follower to say what it does', sub {
		$follower->signal('USR1');
		$follower->log =~ /applying what came before the stream was interrupted/;
	});
	$pair->stop_ok($follower, 'TERM', 'it stops meanwhile');
	$session->end('COMMIT');
	$pair->follow_to_end;
	$pair->equal_ok('it goes on later');
	return;
}

# What a server says as it goes down has its place in the log, with a time.
sub target_dies
{
	my $follower = $pair->start('follow');

	$follower->wait_log(qr/following with slot/);
	$pair->target->stop('immediate');
	$pair->target->start;
	$follower->wait_log(qr/trying again.*following with slot/s);
	$pair->wait_caught_up($follower);
	unlike($follower->log, qr/^WARNING/m, 'no line without a time');
	$pair->stop_ok($follower);
	return;
}
