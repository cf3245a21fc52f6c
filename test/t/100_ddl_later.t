# Schema changes of a pipeline that did not look at them before: what the schema
# was is read from the source as of a position, and followed from there.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Text::ParseWords qw(shellwords);

use Penstock::Pair;
use Penstock::Session;

my $server = Penstock::Pair->new;

subtest 'asked for after the clone' => sub {
	my $pair = $server->with_database('late');

	$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, v integer);
		CREATE TABLE doomed (id integer)');
	$pair->clone('--ddl=off');
	$pair->source_sql('ALTER TABLE doomed ADD v integer');
	$pair->source_sql('DROP TABLE doomed');
	$pair->both_sql('ALTER TABLE t ADD by_hand text');
	$pair->source_sql('ALTER TABLE t ADD early text; CREATE TABLE before (id integer PRIMARY KEY)');
	$pair->target_sql('ALTER TABLE t ADD early text');

	# What comes before the schema was read is not looked at.
	# A slot with a name that another command might have chosen is in nobody's way.
	my $slot = Penstock::Session->new($pair->source, 'late');
	$slot->run("SELECT pg_create_logical_replication_slot('late_schema', 'penstock', true)");
	my $follower = $pair->start('follow', '--set', '--ddl=follow');
	$pair->source_sql('INSERT INTO t VALUES (1, 2, NULL, NULL)');
	$pair->wait_caught_up($follower);
	$pair->source_sql('ALTER TABLE t ADD late integer DEFAULT 7, DROP early;
		INSERT INTO t VALUES (2, 3, NULL, 8);
		CREATE TABLE after (id integer PRIMARY KEY); INSERT INTO after VALUES (1)');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$slot->end('SELECT 1');
	is($pair->target_sql(q(SELECT to_regclass('before'))), '', 'not what was made before');
	is($pair->target_sql(q(SELECT to_regclass('doomed'))), 'doomed', 'nor what was dropped');
	$pair->target_sql('DROP TABLE doomed');
	$pair->source_sql('DROP TABLE before');
	$pair->follow_to_end;
	$pair->equal_ok('followed from there on');

	# Off again: what was noted is not true any more.
	$pair->follow_to_end('--set', '--ddl=off');
	is($pair->target_sql('SELECT count(*) FROM penstock.definition'),
		0, 'nothing is noted where nobody looks');
	$pair->both_sql('ALTER TABLE t ADD hand integer');
	$pair->follow_to_end('--set', '--ddl=stop');
	$pair->source_sql('ALTER TABLE t ADD last integer');
	$pair->fails_like(1, qr/ALTER TABLE "public"."t" ADD COLUMN "last" integer;\n.*hint: Run that/s,
		'only what has changed since', 'follow', '--endpos=' . $pair->source_lsn);
	$pair->follow_to_end('--set', '--ddl=follow');
	$pair->equal_ok('all');
};

