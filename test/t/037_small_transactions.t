# Transactions of a few changes, as most are.  Changes of the same form are sent
# to the target in one statement, together with the commit.  That makes no
# difference in the rows, in what is refused, or in the error message.  At last,
# such transactions over two lanes, next to large ones that are in progress.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Session;

my $FOLLOWER_FAILED = 1;

# Transactions that are alike, until it is sure that they are known to be.
my $ALIKE = 40;

# What tells one row from those before.
my $marks = 0;

my %MODES = (
	'batches' => [ '--set', '--apply=batch' ],
	'transactions' => [ '--set', '--apply=transaction' ],
	'lanes' => [ '--set', '--apply=transaction', '--lanes=2' ]);

my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB'],
	target => ['wal_writer_delay = 10ms']);

# A name may look like a parameter.
$pair->source_sql(<<'END');
CREATE TABLE account (id integer PRIMARY KEY, balance integer, note text);
CREATE TABLE "teller $1" (region text, id integer, "$2" integer,
	PRIMARY KEY (region, id));
CREATE TABLE history (account integer, delta integer);
CREATE TABLE guest (room integer PRIMARY KEY, name text);
CREATE TABLE big (id integer PRIMARY KEY, value integer);
INSERT INTO account SELECT n, 0, 'start' FROM generate_series(1, 1000) n;
INSERT INTO "teller $1" SELECT 'Nord', n, 0 FROM generate_series(1, 100) n;
INSERT INTO big SELECT n, 0 FROM generate_series(1, 20000) n;
END

# What a pgbench session does; several of each kind, in any order.
my %script = (
	alike => q(
		BEGIN;
		UPDATE account SET balance = balance + :delta WHERE id = :id;
		UPDATE "teller $1" SET "$2" = "$2" + :delta WHERE id = 1 + :id % 70;
		INSERT INTO history VALUES (:id, :delta);
		END;),
	nulls => q(
		BEGIN;
		UPDATE account SET balance = nullif(:delta, 3), note = nullif(note, 'start')
		  WHERE id = :id;
		INSERT INTO history VALUES (NULL, nullif(:delta, 4));
		END;),
	same_row => q(
		BEGIN;
		UPDATE account SET balance = balance + 1 WHERE id = :id;
		UPDATE account SET note = note || 'x' WHERE id = :id;
		INSERT INTO history VALUES (:id, 0);
		END;),
	comes_and_goes => q(
		BEGIN;
		SELECT pg_advisory_xact_lock(:room);
		DELETE FROM guest WHERE room = :room;
		INSERT INTO guest VALUES (:room, 'guest');
		UPDATE guest SET name = name || :delta WHERE room = :room;
		INSERT INTO guest VALUES (1000 + :room, 'short');
		DELETE FROM guest WHERE room = 1000 + :room;
		END;),
	moves => q(
		BEGIN;
		SELECT pg_advisory_xact_lock(2000);
		UPDATE guest SET room = room + 100 WHERE room = :room;
		UPDATE guest SET room = room - 100 WHERE room = :room + 100;
		INSERT INTO history VALUES (:id, 1);
		END;));

for my $name (keys %script)
{
	(my $text = $script{$name}) =~ s/^\t+//mg;
	append_to_file(script_file($name), <<"END");
\\set id random(1, 1000)
\\set delta random(1, 9)
\\set room random(1, 20)
$text
END
}
$pair->clone;

followed_ok($_, @{ $MODES{$_} }) for sort keys %MODES;
refused($_, @{ $MODES{$_} }) for sort keys %MODES;
doubled($_, @{ $MODES{$_} }) for sort keys %MODES;
beside_large();
done_testing();


sub script_file
{
	return "$PostgreSQL::Test::Utils::tmp_check/$_[0].sql";
}

# Half of it while the follower is there, half of it before.
sub followed_ok
{
	my ($title, @options) = @_;

	write_all();
	my $follower = $pair->start('follow', @options);
	$follower->wait_log(qr/following with slot/);
	write_all();
	$pair->wait_caught_up($follower);
	$pair->equal_ok("$title: transactions of all kinds");
	$pair->stop_ok($follower);
}

sub write_all
{
	system_or_bail('pgbench', '--no-vacuum', '--client=2', '--jobs=1',
		'--transactions=400', '--protocol=prepared',
		(map { '--file=' . script_file($_) } sort keys %script),
		$pair->conninfo('source'));
}

sub write_alike
{
	system_or_bail('pgbench', '--no-vacuum', '--client=1', @_,
		"--transactions=$ALIKE", '--file=' . script_file('alike'),
		$pair->conninfo('source'));
}

