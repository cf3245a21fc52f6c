# Two databases that feed each other, each leaving out what came from the other
# (--origin=none): copies, and what empties tables for them, must not go back.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Process;

my $KILLED = 128 + 9;
my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

# On the target as on the source: it is one too.
my $pair = Penstock::Pair->new;

both_ways();
whatever_writes();
quiet_logs();
several_nodes();
no_room();
plain_role();
done_testing();


# ---- A pipeline the other way round ----

# Options of a command that goes from the pair's target to its source.
sub back
{
	my ($db) = @_;

	return (
		'--source=' . $db->target->connstr($db->name),
		'--target=' . $db->source->connstr($db->name),
		'--name=' . $db->name . '_back',
		'--publications=' . $db->name);
}

# To its end; dies if it fails.
sub run_back
{
	my ($db, $verb, @options) = @_;
	my $process = Penstock::Process->start(
		name => "back_$verb",
		command => [ $ENV{PENSTOCK_BIN}, $verb, back($db), @options ]);
	my $status = $process->wait_exit;

	die "penstock $verb ended with status $status:\n" . $process->log
	  if $status != 0;
	return $process->log;
}

sub follow_back
{
	my ($db) = @_;

	run_back($db, 'follow', '--origin=none',
		'--endpos=' . $db->target_sql('SELECT pg_current_wal_lsn()'));
}

sub rows
{
	my ($db, $table) = @_;

	return join ' ', map {
		$_->safe_psql($db->name, "SELECT count(*) FROM $table")
	} $db->source, $db->target;
}

