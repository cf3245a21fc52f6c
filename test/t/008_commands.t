# What the other commands say and do: check, status, tail, drop, and the ways to
# copy a part only.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $json = JSON::PP->new;
my $pair = Penstock::Pair->new;
$pair->source_sql(<<'END');
CREATE TABLE item (id integer PRIMARY KEY, name text, price numeric);
ALTER TABLE item REPLICA IDENTITY FULL;
INSERT INTO item SELECT n, 'item ' || n, n + 0.5 FROM generate_series(1, 100) n;
CREATE INDEX item_name ON item (name);
CREATE TABLE part (id integer PRIMARY KEY, item integer REFERENCES item);
INSERT INTO part SELECT n, n FROM generate_series(1, 100) n;
CREATE VIEW items AS SELECT name FROM item;
CREATE SEQUENCE counter;
SELECT nextval('counter') FROM generate_series(1, 50);
END


# ---- check ----

my ($status, $output) = $pair->run('check');
is($status, 0, 'check finds nothing wrong');
like($output, qr/^0 errors, 0 warnings: a pipeline can run$/m,
	'check says so');
my $findings = findings();
is(scalar(grep { $_->{level} eq 'error' } @$findings),
	0, 'check --json has no errors');
ok(!(grep { !defined $_->{level} || !defined $_->{code} || !defined $_->{message}
		|| ref $_->{fix} ne 'ARRAY' } @$findings),
	'each finding has level, code, message and a way to fix it');

$pair->source_sql('CREATE TABLE keyless (a integer)');
($status, $output) = $pair->run('check');
is($status, 0, 'check has a warning, which stops nobody');
like(
	$output,
	qr/warning\s+table "public"."keyless" .*fix: ALTER TABLE public.keyless REPLICA IDENTITY FULL;/s,
	'check warns of a table without a key, and says how to fix it');
$pair->source_sql('DROP TABLE keyless');

$pair->source->append_conf('postgresql.conf',
	"wal_level = replica\nmax_replication_slots = 0");
$pair->source->restart;
($status, $output) = $pair->run('check');
is($status, 1, 'check fails where a pipeline cannot run');
like($output, qr/fix: ALTER SYSTEM SET wal_level = '?logical'?;/,
	'check says how to fix wal_level');
$findings = findings();
for my $code (qw(wal_level replication_slots))
{
	my ($finding) = grep { $_->{code} eq $code } @$findings;

	is($finding->{level}, 'error', "check --json: $code is an error");
	is($finding->{server}, 'source', "check --json: $code is of the source");
}
$pair->source->append_conf('postgresql.conf',
	"wal_level = logical\nmax_replication_slots = 20");
$pair->source->restart;

($status, $output) = $pair->run('check', '--publications=nope');
is($status, 1, 'check fails without the publication');
like($output, qr/publication "nope"/, 'check names the publication');
$pair->set_conninfo('target', 'host=/nonexistent');
($status, $output) = $pair->run('check');
is($status, 1, 'check fails without the target');
$findings = findings();
ok((grep { $_->{level} eq 'error' && $_->{server} ne 'source' } @$findings),
	'check --json tells of the target that cannot be reached');
$pair->set_conninfo('target', undef);


# ---- clone, in parts ----

my $before = $pair->target_contents;
$output = $pair->clone('--dry-run');
like($output, qr/^create replication slot "shop" on the source$/m,
	'clone --dry-run says what it would do');
is($pair->target_contents, $before, 'clone --dry-run does nothing');

$pair->clone('--schema-only');
is($pair->target_sql('SELECT count(*) FROM item'), 0,
	'clone --schema-only copies no rows');
