# CREATE INDEX of a large table does not hold up what comes after it: the index
# is built beside that, and is there in the end, whatever happens meanwhile.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Session;

my $server = Penstock::Pair->new;

# A table that is large enough, and a pipeline that follows it.
sub pair
{
	my ($name, @options) = @_;
	my $pair = $server->with_database($name);

	$pair->source_sql(q(CREATE TABLE big (id integer PRIMARY KEY, v integer, pad text);
		INSERT INTO big SELECT i, i % 100, repeat('x', 200) FROM generate_series(1, 50000) i;
		CREATE TABLE small (id integer PRIMARY KEY, v integer)));
	$pair->clone(@options);
	return $pair;
}

# A session of the target whose snapshot a concurrent build has to wait for.
sub hold_up
{
	my ($pair) = @_;
	my $session = Penstock::Session->new($pair->target, $pair->name);

	$session->run('BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1 FROM pg_class LIMIT 1');
	return $session;
}

sub is_valid
{
	my ($index) = @_;
	return "SELECT coalesce((SELECT indisvalid FROM pg_index
		WHERE indexrelid = to_regclass('$index')), false)";
}

sub schemas_equal_ok
{
	my ($pair, $title) = @_;
	my ($status, $output, $log) = $pair->run('schema', 'diff');

	is($status, 0, "$title: the schemas are equal") or diag($output, $log);
}

my $NOTED = 'SELECT count(*) FROM penstock.index_build';
my $BUILDING = q(SELECT count(*) > 0 FROM pg_stat_activity
	WHERE application_name = 'penstock indexes' AND wait_event_type = 'Lock');

