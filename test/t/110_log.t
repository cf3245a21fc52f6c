# A log has what its source has committed: read by a program that knows of it
# only what consumer/doc/log.md says.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Log;
use Penstock::Pair;

my $FAILED = 1;
my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB']);
my $log = Penstock::Log->new($pair);

$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY, v text)');
small_transactions();
starts_again_without_options();
transactions_in_progress();
what_is_no_row();
described_again();
two_slots();
is_refused();
done_testing();

sub count
{
	my ($pattern, @lines) = @_;

	return scalar grep { $_ =~ $pattern } @lines;
}

sub small_transactions
{
	my $recorder = $log->start;

	$log->wait_slot;
	$pair->source_sql(
		"INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 3) n");
	$pair->source_sql("UPDATE t SET v = NULL WHERE id = 2");
	$pair->source_sql('DELETE FROM t WHERE id = 3');
	$log->wait_recorded;
	$pair->stop_ok($recorder, 'TERM', 'the recorder stops');
	my @lines = $log->lines;
	is(count(qr/^commit/, @lines), 4, 'the log has each transaction');
	is((grep { /^insert t/ } @lines)[0],
		'insert t id=1 v=' . unpack('H*', 'row 1'), 'an insert');
	is(count(qr/^update t id=2 v=null$/, @lines), 1, 'an update');
	is(count(qr/^delete t id=3$/, @lines), 1, 'a delete');
	is(sprintf('%o', (stat $log->directory)[2] & 07777),
		'700', 'nobody else can read it');
}

sub starts_again_without_options
{
	$pair->source_sql("INSERT INTO t VALUES (4, 'later')");
	my $recorder = Penstock::Process->start(
		name => 'record',
		command => [ $ENV{PENSTOCK_BIN}, 'record', '--log=' . $log->directory ],
		environment => { PENSTOCK_SOURCE => $pair->conninfo('source') });
	$log->wait_recorded;
	$pair->stop_ok($recorder, 'INT', 'a recorder without options stops');
	is(count(qr/^insert t id=4 /, $log->lines), 1, 'what came meanwhile');
}

