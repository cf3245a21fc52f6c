# What somebody found who read all of the copying and of the commands once more:
# tables that change their shape or their kind while they are copied, values and
# keys that need more than pg_catalog, two clones at once, names that are cut.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

# It copies small tables in parts.
local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $FAILED = 1;

my $first = Penstock::Pair->new(source => ['max_replication_slots = 20']);

replaced_tables_have_their_indexes('replaced');
replaced_tables_have_their_indexes('replaced_ddl', '--ddl=follow');
unlogged_when_it_was_copied();
keys_that_need_other_operators();
settings_that_change_what_is_read();
two_at_once();
made_meanwhile();
ill_formed_connection_strings();
two_targets_of_an_ordinary_role();
unlogged_on_the_target();
emptied_under_keys_that_change_rows();
names_in_another_order();
done_testing();


# ---- Helpers ----

# Another database, in which big takes seconds at 1 MB/s, and is the first.
sub with_big
{
	my ($name, $sql) = @_;
	my $pair = $first->with_database($name);

	$pair->source_sql(<<'END');
CREATE TABLE big (id int PRIMARY KEY, v text NOT NULL);
INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 10000) i;
END
	$pair->source_sql($sql);
	return $pair;
}

# Until a part of the large table is copied.
sub wait_for_big
{
	my ($pair, $clone) = @_;

	$clone->wait_log(qr/copying \d+ tables?/);
	$pair->wait_for_sql('target', "SELECT parts_done > 0 FROM penstock.copy_table
		WHERE table_name = 'big'");
}


# ---- Cases ----

# What is built belongs to the table of that name, whichever it is by now.
sub replaced_tables_have_their_indexes
{
	my ($name, @options) = @_;
	my $pair = with_big($name, 'CREATE TABLE a (id int PRIMARY KEY, v int);
		CREATE INDEX a_v ON a (v);
		INSERT INTO a SELECT i, i FROM generate_series(1, 10) i;
		CREATE TABLE b (id int PRIMARY KEY, v int);
		CREATE INDEX b_v ON b (v)');
	my $indexes = "SELECT indexrelid::regclass, indisprimary FROM pg_index
		WHERE indrelid = ANY (ARRAY['a'::regclass, 'b']) ORDER BY indexrelid::regclass::text";
	my $clone = $pair->start('clone', '--max-rate=1MB/s', '--jobs=2', @options);

	wait_for_big($pair, $clone);
	$pair->source_sql('DROP TABLE a; CREATE TABLE a (id int PRIMARY KEY, v int);
		CREATE INDEX a_v ON a (v);
		INSERT INTO a SELECT i, i FROM generate_series(5, 20) i');
	$pair->source_sql('BEGIN; CREATE TABLE c (LIKE b INCLUDING ALL);
		DROP TABLE b; ALTER TABLE c RENAME TO b;
		ALTER INDEX c_pkey RENAME TO b_pkey; ALTER INDEX c_v_idx RENAME TO b_v;
		INSERT INTO b SELECT i, i FROM generate_series(5, 20) i; COMMIT');
	is($clone->wait_exit, 0, 'tables are replaced: the clone ends with status 0')
	  or diag($clone->log);
	is($pair->target_sql($indexes), $pair->source_sql($indexes),
		'a table that was replaced has its indexes');
	$pair->follow_to_end;
	$pair->equal_ok('replaced while another one was copied');
	return unless @options;
	$pair->source_sql('ALTER TABLE a ADD COLUMN w int DEFAULT 4; UPDATE a SET v = 0');
	$pair->follow_to_end;
	$pair->equal_ok('and altered when it had been copied');
}

# Changes before a table is logged are in no stream.
sub unlogged_when_it_was_copied
{
	my $pair = with_big('unlogged', 'CREATE UNLOGGED TABLE u (id int PRIMARY KEY,
		v text); INSERT INTO u SELECT i, repeat(\'u\', 1000)
		FROM generate_series(1, 10000) i');
	my $clone = $pair->start('clone', '--max-rate=2MB/s', '--jobs=1');

	$clone->wait_log(qr/copying \d+ tables?/);
	$pair->wait_for_sql('target', "SELECT finished_at IS NOT NULL
		FROM penstock.copy_table WHERE table_name = 'u'");
	$pair->source_sql('INSERT INTO u VALUES (20000, \'not in the log\')');
	$pair->source_sql('ALTER TABLE u SET LOGGED');
	is($clone->wait_exit, 0, 'the clone ends with status 0') or diag($clone->log);
	$pair->source_sql('INSERT INTO u VALUES (20001, \'in the log\')');
	$pair->fails_like($FAILED, qr/table "public"."u"/,
		'a table that was unlogged when it was copied is not followed',
		'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('ALTER TABLE u SET LOGGED');
	$pair->run_or_die('table', 'resync', 'public.u');
	$pair->follow_to_end;
	$pair->equal_ok('it is copied anew');

	# The same while no clone runs.
	unlogged_when_a_clone_was_killed($pair, 'of the whole database');
	# Without large objects the table is all that is left to be copied.
	unlogged_when_a_clone_was_killed($pair, 'of tables', '--table=public.*');
	# The target has that schema.
	unlogged_when_a_clone_was_killed($pair, 'of a schema', '--schema=public');
}

sub unlogged_when_a_clone_was_killed
{
	my ($pair, $what, @options) = @_;

	$pair->run_or_die('drop');
	$pair->recreate_target;
	$pair->source_sql('ALTER TABLE u SET UNLOGGED; DELETE FROM u WHERE id > 20001');
	{
		local $ENV{PENSTOCK_FAULT} = 'clone.built';
		isnt(($pair->run('clone', @options))[0], 0, "a clone $what is killed");
	}
	$pair->source_sql('INSERT INTO u VALUES (20002, \'not in the log\');
		ALTER TABLE u SET LOGGED; INSERT INTO u VALUES (20003, \'in the log\')');
	$pair->clone('--resume', @options);
	$pair->target_sql('ALTER TABLE u SET LOGGED');
	$pair->follow_to_end;
	$pair->equal_ok("a clone $what that goes on copies it again");
}

# Whether a key can be fulfilled is asked with the key's own operators.
sub keys_that_need_other_operators
{
	my $pair = $first->with_database('keys', publish => '');
	my $extensions = 'CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
		CREATE EXTENSION ltree SCHEMA ext';

	$pair->both_sql($extensions);
	$pair->source_sql("CREATE TABLE name (id ext.citext PRIMARY KEY, kept int);
		CREATE TABLE ref (id int PRIMARY KEY, name ext.citext REFERENCES name);
		INSERT INTO name VALUES ('Ann', 1), ('bob', 1), ('cid', 0);
		INSERT INTO ref VALUES (1, 'ann'), (2, 'BOB'), (3, NULL);
		CREATE TABLE path (id ext.ltree PRIMARY KEY, kept int);
		CREATE TABLE leaf (id int PRIMARY KEY, path ext.ltree REFERENCES path);
		INSERT INTO path VALUES ('a.b', 1), ('a.c', 0);
		INSERT INTO leaf VALUES (1, 'a.b');
		CREATE TABLE code (id text COLLATE \"C\" PRIMARY KEY, kept int);
		CREATE TABLE coded (id int PRIMARY KEY, code text REFERENCES code);
		INSERT INTO code VALUES ('x', 1), ('y', 0);
		INSERT INTO coded VALUES (1, 'x')");
	$pair->source_sql('CREATE PUBLICATION keys FOR TABLE mark, ref, leaf, coded,
		name WHERE (kept = 1), path WHERE (kept = 1), code WHERE (kept = 1)
		WITH (publish = insert)');
	$pair->clone;
	$pair->follow_to_end;
	is($pair->target_sql('SELECT (SELECT count(*) FROM name),
		(SELECT count(*) FROM path), (SELECT count(*) FROM code)'), '2|1|1',
		'keys of types that are not in pg_catalog, and of other collations');
	$pair->run_or_die('drop');
	$pair->recreate_target;
	$pair->target_sql($extensions);
	$pair->source_sql("INSERT INTO leaf VALUES (2, 'a.c')");
	$pair->fails_like($FAILED,
		qr/foreign key "leaf_path_fkey" of table "public"."leaf" cannot be fulfilled/,
		'one that cannot be fulfilled is found', 'clone');
}

# Settings of roles and databases that bend how values, and our own statements,
# are read.
sub settings_that_change_what_is_read
{
	my $pair = $first->with_database('settings');

	$pair->source_sql('CREATE DOMAIN word AS text;
		CREATE TABLE list (id int PRIMARY KEY, words word[]);
		INSERT INTO list VALUES (1, ARRAY[\'a\', NULL, \'NULL\', \'b\\c\'])');
	$pair->{$_}->safe_psql('postgres', 'ALTER DATABASE settings SET array_nulls = off;
		ALTER DATABASE settings SET standard_conforming_strings = off;
		ALTER DATABASE settings SET quote_all_identifiers = on') for qw(source target);
	my $list = 'SET array_nulls = on; SET standard_conforming_strings = on;
		SELECT id, array_position(words, NULL), words FROM list ORDER BY id';
	$pair->clone;
	$pair->source_sql('SET array_nulls = on; SET standard_conforming_strings = on;
		INSERT INTO list VALUES (2, ARRAY[\'a\', NULL, \'NULL\', \'b\\c\'])');
	$pair->follow_to_end;
	is($pair->target_sql($list), $pair->source_sql($list), 'arrays with nulls');
	$pair->fails_like($FAILED, qr/already (?:ends|on|has)/, 'what is in the way is seen',
		'clone', '--name=other', '--publications=settings');
}

# The second finds that it is, or that the first has begun; it takes nothing from
# the first.
sub two_at_once
{
	my $pair = $first->with_database('twins');

	$pair->source_sql('CREATE TABLE t AS SELECT generate_series(1, 10) id;
		ALTER TABLE t ADD PRIMARY KEY (id)');
	for my $round (1 .. 4)
	{
		my @clones = map { $pair->start('clone', '--jobs=1') } 1 .. 2;
		my @done = grep { $_->wait_exit == 0 } @clones;

		is(scalar @done, 1, 'one of two clones is the one');
		unlike($_->log, qr/duplicate key/, 'the other one says why it is not')
		  for @clones;
		like($pair->target_sql('SELECT options FROM penstock.pipeline'),
			qr/publications=twins/, 'what it was made with is remembered');
		$pair->follow_to_end;
		$pair->equal_ok('two clones at once');
		$pair->run_or_die('drop');
		$pair->recreate_target;
	}
}

# A command that waits for its turn to make our tables sees what was made while
# it waited.
sub made_meanwhile
{
	my $pair = $first->with_database('meanwhile');
	my $other = Penstock::Session->new($pair->target, $pair->name);

	$other->run('BEGIN', 'SELECT pg_advisory_xact_lock(8099000947049456491)');
	my $clone = $pair->start('clone');
	$pair->wait_for_sql('target', "SELECT count(*) > 0 FROM pg_locks
		WHERE locktype = 'advisory' AND NOT granted");
	$other->run('CREATE SCHEMA penstock', 'COMMIT');
	is($clone->wait_exit, 0, 'a schema that is made while a clone waits for its turn')
	  or diag($clone->log);
	$pair->follow_to_end;
	$pair->equal_ok('made meanwhile');
}

# What of them cannot be read may be the password.
sub ill_formed_connection_strings
{
	for my $conninfo ('postgresql://me:100%zzsecret@db/shop',
		'host=db password=my secret dbname=shop',
		'postgresql://me:secret@[::1]x/shop', 'host=db password=secret nonsense=1')
	{
		for my $verb (qw(clone check follow status))
		{
			my $process = Penstock::Process->start(
				name => $verb,
				command => [ $ENV{PENSTOCK_BIN}, $verb, "--source=$conninfo",
					'--target=' . $first->conninfo('target') ]);

			is($process->wait_exit, $FAILED, "$verb: an ill-formed connection string");
			unlike($process->log . $process->output, qr/secret/, 'is not shown');
			like($process->log . $process->output, qr/"\.\.\."/, 'but what is wrong with it');
		}
	}
}

# Whether two targets are one database can be asked by anybody.
sub two_targets_of_an_ordinary_role
{
	my $pair = $first->with_database('ordinary');
	my $server = $first->target;

	$pair->source_sql('CREATE TABLE t AS SELECT generate_series(1, 10) id;
		ALTER TABLE t ADD PRIMARY KEY (id)');
	$server->safe_psql('postgres', 'CREATE ROLE plain LOGIN');
	$server->safe_psql('postgres', "CREATE DATABASE $_ OWNER plain") for qw(one two);
	my @targets = map { $server->connstr($_) . ' user=plain' } qw(one two);

	$pair->set_conninfo('target', $targets[0]);
	$pair->fails_like($FAILED, qr/target 1 and target 2 are the same database/,
		'one database twice', 'clone', "--target=$targets[0]", '--no-owner', '--no-privileges');
	$pair->clone("--target=$targets[1]", '--no-owner', '--no-privileges');
	is($server->safe_psql($_, 'SELECT count(*) FROM t'), 10, "rows are in database $_")
	  for qw(one two);
}

# What its server forgets in a crash does not come again.
sub unlogged_on_the_target
{
	my $pair = $first->with_database('forgotten');
	my $tables = 'CREATE TABLE kept (id int PRIMARY KEY);
		CREATE UNLOGGED TABLE lost (id int PRIMARY KEY);
		CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE UNLOGGED TABLE part PARTITION OF root FOR VALUES FROM (0) TO (9);';

	$pair->source_sql($tables =~ s/UNLOGGED//gr);
	$pair->target_sql("$tables CREATE TABLE mark (number bigserial PRIMARY KEY)");
	my ($status, $output) = $pair->run('check', '--data-only');
	is($status, 0, 'unlogged tables of the target are no error');
	is(join(' ', sort $output =~ /fix: ALTER TABLE (\S+) SET LOGGED/g),
		'public.lost public.part', 'but they are told, with what fixes them');
}

# The rows of a table that is copied again may take others with them, where keys
# cannot be kept from firing.
sub emptied_under_keys_that_change_rows
{
	my $pair = $first->with_database('cascades');
	my $server = $first->target;
	my $tables = 'CREATE TABLE parent (id int PRIMARY KEY, v text);
		CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);';
	my $begun_again = "UPDATE penstock.copy_table SET finished_at = NULL WHERE table_name = 'parent'";
	my @clone = ('clone', '--data-only', '--jobs=1');

	$pair->source_sql("$tables INSERT INTO parent SELECT i, repeat('x', 500)
		FROM generate_series(1, 1000) i; INSERT INTO child VALUES (1, 1), (2, NULL)");
	$server->safe_psql('postgres', 'CREATE ROLE filler LOGIN; ALTER DATABASE cascades OWNER TO filler');
	$pair->target_sql("SET ROLE filler; $tables
		CREATE TABLE mark (number bigserial PRIMARY KEY)");
	$pair->set_conninfo('target', $server->connstr('cascades') . ' user=filler');
	{
		local $ENV{PENSTOCK_FAULT} = 'clone.before_progress';
		isnt(($pair->run(@clone))[0], 0, 'a clone is killed');
	}
	$pair->target_sql($begun_again);
	my $log = $pair->fails_like($FAILED,
		qr/table public.parent cannot be emptied .* change rows of other tables/,
		'what would change copied rows of others is not emptied', @clone, '--resume');
	like($log, qr/clone --restart/, 'it says what can be done');
	is($pair->target_sql('SELECT count(*) FROM child'), 2, 'these are there');
	is(($pair->run(@clone, '--restart'))[0], 0, 'all of it is copied again');
	$pair->equal_ok('copied again by a role that cannot keep keys from firing');

	# Who can has no such trouble.
	$pair->run_or_die('drop');
	$pair->target_sql('TRUNCATE parent, child, mark');
	$pair->set_conninfo('target', undef);
	{
		local $ENV{PENSTOCK_FAULT} = 'clone.before_progress';
		isnt(($pair->run(@clone))[0], 0, 'another one is killed');
	}
	$pair->target_sql($begun_again);
	$pair->clone('--data-only', '--resume');
	$pair->equal_ok('copied again by a role that can');
}

# The target sorts by the bytes of its own encoding.
sub names_in_another_order
{
	my $pair = $first->with_database('cyrillic');

	$first->$_->safe_psql('postgres', 'DROP DATABASE cyrillic') for qw(source target);
	$first->source->safe_psql('postgres', "CREATE DATABASE cyrillic
		TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
	$first->target->safe_psql('postgres', "CREATE DATABASE cyrillic
		TEMPLATE template0 ENCODING 'KOI8R' LOCALE 'C'");
	$pair->source_sql("SET client_encoding = 'UTF8';
		CREATE TABLE mark (number bigserial PRIMARY KEY);" . join '', map {
			"CREATE TABLE \"$_\" (id int PRIMARY KEY); INSERT INTO \"$_\" VALUES (1), (2);"
		} qw(а б в г д е ц ч ю я));
	$pair->source_sql('CREATE PUBLICATION cyrillic FOR ALL TABLES');
	$pair->clone('--jobs=1');
	is($pair->target_sql("SELECT sum(n_live) FROM (SELECT (xpath('/row/c/text()',
		query_to_xml(format('SELECT count(*) AS c FROM public.%I', relname), false, true, '')))[1]
		::text::int AS n_live FROM pg_class WHERE relnamespace = 'public'::regnamespace
		AND relkind = 'r') t"), 20, 'tables are found whatever sorts before what');
}
