# Limits of what goes into one batch, one transaction of the target, one session:
# what is beyond them comes in several, and nothing is lost or mixed up.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Server qw(start_server);
use Penstock::Session;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $FOLLOWER_FAILED = 1;

# More than are kept of a table (TABLE_CACHE_SHAPES_MAX), and more than a batch
# takes (BATCH_RELATIONS_MAX).
my $SHAPES = 100;
my $SHAPES_BATCH = 600;

# Of the server with few locks; see there.
my $TABLES = 30;
my $PARTITIONS = 40;

my %MODES = (
	batches => ['--streaming=off'],
	transactions => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ],
	streaming => []);

my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB'],
	target => [
		'wal_writer_delay = 10ms', 'log_statement = all',
		'max_replication_slots = 40' ]);

for my $mode (sort keys %MODES)
{
	my $other = $pair->with_database($mode);

	shapes($other, $mode);
	statements($other, $mode);
}
refused_parts($pair->with_database('parts'));
connections($pair->with_database('connections'));
$pair->target->stop;
locks();
done_testing();


# A table that gets another shape again and again, and others that take each
# other's name.
sub shapes
{
	my ($other, $mode) = @_;
	my $shapes = $mode eq 'batches' ? $SHAPES_BATCH : $SHAPES;

	$other->source_sql(<<'END');
CREATE TABLE shaped (id integer PRIMARY KEY, v integer);
CREATE SCHEMA stage;
CREATE TABLE named (id integer PRIMARY KEY, v text);
CREATE TABLE stage.named (id integer PRIMARY KEY, v text);
INSERT INTO named SELECT n, 'first' FROM generate_series(1, 20) n;
INSERT INTO stage.named TABLE named;
END
	$other->clone;

	# As if it had been dumped and restored: it does not know that it has the
	# table by its other name.
	$other->target_sql('UPDATE penstock.copied SET target_oid = 0');
	$other->source_sql(<<"END");
DO \$\$ BEGIN
	FOR n IN 1 .. $shapes LOOP
		INSERT INTO shaped VALUES (n, 0);
		UPDATE shaped SET v = v + 1 WHERE id > n - 3;
		EXECUTE 'ALTER TABLE shaped REPLICA IDENTITY '
			|| CASE n % 2 WHEN 0 THEN 'FULL' ELSE 'DEFAULT' END;
		COMMIT;
	END LOOP;
END \$\$;
DO \$\$ BEGIN
	FOR n IN $shapes + 1 .. 2 * $shapes LOOP
		INSERT INTO shaped VALUES (n, 0);
		UPDATE shaped SET v = v + 1 WHERE id > n - 3;
		EXECUTE 'ALTER TABLE shaped REPLICA IDENTITY '
			|| CASE n % 2 WHEN 0 THEN 'FULL' ELSE 'DEFAULT' END;
	END LOOP;
END \$\$;
END
	$other->source_sql(<<'END');
UPDATE named SET v = 'old';
BEGIN; DROP TABLE named; ALTER TABLE stage.named SET SCHEMA public; COMMIT;
UPDATE named SET v = 'new';
END
	$other->follow_to_end(@{ $MODES{$mode} });
	$other->equal_ok("$mode: a table of many shapes", '--table=public.shaped');
	is($other->target_sql('SELECT DISTINCT v FROM public.named'),
		'new', "$mode: another table has taken the name");
}

