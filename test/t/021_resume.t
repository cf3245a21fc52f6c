# A clone that was interrupted is resumed: what is finished stays, what is not is
# copied again, and following brings all tables to one position.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);
use Penstock::Process;

my $KILLED = 128 + 9;
my $FAILED = 1;
my $KILLS = 20;

my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $pair = Penstock::Pair->new;

# Kinds of objects that a resumed clone must neither lack nor make twice.
$pair->source_sql(<<'END');
CREATE SCHEMA extra;
CREATE TYPE extra.mood AS ENUM ('good', 'bad');
CREATE FUNCTION extra.twice(i int) RETURNS int LANGUAGE sql IMMUTABLE
	AS 'SELECT 2 * i';
CREATE FUNCTION extra.noted() RETURNS trigger LANGUAGE plpgsql
	AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE extra.kind (id serial PRIMARY KEY, m extra.mood,
	n int CHECK (extra.twice(n) > 0), UNIQUE (n));
INSERT INTO extra.kind (m, n) SELECT 'good', i FROM generate_series(1, 500) i;
CREATE TRIGGER noted BEFORE INSERT ON extra.kind
	FOR EACH ROW EXECUTE FUNCTION extra.noted();
CREATE VIEW extra.good AS SELECT * FROM extra.kind WHERE m = 'good';
CREATE MATERIALIZED VIEW extra.counted AS SELECT m, count(*) FROM extra.kind GROUP BY m;
CREATE UNIQUE INDEX ON extra.counted (m);
CREATE TABLE split (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE split_low PARTITION OF split FOR VALUES FROM (0) TO (1000);
CREATE TABLE split_high PARTITION OF split FOR VALUES FROM (1000) TO (100000);
CREATE INDEX ON split (v);
INSERT INTO split SELECT i, 'v' || i FROM generate_series(1, 3000) i;
ALTER TABLE split ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON split USING (true);
CREATE STATISTICS extra.kind_stats ON m, n FROM extra.kind;
END
$pair->source_sql("CREATE TABLE t$_ (id int PRIMARY KEY, v text, w int);
		INSERT INTO t$_ SELECT i, repeat('x', 50), i % 100
		  FROM generate_series(1, 20000) i;
		CREATE INDEX ON t$_ (w);
		ALTER TABLE t$_ ADD FOREIGN KEY (w) REFERENCES t1 NOT VALID")
  for 1 .. 8;
$pair->source_sql("UPDATE t$_ SET w = 1 + w;
		ALTER TABLE t$_ VALIDATE CONSTRAINT t${_}_w_fkey") for 1 .. 8;
$pair->pgbench_init(1);

refusals();
crash_points();
kills();
target_crash();
taken_over();
data_only();
done_testing();


# ---- Helpers ----

sub slots
{
	return $pair->source_sql('SELECT string_agg(slot_name, \',\')
		FROM pg_replication_slots');
}

# A clone that dies at a crash point.
sub dies_at
{
	my ($point, $title, @options) = @_;
	local $ENV{PENSTOCK_BIN} = $faults_bin;
	local $ENV{PENSTOCK_FAULT} = $point;
	my ($status, undef, $log) = $pair->run('clone', @options);

	is($status, $KILLED, $title || "dies at $point") or diag($log);
}

# Each finished table of the work list, with the moment it was finished.
sub finished
{
	return {} if $pair->target_sql(
		"SELECT to_regclass('penstock.copy_table') IS NULL") eq 't';
	return {
		map { split /\|/ } split /\n/,
		$pair->target_sql(
			"SELECT schema_name || '.' || table_name,
				finished_at || ' ' || watermark
			  FROM penstock.copy_table WHERE finished_at IS NOT NULL")
	};
}

# What was finished before is as it was.
sub kept_ok
{
	my ($before, $after, $title) = @_;
	my @lost = grep { ($after->{$_} // '') ne $before->{$_} } keys %$before;

	is("@lost", '', $title);
}

# Both databases have the same schema: what pg_dump says of them.
sub schema_ok
{
	my ($title) = @_;
	my %dump;

	for my $side (qw(source target))
	{
		my ($stdout, $stderr);
		IPC::Run::run(
			[
				'pg_dump', '--schema-only', '--no-publications',
				'--exclude-schema=penstock',
				$pair->{$side}->connstr($pair->name)
			],
			'>', \$stdout, '2>', \$stderr)
		  or die "pg_dump failed: $stderr";
		$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
		$dump{$side} = $stdout;
	}
	ok($dump{source} eq $dump{target}, "$title: the schemas are the same")
	  or system_log_diff(\%dump);
}

sub system_log_diff
{
	my ($dump) = @_;
	my %lines = map { $_ => 1 } split /\n/, $dump->{target};

	diag("only on the source: $_")
	  for grep { !$lines{$_} } split /\n/, $dump->{source};
}

# Follow to the end, compare, and leave nothing for the next one.
sub as_it_should_be
{
	my ($title) = @_;

	$pair->follow_to_end;
	$pair->equal_ok($title);
	schema_ok($title);
	start_over();
}

sub start_over
{
	wait_until('the slot to be free', sub {
		$pair->source_sql('SELECT count(*) FROM pg_replication_slots
			WHERE active') eq '0' });
	$pair->run_or_die('drop');
	is(slots(), '', 'no slot is left');
	is($pair->target_sql("SELECT count(*) FROM pg_namespace
		WHERE nspname = 'penstock'"), 0, 'no work list is left');
	$pair->recreate_target;
}


# ---- What is refused ----

sub refusals
{
	$pair->fails_like($FAILED, qr/there is no unfinished clone of pipeline "shop"/,
		'--resume without anything to resume', 'clone', '--resume');
	is(slots(), '', 'and it leaves no slot');
	dies_at('clone.after_mark:60');
	my $log = $pair->fails_like($FAILED,
		qr/the clone of pipeline "shop" to target was not finished/,
		'a plain clone of an unfinished one', 'clone');
	like($log, qr/--resume/, 'names --resume');
	like($log, qr/--restart/, 'names --restart');
	$pair->fails_like($FAILED, qr/Its clone is not finished/,
		'following it', 'follow');
	my ($status, $output) = $pair->run('status');
	like($output, qr/clone was interrupted: \d+ of \d+ tables are copied/,
		'status speaks of it');
	($status, $output) = $pair->run('status', '--json');
	like($output, qr/"tables_done": ?\d+/, 'status --json too');
	$pair->source_sql('CREATE PUBLICATION part FOR TABLE t1');
	$pair->fails_like($FAILED, qr/was begun with other options/,
		'other publications', 'clone', '--resume', '--publications=part');
	$pair->fails_like($FAILED, qr/was begun with other options/,
		'another kind of clone', 'clone', '--resume', '--data-only');
	$pair->source_sql('DROP PUBLICATION part');
	$pair->target->safe_psql('shop', 'CREATE TABLE elsewhere (i int)');
	$pair->source_sql('CREATE TABLE added (i int)');
	$pair->fails_like($FAILED, qr/table "public"."added" was added/,
		'tables that were not there', 'clone', '--resume');
	$pair->source_sql('DROP TABLE added');

	my $dry = $pair->run_or_die('clone', '--resume', '--dry-run');
	like($dry, qr/go on with the clone/, '--resume --dry-run says so');
	$dry = $pair->run_or_die('clone', '--restart', '--dry-run');
	like($dry, qr/remove what .* \d+ of \d+ tables/, '--restart --dry-run says so');

	# Starting over keeps what is not the clone's.
	my ($restart_status, undef, $restart_log) = $pair->run('clone', '--restart');
	is($restart_status, 0, '--restart');
	like($restart_log, qr/removed what .* dropped \d+ tables/, 'it says what it removes');
	is($pair->target_sql("SELECT to_regclass('elsewhere')"), 'elsewhere',
		'it keeps what was not made by the clone');
	is($pair->target_sql('SELECT count(*) FROM penstock.table_state'), 0, 'no watermarks')
	  if $pair->target_sql("SELECT to_regclass('penstock.table_state')") ne '';
	$pair->target_sql('DROP TABLE elsewhere');
	as_it_should_be('started over');
}


# ---- Crash points ----

sub crash_points
{
	for my $point (
		'clone.slot_created', 'clone.listed', 'clone.schema_begun',
		'clone.schema_restored', 'clone.before_mark:3', 'clone.after_mark:3',
		'clone.before_progress', 'clone.after_progress')
	{
		dies_at($point);
		$pair->source_sql('INSERT INTO split SELECT max(id) + 1, \'crashed\' FROM split;
			UPDATE t2 SET w = 2 WHERE id < 100;
			TRUNCATE t8; INSERT INTO t8 VALUES (1, \'again\', 1)');
		$pair->clone('--resume') unless $point eq 'clone.after_progress';
		as_it_should_be("resumed after $point");
	}
}


# ---- Killed at random ----

sub kills
{
	local $ENV{PENSTOCK_BIN} = $faults_bin; # copies small tables in parts
	my $writers = $pair->start_pgbench('--client=2', '--rate=300');
	my $before = {};
	my $killed = 0;
	my $kept = 0;
	my $emptied = 0;
	my $resume = 0;

	while ($killed < $KILLS)
	{
		my $process = $pair->start('clone', '--max-rate=2MB/s',
			$resume ? '--resume' : ());

		# Anywhere, or among the rows, or when one more table is finished.
		$process->wait_log(qr/copying \d+ tables?/) if $killed % 3 != 1;
		wait_until('a table to be finished',
			sub { keys %{ finished() } > keys %$before || !$process->is_running })
		  if $killed % 3 == 2;
		pause(rand 0.8);
		my $status = $process->end('KILL');
		if ($status == 0 || is_complete())
		{
			start_over();
			$before = {};
			$resume = 0;
			next;
		}
		die 'the clone failed: ' . $process->log if $status != $KILLED;
		$killed++;
		$resume = 1;
		my $after = finished();
		kept_ok($before, $after, "kill $killed: what is finished stays");
		$emptied += () = $process->log =~ /it is to be copied again/g;
		$kept += keys %$before;
		$before = $after;
	}
	is($killed, $KILLS, "killed $KILLS times");
	note(scalar(keys %$before), " tables were finished by then; $kept times"
		  . " one was kept, $emptied times one was copied in part");
	cmp_ok($kept, '>', 0, 'there were tables that were finished');
	cmp_ok($emptied, '>', 0, 'and tables that were copied in part');
	$pair->clone($resume ? '--resume' : ());
	$pair->wait_for_sql('source', "SELECT count(*) > 0 FROM pgbench_history");
	$pair->end_pgbench($writers);
	as_it_should_be("killed $KILLS times");
}


sub is_complete
{
	return $pair->target_sql("SELECT to_regclass('penstock.progress') IS NOT NULL") eq 't'
	  && $pair->target_sql('SELECT count(*) FROM penstock.progress') eq '1';
}


# ---- The target crashes ----

sub target_crash
{
	my $process = $pair->start('clone', '--max-rate=5MB');

	wait_until('tables to be finished', sub { keys %{ finished() } >= 2 });
	$pair->target->stop('immediate');
	$process->wait_log(qr/the clone waits for its servers/);
	$process->end('TERM');
	like($process->log, qr/penstock clone --resume --name=shop/,
		'the target crashes, and a clone that is stopped says how to go on');
	$pair->target->start;
	$pair->source_sql('UPDATE t3 SET w = 5 WHERE id < 1000');
	my ($status, undef, $log) = $pair->run('clone', '--resume');
	is($status, 0, 'it is resumed');
	my ($kept) = $log =~ /(\d+) of \d+ tables are copied/;
	cmp_ok($kept // 0, '>=', 2, 'with what is there');
	as_it_should_be('the target crashed');
}


# ---- Taken over from one that runs ----

sub taken_over
{
	my $process = $pair->start('clone', '--max-rate=2MB/s');

	wait_until('tables to be finished', sub { keys %{ finished() } >= 1 });
	$pair->fails_like($FAILED, qr/a clone of pipeline "shop" .* is running/,
		'drop is refused while it runs', 'drop');
	my ($status, $output) = $pair->run('status');
	like($output, qr/clone runs: \d+ of \d+ tables/, 'status says that it runs');
	my $log = $pair->fails_like($FAILED,
		qr/a clone of pipeline "shop" to target is running/,
		'another clone does not take its place', 'clone', '--resume');

	# One that hangs is not to be told from one that works.
	$process->signal('STOP');
	$log = $pair->fails_like($FAILED, qr/is running/,
		'nor that of one that hangs', 'clone', '--resume');
	my ($end) = $log =~ /(SELECT pg_terminate_backend\(\d+\));/;
	is($pair->target_sql($end), 't', 'but it says how to end it');
	($status) = $pair->run('clone', '--resume');
	is($status, 0, 'another clone goes on in its place then');
	$process->signal('CONT');
	$process->wait_exit;
	as_it_should_be('taken over');
}


# ---- Into tables that are there ----

sub data_only
{
	my $clone = sub { return $pair->run('clone', '--data-only', @_) };

	$pair->clone('--schema-only');
	dies_at('clone.after_mark:4', 'a copy of data alone dies', '--data-only');
	my ($status, undef, $log) = $clone->('--restart');
	is($status, 0, 'it starts over');
	start_over();
	$pair->clone('--schema-only');
	dies_at('clone.after_mark:4', 'a copy of data alone dies', '--data-only');
	($status) = $clone->('--resume');
	is($status, 0, 'it is resumed');
	as_it_should_be('data alone');
}
