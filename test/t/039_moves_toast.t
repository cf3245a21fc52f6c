# Rows move from node to node with large unchanged values, which are not in the
# WAL: the new node gets them all the same, whichever process is killed in
# between.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);

my $KILLED = 128 + 9;
my $FAILED = 1;
my $ROWS = 120;

my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [ 'public.doc = hash(place)', '* = all' ]);
my $pair = $nodes->pair;

# Values of many types, all too large for their row.
$pair->source_sql(<<"END");
CREATE TYPE shade AS ENUM ('light', 'dark');
CREATE DOMAIN prose AS text;
CREATE TYPE pair AS (a text, b text);
CREATE TABLE doc (id int, place int, n int NOT NULL DEFAULT 0, large text,
	blob bytea, js jsonb, padded char(3000), named varchar, shades shade[],
	words text[], prose prose, pair pair, small text, PRIMARY KEY (id, place));
ALTER TABLE doc ALTER large SET STORAGE EXTERNAL,
	ALTER blob SET STORAGE EXTERNAL, ALTER js SET STORAGE EXTERNAL,
	ALTER padded SET STORAGE EXTERNAL, ALTER named SET STORAGE EXTERNAL,
	ALTER shades SET STORAGE EXTERNAL, ALTER words SET STORAGE EXTERNAL,
	ALTER prose SET STORAGE EXTERNAL, ALTER pair SET STORAGE EXTERNAL;
INSERT INTO doc SELECT n, n, 0, repeat(md5(n::text) || 'é', 100),
	decode(repeat(md5(n::text), 200), 'hex'),
	jsonb_build_object('n', n, 'text', repeat(md5(n::text), 100)),
	repeat('p', 2500) || n, CASE WHEN n % 3 > 0 THEN repeat('v' || n, 1000) END,
	array_fill('dark'::shade, ARRAY[1000]),
	string_to_array(repeat(md5(n::text) || ' ', 100), ' '),
	repeat('prose', 1000), ROW(repeat('a', 3000), NULL)::pair, 's'
	FROM generate_series(1, $ROWS) n;
CREATE SCHEMA hidden;
CREATE TABLE hidden.parted (LIKE public.doc) PARTITION BY HASH (place);
END
$nodes->run_or_die('clone');

# A place on the node with that remainder, other than those before.
my %place_last;

