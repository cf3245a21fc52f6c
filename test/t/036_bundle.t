# Small transactions share messages while the source lags.  Transactions that the
# source holds back do not count as sent: not when a connection is lost, not when
# either side is killed.  None is held back when the source reaches the end of its
# WAL, or is stopped.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);
use Penstock::Proxy;

my $KILLED = 128 + 9;
my $BACKLOG = 3000;

# Long enough for a position to be noted on the target.
my $WITHHOLD_S = 1.5;

# PENSTOCK_SEED repeats a run, as far as moments can be repeated.
my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

# What is written here does not wait for that; see below.
my $LOCAL = '-c synchronous_commit=local';

my $pair = Penstock::Pair->new(
	source => [ 'wal_sender_timeout = 3s', 'fsync = on' ]);
$pair->source_sql(<<'END');
CREATE TABLE numbered (number bigserial, filler text);
CREATE TABLE counter (id integer PRIMARY KEY, n integer);
INSERT INTO counter VALUES (1, 0);
CREATE PROCEDURE load(transactions integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. transactions LOOP
		INSERT INTO numbered (filler) VALUES (repeat('x', i % 50));
		COMMIT;
		PERFORM pg_logical_emit_message(true, 'nobody', 'asks for it');
		COMMIT;
		UPDATE counter SET n = n + 1;
		COMMIT;
		IF i % 500 = 0 THEN
			INSERT INTO numbered (filler)
				SELECT 'large' FROM generate_series(1, 3000);
			COMMIT;
		END IF;
	END LOOP;
END $$;
END
$pair->clone;

# The walsender tells of transactions that it leaves out, with a keepalive each,
# if it serves a synchronous standby (from PostgreSQL 15 on): these are positions
# behind those that it holds back.
$pair->source_sql(q(ALTER SYSTEM SET synchronous_standby_names = '*'));
$pair->source->reload;

fewer_messages();
end_within_a_bundle();
withheld();
connections_cut();
killed();
source_crashes();
source_stops();
little_memory();
done_testing();


# ---- Messages ----

# What a message of the walsender is: w for data, k for a keepalive, K for one
# while transactions may be held back, which $holding keeps; else nothing.
sub kind_of
{
	my ($type, $body, $holding) = @_;
	my $kind = $type eq 'd' ? substr $body, 0, 1 : '';

	# Field 9 stands last in a frame: it begins (1) or ends (2).
	$$holding = 1 if $kind eq 'w' && $body =~ /\x48\x01\z/;
	$$holding = 0 if $kind eq 'w' && $body =~ /\x48\x02\z/;
	return $kind eq 'k' && $$holding ? 'K' : $kind =~ /[wk]/ ? $kind : '';
}

# Notes the kinds of all messages in a file.
sub noting
{
	my ($file) = @_;
	my $holding = 0;

	return sub {
		append_to_file($file, kind_of(@_, \$holding));
		return @_;
	};
}

# From the first keepalive on that comes while transactions are held back, no
# data arrive, but keepalives do, for a while.  Then the connection ends.
sub withholding
{
	my ($holding, $since) = (0);

	return sub {
		my $kind = kind_of(@_, \$holding);

		$since //= time if $kind eq 'K';
		return @_ unless $since;
		$holding = 1;
		return 'CUT' if time > $since + $WITHHOLD_S;
		return $kind eq 'w' ? () : @_;
	};
}

sub load
{
	my ($transactions) = @_;

	local $ENV{PGOPTIONS} = $LOCAL;
	$pair->source_sql("CALL load($transactions)");
}

sub wait_caught_up
{
	my ($follower) = @_;

	local $ENV{PGOPTIONS} = $LOCAL;
	$pair->wait_caught_up($follower);
}

sub fewer_messages
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/messages";
	my $proxy = Penstock::Proxy->start($pair->source,
		sub { return { reply => noting($file) } });

	load($BACKLOG);
	$pair->set_conninfo('source', $proxy->conninfo($pair->name));
	$pair->follow_to_end;
	$pair->set_conninfo('source', undef);
	$pair->equal_ok('a backlog of small transactions');

	my $noted = slurp_file($file);
	my $messages = $noted =~ tr/w//;
	cmp_ok($messages, '<', $BACKLOG / 10,
		'there were ten times as many transactions as messages');
	cmp_ok($messages, '>', 10, 'but not just a few');
	cmp_ok($noted =~ tr/K//, '>', $BACKLOG / 2,
		'keepalives came while transactions were held back');
}

