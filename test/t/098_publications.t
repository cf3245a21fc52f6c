# What becomes of publications acts at its position: tables that are added to one
# are copied and join, those that leave it leave the pipeline, and another row
# filter or column list stops it before rows are missing.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;

my $server = Penstock::Pair->new;
my $version = $server->source_sql('SHOW server_version_num');

# A pipeline with table "listed" and a row in it.
sub pipeline
{
	my ($name, %option) = @_;
	my $pair = $server->with_database($name, publish => $option{publish} // 'TABLE mark');

	$pair->source_sql('CREATE TABLE listed (id integer PRIMARY KEY, a text); INSERT INTO listed VALUES (1, \'x\');
		CREATE TABLE later (id serial PRIMARY KEY, a text); INSERT INTO later (a) SELECT n FROM generate_series(1, 100) n');
	$pair->source_sql("ALTER PUBLICATION $name ADD TABLE listed") if !$option{publish};
	$pair->clone('--ddl=' . ($option{ddl} // 'follow'), @{ $option{clone} || [] });
	return $pair;
}

sub same_listed
{
	my ($pair, $title) = @_;
	my ($source, $target) = map { $pair->$_('SELECT id, a FROM listed ORDER BY id') } qw(source_sql target_sql);

	is($target, $source, $title);
}

subtest 'a table that is added to a publication' => sub {
	my $pair = pipeline('added');

	$pair->source_sql("ALTER PUBLICATION added ADD TABLE later; INSERT INTO later (a) VALUES ('new');
		INSERT INTO listed VALUES (2, 'y'); UPDATE later SET a = 'changed' WHERE id = 5;
		ALTER TABLE later ADD b integer; INSERT INTO later (a, b) VALUES ('newer', 1)");
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'does not stop the follower');
	like($log, qr/table "?public"?\."?later"? was not copied to target: it is copied now, and joins the others/, 'which says what it does');
	$pair->equal_ok('and the table is there with all its rows');
	$pair->source_sql('ALTER TABLE later ADD c integer DEFAULT 7; DELETE FROM later WHERE id < 50; INSERT INTO later (a) VALUES (1)');
	$pair->follow_to_end;
	$pair->equal_ok('it is followed from then on, with its schema');
};

# The source does not send rows from before the table was published, also not
# those of the same transaction.
subtest 'a table that is made, filled and added in one transaction' => sub {
	my $pair = pipeline('made');

	$pair->source_sql("BEGIN; CREATE TABLE fresh (id integer PRIMARY KEY, a text); INSERT INTO fresh VALUES (1, 'first');
		ALTER PUBLICATION made ADD TABLE fresh; INSERT INTO fresh VALUES (2, 'second'); COMMIT;
		ALTER TABLE fresh ADD b integer; INSERT INTO fresh VALUES (3, 'third', 3); INSERT INTO listed VALUES (2, 'y')");
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'does not stop the follower') or diag $log;
	is($pair->target_sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM fresh"), '1 2 3', 'and has all its rows');
	$pair->source_sql("ALTER TABLE fresh ADD c integer DEFAULT 7; INSERT INTO fresh VALUES (4, 'fourth', 4)");
	$pair->follow_to_end;
	my ($source, $target) = map { $pair->$_('SELECT f FROM fresh f ORDER BY id') } qw(source_sql target_sql);
	is($target, $source, 'it is followed from then on, with its schema');
};

subtest 'while rows keep coming' => sub {
	my $pair = $server->with_database('busy', publish => 'TABLE mark');

	$pair->pgbench_init(1);
	$pair->source_sql('ALTER PUBLICATION busy ADD TABLE pgbench_branches, pgbench_tellers');
	$pair->clone('--ddl=follow');
	my $writer = $pair->start_pgbench('--client=2');
	my $follower = $pair->start('follow');
	$follower->wait_log(qr/following with slot/);
	$pair->source_sql('ALTER TABLE pgbench_history ADD id bigserial PRIMARY KEY');
	$pair->source_sql('ALTER PUBLICATION busy ADD TABLE pgbench_accounts, pgbench_history');
	$follower->wait_log(qr/pgbench_accounts.*it is copied now/);
	$follower->wait_log(qr/pgbench_history.*it is copied now/);
	$pair->end_pgbench($writer);
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->equal_ok('two that are added while there is load join');
};

subtest 'a follower that is killed while it copies' => sub {
	my $pair = pipeline('killed');

	$pair->source_sql("ALTER PUBLICATION killed ADD TABLE later; INSERT INTO later (a) VALUES ('new')");
	for my $point (qw(table.rows table.joining))
	{
		local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN};
		local $ENV{PENSTOCK_FAULT} = $point;
		$pair->run('follow', '--endpos=' . $pair->source_lsn);
	}
	$pair->follow_to_end;
	$pair->equal_ok('the next one makes it good');
};

subtest 'one that was not to be copied' => sub {
	my $pair = pipeline('chosen', clone => ['--exclude-table=later']);

	$pair->source_sql('ALTER PUBLICATION chosen ADD TABLE later; INSERT INTO later DEFAULT VALUES');
	$pair->fails_like(1, qr/table "public"\."later" was not copied.*penstock table add/s, 'stops it, as before',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair = pipeline('stopping', ddl => 'stop');
	$pair->source_sql('ALTER PUBLICATION stopping ADD TABLE later; INSERT INTO later DEFAULT VALUES');
	$pair->fails_like(1, qr/table "public"\."later" was not copied/, 'and so does each with --ddl=stop',
		'follow', '--endpos=' . $pair->source_lsn);
};

subtest 'a table that leaves a publication' => sub {
	my $pair = pipeline('leaving');

	$pair->source_sql("INSERT INTO listed VALUES (2, 'y'); ALTER TABLE listed ADD b integer;
		INSERT INTO listed VALUES (3, 'z', 3);
		ALTER PUBLICATION leaving DROP TABLE listed; INSERT INTO listed VALUES (4, 'missed', 4);
		ALTER TABLE listed ADD c integer");
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'leaves the pipeline');
	like($log, qr/table "public"\."listed" is not published any more: it is not followed from here on/, 'which says so');
	is($pair->target_sql('SELECT string_agg(id::text, \' \' ORDER BY id) FROM listed'), '1 2 3', 'what came before is there');
	is($pair->target_sql(q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'listed'::regclass AND attname = 'c'}),
		0, 'and nothing after');
	# It comes back: what was missed is not passed over.
	$pair->source_sql('ALTER PUBLICATION leaving ADD TABLE listed; INSERT INTO listed VALUES (5, \'again\', 5)');
	($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	if ($status != 0)
	{
		like($log, qr/"listed" on target has no column "c"/,
			'one that comes back is not taken for complete');
		$pair->target_sql('ALTER TABLE listed ADD c integer');
		$pair->fails_like(1, qr/"listed" on target is not empty.*table resync/s, 'nor added to what is there',
			'follow', '--endpos=' . $pair->source_lsn);
		$pair->run_or_die('table', 'resync', 'listed');
		$pair->follow_to_end;
	}
	same_listed($pair, 'in the end it is complete');
};

# What the follower takes in because it was published stays out if it is not any
# more: nothing publishes it again.
subtest 'a table that is added and dropped again before it is copied' => sub {
	my $pair = pipeline('dropped');

	$pair->source_sql("ALTER PUBLICATION dropped ADD TABLE later; INSERT INTO later (a) VALUES ('new')");
	$pair->source_sql('ALTER PUBLICATION dropped DROP TABLE later');
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 1, 'stops the follower');
	like($log, qr/table "public"\."later" was not copied.*is not any more.*penstock table remove/s, 'which says why, and what to do');
	is($pair->source_sql("SELECT count(*) FROM pg_publication_tables WHERE pubname = 'dropped' AND tablename = 'later'"),
		0, 'it is not published again');
};

# A table that is left out and gets another name is not copied unasked.
subtest 'a table that was paused, and renamed' => sub {
	my $pair = pipeline('paused');

	$pair->run_or_die('table', 'pause', '--keep', 'listed');
	$pair->source_sql('ALTER TABLE listed RENAME TO relisted; INSERT INTO relisted VALUES (2, \'y\')');
	$pair->follow_to_end for 1 .. 2;
	is($pair->target_sql("SELECT state FROM penstock.table_state WHERE table_name = 'relisted'"), 'copying', 'is still left out');
};

# In one run of the follower, and in one transaction.
subtest 'a table that leaves and comes back at once' => sub {
	my $pair = pipeline('back');
	my $follower = $pair->start('follow');

	$follower->wait_log(qr/following with slot/);
	$pair->source_sql('ALTER TABLE listed ADD b integer');
	$pair->wait_caught_up($follower);
	$pair->source_sql('ALTER PUBLICATION back DROP TABLE listed; INSERT INTO listed VALUES (2, \'missed\');
		ALTER PUBLICATION back ADD TABLE listed; INSERT INTO listed VALUES (3, \'come\')');
	$follower->wait_log(qr/listed.*not published any more/);
	wait_until('the follower to come to it', sub { !$follower->is_running || $pair->target_sql(
		'SELECT count(*) FROM listed WHERE id = 3') eq '1' });
	$follower->end('TERM');
	my ($status) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	if ($status != 0)
	{
		$pair->run_or_die('table', 'resync', 'listed');
		$pair->follow_to_end;
	}
	same_listed($pair, 'is complete in the end');
};

subtest 'another row filter or column list' => sub {
	plan skip_all => 'this server has none' if $version < 150000;
	my $pair = pipeline('filtered');

	$pair->source_sql('ALTER PUBLICATION filtered ADD TABLE later WHERE (id > 1000); INSERT INTO later VALUES (2000, 2000)');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT count(*) FROM later'), 1, 'a table that is added with one is copied with it');
	$pair->source_sql('ALTER PUBLICATION filtered SET TABLE mark, listed, later WHERE (id > 10);
		INSERT INTO listed VALUES (2, \'y\')');
	for (1 .. 2)
	{
		$pair->fails_like(1, qr/transaction \d+, which ends at .*, has changed how table "public"\."later" is published.*penstock table resync .*later/s,
			'another filter stops it', 'follow', '--endpos=' . $pair->source_lsn);
	}
	is($pair->target_sql('SELECT count(*) FROM listed'), 1, 'before anything that comes after');
	$pair->run_or_die('table', 'resync', 'later');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT count(*) FROM later'), 91, 'what is said brings what is missing');
	is($pair->target_sql('SELECT count(*) FROM listed'), 2, 'and it goes on');
	$pair->source_sql('CREATE PUBLICATION others FOR TABLE listed WHERE (id > 5)');
	$pair->follow_to_end;
	pass('what other publications have is nothing to it');
};

# No publication names the table: it is published for what it is put into.
subtest 'a filled table that is put into what is published' => sub {
	my $pair = $server->with_database('attached', publish => '');

	$pair->source_sql(q(CREATE TABLE root (id integer PRIMARY KEY, a text) PARTITION BY RANGE (id);
		CREATE TABLE root_1 PARTITION OF root FOR VALUES FROM (0) TO (10);
		CREATE TABLE root_2 (id integer PRIMARY KEY, a text); INSERT INTO root_2 VALUES (15, 'before');
		CREATE PUBLICATION attached FOR TABLE mark, root));
	$pair->clone('--ddl=follow');
	$pair->source_sql(q(INSERT INTO root VALUES (1, 'one'); ALTER TABLE root ATTACH PARTITION root_2 FOR VALUES FROM (10) TO (20);
		INSERT INTO root VALUES (16, 'after'), (2, 'two'); UPDATE root SET a = 'changed' WHERE id = 15));
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'a partition that is attached does not stop the follower') or diag $log;
	is($pair->target_sql(q(SELECT string_agg(id || a, ' ' ORDER BY id) FROM root)), '1one 2two 15changed 16after', 'and all its rows are there');
	$pair->source_sql(q(INSERT INTO root VALUES (17, 'x'); ALTER TABLE root ADD b integer; INSERT INTO root VALUES (18, 'y', 1)));
	$pair->follow_to_end;
	$pair->equal_ok('it is followed from then on, with its schema');
	$pair->source_sql(q(BEGIN; CREATE TABLE root_3 (id integer PRIMARY KEY, a text, b integer); INSERT INTO root_3 VALUES (25, 'p');
		ALTER TABLE root ATTACH PARTITION root_3 FOR VALUES FROM (20) TO (30); INSERT INTO root VALUES (26, 'q'); COMMIT;
		CREATE TABLE root_4 PARTITION OF root FOR VALUES FROM (30) TO (40); INSERT INTO root VALUES (35, 'r')));
	(undef, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	$pair->equal_ok('so is one that its transaction has made and filled before');
	unlike($log, qr/root_4"? was not copied/, 'and one that is made as a partition is not copied');

	plan skip_all => 'this server publishes no schemas' if $version < 150000;
	$pair = $server->with_database('moved', publish => '');
	$pair->source_sql('CREATE SCHEMA app; CREATE TABLE plain (id integer PRIMARY KEY); INSERT INTO plain VALUES (1);
		CREATE TABLE empty (id integer PRIMARY KEY); CREATE PUBLICATION moved FOR TABLE mark, TABLES IN SCHEMA app');
	$pair->clone('--ddl=follow');
	$pair->source_sql('ALTER TABLE plain SET SCHEMA app; INSERT INTO app.plain VALUES (2);
		BEGIN; ALTER TABLE empty SET SCHEMA app; ALTER TABLE app.empty ADD n integer; INSERT INTO app.empty VALUES (1, 2); COMMIT');
	($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'a table that is moved does not stop the follower') or diag $log;
	$pair->equal_ok('and all its rows are there');
};

subtest 'another row filter while a table catches up' => sub {
	plan skip_all => 'this server has none' if $version < 150000;
	my $pair = pipeline('catching');
	my $follower = $pair->start('follow');

	$pair->run_or_die('table', 'pause', '--keep', 'listed');
	$pair->source_sql('ALTER PUBLICATION catching SET TABLE mark, listed WHERE (id < 10); INSERT INTO listed VALUES (2, \'y\'), (20, \'z\')');
	$pair->wait_caught_up($follower);
	$pair->fails_like(1, qr/has changed how table "public"\."listed" is published.*penstock table resync .*listed/s,
		'what is caught up with is not all that it lacks', 'table', 'resume', 'listed');
	$pair->run_or_die('table', 'resync', 'listed');
	$pair->stop_ok($follower);
	is($pair->target_sql('SELECT string_agg(id::text, \' \' ORDER BY id) FROM listed'), '1 2', 'when it is copied anew, it is whole');
};

subtest 'a publication of all tables, and one of a schema' => sub {
	my $pair = pipeline('everything', publish => 'ALL TABLES');

	$pair->source_sql('CREATE TABLE fresh (id serial PRIMARY KEY); INSERT INTO fresh DEFAULT VALUES');
	$pair->follow_to_end;
	$pair->equal_ok('of all tables, new ones join');
	if ($version >= 150000)
	{
		$pair = $server->with_database('of_schema', publish => '');
		$pair->source_sql('CREATE SCHEMA app; CREATE TABLE app.first (id integer PRIMARY KEY); CREATE SCHEMA more; CREATE TABLE more.old (id integer PRIMARY KEY); INSERT INTO more.old VALUES (1);
			CREATE PUBLICATION of_schema FOR TABLE mark, TABLES IN SCHEMA app');
		$pair->clone('--ddl=follow');
		$pair->source_sql('CREATE TABLE app.fresh (id serial PRIMARY KEY); INSERT INTO app.fresh DEFAULT VALUES');
		$pair->follow_to_end;
		is($pair->target_sql('SELECT count(*) FROM app.fresh'), 1, 'so they do of a schema');
		$pair->source_sql('ALTER PUBLICATION of_schema ADD TABLES IN SCHEMA more; INSERT INTO more.old VALUES (2);
			CREATE TABLE more.new (id serial PRIMARY KEY); INSERT INTO more.new DEFAULT VALUES');
		$pair->follow_to_end;
		$pair->equal_ok('and all of a schema that is added');
	}
};

done_testing();