# Each large enough to be sent before its commit.
sub transactions_in_progress
{
	my $recorder = $log->start('--verbose');

	$pair->source_sql(
		"INSERT INTO t SELECT n, repeat('k', 100) FROM generate_series(1001, 5000) n");
	$pair->source_sql(
		"BEGIN;
		 INSERT INTO t SELECT n, repeat('r', 100) FROM generate_series(10001, 15000) n;
		 ROLLBACK");
	$pair->source_sql(
		"BEGIN;
		 INSERT INTO t SELECT n, repeat('a', 100) FROM generate_series(20001, 23000) n;
		 SAVEPOINT s;
		 INSERT INTO t SELECT n, repeat('b', 100) FROM generate_series(30001, 33000) n;
		 ALTER TABLE t ADD extra int;
		 INSERT INTO t SELECT n, repeat('b', 100), 1 FROM generate_series(40001, 43000) n;
		 ROLLBACK TO s;
		 INSERT INTO t SELECT n, repeat('c', 100) FROM generate_series(50001, 53000) n;
		 COMMIT");
	$log->wait_recorded;
	$pair->stop_ok($recorder, 'TERM', 'the recorder stops');
	my @lines = $log->lines;
	is(count(qr/^insert t id=[1-5]\d{3} /, @lines), 4000, 'one that commits');
	is(count(qr/^insert t id=1\d{4} /, @lines), 0, 'one that is rolled back');
	is(count(qr/^insert t id=2\d{4} /, @lines),
		3000, 'what comes before a savepoint');
	is(count(qr/^insert t id=[34]\d{4} /, @lines),
		0, 'what is rolled back to it');
	is(count(qr/^insert t id=5\d{4} v=\w+$/, @lines),
		3000, 'what comes after it');
	is(join(' ', glob $log->directory . '/open.*'), '', 'no file is left');
}

sub what_is_no_row
{
	my $recorder = $log->start;

	$pair->source_sql("SELECT pg_logical_emit_message(true, 'billing', 'inside')");
	$pair->source_sql(
		"SELECT pg_logical_emit_message(false, 'billing', 'outside')");
	$pair->source_sql('ALTER TABLE t ADD w int');
	$pair->source_sql('INSERT INTO t (id, w) VALUES (6, 7)');
	$pair->source_sql('TRUNCATE t');
	$log->wait_recorded;
	$pair->stop_ok($recorder, 'TERM', 'the recorder stops');
	my @lines = $log->lines;
	is(count(qr/^message billing inside/, @lines), 1, 'a message');
	is(count(qr/^message billing outside/, @lines),
		1, 'a message outside of transactions');
	is(count(qr/^schema/, @lines), 1, 'a schema change');
	is(count(qr/^insert t id=6 v=null w=7$/, @lines), 1, 'a row after it');
	is(count(qr/^truncate/, @lines), 1, 'TRUNCATE');
}

# A table that changes between two rows of a transaction: each row is read with
# the description that it was sent under.
sub described_again
{
	my $recorder = $log->start;

	$pair->source_sql('CREATE TABLE d (id int PRIMARY KEY, a text, b text)');
	for my $rows (1, 3000)
	{
		for my $change (
			'ALTER TABLE d ADD extra int DEFAULT 7',
			'ALTER TABLE d DROP extra; ALTER TABLE d RENAME a TO c;
			 ALTER TABLE d RENAME b TO a; ALTER TABLE d RENAME c TO b')
		{
			$pair->source_sql(
				"BEGIN;
				 INSERT INTO d (id, a, b) SELECT n, 'A', 'B' FROM generate_series(1, $rows) n;
				 $change;
				 INSERT INTO d (id, a, b) SELECT -n, 'A', 'B' FROM generate_series(1, $rows) n;
				 TRUNCATE d;
				 COMMIT");
		}
		$pair->source_sql(
			'ALTER TABLE d RENAME a TO c; ALTER TABLE d RENAME b TO a;
			 ALTER TABLE d RENAME c TO b');
	}
	$log->wait_recorded;
	$pair->stop_ok($recorder, 'TERM', 'the recorder stops');
	my @rows = grep { /^insert d / } $log->lines;
	is(count(qr/^insert d id=\d+ a=41 b=42( extra=7)?$/, @rows),
		6002, 'rows before a change of the table');
	is(count(qr/^insert d id=-\d+ a=41 b=42 extra=7$/, @rows),
		3001, 'rows after a column was added');
	is(count(qr/^insert d id=-\d+ b=42 a=41$/, @rows),
		3001, 'rows after two columns were renamed');
}

# One records while transactions are in progress, the other one afterwards.
sub two_slots
{
	my $other = Penstock::Log->new($pair, slot => 'other');
	my $third = Penstock::Log->new($pair, slot => 'third');
	my @runs = map { [ $_->run('--segment-size=64kB') ] } $other, $third;

	is(join(' ', map { $_->[0] } @runs), '0 0', 'two more logs begin')
	  || diag($runs[0][1]);
	my $recorder = $other->start('--segment-size=64kB', '--streaming=on');
	$pair->source_sql(
		"INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 20000) n");
	$pair->source_sql("UPDATE t SET v = 'x' WHERE id % 100 = $_") for 1 .. 20;
	$other->wait_recorded;
	$pair->stop_ok($recorder, 'TERM', 'one stops');
	my ($status) = $third->run('--segment-size=1MB', '--streaming=off',
		'--bundle=off');
	is($status, 0, 'the other one runs');
	my @a = grep { !/^end/ } $other->lines('--bytes');
	my @b = grep { !/^end/ } $third->lines('--bytes');
	cmp_ok(scalar(@a), '>', 20000, 'they have something');
	ok("@a" eq "@b", 'the same transactions, byte for byte');
	my @segments = glob $other->directory . '/*.log';
	cmp_ok(scalar(@segments), '>', 1, 'in several segments');
}

sub is_refused
{
	my ($status, $said) = $log->run('--publications=nosuch');
	is($status, $FAILED, 'another publication');
	like($said, qr/has --publications=shop, not nosuch/, 'is named');
	my $recorder = $log->start;
	$log->wait_recorded;
	($status, $said) = $log->run;
	is($status, $FAILED, 'a second recorder');
	like($said, qr/is written by another process/, 'says why');
	like((log_status())[0], qr/^recorder  runs$/m, 'log status knows of it');
	($status, $said) = drops();
	is($status, $FAILED, 'its slot cannot be dropped');
	like($said, qr/is recorded at present/, 'says why');
	$pair->stop_ok($recorder, 'TERM', 'the first one stops');
	like((log_status())[0],
		qr/^of        slot "shop", publications shop, database "shop"\nrecorder  none runs$/m,
		'log status says of what it is');
	($status, $said) = drops('target');
	is($status, $FAILED, 'another server, where a slot may have that name');
	like($said, qr/is of another server, with system identifier \d+.*Nothing was removed/s,
		'is none from which to drop it');
	($status, $said) = drops('source', '--dry-run');
	like($said, qr/would leave log .* alone/, 'nothing is done on trial');
	isnt($log->confirmed, '', 'so the slot is still there');
	{
		local $ENV{PENSTOCK_TARGET} = $pair->conninfo('target');
		($status, $said) = drops();
	}
	is($status, 0, 'the slot is dropped') or diag($said);
	like($said, qr/no target is given/, 'a target of the environment is none of it');
	like($said, qr/is left alone: nothing can be recorded/, 'nor is the log');
	is($log->confirmed, '', 'and is gone');
	($status, $said) = $log->run;
	is($status, $FAILED, 'a slot that is gone');
	like($said, qr/slot "shop" does not exist.*has everything up to LSN/s,
		'says up to where the log is');
}

sub log_status
{
	return run_command([ $ENV{PENSTOCK_BIN}, 'log', 'status', $log->directory ]);
}

sub drops
{
	my ($side, @options) = @_;
	my $process = Penstock::Process->start(
		name => 'drop',
		command => [
			$ENV{PENSTOCK_BIN}, 'drop', '--log=' . $log->directory,
			'--source=' . $pair->conninfo($side // 'source'), @options
		]);

	return ($process->wait_exit, $process->log . $process->output);
}
