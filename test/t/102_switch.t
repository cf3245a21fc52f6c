# The writes go from the source to the target, and back, while applications
# write: nothing is lost, nothing is there twice, and whatever fails on the way
# leaves the writes where they were.
#
# SWITCH_ROUNDS says how often it goes there and back.

use strict;
use warnings;

use List::Util qw(sum0);
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;
use Penstock::Writer;

my $KILLED = 128 + 9;
my $ROUNDS = $ENV{SWITCH_ROUNDS} || 3;
my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

# left_over() of nothing.
my $NOTHING = '0|0|0|0 0|0|0|0';

my $pair = Penstock::Pair->new;

there_and_back();
what_is_refused();
in_the_way();
stopped_in_the_commit();
crash_points();
refused_early();
not_copied();
without_way_back();
done_testing();


# ---- Helpers ----

# Servers before version 15 have no MERGE.
sub merge_sql
{
	return 'MERGE INTO item USING part ON part.id = item.id
		  WHEN MATCHED THEN DELETE' if $pair->source->pg_version >= 15;
	note('MERGE is left out: this server has none');
	return ();
}

# A pair with its follower.
sub followed
{
	my ($name, $sql) = @_;
	my $db = $pair->with_database($name);

	$db->source_sql($sql);
	$db->clone;
	return ($db, followed_again($db));
}

sub followed_again
{
	my ($db, @options) = @_;
	my $follower = $db->start('follow', @options);

	$follower->wait_log(qr/following with slot/);
	return $follower;
}

# Ends as soon as it has nothing to follow any more.
sub ended_ok
{
	my ($follower, $title) = @_;

	isnt($follower->wait_exit, 0, "$title: the follower ends");
	like($follower->log, qr/the writes of pipeline "\w+" were moved/,
		'and says why');
}

sub switch_ok
{
	my ($db, $title, @options) = @_;
	my ($status, $output, $log) = $db->run('switch', @options);

	is($status, 0, $title) or diag($log);
	return $output;
}

# What a statement of a superuser is told; empty: it was done.
sub told
{
	my ($db, $side, $sql) = @_;
	my ($status, undef, $stderr) = $db->$side->psql($db->name, $sql);

	return $status == 0 ? '' : $stderr;
}

# What a switch makes, on either server.
sub left_over
{
	my ($db) = @_;
	my $sql = "SELECT (SELECT count(*) FROM pg_trigger
			WHERE tgname LIKE 'penstock%'),
		(SELECT count(*) FROM pg_proc WHERE proname LIKE 'refuse\\_%'),
		(SELECT count(*) FROM pg_replication_slots
			WHERE database = current_database()
			AND slot_name LIKE '%\\_back'),
		(SELECT count(*) FROM pg_publication WHERE pubname LIKE '%\\_back')";

	return join ' ', $db->source_sql($sql), $db->target_sql($sql);
}


# ---- Under load ----

sub there_and_back
{
	my ($db, $there) = followed('shop2', Penstock::Writer::tables_sql());
	my @writers = Penstock::Writer::start($db, 4);
	my @stalls;

	for my $round (1 .. $ROUNDS)
	{
		grows($db, 'source');
		push @stalls, stall(switch_ok($db, "round $round: there"));
		ended_ok($there, "round $round: there");
		my $back = followed_again($db, '--back');
		grows($db, 'target');
		push @stalls, stall(switch_ok($db, "round $round: and back", '--back'));
		ended_ok($back, "round $round: and back");
		$there = followed_again($db);
	}
	grows($db, 'source');
	my $committed = Penstock::Writer::end(@writers);
	complete_ok($db, $committed, 'source');
	$db->wait_caught_up($there);
	complete_ok($db, $committed, 'target');
	$db->stop_ok($there);
	@stalls = sort { $a <=> $b } @stalls;
	diag(sprintf 'writers were kept waiting in %d switches: median %.3f s,'
		  . ' at most %.3f s; the longest wait of a writer, with its way to the'
		  . ' other server: %d ms',
		scalar @stalls, $stalls[ @stalls / 2 ], $stalls[-1],
		Penstock::Writer::longest_wait(@writers));

	# What is left when it is over.
	$db->run_or_die('finish');
	is(left_over($db), $NOTHING, 'finish removes what the switches have made');
	$there = followed_again($db);
	$db->wait_caught_up($there);
	$db->equal_ok('after finish the pipeline goes on');
	$db->stop_ok($there);
	$db->run_or_die('drop');
}