subtest 'beside the changes that come next' => sub {
	my $pair = pair('beside');
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);

	$pair->source_sql('CREATE INDEX big_v ON big (v); CREATE INDEX small_v ON small (v);
		INSERT INTO small VALUES (1, 1)');
	$pair->wait_caught_up($follower);
	$pair->source_sql('INSERT INTO big VALUES (0, 0); UPDATE big SET v = -v WHERE id < 100');
	$pair->wait_caught_up($follower);
	is($pair->target_sql(is_valid('small_v')), 't', 'an index of a small table is there at once');
	is($pair->target_sql(is_valid('big_v')), 'f', 'one of a large table is not');
	is($pair->target_sql($NOTED), 1, 'and is noted');
	$pair->equal_ok('what comes after it');
	my (undef, $output) = $pair->run('status');
	like($output, qr/indexes that the follower is building on .*\n\s+CREATE INDEX CONCURRENTLY .*big_v/,
		'status names it');
	(undef, $output) = $pair->run('status', '--json');
	like($output, qr/"index_builds":\s*\[\s*\{\s*"schema":\s*"public",\s*"name":\s*"big_v"/, 'to machines, too');

	$reader->end('COMMIT');
	$pair->wait_for_sql('target', is_valid('big_v'));
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
	$pair->equal_ok('in the end');
	schemas_equal_ok($pair, 'in the end');
};

subtest 'and the table changes meanwhile' => sub {
	my $pair = pair('changes');
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);

	$pair->source_sql('CREATE INDEX big_v ON big (v); CREATE INDEX big_w ON big ((v + 1))');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->source_sql('ALTER TABLE big RENAME TO large; ALTER INDEX big_v RENAME TO large_v;
		ALTER TABLE large RENAME v TO value; DROP INDEX big_w; INSERT INTO large VALUES (-1, 1)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql("SELECT count(*) FROM large WHERE id = -1"), 1,
		'the change does not wait for the index');
	is($pair->target_sql(is_valid('large_v')), 'f', 'which is still to be built');
	$reader->end('COMMIT');
	$pair->wait_for_sql('target', is_valid('large_v'));
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
	is($pair->target_sql("SELECT to_regclass('big_v') IS NULL AND to_regclass('big_w') IS NULL"),
		't', 'nothing is left of what was dropped or renamed');
	schemas_equal_ok($pair, 'after it');

	# The table goes away while its index is built.
	$follower = $pair->start('follow');
	$reader = hold_up($pair);
	$pair->source_sql('CREATE INDEX large_w ON large (value, id)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->source_sql('DROP TABLE large; INSERT INTO small VALUES (2, 2)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql("SELECT to_regclass('large') IS NULL AND ($NOTED) = 0"), 't',
		'a table is dropped with what was to be built');
	$reader->end('COMMIT');
	$pair->stop_ok($follower);
	schemas_equal_ok($pair, 'without the table');
};

subtest 'and the table is truncated meanwhile' => sub {
	my $pair = pair('truncated');
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);

	$pair->source_sql('CREATE INDEX big_v ON big (v)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->source_sql('BEGIN; INSERT INTO big VALUES (0, 0); TRUNCATE big; INSERT INTO big VALUES (1, 1); COMMIT');
	$pair->wait_caught_up($follower);
	is($pair->target_sql('SELECT count(*) FROM big'), 1, 'TRUNCATE does not wait for the index');
	unlike($follower->log, qr/was altered/, 'and what is left of it, which is rebuilt, is no alteration');

	# TRUNCATE rebuilds what there is of the index, so another one is built here.
	$pair->source_sql('CREATE INDEX big_w ON big (v, id); INSERT INTO big SELECT i, 0, repeat(\'x\', 200)
		FROM generate_series(10, 50000) i; CREATE INDEX big_x ON big (id, v)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->run_or_die('table', 'resync', 'big');
	pass('nor does a copy of the table');
	$reader->end('COMMIT');
	$pair->wait_for_sql('target', is_valid($_)) for qw(big_v big_w big_x);
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
	$pair->equal_ok('in the end');
};

# What comes of a table that is left out is nothing that the target is to do.
subtest 'and the table is left out meanwhile' => sub {
	my $pair = pair('left_out');
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);

	$pair->source_sql('CREATE INDEX big_v ON big (v)');
	$pair->wait_caught_up($follower);
	$pair->run_or_die('table', 'pause', 'big');
	$pair->stop_ok($follower);
	$reader->end('COMMIT');
	$pair->target_sql('DROP TABLE big');
	$follower = $pair->start('follow');
	$pair->source_sql('ALTER TABLE big ADD w integer; INSERT INTO small VALUES (1, 1)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql('SELECT count(*) FROM small'), 1, 'a change of the table stops nothing');
	$pair->run_or_die('table', 'resync', 'big');
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
	$pair->equal_ok('when the table is there again');
	schemas_equal_ok($pair, 'when the table is there again');
};

# ADD FOREIGN KEY locks the table it refers to.
subtest 'and another table comes to refer to it, or does not any more' => sub {
	my $pair = pair('refers');
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);

	$pair->source_sql('CREATE INDEX big_v ON big (v)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->source_sql('ALTER TABLE small ADD CONSTRAINT to_big FOREIGN KEY (v) REFERENCES big;
		INSERT INTO small VALUES (1, 1)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql('SELECT count(*) FROM small'), 1, 'a foreign key does not wait for the index');
	$pair->wait_for_sql('target', $BUILDING);
	$pair->source_sql('ALTER TABLE small DROP CONSTRAINT to_big; INSERT INTO small VALUES (2, -2)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql('SELECT count(*) FROM small'), 2, 'nor does the end of one');
	unlike($follower->log, qr/lock timeout/, 'at once');
	$reader->end('COMMIT');
	$pair->wait_for_sql('target', is_valid('big_v'));
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
	schemas_equal_ok($pair, 'in the end');
};

# CREATE TABLE … PARTITION OF locks the default partition.
subtest 'and a partition is added beside it' => sub {
	my $pair = $server->with_database('beside_default');

	$pair->source_sql(q(CREATE TABLE p (id integer, v integer, pad text) PARTITION BY RANGE (id);
		CREATE TABLE p_rest PARTITION OF p DEFAULT;
		INSERT INTO p SELECT i, i % 100, repeat('x', 200) FROM generate_series(1, 50000) i));
	$pair->clone;
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);
	$pair->source_sql('CREATE INDEX p_rest_v ON p_rest (v)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->source_sql('CREATE TABLE p_new PARTITION OF p FOR VALUES FROM (100000) TO (200000);
		INSERT INTO p VALUES (100001)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql('SELECT count(*) FROM p_new'), 1, 'it does not wait for the index');
	unlike($follower->log, qr/lock timeout/, 'at all');
	$reader->end('COMMIT');
	$pair->wait_for_sql('target', is_valid('p_rest_v'));
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
};

# An index of that name on another table is not the one that is to be built.
subtest 'and the target uses the name otherwise' => sub {
	my $pair = pair('named');

	$pair->target_sql('CREATE TABLE own (v integer); CREATE INDEX big_v ON own (v)');
	my $follower = $pair->start('follow');
	$pair->source_sql('CREATE INDEX big_v ON big (v)');
	$pair->wait_caught_up($follower);
	$follower->wait_log(qr/warning indexes: .*relation "big_v" already exists/s);
	$pair->target_sql('ALTER INDEX big_v RENAME TO own_v');
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	is($pair->target_sql("SELECT indrelid::regclass FROM pg_index WHERE indexrelid = 'big_v'::regclass"), 'big',
		'it is built when the name is free');
	$pair->stop_ok($follower);
};

subtest 'and the follower ends meanwhile' => sub {
	my $pair = pair('ends');
	my $reader = hold_up($pair);

	for my $end (qw(KILL TERM))
	{
		my $follower = $pair->start('follow');

		$pair->source_sql("CREATE INDEX big_$end ON big (v, id)");
		$pair->wait_caught_up($follower);
		$pair->wait_for_sql('target', $BUILDING);
		$follower->end($end);
	}
	is($pair->target_sql($NOTED), 2, 'both are still to be built');
	my ($status, $output) = $pair->run('drop', '--dry-run');
	like($output, qr/would remove the entry of index "public"."big_kill".*which is not built yet; to build it, run: CREATE INDEX CONCURRENTLY/,
		'drop names them');
	($status, $output) = $pair->run('promote', '--dry-run');
	like($output, qr/lacks index "public"."big_term" of the source.*CREATE INDEX CONCURRENTLY/,
		'so does promote');
	$reader->end('COMMIT');
	$pair->follow_to_end;
	is($pair->target_sql($NOTED), 0, 'the end of what is followed has all of them');
	schemas_equal_ok($pair, 'in the end');
};

# A build of hours must not begin anew with each follower.
subtest 'and goes on without a follower' => sub {
	my $pair = pair('goes_on');
	my $builders = q(SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity
		WHERE application_name = 'penstock indexes' AND query LIKE 'CREATE INDEX%');
	my $follower = $pair->start('follow');
	my $reader = hold_up($pair);

	$pair->source_sql('CREATE INDEX big_v ON big (v)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	my $pids = $pair->target_sql($builders);

	# The stream is lost, and the follower begins another attempt.
	$pair->source_sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active');
	$pair->source_sql('INSERT INTO small VALUES (1, 1)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql($builders), $pids, 'after a lost stream');
	$pair->stop_ok($follower);
	is($pair->target_sql($builders), $pids, 'after the follower');

	$follower = $pair->start('follow', '--endpos=' . $pair->source_lsn);
	$follower->wait_log(qr/waiting for index "public"\."big_v", which another session builds on target/);
	is($pair->target_sql($builders), $pids, 'and the end waits for it');
	$reader->end('COMMIT');
	is($follower->wait_exit, 0, 'until it is built');
	is($pair->target_sql(is_valid('big_v') . " AND ($NOTED) = 0"), 't', 'which counts');
	unlike($follower->log, qr/building on/, 'without another build');
	schemas_equal_ok($pair, 'in the end');

	# It is still known as the one to cancel.
	$follower = $pair->start('follow');
	$reader = hold_up($pair);
	$pair->source_sql('CREATE INDEX big_w ON big (v, id)');
	$pair->wait_caught_up($follower);
	$pair->wait_for_sql('target', $BUILDING);
	$pair->stop_ok($follower);
	$pair->source_sql('ALTER TABLE big ADD w integer; INSERT INTO small VALUES (2, 2)');
	$follower = $pair->start('follow');
	$pair->wait_caught_up($follower);
	is($pair->target_sql('SELECT count(*) FROM small'), 2, 'a change of the table does not wait for it');
	$reader->end('COMMIT');
	$pair->wait_for_sql('target', is_valid('big_w'));
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
};

subtest 'and the target refuses' => sub {
	my $pair = pair('refuses');
	my $follower = $pair->start('follow');

	# What the index is of does not work out for a row that the target alone has.
	$pair->source_sql('ALTER TABLE big ADD CHECK (v < 1000000)');
	$pair->wait_caught_up($follower);
	$pair->target_sql(q(ALTER TABLE big DROP CONSTRAINT big_v_check;
		INSERT INTO big VALUES (1000000, -2147483648, '')));
	$pair->source_sql('CREATE INDEX big_e ON big ((v - 1)); CREATE INDEX big_f ON big (v);
		INSERT INTO small VALUES (3, 3)');
	$pair->wait_caught_up($follower);
	$follower->wait_log(qr/warning indexes: .*integer out of range/s);
	like($follower->log, qr/To build it by hand: CREATE INDEX CONCURRENTLY.*building index "public"\."big_e" on target/s,
		'what to do is said');
	is($pair->target_sql('SELECT count(*) FROM small'), 1, 'the others are followed');
	$pair->wait_for_sql('target', is_valid('big_f'));
	is($pair->target_sql(is_valid('big_e')), 'f', 'and other indexes are built');
	$pair->target_sql('DELETE FROM big WHERE id = 1000000');
	$pair->wait_for_sql('target', is_valid('big_e'));
	$pair->wait_for_sql('target', "SELECT ($NOTED) = 0");
	$pair->stop_ok($follower);
};

subtest 'in other ways to apply' => sub {
	for my $way (['lanes', '--apply=transaction', '--lanes=3'], ['streaming', '--streaming=on'])
	{
		my ($name, @options) = @$way;
		my $pair = pair($name, @options);
		my $follower = $pair->start('follow');

		$pair->source_sql("BEGIN; CREATE INDEX big_v ON big (v);
			UPDATE big SET v = v + 1; COMMIT; ALTER TABLE big ADD w integer DEFAULT 5;
			UPDATE big SET w = 6 WHERE id % 7 = 0; CREATE INDEX big_w ON big (w)");
		$pair->wait_caught_up($follower);
		$pair->stop_ok($follower);
		$pair->follow_to_end;
		$pair->equal_ok($name);
		schemas_equal_ok($pair, $name);
	}
};

done_testing;
