# The consumer dies at each of the places where it could hurt most: once, and
# three times in a row before it gets any further.  In the end source and target
# are equal each time.
#
# This takes a consumer that was built with its crash points; "make check-e2e"
# builds it and says in $PENSTOCK_FAULTS_BIN where it is.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../soak/lib";
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Soak::Faults qw(crash_points);

my $KILLED = 128 + 9;
my $FAILED = 1;

my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

# Rows of one transaction that is applied in parts, as memory is small.
my $LARGE_ROWS = 12_000;
my @MEMORY = ('--memory=4MB');

my $pair = Penstock::Pair->new(source => ['wal_sender_timeout = 3s']);
$pair->source_sql(<<'END');
CREATE TABLE numbered (number bigint, filler text);
CREATE TABLE item (
	id integer PRIMARY KEY, code integer UNIQUE, amount integer, large text);
ALTER TABLE item ALTER large SET STORAGE EXTERNAL;
INSERT INTO item
	SELECT n, n, 0, CASE WHEN n % 10 = 0 THEN repeat('large', 1000) END
	  FROM generate_series(1, 100) n;
CREATE TABLE alike (value integer);
ALTER TABLE alike REPLICA IDENTITY FULL;
INSERT INTO alike SELECT n % 3 FROM generate_series(1, 30) n;
CREATE TABLE emptied (id integer);
END

clone_points();
following_points();
hanging();
ahead_of_source();
done_testing();


# ---- While following ----

sub following_points
{
	my $round = 0;

	for my $point (crash_points())
	{
		for my $times (1, 3)
		{
			for my $time (1 .. $times)
			{
				# What was written before may all be there already.
				write_something(++$round);
				my ($status, $log) = run_dying($point, 'follow',
					'--endpos=' . $pair->source_lsn, @MEMORY);
				is($status, $KILLED, "$point, $time of $times: it dies")
				  or diag($log);
			}
			wait_slot_free();
			$pair->follow_to_end(@MEMORY);
			as_it_should_be("$point, $times times");
		}
	}
}

# Worse than dead: it hangs, and its connections stay.  Another one takes its
# place, as soon as the source has noticed; and when the first one awakes it does
# no harm.
sub hanging
{
	my $first = $pair->start('follow');

	$first->wait_log(qr/following with slot/);
	write_something(1);
	$first->signal('STOP');
	write_something(2);
	my $second = $pair->start('follow');
	$second->wait_log(qr/following with slot/);
	$first->signal('CONT');
	write_something(3);
	$pair->wait_caught_up($second);
	ok($first->is_running, 'the one that hung waits for its turn');
	as_it_should_be('the one that took its place');
	$pair->stop_ok($second, 'TERM', 'the one that took its place ends');
	write_something(4);
	$pair->wait_caught_up($first);
	as_it_should_be('the one that hung, whose turn it is');
	$pair->stop_ok($first);
}