# Rows are written there.
sub grows
{
	my ($db, $side) = @_;
	my $count = $db->$side->safe_psql($db->name, 'SELECT count(*) FROM entry');

	wait_until("rows at the $side", sub {
		$db->$side->safe_psql($db->name,
			"SELECT count(*) > $count + 200 FROM entry") eq 't';
	});
}

sub stall
{
	my ($output) = @_;

	return $output =~ /writers were kept waiting for ([\d.]+) s/;
}

sub complete_ok
{
	my ($db, $committed, $side) = @_;
	my %committed = %$committed;

	is( $db->$side->safe_psql($db->name, 'SELECT writer, count(*),
			count(DISTINCT n), max(n) FROM entry GROUP BY 1 ORDER BY 1'),
		join("\n", map { join '|', $_, ($committed{$_}) x 3 }
			  sort { $a <=> $b } keys %committed),
		"$side: each row that was committed is there once");
	is( $db->$side->safe_psql($db->name, 'SELECT sum(balance) FROM account'),
		sum0(values %committed), "$side: so is each change");
}


# ---- The old place ----

sub what_is_refused
{
	my ($db, $there) = followed('refused', <<'END');
CREATE TABLE item (id bigserial PRIMARY KEY, note text);
CREATE TABLE "odd ""name" (id int PRIMARY KEY, item bigint REFERENCES item);
CREATE TABLE part (id int, note text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (100) TO (200)
	PARTITION BY RANGE (id);
CREATE TABLE part_deep PARTITION OF part_high FOR VALUES FROM (100) TO (200);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE VIEW items AS SELECT id FROM item;
INSERT INTO item (note) SELECT 'old' FROM generate_series(1, 10);
INSERT INTO part SELECT n, 'old' FROM generate_series(1, 199) n;
INSERT INTO child SELECT generate_series(1, 10);
END
	my $output = switch_ok($db, 'tables of all kinds');

	like($output, qr/^note: view public\.items reads table public\.item/m,
		'what stays bound to the old tables is said');
	ended_ok($there, 'there');
	unlike($there->log, qr/trigger penstock_/,
		'the triggers are no change of the schema to be followed');
	for my $sql (
		'INSERT INTO item (note) VALUES (1)',
		'UPDATE item SET note = 1',
		'DELETE FROM item WHERE false',
		'TRUNCATE item CASCADE',
		"COPY item (note) FROM PROGRAM 'echo 1'",
		'INSERT INTO "odd ""name" VALUES (1)',
		'INSERT INTO part VALUES (0)',
		'INSERT INTO part_low VALUES (0)',
		'UPDATE part_deep SET note = 1',
		'DELETE FROM part WHERE id = 150',
		'DELETE FROM parent',
		merge_sql(),
		'BEGIN; CREATE TABLE part_new PARTITION OF part FOR VALUES FROM (200) TO (300);
		 INSERT INTO part_new VALUES (250)',
		'SET session_replication_role = replica; DELETE FROM item',
		"SET penstock.origin = 'penstock_refused_back'; DELETE FROM item",
		"SELECT pg_replication_origin_create('other');
		 SELECT pg_replication_origin_session_setup('other'); DELETE FROM item")
	{
		like(told($db, 'source', $sql),
			qr/table "public"\."[^:]+" was moved: writes go to host "/, $sql);
	}
	is(told($db, 'source', 'SELECT count(*) FROM item'), '',
		'readers go on at the old place');
	is($db->source_sql("SELECT count(*) FROM pg_trigger
			WHERE tgname LIKE 'penstock%' AND tgenabled <> 'A'"),
		0, 'all triggers always fire');

	# The new place.
	$db->target_sql("INSERT INTO item (note) VALUES ('new');
		UPDATE part SET note = 'new' WHERE id % 50 = 0; DELETE FROM child;
		INSERT INTO \"odd \"\"name\" VALUES (1, 5); TRUNCATE \"odd \"\"name\"");
	cmp_ok($db->target_sql('SELECT max(id) FROM item'), '>', 10,
		'sequences go on beyond the old place');
	my $back = followed_again($db, '--back');
	# From this one somebody has to draw: a value that the other pipeline has set
	# is not followed.
	my $value = 'SELECT last_value FROM mark_number_seq';
	$db->target_sql('INSERT INTO mark DEFAULT VALUES');
	wait_until('the follower to look at the sequences',
		sub { $db->source_sql($value) >= $db->target_sql($value) });
	my ($status, $verdict) = $db->run('verify', '--back');
	is($status, 0, 'the way back can be verified') or diag($verdict);
	my $back_status = $db->run_or_die('status', '--back');
	like($back_status, qr/refused_back/, 'and watched');
	$db->target_sql("INSERT INTO penstock.copied
			VALUES ('other', 'public', 'item', 1, true, 1);
		INSERT INTO penstock.progress (pipeline, source_system_identifier,
			source_timeline, end_lsn) VALUES ('other', '1', 1, '0/1')");
	$db->fails_like(1, qr/table public\.item is written to by pipeline "other"/,
		'what another pipeline writes to', 'switch', '--back');
	$db->target_sql("DELETE FROM penstock.$_ WHERE pipeline = 'other'")
	  for qw(copied progress);
	$db->target_sql('CREATE TABLE since (id int PRIMARY KEY)');
	like(switch_ok($db, 'back with all kinds of tables', '--back'),
		qr/^note: table public\.since is not part of the way back/m,
		'a table that stays is said');
	$db->target_sql('DROP TABLE since');
	ended_ok($back, 'back');
	is($db->source_sql("SELECT count(*) FROM item WHERE note = 'new'"),
		1, 'what was written there came back');
	is(told($db, 'source', 'INSERT INTO part VALUES (0)'), '',
		'the old place takes writes again');
	like(told($db, 'target', 'DELETE FROM part'), qr/was moved/,
		'and the other does not');
	$there = followed_again($db);
	$db->wait_caught_up($there);
	$db->equal_ok('there and back');

	# Once more, and for good.
	switch_ok($db, 'there again');
	ended_ok($there, 'there again');
	my $plan = $db->run_or_die('finish', '--dry-run');
	like($plan, qr/^would remove replication slot "refused_back" on target$/m,
		'what finish would do');
	like(told($db, 'source', 'DELETE FROM part'), qr/was moved/,
		'a dry run of finish does nothing');
	my $done = $db->run_or_die('finish');
	is($done =~ s/^removed /would remove /gmr =~ s/source take writes/source would take writes/r,
		$plan, 'and then it does just that');
	is(left_over($db), $NOTHING, 'nothing is left');
	is($db->source_sql("SELECT to_regnamespace('penstock')"), '',
		'not even the schema');
	is($db->source_sql("SELECT count(*) FROM pg_replication_slots
			WHERE database = 'refused'"), 0, 'nor the slot');
}


# ---- Whatever keeps it from happening ----

sub in_the_way
{
	my ($db, $there) = followed('way', Penstock::Writer::tables_sql());
	my $session = Penstock::Session->new($db->source, $db->name);

	# A writer that does not end.
	$session->run('BEGIN', 'UPDATE account SET balance = 0 WHERE id = 1');
	my $log = $db->fails_like(1, qr/could not lock the tables on source within 2 s/,
		'a writer that does not end', 'switch', '--max-wait=2');
	like($log, qr/Conflicting locks: PID \d+ \(user ".*idle in transaction.* has RowExclusiveLock on public\.account/,
		'it is named');
	is(told($db, 'source', 'UPDATE account SET balance = 1 WHERE id = 2'), '',
		'the others write');
	$session->end('COMMIT');
	is(left_over($db), $NOTHING, 'nothing is left of it');

	# A trial.
	my $output = switch_ok($db, 'a trial', '--dry-run');
	like($output, qr/locked the tables/, 'it takes the locks');
	is(left_over($db), $NOTHING, 'and nothing is left');

	# A target that does not get there, and one that is locked.
	$there->signal('STOP');
	$db->source_sql('UPDATE account SET balance = 2 WHERE id = 2');
	$db->fails_like(1, qr/target has not come to LSN/, 'a follower that hangs',
		'switch', '--max-wait=2');
	$there->signal('CONT');
	my $blocker = Penstock::Session->new($db->target, $db->name);
	$blocker->run('BEGIN', 'LOCK TABLE account');
	$db->fails_like(1, qr/lock timeout/, 'a target that is locked', 'switch',
		'--max-wait=2');
	is(told($db, 'source', 'UPDATE account SET balance = 1 WHERE id = 2'), '',
		'the writers go on');
	$blocker->end('COMMIT');
	is(left_over($db), $NOTHING, 'and nothing is left');

	# Two at once.
	$session = Penstock::Session->new($db->source, $db->name);
	$session->run('BEGIN', 'UPDATE account SET balance = 0 WHERE id = 1');
	my $first = $db->start('switch');
	$first->wait_log(qr/waiting for the locks: in the way/);
	$log = $db->fails_like(1, qr/another command works on pipeline "way" now/,
		'a second operator', 'switch', '--back');
	like($log, qr/it is PID \d+, user "/, 'is told who the first is');
	$db->fails_like(1, qr/another command works on pipeline "way" now/,
		'in the same direction', 'switch');
	$db->fails_like(1, qr/the writes of pipeline "way" are being moved now/,
		'a table copied meanwhile', 'table', 'resync', 'account');

	# A stop is asked for.
	isnt($first->end('INT'), 0, 'the first is interrupted');
	is(left_over($db), $NOTHING, 'and undoes what it has made');
	$session->end('COMMIT');

	# Nobody follows, until it does so itself.
	$db->stop_ok($there);
	$db->source_sql('UPDATE account SET balance = 3');
	switch_ok($db, 'without a follower');
	is($db->target_sql('SELECT DISTINCT balance FROM account'), 3,
		'the target has all');
	$db->fails_like(1, qr/were moved to target/, 'nobody can follow',
		'follow');
	$db->fails_like(3, qr/were moved to target/, 'nor verify', 'verify');
	$db->fails_like(1, qr/were moved to target/,
		'nor copy the past over the present', 'table', 'resync', 'account');
	my (undef, $state) = $db->run('status');
	like($state, qr/^slot +not needed: the writes were moved to the target$/m,
		'status says why there is no slot');
	my (undef, $advice) = $db->run('check');
	like($advice, qr/a target has taken the source's place/, 'and check');
	unlike($advice, qr/penstock clone/, 'which does not advise to clone');
	my ($status, $again) = $db->run('switch');
	is($status, 0, 'to switch once more is no failure');
	like($again, qr/the writes were moved to target at/, 'it is said');

	# A table of the way back is not copied while the writes come back.
	$session = Penstock::Session->new($db->target, $db->name);
	$session->run('BEGIN', 'UPDATE account SET balance = 0 WHERE id = 1');
	my $third = $db->start('switch', '--back');
	$third->wait_log(qr/waiting for the locks: in the way/);
	my $resync = Penstock::Process->start(
		name => 'resync',
		command => [ $ENV{PENSTOCK_BIN}, 'table', 'resync', 'account', '--name=way_back',
			'--source=' . $db->conninfo('target'), '--target=' . $db->conninfo('source') ]);
	isnt($resync->wait_exit, 0, 'a table of the way back cannot be copied then');
	like($resync->log, qr/the writes of pipeline "way" are being moved now/,
		'and it is said why');
	isnt($third->end('INT'), 0, 'that switch is interrupted');
	$session->end('COMMIT');
	switch_ok($db, 'back without a follower', '--back');
	$there = followed_again($db);
	$db->wait_caught_up($there);
	$db->equal_ok('after all that');
	$db->stop_ok($there);
	$db->run_or_die('finish');
	$db->run_or_die('drop');
}


# Once the COMMIT is sent, nobody can tell whether it happens but who waits for
# it: a stop that is asked for meanwhile must wait, too.
sub stopped_in_the_commit
{
	my ($db, $there) = followed('stopped', 'CREATE TABLE t (id serial PRIMARY KEY)');
	my $waits = "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'penstock switch' AND wait_event = 'SyncRep'";

	$db->source_sql('ALTER DATABASE stopped SET synchronous_commit = local');
	$db->source->safe_psql('postgres', $_) for
		"ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
		'SELECT pg_reload_conf()';
	my $switch = $db->start('switch');
	wait_until('the commit to wait', sub { $db->source_sql($waits) == 1 });
	$switch->signal('INT');
	$db->source->safe_psql('postgres', $_) for
		'ALTER SYSTEM RESET synchronous_standby_names', 'SELECT pg_reload_conf()';
	is($switch->wait_exit, 0, 'interrupted in the commit, it goes to the end')
	  or diag($switch->log);
	ended_ok($there, 'interrupted in the commit');
	like(told($db, 'source', 'INSERT INTO t DEFAULT VALUES'), qr/was moved/,
		'the source refuses');
	my $back = followed_again($db, '--back');
	$db->target_sql('INSERT INTO t DEFAULT VALUES');
	$db->wait_for_sql('source', 'SELECT count(*) = 1 FROM t');
	$db->stop_ok($back);
	$db->run_or_die('finish');
	is(left_over($db), $NOTHING, 'nothing is left');
}


# ---- Killed ----

# Points before the commit, and after it.
my @BEFORE = map { "switch.$_" }
  qw(begun has_publication way_back locked reached sequences before_commit);
my @AFTER = map { "switch.$_" } qw(committed opened released);

sub crash_points
{
	my ($db, $follower) = followed('crash', Penstock::Writer::tables_sql());
	my @writers = Penstock::Writer::start($db, 2);
	my @way = ('', 'source', 'target');

	for my $point (@BEFORE, @AFTER)
	{
		my ($option, $from, $to) = @way;
		my @options = $option ? ($option) : ();
		my $times = $point eq 'switch.way_back' || $point eq 'switch.opened' ? 3 : 1;

		for my $time (1 .. $times)
		{
			dies_at($db, $point, "$point, $time of $times, from $from", @options);
			$db->fails_like(3, qr/were moved to the target at .*not made like/,
				'what is written there is not made like the past', 'verify',
				@options, '--repair')
			  if $point eq 'switch.committed';
			status_like($db, 1,
				qr/^switch +not complete: the source refuses writes since .*; "penstock switch /m,
				'status says that it is not complete', @options)
			  if $point eq 'switch.committed';
			status_like($db, 0, qr/^switch +begun at .*the writes are not moved/m,
				'status says that it was begun', @options)
			  if $point eq 'switch.before_commit';
			if ($point eq 'switch.opened' && $time == 1)
			{
				like(switch_ok($db, 'a trial', @options, '--dry-run'),
					qr/an interrupted switch would be completed/,
					'which says that a switch is not complete');
				$db->fails_like(1, qr/is not complete/, 'the other direction waits',
					'switch', $option ? () : '--back');
			}
			grows($db, (grep { $_ eq $point } @BEFORE) ? $from : $to)
			  unless $point eq 'switch.committed';
		}
		switch_ok($db, "$point: the next attempt", @options);
		ended_ok($follower, $point);
		is( $db->$from->safe_psql($db->name, "SELECT count(*)
				FROM pg_replication_slots WHERE slot_name = 'crash"
				  . ($option ? "_back'" : "'")),
			0, "$point: no slot of the past");
		grows($db, $to);
		@way = $option ? ('', 'source', 'target') : ('--back', 'target', 'source');
		$follower = followed_again($db, $way[0] ? ($way[0]) : ());
	}
	if ($way[0])
	{
		switch_ok($db, 'back in the end', '--back');
		ended_ok($follower, 'in the end');
		$follower = followed_again($db);
	}
	my $committed = Penstock::Writer::end(@writers);
	complete_ok($db, $committed, 'source');
	$db->wait_caught_up($follower);
	complete_ok($db, $committed, 'target');
	$db->stop_ok($follower);
	$db->run_or_die('finish');
	is(left_over($db), $NOTHING, 'nothing is left');
	$db->run_or_die('drop');
}

sub status_like
{
	my ($db, $exit, $expected, $title, @options) = @_;
	my ($status, $output) = $db->run('status', @options);

	is($status, $exit, "$title, by its exit status") or diag($output);
	like($output, $expected, $title);
}

sub dies_at
{
	my ($db, $point, $title, @options) = @_;
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = $point;
	my ($status, undef, $log) = $db->run('switch', @options);

	is($status, $KILLED, "killed at $title") or diag($log);
	wait_until('its sessions to end', sub {
		my $count = "SELECT count(*) FROM pg_stat_activity
			WHERE application_name IN ('penstock switch', 'penstock fence')";
		return $db->source_sql($count) + $db->target_sql($count) == 0;
	});
}


# ---- What cannot be moved ----

sub refused_early
{
	my ($db, $there) = followed('early', 'CREATE TABLE t (id int PRIMARY KEY);
		CREATE TABLE u (id int PRIMARY KEY)');

	$db->target_sql('DROP TABLE u');
	$db->fails_like(1, qr/table public\.u is not there/, 'a table is missing',
		'switch');
	$db->target_sql('CREATE TABLE u (id int)');
	$db->fails_like(1, qr/table public\.u has no replica identity/,
		'no replica identity at the target', 'switch');
	$db->target_sql('ALTER TABLE u ADD PRIMARY KEY (id);
		ALTER TABLE u ADD CONSTRAINT positive CHECK (id > 0) NOT VALID');
	$db->fails_like(1, qr/constraint positive of table public\.u is not valid/,
		'a constraint that was not checked', 'switch');
	$db->source_sql('ALTER TABLE u ADD CONSTRAINT positive CHECK (id > 0) NOT VALID');
	$db->target_sql("SELECT pg_create_logical_replication_slot('early_back',
		'test_decoding')");
	$db->fails_like(1, qr/slot "early_back", which the way back would have, exists/,
		'a slot of somebody else', 'switch');
	like($db->run_or_die('finish'), qr/no switch of pipeline "early"/,
		'nothing was switched, so nothing is to be finished');
	is($db->target_sql("SELECT count(*) FROM pg_replication_slots
			WHERE slot_name = 'early_back'"), 1, 'the slot is left alone');
	$db->target_sql("SELECT pg_drop_replication_slot('early_back')");

	# What a comparison has found.
	like(($db->run('switch', '--dry-run'))[1], qr/^note: target was not compared with the source/m,
		'it is said that nobody has compared');
	$db->target_sql('INSERT INTO t VALUES (1)');
	is(($db->run('verify'))[0], 1, 'somebody does');
	$db->fails_like(1, qr/rows on target differ from those of the source: a comparison at .* has found that/,
		'what differs is not moved', 'switch', '--dry-run');
	is(($db->run('verify', '--repair', '--max-delete=100'))[0], 0, 'it is repaired');
	my ($status, $output) = $db->run('switch', '--dry-run');
	is($status, 0, 'then it can be moved');
	unlike($output, qr/compared/, 'and nothing is said of that');
	$db->target_sql('CREATE INDEX more ON t (id)');
	is(($db->run('verify'))[0], 1, 'the schema differs');
	($status) = $db->run('switch', '--dry-run');
	is($status, 0, 'which "verify --repair" would not repair, and the writes can be moved');
	$db->target_sql('DROP INDEX more');
	$db->run_or_die('table', 'pause', 't');
	$db->fails_like(1, qr/table "public"\."t" is paused/, 'a paused table',
		'switch');
	is(left_over($db), $NOTHING, 'nothing is left of all that');
	$db->run_or_die('finish');
	is($db->source_sql("SELECT to_regnamespace('penstock')"), '',
		'also no empty tables, after finish');
	$db->stop_ok($there);
	$db->fails_like(1, qr/there is no pipeline "early_back"|does not exist/,
		'back without having been there', 'switch', '--back');
	$db->run_or_die('drop');
}

# Tables that are published, but not on the target.
sub not_copied
{
	my $db = $pair->with_database('uncopied', publish => 'TABLE mark');

	$db->clone;
	$db->both_sql('CREATE TABLE later (id int PRIMARY KEY)');
	$db->source_sql('INSERT INTO later VALUES (1);
		ALTER PUBLICATION uncopied ADD TABLE later');
	$db->fails_like(1, qr/has not copied table "public"\."later"/,
		'a table that was not copied', 'switch');
	is(left_over($db), $NOTHING, 'nothing is left of it');
	$db->run_or_die('drop');
}

sub without_way_back
{
	my ($db, $there) = followed('oneway', 'CREATE TABLE t (id serial PRIMARY KEY);
			CREATE UNLOGGED TABLE scratch (id int)');
	my $output = switch_ok($db, 'without a way back', '--no-way-back');

	like($output, qr/^note: table public\.scratch is unlogged: it is not moved/m,
		'what is not moved is said');
	unlike(switch_ok($db, 'and once more'), qr/follow the way back/,
		'a way back that is not there is not advised');
	ended_ok($there, 'without a way back');
	like(told($db, 'source', 'INSERT INTO t DEFAULT VALUES'), qr/was moved/,
		'the source refuses');
	is(told($db, 'target', 'INSERT INTO t DEFAULT VALUES'), '',
		'the target does not');
	is($db->target_sql("SELECT count(*) FROM pg_replication_slots
			WHERE slot_name = 'oneway_back'"), 0, 'there is no slot');
	$db->run_or_die('finish');
	is(left_over($db), $NOTHING, 'finish');
}