# A position between two transactions that come in one message.
sub end_within_a_bundle
{
	load(400);
	my $endpos = $pair->source_lsn;
	my $counted = $pair->source_sql('SELECT n FROM counter');
	load(400);
	$pair->run_or_die('follow', "--endpos=$endpos");
	is($pair->target_sql('SELECT n FROM counter'),
		$counted, 'it ends where it was told to, with the rest left');
	$pair->follow_to_end;
	$pair->equal_ok('the rest comes when it goes on');
}


# ---- What breaks off ----

# To keepalives that count what is held back, nothing must be confirmed: neither
# to the source nor on the target.
sub withheld
{
	my $proxy = Penstock::Proxy->start(
		$pair->source,
		sub { return $_[0] <= 6 ? { reply => withholding() } : {} });

	load($BACKLOG);
	$pair->set_conninfo('source', $proxy->conninfo($pair->name));
	my ($status, undef, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);
	$pair->set_conninfo('source', undef);
	is($status, 0, 'it gets to the end, when data come again');
	like($log, qr/lost the connection/, 'there were connections without');
	$pair->equal_ok('transactions held back that did not arrive');
}

# Of the first connections, each is cut a little later than the one before.
sub connections_cut
{
	my $proxy = Penstock::Proxy->start(
		$pair->source,
		sub {
			my ($number) = @_;
			return $number <= 8
			  ? { reply_bytes => 3000 + int rand 5000 * $number }
			  : {};
		});

	load($BACKLOG);
	$pair->set_conninfo('source', $proxy->conninfo($pair->name));
	my ($status, undef, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);
	$pair->set_conninfo('source', undef);
	is($status, 0, 'it gets to the end over connections that are cut');
	like($log, qr/lost the connection/, 'they were cut');
	$pair->equal_ok('connections cut');
}

sub killed
{
	load($BACKLOG);
	for my $kill (1 .. 4)
	{
		my $before = $pair->progress_lsn;
		my $follower = $pair->start('follow');

		$pair->wait_for_sql('target',
			"SELECT end_lsn > '$before' FROM penstock.progress");
		load(300) if $kill == 2;
		pause(rand 0.05);
		is($follower->end('KILL'), $KILLED, "the follower is killed, $kill");
		load(1000);
	}
	wait_until('the slot to be free',
		sub { $pair->source_sql('SELECT NOT active FROM pg_replication_slots') eq 't' });
	$pair->follow_to_end;
	$pair->equal_ok('killed');
}

sub source_crashes
{
	my $follower = $pair->start('follow');

	for my $crash (1 .. 2)
	{
		load($BACKLOG);
		pause(rand 0.05);
		$pair->source->stop('immediate');
		$pair->source->start;
	}
	wait_caught_up($follower);
	$pair->equal_ok('the source has crashed, twice');

	# Nothing more happens on the source, so nothing more is sent.
	my $lsn = $pair->source_lsn;
	wait_until("position $lsn to be confirmed",
		sub { $pair->source_sql("SELECT confirmed_flush_lsn >= '$lsn'
			FROM pg_replication_slots") eq 't' });
	pass('the end of a log that is quiet is confirmed');
	$pair->stop_ok($follower);
}

# The server lets the follower have all there is before it ends.
sub source_stops
{
	load($BACKLOG);
	my $follower = $pair->start('follow');
	$follower->wait_log(qr/following with slot/);
	my $counted = $pair->source_sql('SELECT n FROM counter');
	# pg_ctl does not wait for ever.
	ok($pair->source->stop('fast'), 'the source stops in time');
	is($pair->target_sql('SELECT n FROM counter'),
		$counted, 'and not before the target has what was held back');
	$pair->source->start;
	wait_caught_up($follower);
	$pair->equal_ok('the source has stopped and started');
	$pair->stop_ok($follower);
}

# The sink is full within a bundle.
sub little_memory
{
	load(2 * $BACKLOG);
	$pair->follow_to_end('--memory=4MB');
	$pair->equal_ok('with little memory');
}
