# What prevents a clone is reported before anything is written, and what stops a
# clone half way is reported with what can be done about it.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Process;

my $pair = Penstock::Pair->new;

$pair->source_sql(<<'END');
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good');
CREATE TABLE app.rows (id int PRIMARY KEY, mood app.mood, filler text);
INSERT INTO app.rows SELECT n, 'good', repeat('x', 100) FROM generate_series(1, 2000) n;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
CREATE SEQUENCE numbers;
END

# A target that is not empty.
in_the_way('CREATE TYPE app.mood AS ENUM (); CREATE FUNCTION twice(int) RETURNS int'
	  . " LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE numbers",
	qr/target already has some of what is to be created.*In the way: function public\.twice\(integer\), schema app, sequence public\.numbers, type app\.mood\..*--data-only/s,
	'objects that would be created');
in_the_way('CREATE TABLE app.rows (id int)',
	qr/table "app"\."rows" is already on target.*--data-only/s,
	'a table that would be created');
in_the_way('DROP SCHEMA app; SELECT lo_create(0)', qr/target already has large objects.*There are 1\./s,
	'large objects');
$pair->recreate_target;
$pair->target_sql('CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM (\'good\');'
	  . ' CREATE TABLE app.rows (id int PRIMARY KEY, mood app.mood, filler text);'
	  . ' CREATE TABLE mark (number bigint PRIMARY KEY); INSERT INTO mark VALUES (1)');
$pair->fails_like(1, qr/table "public"\."mark" on target is not empty.*TRUNCATE/s,
	'rows in a table that is to be filled', 'clone', '--data-only');
nothing_left();
$pair->target_sql('TRUNCATE mark; CREATE TABLE unrelated (a int)');
$pair->clone('--data-only');
is($pair->target_sql('SELECT count(*) FROM app.rows'),
	2000, '--data-only copies into tables that are there');
forget();

# An extension that the target does not have: its name is one that no server has.
$pair->recreate_target;
$pair->source_sql(<<'END');
CREATE EXTENSION hstore;
SET allow_system_table_mods = on;
UPDATE pg_extension SET extname = 'rare' WHERE extname = 'hstore';
END
$pair->fails_like(1,
	qr/extensions are not available on target: rare\n.*pg_available_extensions/s,
	'a missing extension', 'clone');
nothing_left();
$pair->source_sql(<<'END');
SET allow_system_table_mods = on;
UPDATE pg_extension SET extname = 'hstore' WHERE extname = 'rare';
END

# A role that may not read.
$pair->$_->safe_psql('postgres', 'CREATE ROLE limited LOGIN REPLICATION')
  for qw(source target);
$pair->source_sql('GRANT SELECT ON mark TO limited');
$pair->set_conninfo('source', $pair->source->connstr($pair->name) . ' user=limited');
$pair->fails_like(1,
	qr/user "limited" may not read all tables on source.*These: app\.rows\..*GRANT SELECT ON ALL TABLES IN SCHEMA app TO limited/s,
	'a role that may not read a table', 'clone');
nothing_left();
$pair->source_sql('GRANT USAGE ON SCHEMA app TO limited; GRANT SELECT ON app.rows TO limited;'
	  . ' ALTER TABLE app.rows ENABLE ROW LEVEL SECURITY');
$pair->fails_like(1, qr/These: app\.rows\..*BYPASSRLS/s,
	'a role to which row security hides rows', 'clone');
nothing_left();
$pair->source_sql('ALTER TABLE app.rows DISABLE ROW LEVEL SECURITY');
$pair->set_conninfo('source', undef);

# The target's disk is full in the middle of it.
$pair->recreate_target;
$pair->run_or_die('clone', '--schema-only');
$pair->target_sql(<<'END');
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id = 1500 THEN
		RAISE 'could not extend file' USING ERRCODE = 'disk_full';
	END IF;
	RETURN NEW;
END$$;
CREATE TRIGGER fill BEFORE INSERT ON app.rows FOR EACH ROW EXECUTE FUNCTION fill();
ALTER TABLE app.rows ENABLE ALWAYS TRIGGER fill;
END
$pair->fails_like(1,
	qr/could not extend file \(SQLSTATE 53100\).*copying table "app"\."rows"/s,
	'a full disk', 'clone', '--data-only', '--jobs=1');
nothing_left();
$pair->target_sql('DROP TRIGGER fill ON app.rows');
$pair->run_or_die('clone', '--data-only');
is($pair->target_sql('SELECT count(*) FROM app.rows'),
	2000, 'with more room it is done');
forget();

# A table that is dropped while it is copied: its rows come first.  Whether the
# drop has to wait for that depends on how much the socket holds.
$pair->target_sql('TRUNCATE app.rows, mark');
my $blocker = $pair->target->background_psql($pair->name);
$blocker->query_safe('BEGIN; LOCK TABLE app.rows IN SHARE MODE');
my $clone = $pair->start('clone', '--data-only');
$pair->wait_for_sql('target',
	"SELECT count(*) > 0 FROM pg_locks WHERE NOT granted");
my $drop = Penstock::Process->start(
	name => 'psql',
	command => [
		'psql', '--no-psqlrc', '--command=DROP TABLE app.rows',
		$pair->source->connstr($pair->name)
	]);
$pair->wait_for_sql('source', <<'END');
SELECT to_regclass('app.rows') IS NULL OR EXISTS (SELECT FROM pg_locks
	WHERE NOT granted AND mode = 'AccessExclusiveLock')
END
$blocker->query_safe('COMMIT');
is($drop->wait_exit, 0, 'a table can be dropped when its rows have been read');
is($clone->wait_exit, 0, 'a clone of a table that is being dropped');
is($pair->target_sql('SELECT count(*) FROM app.rows'),
	2000, 'has its rows');
$blocker->quit;

done_testing();

# With these objects on the target a clone is refused.
sub in_the_way
{
	my ($sql, $message, $title) = @_;

	$pair->recreate_target;
	$pair->target_sql("CREATE SCHEMA app; $sql");
	$pair->fails_like(1, $message, "in the way: $title", 'clone');
	nothing_left();
}

sub nothing_left
{
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
		0, 'there is no slot');
	is($pair->target_sql(q(SELECT to_regnamespace('penstock') IS NULL)),
		't', 'nor anything of ours on the target');
}

sub forget
{
	$pair->target_sql('DROP SCHEMA IF EXISTS penstock CASCADE');
	$pair->source_sql('SELECT pg_drop_replication_slot(slot_name)
		FROM pg_replication_slots');
}