sub place_on
{
	my ($remainder) = @_;
	my $from = $place_last{$remainder} // 1000;

	return $place_last{$remainder} = $pair->source_sql("SELECT min(n)
		FROM generate_series($from + 1, $from + 100) n
		WHERE satisfies_hash_partition('hidden.parted'::regclass,
			3, $remainder, n)");
}

my $follower = $nodes->start('follow');
every_row_moves();
within_transactions();
changed_on_the_node();
$pair->stop_ok($follower);
killed_between_nodes();
killed_anywhere();
node_away();
row_is_missing();
in_progress();
forgotten();
done_testing();

sub equal_ok
{
	my ($when) = @_;

	$pair->wait_caught_up($follower);
	$nodes->spread_ok($when, doc => 'place');
}

# Number of values that a node keeps, of transactions behind a position.
sub kept
{
	my ($name, $before) = @_;

	return $nodes->node_sql($name, sprintf(
		"SELECT count(*) FROM penstock.moved WHERE end_lsn > '%s'",
		$before // '0/0'));
}

sub every_row_moves
{
	$pair->source_sql('UPDATE doc SET place = place + 1 WHERE id <= 20');
	equal_ok('some rows in one transaction');
	$pair->source_sql(join ';',
		map { "UPDATE doc SET place = place + 7 WHERE id = $_" } 1 .. 30);
	equal_ok('one row in each transaction');
	$pair->source_sql('UPDATE doc SET place = place + 1000, small = id');
	equal_ok('all rows in one transaction');
}

sub transaction_ok
{
	my ($title, @statements) = @_;

	$pair->source_sql(join ';', 'BEGIN', @statements, 'COMMIT');
	equal_ok($title);
}

sub within_transactions
{
	my ($a, $b, $c) = map { place_on($_) } 0 .. 2;
	my $row = "INSERT INTO doc SELECT 500, $a, 0, large, blob, js, padded, named,
		shades, words, prose, pair FROM doc WHERE id = 1";
	my $to = sub { "UPDATE doc SET place = $_[1] WHERE id = $_[0]" };

	transaction_ok('inserted and moved', $row, $to->(500, $b));
	transaction_ok('moved from node to node', map { $to->(500, $_) } $c, $a, $b);
	transaction_ok('there and back', map { $to->(500, $_) } $a, $b);
	transaction_ok('a new value, then moved',
		"UPDATE doc SET large = repeat('new', 2000) WHERE id = 500",
		$to->(500, $c));
	transaction_ok('moved, then a new value, then moved',
		$to->(500, $a),
		"UPDATE doc SET js = to_jsonb(repeat('newer', 2000)) WHERE id = 500",
		$to->(500, $b));
	transaction_ok('two rows change places',
		$to->(1, $a), $to->(2, $b), $to->(1, $b), $to->(2, $a));
	transaction_ok('moved, gone, and there again',
		$to->(500, $c), 'DELETE FROM doc WHERE id = 500', $row, $to->(500, $b));
	transaction_ok('among others', map { (
		"UPDATE doc SET n = n + 1 WHERE id = $_",
		"UPDATE doc SET place = place + 3, n = n + 1 WHERE id = $_",
		"UPDATE doc SET n = n + 1 WHERE id = $_") } 1 .. 60);
	transaction_ok('a subtransaction that is rolled back',
		$to->(500, $a), 'SAVEPOINT s', $to->(500, $c), 'ROLLBACK TO s',
		$to->(500, $b));
	transaction_ok('and the table emptied and filled',
		$to->(500, $a), 'CREATE TEMP TABLE was (LIKE doc INCLUDING STORAGE)',
		'INSERT INTO was SELECT * FROM doc', 'TRUNCATE doc', 'INSERT INTO doc SELECT * FROM was', $to->(500, $c));
}

# What counts is the value on the node, as of just before.
sub changed_on_the_node
{
	my $place = place_on(1);

	$pair->source_sql("UPDATE doc SET place = $place WHERE id = 3;
		UPDATE doc SET large = repeat('later', 1000) WHERE id = 3;
		DELETE FROM doc WHERE id = 4");
	equal_ok('changed later, or gone');
}

# One node has committed, the other has not, and the source has no such row any
# more.
sub killed_between_nodes
{
	my ($a, $b) = map { place_on($_) } 0, 1;

	for my $alone (0, 1)
	{
		my $id = 10 + $alone;
		my $title = 'only the ' . ($alone ? 'new' : 'old') . ' node has the move';

		$pair->source_sql("UPDATE doc SET place = $a WHERE id = $id");
		$nodes->follow_to_end;
		my $locker = $pair->target->background_psql(
			'node_' . ($nodes->names)[ 1 - $alone ]);
		$locker->query_safe('BEGIN; LOCK TABLE doc IN SHARE MODE');
		$follower = $nodes->start('follow');
		my $before = $pair->source_lsn;
		$pair->source_sql("UPDATE doc SET place = $b WHERE id = $id");
		wait_until($title, sub {
			$nodes->node_sql(($nodes->names)[$alone],
				"SELECT count(*) FROM doc WHERE id = $id") == $alone;
		});
		$follower->end('KILL');

		# The commit may be on its way already.
		$pair->target->safe_psql('postgres',
			"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			WHERE wait_event_type = 'Lock'");
		$locker->query_safe('COMMIT');
		$locker->quit;
		is(kept('a', $before) > 0, $alone == 0,
			"$title: its values are kept where they were, or the row is there");
		$pair->source_sql("UPDATE doc SET large = 'gone' WHERE id = $id");
		$nodes->follow_to_end;
		$nodes->spread_ok($title, doc => 'place');
	}
}

# At any point, several times: transactions of one move and of many.
sub killed_anywhere
{
	local $ENV{PENSTOCK_BIN} = $faults_bin;

	for my $point (
		map({ "apply.after_commit:$_" } 1 .. 4),
		map({ ("apply.before_commit:$_", "apply.commit_sent:$_") } 2, 3))
	{
		$pair->source_sql(join ';',
			'BEGIN', map({ "UPDATE doc SET place = place + 11, n = n + 1
				WHERE id % 12 = $_" } 1 .. 3), 'COMMIT',
			map { "UPDATE doc SET place = place + 5 WHERE id = $_" } 20 .. 24);
		{
			local $ENV{PENSTOCK_FAULT} = $point;
			my ($status) = $nodes->run('follow',
				'--endpos=' . $pair->source_lsn);

			is($status, $KILLED, "$point: it dies");
		}
		$nodes->follow_to_end;
		$nodes->spread_ok($point, doc => 'place');
	}
}

# Nobody else has the values: all wait, and say what for.
sub node_away
{
	my ($from, $to) = map { place_on($_) } 1, 0;

	$pair->source_sql("UPDATE doc SET place = $from WHERE id = 13");
	$nodes->follow_to_end;
	my $conninfo = $nodes->conninfo('b');
	$nodes->set_conninfo(b => 'host=/nonexistent dbname=node_b');
	$pair->source_sql("UPDATE doc SET place = $to WHERE id = 13;
		INSERT INTO doc (id, place) SELECT n, n FROM generate_series(2000, 2100) n");
	$follower = $nodes->start('follow');
	$follower->wait_log(
		qr/"public"."doc" moves away from target "b".*the others wait/);
	is($nodes->node_sql('a', 'SELECT count(*) FROM doc WHERE id >= 2000'),
		0, 'what comes behind waits as well');
	$pair->stop_ok($follower, 'TERM', 'it can be stopped meanwhile');
	$nodes->set_conninfo(b => $conninfo);
	$follower = $nodes->start('follow');
	equal_ok('the node is there again');

	# The other way round nobody waits: the values are kept.
	$pair->stop_ok($follower);
	my $away = $nodes->conninfo('a');
	$nodes->set_conninfo(a => 'host=/nonexistent dbname=node_a');
	$follower = $nodes->start('follow');
	$from = place_on(0);
	$pair->source_sql("UPDATE doc SET place = CASE WHEN id % 2 = 0
		THEN $from + 5000 ELSE $from END WHERE id = 500;
		UPDATE doc SET place = place + 3 WHERE satisfies_hash_partition(
			'hidden.parted'::regclass, 3, 2, place)
			AND NOT satisfies_hash_partition(
			'hidden.parted'::regclass, 3, 2, place + 3)");
	$pair->source_sql("DELETE FROM doc WHERE id BETWEEN 30 AND 35");
	$follower->wait_log(qr/is unreachable/);
	wait_until('node c to have it', sub { kept('c') > 0 });
	$pair->stop_ok($follower);
	$nodes->set_conninfo(a => $away);
	$follower = $nodes->start('follow');
	equal_ok('the node that rows moved to is there again');
	$pair->stop_ok($follower);
}

sub row_is_missing
{
	my ($from, $to) = map { place_on($_) } 0, 2;

	$pair->source_sql("UPDATE doc SET place = $from WHERE id = 12");
	$nodes->follow_to_end;
	$nodes->node_sql('a', 'CREATE TABLE aside AS SELECT * FROM doc WHERE id = 12;
		DELETE FROM doc WHERE id = 12');
	$pair->source_sql("UPDATE doc SET place = $to WHERE id = 12");
	$nodes->fails_like($FAILED,
		qr/row that moves to another node does not exist.*commit LSN.*"id" = 12/s,
		'a row that is not there stops the follower',
		'follow', '--endpos=' . $pair->source_lsn);
	$nodes->node_sql('a', 'INSERT INTO doc SELECT * FROM aside; DROP TABLE aside');
	$nodes->follow_to_end;
	$nodes->spread_ok('the row was mended', doc => 'place');
}

# What is large is applied while open, but not with such rows.
sub in_progress
{
	$pair->source_sql('SET logical_decoding_work_mem = 64;
		BEGIN;
		INSERT INTO doc (id, place, large)
			SELECT n, n, repeat(md5(n::text), 1000)
			FROM generate_series(3000, 3300) n;
		UPDATE doc SET place = place + 1 WHERE id BETWEEN 3000 AND 3300;
		COMMIT');
	$nodes->follow_to_end('--memory=4MB');
	$nodes->spread_ok('a large transaction', doc => 'place');
}

# Nothing is kept for ever, nor left behind.
sub forgotten
{
	$follower = $nodes->start('follow');
	$pair->source_sql('UPDATE doc SET place = place + 1 WHERE id < 50');
	$pair->wait_caught_up($follower);
	wait_until('what was kept to go', sub {
		$pair->source_sql('SELECT pg_logical_emit_message(true, \'\', \'\')');
		return kept('a') + kept('b') + kept('c') == 0;
	});
	pass('what all nodes have is not kept any longer');
	$pair->stop_ok($follower);
	$nodes->run_or_die('drop');
	is($nodes->node_sql('a', "SELECT to_regnamespace('penstock') IS NULL"),
		't', 'nothing is left behind');
}
