# Changes of the source's schema that a target has already, cannot take now, or
# is not to take.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Nodes;
use Penstock::Pair;
use Penstock::Proxy;
use Penstock::Session;

my $server = Penstock::Pair->new(
	source => [ 'logical_decoding_work_mem = 64kB', 'max_replication_slots = 40' ],
	target => ['max_replication_slots = 40']);

# A pair that was cloned with these options, with the tables that the SQL makes.
sub cloned
{
	my ($name, $sql, @options) = @_;
	my $pair = $server->with_database($name);

	$pair->source_sql($sql);
	$pair->clone(@options);
	return $pair;
}

# Types of the columns of a table of the target, by name.
sub columns
{
	my ($pair, $table) = @_;

	return $pair->target_sql(
		"SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod),
			', ' ORDER BY attnum) FROM pg_attribute
		  WHERE attrelid = '$table'::regclass AND attnum > 0
		    AND NOT attisdropped");
}

# The statements that a follower which has stopped asks for.
sub asked_for
{
	my ($log) = @_;

	return join "\n", $log =~ /^ +((?:ALTER|CREATE|DROP) .*;)$/mg;
}

subtest 'stop, made by hand' => sub {
	my $pair = cloned('by_hand', <<'SQL', '--ddl=stop');
CREATE TABLE t (id integer PRIMARY KEY, c text, gone integer);
CREATE TABLE old (id integer PRIMARY KEY);
CREATE TYPE mood AS ENUM ('sad', 'happy');
SQL
	# What the target has in addition is nobody's business.
	$pair->target_sql('ALTER TABLE t ADD extra text DEFAULT \'own\';
		CREATE INDEX own ON t (c)');
	my $sql = 'ALTER TABLE t ADD a integer NOT NULL DEFAULT 7, DROP gone;
		ALTER TABLE t RENAME c TO cc; CREATE INDEX ix ON t (a);
		CREATE TABLE made (id serial PRIMARY KEY, n integer REFERENCES t);
		ALTER TYPE mood ADD VALUE \'calm\'; DROP TABLE old';
	my $xid = $pair->source_sql("BEGIN; $sql; SELECT pg_current_xact_id();
		INSERT INTO t (id, cc) VALUES (1, 'one'); INSERT INTO made VALUES (5, 1);
		COMMIT");
	my $log = $pair->fails_like(1,
		qr/transaction $xid, which ends at [0-9A-F]+\/[0-9A-F]+, has changed/,
		'it stops, and says where', 'follow', '--endpos=' . $pair->source_lsn);
	is(scalar(() = asked_for($log) =~ /;$/mg), 11, 'each statement on a line');
	like($log, qr/Run that on target and follow again/, 'what is to be done');
	my ($status, $output) = $pair->run('status');
	like($output, qr/has changed the schema/, 'status says why it stopped');

	# Half of it is not enough.
	$pair->target_sql('ALTER TABLE t RENAME c TO cc; DROP TABLE old');
	$pair->fails_like(1, qr/has changed the schema/, 'half is not enough',
		'follow', '--endpos=' . $pair->source_lsn);

	my $statements = asked_for($log);
	$pair->target_sql('ALTER TABLE t RENAME cc TO c; CREATE TABLE old ()');
	$pair->target_sql($statements);
	$pair->follow_to_end;
	is(columns($pair, 't'), 'id integer, cc text, extra text, a integer',
		'the target has what was made by hand, and what is its own');
	is($pair->target_sql('SELECT id, cc, a, extra FROM t'), '1|one|7|own',
		'the row came');
	is($pair->target_sql('SELECT * FROM made'), '5|1', 'and one of a new table');

	# What was noted is where the next change begins.
	$pair->source_sql('ALTER TABLE t DROP a');
	$log = $pair->fails_like(1, qr/has changed the schema/, 'the next change',
		'follow', '--endpos=' . $pair->source_lsn);
	unlike($log, qr/"made"|"cc"/, 'asks for no more than that');
	like($log, qr/DROP COLUMN .*"a"/, 'but for that');
	$pair->run_or_die('follow', '--set', '--ddl=follow',
		'--endpos=' . $pair->source_lsn);
	is(columns($pair, 't'), 'id integer, cc text, extra text',
		'with --ddl=follow it is made');
	is($pair->target_sql('SELECT indexrelid::regclass FROM pg_index
			WHERE indrelid = \'t\'::regclass ORDER BY 1'),
		"t_pkey\nown", 'the target keeps an index of its own');
};

subtest 'follow, made before' => sub {
	my $pair = cloned('before', <<'SQL', '--ddl=follow');
CREATE TABLE t (id integer PRIMARY KEY, c text);
SQL
	$pair->both_sql('ALTER TABLE t ADD n integer; CREATE TABLE u (id integer
		PRIMARY KEY)');
	$pair->source_sql('INSERT INTO t VALUES (1, \'one\', 1); INSERT INTO u VALUES (1)');
	$pair->follow_to_end;
	$pair->equal_ok('what both sides have got');

	$pair->source_sql('ALTER TABLE t ADD m integer; INSERT INTO t VALUES (2, \'b\', 2, 2)');
	$pair->target_sql('ALTER TABLE t ADD m text');
	my $log = $pair->fails_like(1, qr/column "m" of relation "t" already exists/,
		'something else of that name', 'follow', '--endpos=' . $pair->source_lsn);
	like($log, qr/penstock schema diff/, 'the hint says how to see it');
	$pair->target_sql('ALTER TABLE t ALTER m TYPE integer USING m::integer');
	$pair->follow_to_end;
	$pair->equal_ok('made alike by hand');
};

subtest 'a lock that somebody holds' => sub {
	my $pair = cloned('locked', <<'SQL', '--ddl=follow');
CREATE TABLE t (id integer PRIMARY KEY);
SQL
	my $reader = Penstock::Session->new($pair->target, 'locked');

	$reader->run('SET application_name = report', 'BEGIN', 'SELECT FROM t');
	$pair->source_sql('ALTER TABLE t ADD n integer; INSERT INTO t VALUES (1, 1)');
	my $follower = $pair->start('follow');
	$follower->wait_log(
		qr/lock timeout.*\n.*On target, session \d+ \(user "[^"]+", application "report",/);
	like($follower->log, qr/query from \d.*\) holds AccessShareLock on table public\.t\.$/m,
		'the message names who holds it');
	$follower->wait_log(qr/(?:info apply: target: ALTER TABLE.*){3}/s);
	is(scalar(() = $follower->log =~ /lock timeout/g), 1, 'it is said once');
	$reader->end('COMMIT');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->equal_ok('when the lock is gone');
	like($follower->log, qr/the schema change of transaction \d+, which ends at \S+, is made on/,
		'so is the end of it');
};

subtest 'large transactions, in progress' => sub {
	for my $mode ([], [ '--apply=transaction', '--lanes=4' ])
	{
		my $pair = cloned('large' . @$mode, <<'SQL', '--ddl=follow', '--memory=4MB', @$mode);
CREATE TABLE t (id integer PRIMARY KEY, c text);
SQL
		my @options = ('--streaming=on', '--memory=4MB', @$mode);
		my $rows = 'INSERT INTO t SELECT i, repeat(i::text, 50) FROM generate_series';
		my $follower = $pair->start('follow', @options);

		$pair->source_sql("BEGIN;
			$rows(1, 20000) i; ALTER TABLE t ADD n integer DEFAULT 5;
			CREATE TABLE made (id integer PRIMARY KEY);
			INSERT INTO t SELECT i, repeat(i::text, 50), i
			  FROM generate_series(20001, 40000) i;
			INSERT INTO made SELECT generate_series(1, 20000); COMMIT");
		$pair->source_sql("BEGIN; $rows(40001, 50000) i; SAVEPOINT a;
			ALTER TABLE t ADD gone integer; $rows(50001, 60000) i;
			CREATE TABLE gone (); ROLLBACK TO a; $rows(60001, 70000) i; COMMIT");
		$pair->source_sql("BEGIN; $rows(70001, 90000) i;
			ALTER TABLE t ADD gone integer; $rows(90001, 99999) i; ROLLBACK");
		$pair->wait_caught_up($follower);
		$pair->stop_ok($follower);
		is(columns($pair, 't'), 'id integer, c text, n integer', "columns (@$mode)");
		is($pair->target_sql('SELECT to_regclass(\'gone\') IS NULL'), 't',
			'what was rolled back is not made');
		$pair->equal_ok('all rows');
	}
};

# The rows of each partition come anew after those of the one before it, more than
# fits into memory.
subtest 'another type of a large partitioned table' => sub {
	for my $mode ([], [ '--apply=transaction', '--lanes=4' ])
	{
		my $pair = cloned('split' . @$mode, <<'SQL', '--ddl=follow', @$mode);
CREATE TABLE t (id integer PRIMARY KEY, c text) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10000);
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10000) TO (20000);
CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (20000) TO (30000);
INSERT INTO t SELECT i, repeat('x', 200 + i % 9) FROM generate_series(1, 29999) i;
SQL
		my $follower = $pair->start('follow', '--streaming=on', '--memory=4MB', @$mode);

		$pair->source_sql("BEGIN; ALTER TABLE t ALTER c TYPE bytea USING c::bytea || '\\\\xff';
			UPDATE t SET c = c || '\\x00' WHERE id > 15000; COMMIT;
			ALTER TABLE t ALTER c TYPE integer USING length(c)");
		$pair->wait_caught_up($follower);
		$pair->stop_ok($follower);
		is(columns($pair, 't'), 'id integer, c integer', "the type (@$mode)");
		$pair->equal_ok('all rows');
	}
};

# Indexes of partitions are made again with the table's, and get other names.
subtest 'names of indexes that are made again' => sub {
	my $pair = cloned('again', <<'SQL', '--ddl=follow');
CREATE TABLE t (id integer, k integer, UNIQUE (id, k)) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE t_2a PARTITION OF t_2 FOR VALUES FROM (10) TO (20);
CREATE INDEX ON t (k);
ALTER INDEX t_1_k_idx RENAME TO mine; ALTER TABLE t_2a RENAME TO renamed;
ALTER TABLE t_1 RENAME CONSTRAINT t_1_id_k_key TO own;
INSERT INTO t VALUES (1, 1), (11, 11);
SQL
	$pair->source_sql('BEGIN; ALTER TABLE t ALTER k TYPE numeric;
		INSERT INTO t VALUES (2, 2.5), (12, 12.5); COMMIT');
	$pair->follow_to_end;
	is($pair->target_sql('SELECT string_agg(relname, \' \' ORDER BY relname) FROM pg_class
			WHERE relkind IN (\'i\', \'I\') AND relname ~ \'^(t_|renamed|mine|own)\''),
		$pair->source_sql('SELECT string_agg(relname, \' \' ORDER BY relname) FROM pg_class
			WHERE relkind IN (\'i\', \'I\') AND relname ~ \'^(t_|renamed|mine|own)\''),
		'the same as on the source');
	$pair->equal_ok('all rows');
};

# A table whose rows do not fit, although the source has left them as they are,
# and one beside it that it has written anew.
subtest 'rows that do not come anew' => sub {
	my $pair = cloned('stay', <<'SQL', '--ddl=follow');
CREATE TABLE t (id integer PRIMARY KEY, c text);
CREATE TABLE heir (own text, PRIMARY KEY (id)) INHERITS (t);
INSERT INTO t VALUES (1, 'a\b'), (2, 'c');
INSERT INTO heir VALUES (3, 'd', 'own');
SQL
	$pair->source_sql('CREATE CAST (text AS bytea) WITHOUT FUNCTION AS ASSIGNMENT');
	$pair->source_sql('BEGIN; ALTER TABLE t ALTER c TYPE bytea;
		ALTER TABLE heir ALTER own TYPE integer USING length(own);
		INSERT INTO t VALUES (4, \'e\'); COMMIT');
	my $end = $pair->source_lsn;

	$pair->fails_like(1,
		qr/altered table "public"\."t" in a way that is not possible.*not written the table anew/s,
		'it stops', 'follow', "--endpos=$end");
	is($pair->target_sql('SELECT id, c FROM t ORDER BY 1'), "1|a\\b\n2|c\n3|d",
		'and nothing is lost');
	$pair->target_sql('ALTER TABLE t ALTER c TYPE bytea USING convert_to(c, \'UTF8\');
		ALTER TABLE heir ALTER own TYPE integer USING length(own)');
	$pair->follow_to_end;
	$pair->equal_ok('when it is altered by hand');
};

# Rows that are older than the default do not get it.
subtest 'columns that get their default afterwards' => sub {
	my $pair = cloned('defaults', <<'SQL');
CREATE TABLE t (id integer PRIMARY KEY);
INSERT INTO t VALUES (1), (2);
CREATE TABLE rewritten (id integer PRIMARY KEY, m integer);
INSERT INTO rewritten VALUES (1, 1), (2, 2);
CREATE TABLE root (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (10);
INSERT INTO root VALUES (1), (2);
SQL
	$pair->source_sql(<<'SQL');
BEGIN;
ALTER TABLE t ADD c integer;
ALTER TABLE t ALTER c SET DEFAULT 5;
INSERT INTO t VALUES (3);
ALTER TABLE root ADD c integer, ADD d integer DEFAULT 7;
ALTER TABLE root ALTER c SET DEFAULT 5;
INSERT INTO root VALUES (3);
ALTER TABLE rewritten ADD c varchar(20);
ALTER TABLE rewritten ALTER m TYPE bigint;
ALTER TABLE rewritten ALTER c SET DEFAULT now();
COMMIT;
SQL
	$pair->follow_to_end;
	is($pair->target_sql("SELECT string_agg(coalesce(c::text, '-'), ' ' ORDER BY id) FROM t"),
		'- - 5', 'rows that are older have none');
	is($pair->target_sql("SELECT string_agg(concat(coalesce(c::text, '-'), d), ' ' ORDER BY id) FROM root"),
		'-7 -7 57', 'nor those of partitions');
	$pair->equal_ok('all rows');
};

subtest 'more changes than fit into memory' => sub {
	my $pair = cloned('many', 'CREATE TABLE t (id integer PRIMARY KEY)',
		'--ddl=follow');

	$pair->source_sql('DO $$BEGIN FOR i IN 1 .. 300 LOOP
			EXECUTE format(\'CREATE TABLE t%s (id integer PRIMARY KEY, c text)\', i);
			EXECUTE format(\'COMMENT ON COLUMN t%s.c IS %L\', i, repeat(\'x\', 100));
			EXECUTE format(\'ALTER TABLE t%s ALTER c SET DEFAULT %L\', i, repeat(\'x\', 9000));
		END LOOP; END$$');
	my $log = $pair->fails_like(1, qr/has \d+ bytes of schema changes without a row between them/,
		'it stops', 'follow', '--memory=4MB', '--endpos=' . $pair->source_lsn);
	my ($memory) = $log =~ /Follow with more of it: "penstock follow --memory=(\d+)MB /;
	$pair->run('follow', '--memory=' . ($memory - 2) . 'MB', '--endpos=' . $pair->source_lsn);
	is($pair->target_sql("SELECT count(*) FROM pg_class WHERE relname ~ '^t\\d+\$'"), 0, 'less is not enough');
	$pair->run_or_die('follow', "--memory=${memory}MB", '--endpos=' . $pair->source_lsn);
	$pair->equal_ok('with more of it');
	is($pair->target_sql("SELECT count(*) FROM pg_class WHERE relname ~ '^t\\d+\$'"),
		300, 'all tables are there');
};

# Not every change locks its object: each definition has what both have done.
subtest 'two transactions change the same objects' => sub {
	for my $mode ([], [ '--apply=transaction', '--lanes=4' ])
	{
		my $pair = cloned('both' . @$mode, <<'SQL', '--ddl=follow', @$mode);
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN size AS integer CONSTRAINT above CHECK (VALUE > 0);
CREATE TABLE p (id integer, s size, m mood) PARTITION BY RANGE (id);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE INDEX i ON q (id) WITH (fillfactor = 50);
CREATE SCHEMA before; CREATE TABLE before.t (id integer PRIMARY KEY);
SQL
		my $session = Penstock::Session->new($pair->source, $pair->name);
		my $follower = $pair->start('follow', @$mode);

		$session->run('BEGIN', 'INSERT INTO q VALUES (1, 1, \'a\')',
			'ALTER TABLE p DETACH PARTITION q', 'INSERT INTO q VALUES (2, 2, \'b\')');
		$pair->source_sql('ALTER INDEX i RESET (fillfactor)');
		$session->run('INSERT INTO q VALUES (20, 20, \'a\')', 'COMMIT');
		$pair->wait_caught_up($follower);
		$pair->equal_ok("a table and its index (@$mode)");

		$session->run('BEGIN', 'INSERT INTO before.t VALUES (1)',
			'ALTER TABLE before.t ADD n integer', 'INSERT INTO before.t VALUES (2, 2)');
		$pair->source_sql('ALTER SCHEMA before RENAME TO later');
		$session->run('INSERT INTO later.t VALUES (3, 3)', 'COMMIT', 'BEGIN',
			'INSERT INTO later.t VALUES (4, 4)');
		$pair->source_sql('ALTER SCHEMA later RENAME TO last');
		$session->run('COMMIT');
		$pair->wait_caught_up($follower);
		$pair->equal_ok('a table and its schema');

		$session->run('BEGIN', 'ALTER TYPE mood RENAME VALUE \'a\' TO \'mine\'',
			'INSERT INTO q VALUES (3, 3, \'mine\')', 'ALTER DOMAIN size SET NOT NULL');
		$pair->source_sql('ALTER TYPE mood RENAME TO temper;
			ALTER DOMAIN size DROP CONSTRAINT above');
		$session->run('INSERT INTO q VALUES (5, -5, \'mine\')', 'COMMIT');
		$session->end;
		$pair->wait_caught_up($follower);
		$pair->stop_ok($follower);
		$pair->equal_ok('types');
		is($pair->target_sql('SELECT typname, typnotnull, (SELECT count(*) FROM pg_constraint
				WHERE contypid = t.oid AND contype = \'c\'), (SELECT string_agg(enumlabel, \' \'
				ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)
			FROM pg_type t WHERE typname IN (\'size\', \'temper\', \'mood\') ORDER BY 1'),
			"size|t|0|\ntemper|f|0|mine b", 'what they are');
		is($pair->target_sql('SELECT reloptions IS NULL FROM pg_class WHERE relname = \'i\''),
			't', 'what the index is');
	}
};

# Writing a partition does not lock what it belongs to, once a server process
# knows the partition.
subtest 'partitioned tables exchange their names' => sub {
	my $pair = cloned('roots', <<'SQL', '--ddl=follow');
ALTER PUBLICATION roots SET (publish_via_partition_root);
CREATE TABLE one (id integer) PARTITION BY LIST (id);
CREATE TABLE one1 PARTITION OF one FOR VALUES IN (1);
CREATE TABLE two (id integer) PARTITION BY LIST (id);
CREATE TABLE two1 PARTITION OF two FOR VALUES IN (1, 2);
SQL
	my $session = Penstock::Session->new($pair->source, $pair->name);

	$session->run('INSERT INTO one1 VALUES (1)', 'INSERT INTO two1 VALUES (2)',
		'BEGIN', 'INSERT INTO one1 VALUES (1)');
	$pair->source_sql('ALTER TABLE one RENAME TO x; ALTER TABLE two RENAME TO one;
		ALTER TABLE x RENAME TO two');
	$session->end('COMMIT');
	$pair->follow_to_end;
	$pair->equal_ok('rows are where they belong');
	is($pair->target_sql('SELECT count(*) FROM two'), 2, 'and not under the old name');
};

# A label's name changes hands while rows with it are on their way, in every kind of
# value.  What is applied while open is on the target under the old names.
subtest 'tables whose row types others use, dropped together' => sub {
	my $pair = cloned('row_types', <<'SQL');
CREATE TABLE a (i int, t text);
CREATE TABLE b (x int, y text, CHECK ((x, y)::a = (1, '42')::a));
CREATE TABLE c (a a, b b[]);
CREATE TABLE parted (a a, n int) PARTITION BY LIST (n);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
SQL

	$pair->source_sql('DROP TABLE a, b, c, parted');
	$pair->follow_to_end;
	is($pair->target_sql("SELECT count(*) FROM pg_class
		WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
		  AND relname <> 'mark'"), 0, 'all are gone');
};

subtest 'labels get other names' => sub {
	for my $mode ([], [ '--apply=transaction', '--lanes=4' ])
	{
		my $pair = cloned('labels' . @$mode, <<'SQL', '--ddl=follow', @$mode);
CREATE TYPE mood AS ENUM ('a', 'b', 'c');
CREATE DOMAIN tamed AS mood;
CREATE TYPE pair AS (m mood, n integer);
CREATE TABLE t (id integer PRIMARY KEY, m mood, l tamed[], p pair);
SQL
		my $session = Penstock::Session->new($pair->source, $pair->name);
		my $rows = 'INSERT INTO t SELECT i, \'%s\', ARRAY[\'%s\', \'c\']::tamed[], ROW(\'%s\'::mood, i)::pair
			FROM generate_series';
		(my $renamed = $rows) =~ s/::mood/::temper/;
		my $swap = 'ALTER TYPE mood RENAME VALUE \'a\' TO \'x\';
			ALTER TYPE mood RENAME VALUE \'b\' TO \'a\';
			ALTER TYPE mood RENAME VALUE \'x\' TO \'b\'';
		my $follower = $pair->start('follow', '--streaming=on', '--memory=4MB', @$mode);

		$session->run('BEGIN', sprintf("$rows(1, 5) i", ('a') x 3));
		$pair->source_sql($swap);
		$session->run(sprintf("$rows(6, 10) i", ('a') x 3), 'COMMIT');
		$pair->wait_caught_up($follower);
		$pair->equal_ok("one transaction (@$mode)");

		$session->run('BEGIN', sprintf("$rows(11, 9000) i", ('b') x 3));
		$pair->source_sql("BEGIN; $swap; INSERT INTO t (id, m) VALUES (100001, 'a'); COMMIT");
		$pair->source_sql($swap) for 1 .. 2;
		$session->run(sprintf("$rows(10001, 19000) i", ('a') x 3), 'COMMIT');
		$pair->wait_caught_up($follower);
		$pair->equal_ok('a large one');

		$session->run('BEGIN', sprintf("$rows(20001, 20005) i", ('a') x 3),
			'ALTER TYPE mood RENAME TO temper');
		$pair->stop_ok($follower);
		$session->run('ALTER TYPE temper RENAME VALUE \'a\' TO \'mine\'',
			sprintf("$renamed(20006, 20010) i", ('mine') x 3), 'COMMIT');
		$session->end;
		$pair->follow_to_end;
		$pair->equal_ok('names that the transaction gives');
	}
};

# Rows come in the transaction that renames it, and the list of what was copied
# follows.
subtest 'a schema gets another name' => sub {
	my $pair = cloned('schemas', <<'SQL', '--ddl=follow');
CREATE SCHEMA a; CREATE TABLE a.t (id integer PRIMARY KEY);
CREATE SCHEMA other; CREATE TABLE other.t (id integer PRIMARY KEY, o text);
SQL
	my $oids = $pair->source_sql('SELECT \'a.t\'::regclass::oid, \'other.t\'::regclass::oid');
	my ($first, $second) = split /\|/, $oids;

	$pair->source_sql('BEGIN; ALTER SCHEMA a RENAME TO b; INSERT INTO b.t VALUES (1); COMMIT');
	$pair->follow_to_end;
	$pair->source_sql('BEGIN; ALTER SCHEMA other RENAME TO a; INSERT INTO a.t VALUES (7);
		INSERT INTO b.t VALUES (2); COMMIT');
	$pair->source_sql('BEGIN; ALTER TABLE a.t ADD n integer; INSERT INTO a.t VALUES (8); COMMIT');
	$pair->follow_to_end;
	$pair->equal_ok('rows of tables whose names have changed hands');
	is($pair->target_sql('SELECT schema_name, table_name, source_oid, copied
			FROM penstock.copied WHERE table_name = \'t\' ORDER BY 1'),
		"a|t|$second|t\nb|t|$first|t", 'the list of tables has the names');

	# Of a table that was dropped when schema changes were not followed.
	$pair->target_sql('INSERT INTO penstock.copied
		SELECT pipeline, \'b\', \'u\', 1, true, 0 FROM penstock.copied LIMIT 1');
	$pair->source_sql('BEGIN; ALTER TABLE b.t RENAME TO u; INSERT INTO b.u VALUES (9); COMMIT');
	$pair->follow_to_end;
	$pair->equal_ok('a name that the list has for another table');

	# What is known of a default has the names from before.
	$pair->source_sql('CREATE SCHEMA c; CREATE TABLE c.numbered (id serial PRIMARY KEY, n serial)');
	$pair->source_sql('ALTER SCHEMA c RENAME TO d; ALTER SEQUENCE d.numbered_n_seq RENAME TO numbers');
	$pair->follow_to_end;
	$pair->source_sql('DROP SEQUENCE d.numbers, d.numbered_id_seq CASCADE;
		INSERT INTO d.numbered VALUES (1, 1)');
	$pair->follow_to_end;
	$pair->equal_ok('sequences that are dropped under other names');
};

# The transaction in progress holds a lock that only the target knows of, and
# ends after the one that waits for it.
subtest 'rows after a schema change, beside a transaction in progress' => sub {
	plan(skip_all => 'sources before 14 do not send transactions in progress')
	  if $server->source_sql('SHOW server_version_num') < 140000;
	my $pair = cloned('beside', <<'SQL', '--ddl=follow');
CREATE TABLE big (id integer PRIMARY KEY, value integer);
CREATE TABLE other (id integer PRIMARY KEY);
INSERT INTO big SELECT n, n FROM generate_series(1, 5000) n;
SQL
	my $session = Penstock::Session->new($pair->source, $pair->name);

	$pair->target_sql('CREATE UNIQUE INDEX big_value ON big (value)');
	my $follower = $pair->start('follow', '--verbose');
	$follower->wait_log(qr/following with slot/);
	$session->run('BEGIN', 'UPDATE big SET value = -value WHERE id <= 4000');
	$follower->wait_log(qr/is applied to target while open/);
	$pair->wait_for_sql('target',
		'SELECT count(*) > 0 FROM pg_stat_activity
		  WHERE application_name LIKE \'penstock%\' AND backend_xid IS NOT NULL
		    AND state LIKE \'idle in transaction%\'');
	$pair->source_sql('BEGIN; ALTER TABLE other ADD n integer;
		UPDATE big SET value = -17 WHERE id = 5000; COMMIT');
	$pair->wait_for_sql('target', 'SELECT value = -17 FROM big WHERE id = 5000');
	pass('the rows come before the transaction in progress ends');
	like($follower->log, qr/Other transactions wait for its locks/, 'why is said');
	$session->end('UPDATE big SET value = -5000 WHERE id = 17', 'COMMIT');
	$pair->wait_caught_up($follower);
	$pair->stop_ok($follower);
	$pair->equal_ok('all rows');
};

subtest 'tables that are not published' => sub {
	my $pair = $server->with_database('named', publish => 'TABLE mark');

	$pair->source_sql('CREATE TABLE a (id integer PRIMARY KEY);
		CREATE TABLE other (id serial PRIMARY KEY);
		CREATE TABLE b (id integer PRIMARY KEY);
		ALTER PUBLICATION named ADD TABLE a, b');
	$pair->clone('--ddl=follow');
	$pair->source_sql('BEGIN; ALTER TABLE a ADD n integer; INSERT INTO a VALUES (1, 1);
		CREATE TABLE c (id serial PRIMARY KEY); INSERT INTO c DEFAULT VALUES;
		ALTER TABLE other ADD n integer; ALTER TABLE b RENAME TO bb;
		INSERT INTO bb VALUES (1); COMMIT;
		CREATE TABLE d (id integer PRIMARY KEY); ALTER PUBLICATION named ADD TABLE d;
		ALTER TABLE d ADD n integer; ALTER TABLE other DROP n; DROP TABLE c');
	my ($status, $output, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'it goes on');
	like($log, qr/info apply: transaction .* has changed table "public"\."$_", which is left out/,
		"$_ is left out, and that is said") for qw(c other);
	is($pair->target_sql("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
			WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace"),
		'a bb d mark mark_number_seq', 'the target has what is published');
	is($pair->target_sql('SELECT * FROM a'), '1|1', 'and its rows');
};

subtest 'a partitioned table with foreign keys becomes a partition' => sub {
	my $pair = cloned('attached', <<'SQL', '--ddl=follow');
CREATE TABLE key (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE root (a integer, b integer, FOREIGN KEY (a, b) REFERENCES key)
	PARTITION BY RANGE (a);
SQL

	$pair->source_sql('BEGIN; CREATE TABLE part (b integer, a integer) PARTITION BY HASH (a);
		CREATE TABLE part_0 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE part_1 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		ALTER TABLE root ATTACH PARTITION part FOR VALUES FROM (0) TO (100); COMMIT;
		INSERT INTO key VALUES (1, 2), (3, 4); INSERT INTO root VALUES (1, 2), (3, 4)');
	$pair->follow_to_end;
	$pair->equal_ok('at once');
	$pair->source_sql('CREATE TABLE more (b integer, a integer) PARTITION BY HASH (a);
		CREATE TABLE more_0 PARTITION OF more FOR VALUES WITH (MODULUS 1, REMAINDER 0)
			PARTITION BY LIST (b);
		CREATE TABLE more_0_1 PARTITION OF more_0 DEFAULT');
	$pair->source_sql('ALTER TABLE root ATTACH PARTITION more FOR VALUES FROM (100) TO (200);
		INSERT INTO key VALUES (101, 2); INSERT INTO root VALUES (101, 2)');
	$pair->follow_to_end;
	$pair->equal_ok('one that was there');
	my ($status, $output) = $pair->run('schema', 'diff');
	is($status, 0, 'the schemas are equal') or diag($output);
};

subtest 'a table becomes a view' => sub {
	plan skip_all => 'since version 16 a table cannot become a view'
	  if $server->source->pg_version >= 16;
	my $pair = $server->with_database('becomes_view');

	$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY);
		CREATE TABLE later (id integer, v integer)');
	$pair->clone;
	$pair->source_sql('CREATE RULE "_RETURN" AS ON SELECT TO later DO INSTEAD
			SELECT id, id AS v FROM t;
		INSERT INTO t VALUES (1)');
	my (undef, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	like($log, qr/changed view public.later/, 'the view is said');
	is($pair->target_sql("SELECT to_regclass('later')"), '', 'the table is gone');
	$pair->source_sql('DROP VIEW later; CREATE TABLE later (id integer PRIMARY KEY);
		INSERT INTO later VALUES (7)');
	$pair->follow_to_end;
	$pair->equal_ok('its name is used again');
};

subtest 'what is not done' => sub {
	my $pair = cloned('undone', 'CREATE TABLE t (id integer PRIMARY KEY)',
		'--ddl=follow');

	$pair->source_sql('CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS \'SELECT 1\';
		CREATE VIEW v AS SELECT * FROM t; CREATE ROLE undone_1; GRANT SELECT ON t TO undone_1');
	$pair->source_sql('DO $$BEGIN FOR i IN 1 .. 50 LOOP
			EXECUTE format(\'CREATE FUNCTION g%s() RETURNS integer
				LANGUAGE sql AS $q$ SELECT 1 $q$\', i); END LOOP; END$$');
	my ($status, $output, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, 0, 'it goes on');
	like($log, qr/warning apply: transaction \d+ at [0-9A-F\/]+ has changed .*$_.*; that is not done on target$/m,
		"a warning names $_") for 'f\(', 'v', 't';
	is(scalar(() = $log =~ /warning apply: .*has changed .*g\d+\(.*that is not done/g), 10,
		'of many, ten are warned of');
	is(scalar(() = $log =~ /info apply: .*has changed .*g\d+\(.*that is not done/g), 40,
		'and the others named');
	like($log, qr/has changed 40 more/, 'and counted');

	$pair->source_sql('CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS \'SELECT 2\';
		CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS \'BEGIN RETURN new; END\'');
	$pair->follow_to_end('--set', '--on-ddl=other.public.t:stop', '--on-ddl=other.public.v:stop', '--on-ddl=other.public.f:off');
	for (['CREATE TRIGGER nothing BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing()', qr/trigger nothing on table public\.t/],
		['COMMENT ON COLUMN t.id IS \'x\'', qr/the comment of column id of table public\.t/],
		['GRANT SELECT ON v TO undone_1', qr/the privileges of view public\.v/])
	{
		my ($sql, $said) = @$_;
		$pair->source_sql($sql);
		$pair->fails_like(1, qr/has changed $said, which is not followed.*follow --set --on-ddl=other:off/s, "a rule stops at: $sql",
			'follow', '--endpos=' . $pair->source_lsn);
		$pair->follow_to_end('--set', '--on-ddl=other:off');
		$pair->follow_to_end('--set', '--on-ddl=other.public.t:stop', '--on-ddl=other.public.v:stop');
	}
};

subtest 'nodes' => sub {
	my $nodes = Penstock::Nodes->new(
		pair => $server->with_database('spread'), count => 2,
		placement => [
			'public.orders = hash(customer)', 'public.nothing = none',
			'public.mark = all', 'public.new_* = all'
		]);
	my $pair = $nodes->pair;

	$pair->source_sql('CREATE TABLE orders (id integer, customer integer, n integer,
			PRIMARY KEY (id, customer));
		CREATE TABLE nothing (id integer PRIMARY KEY, c text);
		INSERT INTO orders SELECT i, i % 17, i FROM generate_series(1, 1000) i');
	$nodes->run_or_die('clone', '--ddl=follow');
	my $proxy = Penstock::Proxy->start($pair->target);
	$nodes->set_conninfo(b => $proxy->conninfo('node_b'));
	my $follower = $nodes->start('follow');
	$pair->wait_caught_up($follower);
	$proxy->stop;
	$pair->source_sql('BEGIN; ALTER TABLE orders ADD a integer DEFAULT 7;
		INSERT INTO orders SELECT i, i % 17, i FROM generate_series(1001, 1100) i;
		ALTER TABLE orders ALTER n TYPE text USING (n * 2)::text;
		INSERT INTO orders SELECT i, i % 17, i FROM generate_series(1101, 1150) i;
		ALTER TABLE nothing ALTER c TYPE integer USING c::integer;
		CREATE TABLE new_one (id integer PRIMARY KEY); INSERT INTO new_one VALUES (1);
		COMMIT');
	$follower->wait_log(qr/target "b" is unreachable: the others go on/);
	$nodes->set_conninfo(b => undef);
	$follower->end('TERM');
	$nodes->run_or_die('follow', '--endpos=' . $nodes->source_lsn);
	$nodes->spread_ok('after a rewrite', orders => 'customer');
	$nodes->copied_ok('a new table', 'new_one', qw(a b));
	is($nodes->node_sql('a', $_), $nodes->node_sql('b', $_), 'at the same LSN')
	  for 'SELECT catalog, source_oid, from_lsn, definition FROM penstock.definition
		WHERE to_lsn IS NULL ORDER BY 1, 2';

	$follower = $nodes->start('follow');
	$pair->wait_caught_up($follower);
	$pair->source_sql('BEGIN; CREATE TABLE more (id integer PRIMARY KEY);
		INSERT INTO more SELECT generate_series(1, 100); COMMIT');
	is($follower->wait_exit, 1, 'a table that no line places stops it');
	like($follower->log, qr/"public"\."more" is not placed\n.*Write a line ".*more.* = /,
		'with the line to write');
	$nodes->configure(placement =>
		[ @{ $nodes->{option}{placement} }, 'public.more = hash(id)' ]);
	$nodes->run_or_die('follow', '--endpos=' . $nodes->source_lsn);
	$nodes->spread_ok('a table with a new line', more => 'id');
};

done_testing();