is( $pair->target_sql(
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
		  WHERE relnamespace = 'public'::regnamespace"),
	$pair->source_sql(
		"SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
		  WHERE relnamespace = 'public'::regnamespace"),
	'clone --schema-only copies tables, indexes, views and sequences');
is(slots(), '', 'clone --schema-only leaves no slot behind');
$pair->fails_like(1, qr/table "public"\."\w+" is already on target/,
	'a copy of what is there already is refused', 'clone');

$pair->clone('--data-only');
$pair->equal_ok('clone --data-only into that schema');
is(slots(), 'shop', 'clone --data-only leaves a slot');
cmp_ok($pair->target_sql('SELECT last_value FROM counter'),
	'>=', 50, 'sequences go on where they were');
is( $pair->target_sql(
		"SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"),
	1,
	'the foreign key is there');


# ---- status ----

($status, $output) = $pair->run('status');
is($status, 1, 'status fails where nobody follows');
like($output, qr/^slot +in order/m, 'status for people');
like($output, qr/^follower +not running$/m, 'and it says so');
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
$pair->source_sql("UPDATE item SET price = price + 1 WHERE id <= 10");
$pair->wait_caught_up($follower);
my $state = $json->decode($pair->run_or_die('status', '--json'));
is($state->{targets}[0]{rows}, 11, 'status --json counts rows');
is($state->{targets}[0]{transactions},
	2, 'status --json counts transactions');
ok($state->{ok} && $state->{slot}{usable} && !defined $state->{slot}{problem},
	'status --json finds the slot in order');
cmp_ok($state->{targets}[0]{lag_bytes}, '<', 1024 * 1024,
	'status --json finds no lag');


# ---- drop ----

$pair->fails_like(1, qr/replication slot "shop" is in use by PID \d+/,
	'drop is refused while someone follows', 'drop');
is(slots(), 'shop', 'and removes nothing');
$pair->stop_ok($follower);
$output = $pair->run_or_die('drop', '--dry-run');
like($output, qr/^would remove replication slot "shop" on the source$/m,
	'drop --dry-run says what it would remove');
is(slots(), 'shop', 'drop --dry-run removes no slot');
is($pair->target_sql('SELECT count(*) FROM penstock.progress'),
	1, 'drop --dry-run removes no progress');
$output = $pair->run_or_die('drop');
like($output, qr/^removed replication slot "shop" on the source$/m,
	'drop says that it removed the slot');
like($output, qr/^removed progress of pipeline "shop" on target /m,
	'drop says that it removed the progress');
is(slots(), '', 'the slot is gone');
is($pair->target_sql("SELECT count(*) FROM pg_namespace
	WHERE nspname = 'penstock'"), 0, 'the schema is gone');
is($pair->target_sql('SELECT count(*) FROM pg_replication_origin'),
	0, 'the replication origin is gone');
$pair->equal_ok('drop leaves the tables alone');
$output = $pair->run_or_die('drop');
like($output, qr/there is no replication slot "shop"/,
	'a second drop has nothing to do');
($status) = $pair->run('status');
is($status, 1, 'status fails when there is no pipeline');


# ---- A part of a database ----

my $part = $pair->with_database('part', publish => '');
$part->source_sql(<<'END');
CREATE SCHEMA shop;
CREATE TABLE shop.wanted (id serial PRIMARY KEY, t text);
INSERT INTO shop.wanted (t) SELECT n FROM generate_series(1, 20) n;
CREATE TABLE not_wanted (id integer PRIMARY KEY);
INSERT INTO not_wanted VALUES (1);
CREATE PUBLICATION part FOR TABLE mark, shop.wanted;
END
$part->clone;
is( $part->target_sql(
		"SELECT string_agg(oid::regclass::text, ' ' ORDER BY oid::regclass::text)
		   FROM pg_class WHERE relkind = 'r'
		    AND relnamespace IN ('public'::regnamespace, 'shop'::regnamespace)"),
	'mark shop.wanted',
	'a publication of some tables copies those only');
$part->source_sql("INSERT INTO shop.wanted (t) VALUES ('new');
	INSERT INTO not_wanted VALUES (2)");
$part->follow_to_end;
$part->equal_ok('a part of a database', '--exclude=public.not_wanted');


# ---- tail ----

$pair->run_or_die('tail', '--create-slot', '--endpos=' . $pair->source_lsn);
is(slots(), 'shop', 'tail --create-slot leaves a slot');
my $xid = $pair->source_sql(<<'END');
BEGIN;
INSERT INTO item VALUES (1001, E'new "quoted"\n\u00e9', 1.50), (1002, NULL, 'NaN');
UPDATE item SET price = 2.25 WHERE id = 1001;
DELETE FROM item WHERE id = 1002;
SELECT pg_current_xact_id()::xid;
COMMIT;
END
$pair->source_sql('TRUNCATE part');
my $middle = $pair->source_lsn;
$pair->source_sql('INSERT INTO part VALUES (5, NULL)');
my @changes = tail("--endpos=$middle");
is( join(' ', map { $_->{operation} // '?' } @changes),
	'insert insert update delete truncate',
	'tail prints changes in their order, up to --endpos');
is($changes[0]{xid}, $xid, 'tail prints the transaction');
is($changes[0]{schema} . '.' . $changes[0]{table},
	'public.item', 'tail prints the table');
is_deeply($changes[0]{new},
	{ id => 1001, name => "new \"quoted\"\n\x{e9}", price => 1.5 },
	'tail prints the new row');
is_deeply($changes[1]{new}, { id => 1002, name => undef, price => 'NaN' },
	'tail prints nulls, and numbers that are none');
is($changes[2]{old}{price}, 1.5, 'tail prints the old row of an update');
is($changes[2]{new}{price}, 2.25, 'tail prints the new row of an update');
is_deeply($changes[3]{old}, { id => 1002, name => undef, price => 'NaN' },
	'tail prints the old row of a delete');
@changes = tail('--endpos=' . $pair->source_lsn);
is(join(' ', map { $_->{operation} // '?' } @changes),
	'insert', 'tail goes on where it stopped');

# What was printed is confirmed before tail ends: every time.
my @counts;
for (1 .. 15)
{
	$pair->source_sql('UPDATE item SET price = 0 WHERE id = 1');
	push @counts, scalar(my @lines = tail('--endpos=' . $pair->source_lsn));
}
is("@counts", join(' ', (1) x 15),
	'tail, started again and again, prints no line twice and skips none');

# Whoever reads may have had enough.
$pair->source_sql('UPDATE item SET price = price + 1');
my $command = join ' ', map { quoted_for_shell($_) }
  $pair->command('tail', '--create-slot', '--endpos=' . $pair->source_lsn);
my $shell = Penstock::Process->start(
	name => 'pipe',
	command => [ 'bash', '-c', "set -o pipefail; $command | head -n 1" ]);
$shell->wait_exit;
my @printed = split /\n/, $shell->output;
is(scalar @printed, 1, 'a pipe that is closed early has its line');
ok(eval { $json->decode($printed[0]) }, 'it is valid JSON');
unlike($shell->log, qr/assert|Aborted|core dumped/,
	'tail ends in good order when its pipe is closed');

# With a slot of its own it starts now, and leaves nothing behind.
my $tail = $pair->start('tail');
wait_until('the first line',
	sub {
		$pair->source_sql('UPDATE item SET price = 0 WHERE id = 1');
		$tail->output =~ /\n/;
	});
$pair->stop_ok($tail, 'INT', 'tail stops');
wait_until('the slot of tail to be gone', sub { slots() eq 'shop' });
$pair->fails_like(1, qr/does not know pipeline "shop"/,
	'drop does not know whom a slot feeds that no target knows', 'drop');
$pair->run_or_die('drop', '--force');
is(slots(), '', 'drop --force removes the slot of tail');

done_testing();

sub findings
{
	my (undef, $stdout) = $pair->run('check', '--json');

	return $json->decode($stdout);
}

sub slots
{
	return $pair->source_sql(
		"SELECT string_agg(slot_name, ' ') FROM pg_replication_slots
		  WHERE database = 'shop'");
}

# What tail printed: one value of JSON on each line, in bytes that are UTF-8.
sub tail
{
	my (@options) = @_;
	my $reader = JSON::PP->new->utf8;

	return map { $reader->decode($_) }
	  split /\n/, $pair->run_or_die('tail', '--create-slot', @options);
}

sub quoted_for_shell
{
	my ($text) = @_;

	$text =~ s/'/'\\''/g;
	return "'$text'";
}
