# Each source transaction as one on the target, one after the other or over
# several connections: whoever reads the target meanwhile sees only what the
# source once was, and triggers see one transaction for each.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;

my $ACCOUNTS = 200;
my $MOVES = 2000;
my $STEPS = 800;

my $pair = Penstock::Pair->new;

# Money is moved between accounts, two rows at a time and in any order; two
# tables are counted up in turn; rows come and go under the same few keys.
$pair->source_sql("
	CREATE TABLE account (number int PRIMARY KEY, amount int NOT NULL);
	INSERT INTO account SELECT n, 100 FROM generate_series(1, $ACCOUNTS) n;
	CREATE TABLE first (key int PRIMARY KEY, n int NOT NULL);
	CREATE TABLE second (key int PRIMARY KEY, n int NOT NULL);
	INSERT INTO first VALUES (1, 0);
	INSERT INTO second VALUES (1, 0);
	CREATE TABLE guest (room int PRIMARY KEY, name text);
	CREATE TABLE passport (guest int PRIMARY KEY, number text UNIQUE);
	CREATE TABLE step (number bigserial PRIMARY KEY,
		xid bigint NOT NULL DEFAULT txid_current())");

my %script = (
	move => "
		\\set from random(1, $ACCOUNTS)
		\\set to random(1, $ACCOUNTS)
		BEGIN;
		SELECT FROM account WHERE number IN (:from, :to) ORDER BY number FOR UPDATE;
		UPDATE account SET amount = amount - 7 WHERE number = :from;
		UPDATE account SET amount = amount + 7 WHERE number = :to;
		INSERT INTO step DEFAULT VALUES;
		END;",
	guests => "
		\\set room random(1, 20)
		BEGIN;
		SELECT pg_advisory_xact_lock(:room);
		DELETE FROM guest WHERE room = :room;
		INSERT INTO guest VALUES (:room, 'guest ' || :client_id);
		INSERT INTO step DEFAULT VALUES;
		INSERT INTO step DEFAULT VALUES;
		END;",
	# A unique value changes hands.
	passports => "
		\\set guest random(1, 20)
		BEGIN;
		SELECT pg_advisory_xact_lock(100);
		DELETE FROM passport WHERE number = 'number ' || (:guest % 5);
		DELETE FROM passport WHERE guest = :guest;
		INSERT INTO passport VALUES (:guest, 'number ' || (:guest % 5));
		END;",
	count => "
		UPDATE first SET n = n + 1;
		UPDATE second SET n = n + 1;",
	read => "
		SELECT 1 / (sum(amount) = 100 * $ACCOUNTS)::int FROM account;
		SELECT 1 / (first.n - second.n IN (0, 1))::int FROM first, second;");

for my $name (keys %script)
{
	$script{$name} =~ s/^\t+//mg;
	append_to_file(script_file($name), $script{$name});
}
$pair->clone;

# On the target a trigger sees who brings what.
$pair->target_sql(q{
	CREATE TABLE penstock.seen (source_xid bigint, target_xid bigint);
	CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO penstock.seen VALUES (NEW.xid, txid_current());
			RETURN NEW;
		END $$;
	CREATE TRIGGER see BEFORE INSERT ON step FOR EACH ROW
		EXECUTE FUNCTION see();
	ALTER TABLE step ENABLE ALWAYS TRIGGER see});

backlog_ok('one lane', '--apply=transaction');
backlog_ok('four lanes', '--apply=transaction', '--lanes=4');

# Without the trigger, which keeps lanes apart.
$pair->target_sql('ALTER TABLE step DISABLE TRIGGER see');
backlog_ok('four lanes at once', '--apply=transaction', '--lanes=4');

# A large transaction among small ones, and an end in the middle.
$pair->source_sql('INSERT INTO guest
	SELECT n, md5(n::text) FROM generate_series(1000, 60000) n');
write_backlog(500);
$pair->source_sql('DELETE FROM guest WHERE room > 1000');
$pair->follow_to_end('--apply=transaction', '--lanes=3', '--memory=4MB');
$pair->equal_ok('large transactions');

# While it is written to.
my $follower = $pair->start('follow', '--apply=transaction', '--lanes=4');
$follower->wait_log(qr/following with slot/);
write_backlog(500);
$pair->wait_caught_up($follower);
$pair->equal_ok('followed at once');
is( $pair->target_sql("SELECT count(*) FROM pg_stat_activity
		WHERE application_name LIKE 'penstock+%'"),
	'3',
	'there are three lanes beside the first');
$pair->stop_ok($follower);

$pair->fails_like(2, qr/--lanes can only be used with --apply=transaction/,
	'lanes are for single transactions', 'follow', '--apply=batch',
	'--lanes=2');
$pair->fails_like(2, qr/--apply: "some"/, 'another way to apply is refused',
	'follow', '--apply=some');

done_testing();

sub script_file
{
	return "$PostgreSQL::Test::Utils::tmp_check/$_[0].sql";
}

sub write_backlog
{
	my ($moves) = @_;
	my @pgbench = ('pgbench', '--no-vacuum', '--jobs=1', '--protocol=prepared');
	my $source = $pair->conninfo('source');
	my $each = $moves / 4;

	system_or_bail(@pgbench, '--client=1', "--transactions=$STEPS",
		'--file=' . script_file('count'), $source);
	system_or_bail(@pgbench, '--client=4', "--transactions=$each",
		'--file=' . script_file('move') . '@6',
		'--file=' . script_file('guests') . '@3',
		'--file=' . script_file('passports') . '@1', $source);
	system_or_bail(@pgbench, '--client=1', "--transactions=$STEPS",
		'--file=' . script_file('count'), $source);
}

# Followed in this way, a backlog shows nothing that was not.
sub backlog_ok
{
	my ($title, @options) = @_;

	write_backlog($MOVES);
	my $transactions = 'SELECT transactions FROM penstock.progress';
	my $before = $pair->target_sql($transactions);
	my $reader = Penstock::Process->start(
		name => 'reader',
		command => [
			'pgbench', '--no-vacuum', '--time=3600',
			'--file=' . script_file('read'), $pair->conninfo('target')
		]);

	$pair->wait_for_sql('target', "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE application_name = 'pgbench'");
	$pair->follow_to_end(@options);
	ok($reader->is_running, "$title: what is read was once so on the source");
	$reader->end('INT');
	unlike($reader->log, qr/division by zero/,
		"$title: there were no states between");
	$pair->equal_ok($title);
	cmp_ok($pair->target_sql($transactions) - $before,
		'>=', 4 * $STEPS, "$title: each transaction counts");
	is( $pair->target_sql('SELECT count(*) FROM (
			SELECT FROM penstock.seen GROUP BY source_xid
			HAVING count(DISTINCT target_xid) > 1) many'),
		'0',
		"$title: the trigger sees no source transaction in several");
	is( $pair->target_sql('SELECT count(*) FROM (
			SELECT FROM penstock.seen GROUP BY target_xid
			HAVING count(DISTINCT source_xid) > 1) many'),
		'0',
		"$title: the trigger sees no several in one");
}