# It dies when the target has everything and the source has been told nothing.
# The next one knows that, and the source sends it all once more, reading tables
# by the catalogs of that time.  To confirm before that is over would let the
# source clean them up under its own hands.
sub ahead_of_source
{
	# Another slot would keep the catalogs.
	$pair->run_or_die('drop');
	my $other = $pair->with_database('ahead');
	$other->source_sql('CREATE TABLE long (number integer, filler text);
		CREATE TABLE emptied (number integer)');
	$other->clone;
	# To send the first takes long enough for the source to clean up; behind it
	# is what needs the catalogs.
	$other->source_sql($_)
	  for 'INSERT INTO long SELECT n, md5(n::text)
			FROM generate_series(1, 300000) n',
	  'BEGIN; TRUNCATE emptied; INSERT INTO emptied VALUES (1); COMMIT',
	  'INSERT INTO emptied VALUES (2)', 'TRUNCATE emptied', 'CHECKPOINT';
	my $confirmed = $other->confirmed_lsn;

	local $ENV{PENSTOCK_BIN} = $faults_bin;
	{
		local $ENV{PENSTOCK_FAULT} = 'apply.after_commit';
		my ($status) = $other->run('follow');
		is($status, $KILLED, 'it dies when everything is applied');
	}
	wait_slot_free();
	cmp_ok($other->target_sql('SELECT count(*) FROM long'),
		'>', 0, 'the target has everything');
	is($other->confirmed_lsn, $confirmed, 'the source knows nothing of it');

	my $follower = $other->start('follow');
	wait_until(
		'the source to be told',
		sub {
			$other->source_sql('VACUUM pg_class');
			return !$follower->is_running
			  || $other->source_sql("SELECT confirmed_flush_lsn > '$confirmed'
					FROM pg_replication_slots") eq 't';
		});
	$other->wait_caught_up($follower);
	unlike($follower->log, qr/error/, 'nothing was missing');
	$other->equal_ok('what was applied was not confirmed');
	$other->stop_ok($follower);
}

# Something of everything: what is copied, what is refused as a whole and then
# applied in order, and what takes several parts.
sub write_something
{
	my ($round) = @_;

	$pair->source_sql(<<"END");
INSERT INTO numbered
	SELECT count, 'single' FROM (SELECT count(*) + 1 AS count FROM numbered) c;
BEGIN;
UPDATE item SET amount = amount + $round WHERE id % 2 = 0;
UPDATE item SET id = -id WHERE id IN (1, 2);
UPDATE item SET id = 3 + id WHERE id IN (-1, -2);
COMMIT;
BEGIN;
UPDATE item SET code = NULL WHERE id = 10;
UPDATE item SET code = CASE code WHEN 10 THEN 20 ELSE 10 END WHERE id = 20;
UPDATE item SET code = CASE (SELECT code FROM item WHERE id = 20)
	WHEN 10 THEN 20 ELSE 10 END WHERE id = 10;
UPDATE item SET amount = amount + 1 WHERE id BETWEEN 50 AND 70;
COMMIT;
BEGIN;
INSERT INTO emptied VALUES ($round);
TRUNCATE emptied;
INSERT INTO emptied VALUES (-$round);
COMMIT;
BEGIN;
UPDATE alike SET value = 3 - value
	WHERE ctid IN (SELECT ctid FROM alike ORDER BY value DESC LIMIT 3);
DELETE FROM alike WHERE ctid = (SELECT min(ctid) FROM alike);
INSERT INTO alike VALUES (1);
COMMIT;
BEGIN;
INSERT INTO numbered
	SELECT last + n, repeat('x', 300)
	  FROM generate_series(1, $LARGE_ROWS) n,
		   (SELECT count(*) AS last FROM numbered) c;
UPDATE item SET large = repeat(md5(amount::text), 200) WHERE id % 20 = 0;
COMMIT;
END
}

sub as_it_should_be
{
	my ($title) = @_;

	$pair->equal_ok($title);
	is( $pair->target_sql(
			'SELECT count(*) - count(DISTINCT number), max(number) - count(*)
			   FROM numbered'),
		'0|0',
		"$title: no number is there twice, none is missing");
}


# ---- While copying ----

sub clone_points
{
	for my $times (1, 3)
	{
		for my $time (1 .. $times)
		{
			dies_at('clone.slot_created', "$time of $times");
			is(count_tables(), 0, 'nothing was copied before');
			not_followed();
			drop_all();
		}
		clone_follow_drop("clone.slot_created, $times times");
	}

	for my $times (1, 3)
	{
		for my $time (1 .. $times)
		{
			dies_at('clone.before_progress', "$time of $times");
			not_followed();
			# What is there is no copy that can be trusted.
			drop_all();
			$pair->fails_like($FAILED, qr/table "public"\."\w+" is already on target/,
				'a copy over what is left is refused', 'clone');
			no_slot('a copy that was refused');
			$pair->recreate_target;
		}
		clone_follow_drop("clone.before_progress, $times times");
	}

	# Here the copy is whole and says so.
	dies_at('clone.after_progress', 'once');
	$pair->fails_like($FAILED, qr/already/,
		'another copy is refused while this one can be followed', 'clone');
	wait_slot_free();
	write_something(0);
	$pair->follow_to_end;
	as_it_should_be('clone.after_progress, followed');
	drop_all();
	$pair->recreate_target;
	for my $time (1 .. 3)
	{
		dies_at('clone.after_progress', "$time of 3");
		drop_all();
		$pair->recreate_target;
	}
	# The last one stays for the rest of the test.
	$pair->clone;
	write_something(1);
	$pair->follow_to_end;
	as_it_should_be('clone.after_progress, three times');
}

sub dies_at
{
	my ($point, $title) = @_;
	my ($status, $log) = run_dying($point, 'clone');

	is($status, $KILLED, "$point, $title: the copy dies") or diag($log);
}

# Half a copy, or none, is not mistaken for one.
sub not_followed
{
	wait_slot_free();
	$pair->fails_like($FAILED, qr/target has no progress of pipeline "shop"/,
		'what is left cannot be followed', 'follow');
}

sub drop_all
{
	wait_slot_free();
	$pair->run_or_die('drop');
	no_slot('drop');
	is( $pair->target_sql("SELECT to_regclass('penstock.progress') IS NULL
			OR (SELECT relkind = 'r' FROM pg_class
				 WHERE oid = to_regclass('penstock.progress'))"),
		't',
		'drop can be run on what is left');
}

sub no_slot
{
	my ($who) = @_;

	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
		0, "$who leaves no slot");
}

sub clone_follow_drop
{
	my ($title) = @_;

	$pair->clone;
	write_something(0);
	$pair->follow_to_end;
	as_it_should_be($title);
	drop_all();
	$pair->recreate_target;
}

sub count_tables
{
	return $pair->target_sql(
		"SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
}


# ---- The consumer ----

# Run it so that it dies at a place; returns exit status and log.
sub run_dying
{
	my ($point, @command) = @_;

	wait_slot_free();
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = $point;
	# Where the source has room for them, or is told not to, large transactions
	# come when they have committed.
	local $ENV{PENSTOCK_STREAMING} = 'on' if $point eq 'apply.open_txn';
	$pair->set_conninfo(source => $pair->conninfo('source')
		  . " options='-c logical_decoding_work_mem=64kB'")
	  if $point eq 'apply.open_txn';
	my ($status, undef, $log) = $pair->run(@command);
	$pair->set_conninfo(source => undef);
	return ($status, $log);
}

# Whoever was killed held it until the source notices.
sub wait_slot_free
{
	wait_until(
		'the slot to be free',
		sub {
			return $pair->source_sql(
				'SELECT count(*) FROM pg_replication_slots WHERE active') eq
			  '0';
		});
}