# One like the others meets a row that is not there.  Over several lanes go only
# those that come at once.
sub refused
{
	my ($title, @options) = @_;
	my $at_once = $title eq 'lanes';
	my @follow = ('follow', @options);
	my $mark = -++$marks;
	my $follower;

	if (!$at_once)
	{
		$follower = $pair->start(@follow);
		$follower->wait_log(qr/following with slot/);
	}
	write_alike($at_once ? () : '--rate=200');
	$pair->wait_caught_up($follower) if $follower;
	$pair->target_sql(
		q(DELETE FROM "teller $1" WHERE region = 'Nord' AND id = 71));
	$pair->source_sql(<<"END");
BEGIN;
UPDATE account SET balance = $mark WHERE id = 70;
UPDATE "teller \$1" SET "\$2" = "\$2" + 1 WHERE id = 71;
INSERT INTO history VALUES (70, $mark);
COMMIT;
END
	write_alike() if $at_once;
	$follower ||= $pair->start(@follow);
	is($follower->wait_exit, $FOLLOWER_FAILED, "$title: the follower fails");
	like(
		$follower->log,
		qr/row to update does not exist in table "public"."teller \$1"/,
		"$title: the message says what and where");
	like($follower->log, qr/"region" = Nord, "id" = 71\b/,
		"$title: the message has the key");
	is( $pair->target_sql(
			"SELECT count(*) FROM history WHERE delta = $mark UNION ALL
			SELECT count(*) FROM account WHERE balance = $mark"),
		"0\n0",
		"$title: nothing else of the transaction is there");
	$pair->target_sql(q(INSERT INTO "teller $1" VALUES ('Nord', 71, 0)));
	$pair->follow_to_end(@options);
	$pair->equal_ok("$title: mended");
}

# What changes one row on the source changes two here.
sub doubled
{
	my ($title, @options) = @_;

	$pair->target_sql(
		'ALTER TABLE account DROP CONSTRAINT account_pkey;
		INSERT INTO account SELECT * FROM account WHERE id = 70');
	my $follower = $pair->start('follow', @options);
	$follower->wait_log(qr/following with slot/);
	$pair->source_sql("UPDATE account SET balance = $_ WHERE id = $_")
	  for 1 .. $ALIKE;
	$pair->wait_caught_up($follower);
	my $mark = -++$marks;
	$pair->source_sql("UPDATE account SET balance = $mark WHERE id = 70");
	is($follower->wait_exit, $FOLLOWER_FAILED,
		"$title: the follower fails when it finds two rows");
	like($follower->log, qr/"public"."account"/,
		"$title: the message names their table");
	is( $pair->target_sql(
			"SELECT count(*) FROM account WHERE balance = $mark"),
		'0',
		"$title: they are as they were");
	$pair->target_sql(
		'DELETE FROM account WHERE ctid = (SELECT max(ctid) FROM account
			WHERE id = 70);
		ALTER TABLE account ADD PRIMARY KEY (id)');
	$pair->follow_to_end(@options);
	$pair->equal_ok("$title: one row again");
}

# Two lanes, and large transactions that are applied while open.
sub beside_large
{
	my $follower = $pair->start('follow', '--verbose', '--memory=4MB', '--set',
		'--apply=transaction', '--lanes=2');
	$follower->wait_log(qr/following with slot/);
	my $writers = $pair->start_pgbench('--client=2', '--rate=300',
		map { '--file=' . script_file($_) } sort keys %script);
	for my $round (1 .. 4)
	{
		my $session = Penstock::Session->new($pair->source, $pair->name);

		$session->run('BEGIN',
			"UPDATE big SET value = $round WHERE id <= 8000",
			"INSERT INTO big SELECT $round * 100000 + n, 0
			   FROM generate_series(1, 3000) n",
			"INSERT INTO history SELECT n, $round FROM generate_series(1, 500) n");
		$pair->wait_for_sql('target',
			"SELECT count(*) >= 1 FROM pg_stat_activity
			  WHERE application_name LIKE 'penstock%'
			    AND backend_xid IS NOT NULL
			    AND state LIKE 'idle in transaction%'");
		$session->end("UPDATE account SET balance = 0 WHERE id <= 50",
			$round == 3 ? 'ROLLBACK' : 'COMMIT');
	}
	$pair->end_pgbench($writers);
	$pair->wait_caught_up($follower);
	$pair->equal_ok('two lanes beside large transactions');
	is(scalar(() = $follower->log =~ /was applied while open/g),
		3, 'those that committed were applied while open');
	unlike($follower->log, qr/cannot be applied/, 'nothing was refused');
	$pair->stop_ok($follower);
}