subtest 'of tables that are added' => sub {
	my $pair = $server->with_database('added', publish => 'TABLE mark');

	$pair->source_sql('CREATE TABLE added (id serial PRIMARY KEY, v integer);
		INSERT INTO added (v) SELECT generate_series(1, 100);
		CREATE TABLE part (id integer PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100)');
	$pair->clone('--ddl=follow', '--table=public.mark');
	my $follower = $pair->start('follow');
	$pair->run_or_die('table', 'add', 'public.added', 'public.part');
	$pair->source_sql('ALTER TABLE added ADD w integer DEFAULT 3;
		ALTER SEQUENCE added_id_seq INCREMENT 2; INSERT INTO added (v) VALUES (7);
		CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200);
		ALTER TABLE part ADD v text; INSERT INTO part VALUES (1, 1), (101, 101)');
	$pair->wait_caught_up($follower);
	$pair->equal_ok('changes of what was added');

	# While it is not followed the others go on, and it catches up by itself.
	$pair->run_or_die('table', 'pause', '--keep', 'public.added');
	$pair->source_sql('ALTER TABLE added DROP w, ADD x text; CREATE INDEX added_x ON added (x);
		INSERT INTO added (v, x) VALUES (8, 8); CREATE TYPE apart AS ENUM (\'a\')');
	$pair->wait_caught_up($follower);
	$pair->run_or_die('table', 'resume', 'public.added');
	$pair->source_sql('ALTER TABLE added ADD y apart; INSERT INTO added (v, x, y) VALUES (9, 9, \'a\')');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->equal_ok('changes of what was kept');
	is($pair->target_sql("SELECT to_regclass('added_x')"), 'added_x', 'its index as well');
};

# The label that the rows have is called otherwise on the target by now, and
# another one as it was.
subtest 'labels that get other names while a table catches up' => sub {
	my $pair = $server->with_database('labels');
	my $swap = sub { "ALTER TYPE mood RENAME VALUE '$_[0]' TO '$_[1]'; ALTER TYPE mood ADD VALUE '$_[0]'" };

	$pair->source_sql(q(CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TYPE other AS ENUM ('o');
		CREATE TABLE t (id integer PRIMARY KEY, m mood); CREATE TABLE added (id integer PRIMARY KEY, m mood[]);
		CREATE TABLE plain (id integer PRIMARY KEY, o other)));
	$pair->clone('--ddl=follow', '--exclude-table=added');
	my $follower = $pair->start('follow');
	$pair->run_or_die('table', 'pause', '--keep', 'public.t', 'public.plain');
	$pair->source_sql("INSERT INTO t VALUES (1, 'a'); INSERT INTO plain VALUES (1, 'o')");
	$pair->source_sql($swap->('a', 'x'));
	$pair->source_sql("INSERT INTO t VALUES (2, 'a'), (3, 'x')");
	$pair->wait_caught_up($follower);
	$pair->fails_like(1, qr/label "a" of type "public"\."mood" has another name from \S+ on, while table "public"\."t" catches up.*penstock table resync public\.t/s,
		'it stops', 'table', 'resume', 'public.t');
	$pair->run_or_die('table', 'resync', 'public.t');
	$pair->run_or_die('table', 'resume', 'public.plain');

	# What a copy begins with are the names as of its position.
	$pair->run_or_die('table', 'add', 'public.added');
	$pair->run_or_die('table', 'pause', '--keep', 'public.added');
	$pair->source_sql("INSERT INTO added VALUES (1, '{a,x}'); ALTER TYPE mood ADD VALUE 'y'; INSERT INTO added VALUES (2, '{y}')");
	$pair->wait_caught_up($follower);
	$pair->run_or_die('table', 'resume', 'public.added');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->equal_ok('all labels');
};

subtest 'by kind and table' => sub {
	my $pair = $server->with_database('kinds');
	my $file = PostgreSQL::Test::Utils::tempdir . '/kinds.ini';

	append_to_file($file, "[ddl]\ndrop = stop\nindex = off\n"
		  . "all.public.audit = off\nother = stop\n");
	$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, v integer);
		CREATE TABLE audit (id integer PRIMARY KEY); CREATE TABLE old (id integer)');
	$pair->clone('--ddl=follow', "--config=$file");
	$pair->source_sql('ALTER TABLE t ADD w integer; CREATE INDEX t_w ON t (w);
		ALTER TABLE audit ADD w integer; INSERT INTO t VALUES (1, 2, 3)');
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'what is off is passed over');
	like($log, qr/ends at \S+, has changed "public"."t"; that is not done.*CREATE INDEX t_w ON/,
		'an index is said, with its position');
	like($log, qr/has changed "public"."audit"; that is not done.*ADD COLUMN "w"/, 'so is a table');
	is($pair->target_sql("SELECT string_agg(attrelid::regclass || attname, ' ') FROM pg_attribute
		WHERE attname = 'w' AND NOT attisdropped"), 'tw', 'the rest is done, and nothing else');

	$pair->source_sql('DROP TABLE audit; DROP TABLE old; CREATE INDEX t_v ON t (v)');
	$pair->fails_like(1, qr/target lacks:\s+DROP TABLE (?:IF EXISTS )?"public"."old";\n.*hint: Run that on target and follow again: it goes on when target has it\.$/ms,
		'a kind may stop', 'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('DROP TABLE old');
	$pair->follow_to_end;
	is($pair->target_sql("SELECT to_regclass('audit')"), 'audit', 'what a table is spared');

	$pair->source_sql('CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS $$SELECT 1$$');
	$log = $pair->fails_like(1, qr/changed function public.f\(\), which is not followed.*--on-ddl=other:off/s,
		'what is never followed may stop', 'follow', '--endpos=' . $pair->source_lsn);
	my @rules = grep { /on-ddl/ } shellwords($log =~ /then "penstock follow --set (.*)" gets past/);
	is_deeply(\@rules, [ map { "--on-ddl=$_" } qw(drop:stop index:off), 'all."public"."audit":off', 'other:off' ],
		'the command that gets past keeps the other rules');
	$pair->fails_like(1, qr/has another --on-ddl/, 'the rules are remembered',
		'follow', '--on-ddl=other:off', '--endpos=' . $pair->source_lsn);
	$pair->follow_to_end('--set', @rules);
};

subtest 'of rules for several names the strictest counts' => sub {
	my $pair = $server->with_database('strict');
	my @rules = map { "--on-ddl=$_" } 'rename.public.spared:off', 'rename.public.asked:stop',
	  'drop.public.log_2:off', 'index:off', 'alter.public.two:stop';
	my ($status, $log);

	$pair->source_sql('CREATE TABLE spared (id integer PRIMARY KEY); CREATE TABLE to_ask (id integer PRIMARY KEY);
		CREATE TABLE two (id integer PRIMARY KEY, v integer);
		CREATE TABLE log (id integer PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
		CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20); INSERT INTO log VALUES (15)');
	$pair->clone('--ddl=follow', @rules);

	# The name before, a partition, and the name after.
	$pair->source_sql('ALTER TABLE spared RENAME TO gone; DROP TABLE log');
	(undef, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	like($log, qr/not done.*ALTER TABLE "public"."spared" RENAME TO/, 'a rule may name what is renamed');
	like($log, qr/not done.*DROP TABLE IF EXISTS "public"."log"/, 'or a partition of what is dropped');
	is($pair->target_sql('SELECT * FROM log'), '15', 'which is still there');
	$pair->source_sql('ALTER TABLE to_ask RENAME TO asked');
	$pair->fails_like(1, qr/target lacks:\s+ALTER TABLE "public"."to_ask" RENAME TO "asked";/, 'or the name that comes',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('ALTER TABLE to_ask RENAME TO asked');
	$pair->follow_to_end;

	# One statement of an object stops, another one is off: all of it can be made.
	$pair->source_sql('BEGIN; ALTER TABLE two ALTER v SET DEFAULT 3; CREATE INDEX two_v ON two (v); COMMIT');
	$log = $pair->fails_like(1, qr/target lacks:\s+ALTER TABLE ONLY "public"."two".*;\n\s+CREATE INDEX two_v.*;$/m,
		'what is off beside it is asked for, too', 'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql(join "\n", $log =~ /^ +((?:ALTER|CREATE) .*;)$/mg);
	$pair->follow_to_end;
	pass('and it goes on when that is there');
};

subtest 'what cannot be seen to be made, or is not to be made by hand' => sub {
	my $pair = $server->with_database('again');

	$pair->source_sql(q(CREATE TABLE t (id integer PRIMARY KEY, kept text, c text); INSERT INTO t VALUES (1, 'a', 'old')));
	$pair->clone('--ddl=stop');

	# Rows that come anew are not removed by hand.
	$pair->source_sql('ALTER TABLE t ALTER kept TYPE integer USING length(kept), ADD n integer DEFAULT 3');
	my $log = $pair->fails_like(1, qr/target lacks:.*TYPE/s, 'another type stops it', 'follow', '--endpos=' . $pair->source_lsn);
	unlike($log, qr/DELETE/, 'rows are not asked to be removed');
	$pair->target_sql('ALTER TABLE t ALTER kept TYPE integer USING 7, ADD n integer DEFAULT 3');
	$pair->follow_to_end;
	$pair->equal_ok('they come anew');

	# The same name, but not the same column.
	$pair->source_sql('ALTER TABLE t DROP c, ADD c text; CREATE UNLOGGED TABLE u (id integer PRIMARY KEY)');
	$log = $pair->fails_like(1, qr/whether target has the new one cannot be seen.*--ddl=follow --on-ddl=all:follow/,
		'a column that is made again stops it', 'follow', '--endpos=' . $pair->source_lsn);
	$pair->follow_to_end('--set', '--ddl=follow', '--on-ddl=all:follow');
	$pair->equal_ok('what was in the old one is gone');

	# An unlogged table sends no rows: what the target has of it is not the source's.
	$pair->target_sql('INSERT INTO u VALUES (1)');
	$pair->source_sql('ALTER TABLE u SET LOGGED');
	$pair->fails_like(1, qr/target lacks:\s+ALTER TABLE "public"."u" SET LOGGED;$/m, 'a table that gets logged stops it',
		'follow', '--set', '--ddl=stop', '--on-ddl=all:stop', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('ALTER TABLE u SET LOGGED');
	$pair->follow_to_end;
	$pair->equal_ok('and has no rows of its own afterwards');
};

# DROP TABLE drops partitions, too: also those that the source has detached.
subtest 'a table that the target has as a partition of one that is dropped' => sub {
	my $pair = $server->with_database('detached');
	my $refused = sub {
		my ($table, $partition) = @_;
		return qr/has dropped table "public"\."$table", of which public\.$partition on target is a partition, but the source still has that table.*"ALTER TABLE (\S+) DETACH PARTITION public\.$partition"/s;
	};

	$pair->source_sql(join ';', map { qq(CREATE TABLE ${_} (id integer PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE ${_}_1 PARTITION OF $_ FOR VALUES FROM (0) TO (10);
		CREATE TABLE ${_}_2 PARTITION OF $_ FOR VALUES FROM (10) TO (20); INSERT INTO $_ VALUES (5), (15)) } qw(log daily));
	$pair->clone('--ddl=follow', '--on-ddl=partition:off');

	# In one transaction, and in two; a partition that is renamed, too.
	$pair->source_sql('BEGIN; ALTER TABLE log DETACH PARTITION log_1; DROP TABLE log; COMMIT');
	my $log = $pair->fails_like(1, $refused->(qw(log log_1)), 'it stops', 'follow', '--endpos=' . $pair->source_lsn);
	is($pair->target_sql('SELECT * FROM log ORDER BY 1'), "5\n15", 'before rows are lost');
	$pair->target_sql($log =~ /run "(ALTER TABLE .*?)"/);
	$pair->follow_to_end;
	is($pair->target_sql('SELECT * FROM log_1'), '5', 'the partition keeps its rows');
	is($pair->target_sql(q(SELECT to_regclass('log') IS NULL AND to_regclass('log_2') IS NULL)), 't',
		'the others are dropped');

	$pair->source_sql('ALTER TABLE daily DETACH PARTITION daily_1');
	$pair->source_sql('ALTER TABLE daily_1 RENAME TO first');
	$pair->follow_to_end;
	$pair->source_sql('DROP TABLE daily');
	$log = $pair->fails_like(1, $refused->(qw(daily first)), 'so it does if it was detached before',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql($log =~ /run "(ALTER TABLE .*?)"/);
	$pair->follow_to_end;
	is($pair->target_sql('SELECT * FROM first'), '5', 'and that one keeps its rows');
};

# The target has kept the rows of a table that was dropped: those of another that
# gets its name are not to come among them.
subtest 'a table that takes the name of one that was kept' => sub {
	my $pair = $server->with_database('kept');
	my $refused = qr/transaction \d+, which ends at \S+, has made table "public"\."again", but target has a table of that name with rows.*ALTER TABLE "public"."again" RENAME TO/s;

	$pair->source_sql('CREATE TABLE again (id integer PRIMARY KEY, v text);
		CREATE TABLE second (id integer PRIMARY KEY, v text); INSERT INTO again VALUES (1, \'old\')');
	$pair->clone('--ddl=follow', '--on-ddl=drop:off');
	$pair->source_sql('DROP TABLE again; CREATE TABLE again (id integer PRIMARY KEY, v text);
		INSERT INTO again VALUES (2, \'new\')');
	$pair->fails_like(1, $refused, 'it stops', 'follow', '--endpos=' . $pair->source_lsn);
	is($pair->target_sql('SELECT * FROM again'), '1|old', 'before the first row');
	$pair->fails_like(1, $refused, 'so it does where the table is not to be made',
		'follow', '--set', '--on-ddl=drop:off', '--on-ddl=create:off', '--endpos=' . $pair->source_lsn);
	$pair->fails_like(1, $refused, 'or is to be made by hand',
		'follow', '--set', '--on-ddl=drop:off', '--on-ddl=create:stop', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('ALTER TABLE again RENAME TO again_old; ALTER INDEX again_pkey RENAME TO again_old_pkey');
	$pair->follow_to_end('--set', '--on-ddl=drop:off');
	is($pair->target_sql('SELECT * FROM again'), '2|new', 'the new table has its rows, and no others');
	is($pair->target_sql('SELECT * FROM again_old'), '1|old', 'the old one is still there');

	# Another table gets the name.
	$pair->source_sql('DROP TABLE again; ALTER TABLE second RENAME TO again;
		ALTER INDEX second_pkey RENAME TO again_pkey; INSERT INTO again VALUES (3, \'third\')');
	$pair->fails_like(1, qr/relation "again" already exists/, 'a name that is given to another table stops it',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('DROP TABLE again');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT * FROM again'), '3|third', 'when the name is free, it goes on');
};

subtest 'names of tables that are left out' => sub {
	my $pair = $server->with_database('names');

	$pair->source_sql('CREATE TABLE again (id integer PRIMARY KEY);
		CREATE TABLE waits (id integer PRIMARY KEY); INSERT INTO waits VALUES (1);
		CREATE SCHEMA s; CREATE TABLE s.inside (id integer PRIMARY KEY)');
	$pair->clone('--ddl=follow');
	my $follower = $pair->start('follow');
	$pair->run_or_die('table', 'resync', 'public.again');
	$pair->run_or_die('table', 'pause', 'public.waits', 's.inside');
	$pair->source_sql('BEGIN; ALTER TABLE again RENAME TO anew; ALTER TABLE waits RENAME TO late;
		INSERT INTO late VALUES (2); INSERT INTO anew VALUES (1); ALTER SCHEMA s RENAME TO s2;
		INSERT INTO s2.inside VALUES (1); COMMIT');
	$pair->source_sql('INSERT INTO late VALUES (3); INSERT INTO s2.inside VALUES (2);
		INSERT INTO anew VALUES (2)');
	$pair->wait_caught_up($follower);
	is( $pair->target_sql("SELECT string_agg(schema_name || '.' || table_name || ' ' || state, ', '
			ORDER BY schema_name, table_name) FROM penstock.table_state"),
		'public.anew ready, public.late copying, s2.inside copying',
		'tables are left out under their new names');
	is($pair->target_sql('SELECT count(*) FROM s2.inside'), 0, 'no row of theirs is applied');
	$pair->target_sql('DROP TABLE waits');
	$pair->run_or_die('table', 'resync', 'public.late', 's2.inside');
	$pair->source_sql('INSERT INTO late VALUES (4); INSERT INTO s2.inside VALUES (3)');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->equal_ok('all');
};

subtest 'the name of a table that was dropped' => sub {
	my $pair = $server->with_database('free');
	my $states = "SELECT string_agg(table_name || ' ' || state, ', ' ORDER BY table_name) FROM penstock.table_state";

	$pair->source_sql(join ' ', map { "CREATE TABLE $_ (id integer PRIMARY KEY); INSERT INTO $_ VALUES (1);" }
		  qw(a b c aside other plain));
	$pair->clone('--ddl=follow');
	my $follower = $pair->start('follow');
	$pair->run_or_die('table', 'resync', map { "public.$_" } qw(a b c));
	$pair->run_or_die('table', 'pause', 'public.aside');

	# Both have a state that is ready, and one name changes hands.
	$pair->source_sql('DROP TABLE a');
	$pair->source_sql('BEGIN; ALTER TABLE b RENAME TO a; ALTER TABLE c RENAME TO b; INSERT INTO a VALUES (2); INSERT INTO b VALUES (3); COMMIT');
	$pair->source_sql('INSERT INTO a VALUES (4)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql($states), 'a ready, aside paused, b ready', 'makes room for another');
	is($pair->target_sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM $_->[0]"), $_->[1], "rows of $_->[0]")
	  for [ a => '1 2 4' ], [ b => '1 3' ];

	# A rename of a table without a state is nothing to the states.
	my $restarts = () = $follower->log =~ /have got other names/g;
	$pair->source_sql('ALTER TABLE plain RENAME TO simple; INSERT INTO simple VALUES (2)');
	$pair->wait_caught_up($follower);
	is(scalar(() = $follower->log =~ /have got other names/g), $restarts, 'nothing is read again for one without a state');

	# A name that is left out stays so.
	$pair->source_sql('DROP TABLE aside; ALTER TABLE other RENAME TO aside');
	$pair->source_sql('INSERT INTO aside VALUES (2); ALTER TABLE b RENAME TO third; INSERT INTO third VALUES (4)');
	$pair->wait_caught_up($follower);
	is($pair->target_sql($states), 'a ready, aside copying, third ready', 'what is left out stays left out');
	like($follower->log, qr/table "public"\."other" was renamed to "public"\."aside" at \S+, a name that is left out on target, so it is left out, too: .*"penstock table resync public\.aside /,
		'which a warning says');
	$pair->target_sql('DROP TABLE aside, other');
	$pair->run_or_die('table', 'resync', 'public.aside');
	$pair->source_sql('INSERT INTO aside VALUES (3)');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	is($pair->target_sql('SELECT string_agg(id::text, \' \' ORDER BY id) FROM aside'), '1 2 3', 'the table is there when it is copied anew');
};

done_testing();