# More statements than a session keeps, within one batch.
sub statements
{
	my ($other, $mode) = @_;
	my $columns = join ', ', map { "c$_ integer" } 0 .. 10;
	my $values = join ', ', map { "CASE WHEN (n >> $_) & 1 = 0 THEN n END" } 0 .. 10;

	$other->both_sql("CREATE TABLE holes (n integer, $columns);
		ALTER TABLE holes REPLICA IDENTITY FULL");
	$other->source_sql("INSERT INTO holes SELECT n, $values FROM generate_series(1, 2000) n");
	$other->source_sql('UPDATE holes SET c10 = -n WHERE n % 4 > 0');
	$other->source_sql('DELETE FROM holes WHERE n % 3 = 0');
	$other->follow_to_end(@{ $MODES{$mode} });
	$other->equal_ok("$mode: rows with nulls everywhere", '--table=public.holes');
}

# Each part of a large transaction swaps unique values, which many rows in one
# statement cannot: it is refused, rolled back and done in order.  No part leaves
# a savepoint to those behind it.
sub refused_parts
{
	my ($other) = @_;

	$other->source_sql(<<'END');
CREATE TABLE swapped (id integer PRIMARY KEY, u integer UNIQUE, filler text);
INSERT INTO swapped SELECT n, n, repeat('x', 1000) FROM generate_series(1, 1000) n;
END
	$other->clone;
	$other->source_sql(<<'END');
DO $$ BEGIN
	FOR n IN 1 .. 999 BY 2 LOOP
		UPDATE swapped SET u = -n, filler = repeat('y', 2000) WHERE id = n;
		UPDATE swapped SET u = n, filler = repeat('y', 2000) WHERE id = n + 1;
		UPDATE swapped SET u = n + 1, filler = repeat('z', 2000) WHERE id = n;
	END LOOP;
END $$;
END
	my $offset = -s $other->target->logfile;
	$other->follow_to_end('--streaming=off', '--memory=4MB');
	$other->equal_ok('a transaction whose parts are refused');

	my $log = slurp_file($other->target->logfile, $offset);
	my @said = map { s/ SAVEPOINT penstock//r } $log =~
	  /((?:ROLLBACK TO |RELEASE |)SAVEPOINT penstock)$/mg;
	my $said = join ' ', @said;
	like($said, qr/ROLLBACK TO/, 'parts were refused');
	unlike($said, qr/ROLLBACK TO(?! RELEASE)/,
		'each savepoint that was rolled back to is released');
}

# As many connections to the target as there can be.
sub connections
{
	my ($other) = @_;

	$other->source_sql('CREATE TABLE piece (transaction integer, text text)');
	$other->clone;
	my $follower = $other->start('follow', '--apply=transaction', '--lanes=16',
		'--memory=8MB');
	my @sessions = map { Penstock::Session->new($other->source, $other->name) } 1 .. 8;

	for my $n (0 .. $#sessions)
	{
		$sessions[$n]->run("BEGIN; INSERT INTO piece
			SELECT $n, repeat('x', 100) FROM generate_series(1, 2000)");
	}
	$other->source_sql("INSERT INTO piece SELECT 100, 'x'");
	$other->wait_for_sql('target', "SELECT count(*) = 8 FROM pg_stat_activity
		WHERE datname = current_database() AND xact_start IS NOT NULL
		  AND state = 'idle in transaction'");
	$_->run('COMMIT') for @sessions;
	$other->wait_caught_up($follower);
	$other->equal_ok('eight open transactions beside sixteen lanes');
	$other->stop_ok($follower);
}

# The server has room for some 260 locks, and up to a few hundred more, since it
# sets aside memory for other things too.  An update of a row takes one on each
# partition and on its index: one transaction finds room, all together do not.
sub locks
{
	$pair->{target} = start_server(
		'few_locks',
		'max_locks_per_transaction = 10', 'max_connections = 20',
		'max_worker_processes = 2', 'max_wal_senders = 2',
		'autovacuum_max_workers = 1', 'autovacuum = off', 'shared_buffers = 1MB');
	my $few = $pair->with_database('locks');

	$few->clone;
	$few->target_sql(<<"END");
DO \$\$ BEGIN
	FOR n IN 1 .. $TABLES LOOP
		EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, v integer) PARTITION BY HASH (id)', n);
		FOR p IN 0 .. $PARTITIONS - 1 LOOP
			EXECUTE format('CREATE TABLE t%s_%s PARTITION OF t%1\$s FOR VALUES WITH (MODULUS $PARTITIONS, REMAINDER %2\$s)', n, p);
		END LOOP;
		COMMIT;
	END LOOP;
END \$\$;
END
	$few->source_sql(<<"END");
DO \$\$ BEGIN
	FOR n IN 1 .. $TABLES LOOP
		EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, v integer)', n);
		EXECUTE format('INSERT INTO t%s VALUES (1, 0)', n);
		COMMIT;
	END LOOP;
END \$\$;
END
	$few->follow_to_end;
	for my $mode (qw(batches transactions lanes))
	{
		$few->source_sql(<<"END");
DO \$\$ BEGIN
	FOR n IN 1 .. $TABLES LOOP
		EXECUTE format('UPDATE t%s SET v = v + 1', n);
		COMMIT;
	END LOOP;
END \$\$;
END
		my (undef, undef, $log) = $few->run('follow', '--verbose',
			'--set', '--endpos=' . $few->source_lsn, @{ $MODES{$mode} });
		unlike($log, qr/ error /, "$mode: many tables, one at a time");
		like($log, qr/is out of room for \d+ transactions in one/,
			'it became less') if $mode eq 'batches';
	}
	# One by one: to ask for all at once would take too many locks, too.
	my $sum = 0;
	$sum += $few->target_sql("SELECT v FROM t$_") for 1 .. $TABLES;
	is($sum, 3 * $TABLES, 'all changes are there');

	$few->source_sql(<<"END");
DO \$\$ BEGIN
	FOR n IN 1 .. $TABLES LOOP
		EXECUTE format('UPDATE t%s SET v = v + 1', n);
	END LOOP;
END \$\$;
END
	for my $mode (sort keys %MODES)
	{
		my $log = $few->fails_like($FOLLOWER_FAILED,
			qr/needs more locks than target has room for/,
			"$mode: one transaction that is too large", 'follow', '--set',
			@{ $MODES{$mode} });

		like($log, qr/hint: Raise max_locks_per_transaction/, 'which setting it is');
	}
}