sub both_ways
{
	my $db = $pair->with_database('ways');

	# The way back first; it has nothing to copy yet.
	$db->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
	$db->both_sql('CREATE TABLE keyless (n int);
		CREATE TABLE t (id int PRIMARY KEY, side text)');
	$db->target_sql('CREATE PUBLICATION ways FOR ALL TABLES');
	run_back($db, 'clone', '--data-only');
	$db->source_sql("INSERT INTO keyless SELECT generate_series(1, 100);
		INSERT INTO t SELECT n, 'there' FROM generate_series(1, 200) n");

	$db->clone('--data-only', '--origin=none');
	follow_back($db);
	is(rows($db, 'keyless'), '100 100', 'a copy does not go back');
	is(rows($db, 't'), '200 200', 'neither do rows with a key');

	$db->target_sql(
		"INSERT INTO t SELECT n, 'here' FROM generate_series(201, 400) n");
	follow_back($db);
	$db->follow_to_end('--origin=none');
	is(rows($db, 't'), '400 400', 'what is changed there does');
	$db->run_or_die('table', 'resync', '--origin=none', 'public.t');
	follow_back($db);
	$db->follow_to_end('--origin=none');
	is(rows($db, 't'), '400 400', 'a table that is copied anew stays here too');
	$db->equal_ok('both ways');
}


# ---- All that writes ----

# Whoever reads his servers' logs finds no error of ours.
sub quiet_logs
{
	my $db = $pair->with_database('quiet');
	my %start = map { $_ => -s $db->$_->logfile } qw(source target);

	$db->source_sql("CREATE TABLE t$_ (id int PRIMARY KEY, v text);
		INSERT INTO t$_ SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) n;
		CREATE INDEX ON t$_ (v)") for 1 .. 6;
	$db->source_sql('ALTER TABLE t1 ADD FOREIGN KEY (id) REFERENCES t2');
	$db->clone('--jobs=4');
	is(errors_since($db->$_, $start{$_}), '', "a clone leaves no error at the $_")
	  for qw(source target);
	$db->follow_to_end('--apply=transaction', '--lanes=4');
	$db->run_or_die('table', 'resync', '--jobs=4', 't3');
	$db->follow_to_end;
	is(errors_since($db->target, $start{target}), '', 'what follows it leaves none either');
	$db->run_or_die('drop');
}

sub errors_since
{
	my ($server, $offset) = @_;
	my $log = slurp_file($server->logfile, $offset);

	return join "\n", $log =~ /^.*(?:ERROR|FATAL|PANIC): .*$/mg;
}

# A slot of the target's that decodes what has no origin must find no change of
# a user's table, whatever was done.
sub local_changes
{
	my ($db) = @_;

	return $db->target_sql("SELECT string_agg(data, E'\\n')
		FROM pg_logical_slot_get_changes('local', NULL, NULL,
			'only-local', 'on', 'skip-empty-xacts', 'on')
		WHERE data LIKE 'table public.%'");
}

sub dies_at
{
	my ($db, $point, @options) = @_;
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = $point;
	my ($status, undef, $log) = $db->run('clone', @options);

	is($status, $KILLED, "a clone dies at $point") or diag($log);
}

sub whatever_writes
{
	my $db = $pair->with_database('writes');

	$db->source_sql(<<'END');
CREATE TABLE parent (id int PRIMARY KEY, note text);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
CREATE TABLE split (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE split_low PARTITION OF split FOR VALUES FROM (0) TO (50);
CREATE TABLE split_high PARTITION OF split FOR VALUES FROM (50) TO (200);
CREATE MATERIALIZED VIEW parents AS SELECT count(*) FROM parent;
INSERT INTO parent SELECT n, repeat('x', 2000) FROM generate_series(1, 20000) n;
INSERT INTO child SELECT n, n FROM generate_series(1, 100) n;
INSERT INTO split SELECT generate_series(1, 100);
END
	$db->target_sql(
		"SELECT pg_create_logical_replication_slot('local', 'test_decoding')");
	dies_at($db, 'clone.after_mark:2', '--jobs=3');
	is(local_changes($db), '', 'a clone that is interrupted');
	$db->clone('--resume', '--jobs=3');
	is(local_changes($db), '', 'one that is resumed');
	$db->source_sql('UPDATE child SET id = -id');
	$db->follow_to_end;
	is(local_changes($db), '', 'what is followed');
	$db->run_or_die('table', 'resync', 'parent', 'split');
	$db->follow_to_end;
	is(local_changes($db), '', 'a table that others refer to, copied anew');
	$db->run_or_die('table', 'pause', '--keep', 'child');
	$db->source_sql('UPDATE child SET id = -id');
	$db->run_or_die('table', 'resume', 'child');
	$db->follow_to_end;
	is(local_changes($db), '', 'a table that was paused');
	$db->equal_ok('all of it');
	is( $db->target_sql('SELECT count(*) FROM pg_replication_origin'
			  . " WHERE roname LIKE 'penstock\\_writes%/%'"),
		($ENV{PENSTOCK_LANES} // 1) - 1,
		'no origin is left of what copied, but those of lanes');
	$db->run_or_die('drop');

	# Data alone, into tables that are there, and thrown away again.
	$db->target_sql('TRUNCATE parent, child, split, mark');
	local_changes($db);
	dies_at($db, 'clone.after_mark:2', '--data-only', '--jobs=1');
	$db->clone('--data-only', '--restart');
	is(local_changes($db), '', 'a copy that is thrown away and made again');
	$db->follow_to_end;
	$db->equal_ok('again all of it');
	$db->run_or_die('drop');
	$db->target_sql("SELECT pg_drop_replication_slot('local')");
}

# Rows that are spread over nodes.
sub several_nodes
{
	my $db = $pair->with_database('spread');
	my $file = "$ENV{TESTDATADIR}/spread.ini";

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	$db->source_sql('INSERT INTO t SELECT generate_series(1, 100)');
	$db->target_sql(
		"SELECT pg_create_logical_replication_slot('local', 'test_decoding')");
	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle "[penstock]\nname = spread\n[source]\nconninfo = "
	  . $db->conninfo('source') . "\n[target a]\nconninfo = "
	  . $db->conninfo('target')
	  . "\n[placement]\npublic.t = hash(id)\n* = all\n";
	close $handle or die "could not write \"$file\": $!\n";
	my $process = Penstock::Process->start(
		name => 'spread',
		command => [ $ENV{PENSTOCK_BIN}, 'clone', "--config=$file" ]);
	is($process->wait_exit, 0, 'rows are spread') or diag($process->log);
	is($db->target_sql('SELECT count(*) FROM t'), 100, 'they are there');
	is(local_changes($db), '', 'and are not local');
	$db->target_sql("SELECT pg_drop_replication_slot('local')");
}


# ---- Where there can be no mark, or only few ----

sub origins
{
	my ($count) = @_;

	return $pair->target_sql("SELECT pg_replication_origin_create('taken ' || n)
		FROM generate_series(1, $count) n");
}

# max_replication_slots is 20.  Places are taken by those that have been used.
sub no_room
{
	my $db = $pair->with_database('room');
	my $take = join ';', map {
		"SELECT pg_replication_origin_session_setup('taken $_');
		 SELECT pg_replication_origin_session_reset()"
	} 1 .. 20;

	$db->source_sql("CREATE TABLE t$_ (id int PRIMARY KEY);
		INSERT INTO t$_ SELECT generate_series(1, 1000)") for 1 .. 5;
	$db->target_sql(
		"SELECT pg_create_logical_replication_slot('room', 'test_decoding')");
	origins(20);
	$pair->target->psql('room', $take);
	my ($status, undef, $log) = $db->run('clone', '--jobs=4');
	is($status, 0, 'a clone without a place for an origin');
	like($log, qr/warning copy: what is copied to target has no mark/,
		'it is said, as a slot would send the rows on');
	$db->run_or_die('drop');
	$db->target_sql("SELECT pg_replication_origin_drop('taken ' || n)
		FROM generate_series(1, 20) n WHERE n % 7 = 1");
	$db->target_sql('TRUNCATE t1, t2, t3, t4, t5, mark');
	$db->target_sql("SELECT count(*)
		FROM pg_logical_slot_get_changes('room', NULL, NULL)");
	($status, undef, $log) = $db->run('clone', '--data-only', '--jobs=4');
	is($status, 0, 'a clone with places for few');
	like($log, qr/warning copy: copying with 2 connections/,
		'it makes do with as many connections');
	is( $db->target_sql("SELECT count(*)
			FROM pg_logical_slot_get_changes('room', NULL, NULL,
				'only-local', 'on') WHERE data LIKE 'table public.%'"),
		0, 'all that is copied is marked');
	$db->target_sql("SELECT pg_drop_replication_slot('room')");
	$db->target_sql('SELECT pg_replication_origin_drop(roname)
		FROM pg_replication_origin');
}

sub plain_role
{
	my $db = $pair->with_database('plain');

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	$db->source_sql('INSERT INTO t SELECT generate_series(1, 100)');
	$db->clone('--schema-only');
	$db->target->safe_psql('postgres',
		'CREATE ROLE plain LOGIN; ALTER DATABASE plain OWNER TO plain');
	$db->target_sql('GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;
		GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain');
	$db->set_conninfo('target', $db->target->connstr('plain') . ' user=plain');
	my ($status, undef, $log) = $db->run('clone', '--data-only');
	is($status, 0, 'a role that may not set an origin copies');
	like($log, qr/info copy: what is copied to target has no mark/,
		'it is said, though nobody reads there');
}
