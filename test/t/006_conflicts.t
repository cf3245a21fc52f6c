# A row on the target is not as the source expects it: a row to change does not
# exist, or a row to add exists.  The follower stops with a message that names the
# row; after a person has fixed the row, the follower continues.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $FOLLOWER_FAILED = 1;

my $pair = Penstock::Pair->new;
$pair->source_sql(<<'END');
CREATE TABLE "Stock Items" (
	warehouse text, number integer, amount integer, filler text,
	label text UNIQUE, PRIMARY KEY (warehouse, number));
INSERT INTO "Stock Items"
	SELECT 'Nord', n, 0, repeat('x', 100), 'label ' || n
	  FROM generate_series(1, 2000) n;
CREATE TABLE keyless (number integer, amount numeric, filler text);
ALTER TABLE keyless REPLICA IDENTITY FULL;
INSERT INTO keyless SELECT n, 1.5, 'private words' FROM generate_series(1, 50) n;
CREATE TABLE journal (entry text);
CREATE TABLE twins (number integer PRIMARY KEY, amount integer);
INSERT INTO twins SELECT n, 0 FROM generate_series(1, 20) n;
END
$pair->clone;
$pair->target_sql('ALTER TABLE twins DROP CONSTRAINT twins_pkey;
	CREATE INDEX ON twins (number)');

# Of each: what is done to the target, what the source does in the transaction
# that meets it, how the person fixes it, and what the message says.  {rows} is
# a single row or many, of which row 1000 (2500 of those that are new) is in
# the way.
my $ROW = q(warehouse = 'Nord' AND number = 1000);
my @cases = (
	{
		title => 'row to update does not exist',
		spoil => qq(DELETE FROM "Stock Items" WHERE $ROW),
		change => 'UPDATE "Stock Items" SET amount = amount + 1 WHERE {rows}',
		fix => q(INSERT INTO "Stock Items"
			SELECT 'Nord', 1000, amount, filler, 'label 1000'
			  FROM "Stock Items" WHERE number = 1),
		message => qr/row to update does not exist in table "public"."Stock Items"/,
		row => qr/"warehouse" = Nord, "number" = 1000\b/,
	},
	{
		title => 'row to delete does not exist',
		spoil => qq(DELETE FROM "Stock Items" WHERE $ROW),
		change => 'DELETE FROM "Stock Items" WHERE {rows}',
		undo => q(INSERT INTO "Stock Items"
			SELECT 'Nord', n, 0, repeat('x', 100), 'label ' || n
			  FROM generate_series(1, 2000) n ON CONFLICT DO NOTHING),
		fix => q(INSERT INTO "Stock Items" VALUES ('Nord', 1000)),
		message => qr/row to delete does not exist in table "public"."Stock Items"/,
		row => qr/"warehouse" = Nord, "number" = 1000\b/,
	},
	{
		title => 'row to insert exists',
		spoil => q(INSERT INTO "Stock Items" VALUES ('Nord', 2500, 77)),
		change => q(INSERT INTO "Stock Items"
			SELECT 'Nord', n, 0, repeat('x', 100), 'label ' || n
			  FROM generate_series(2001, 3000) n
			 WHERE {new rows}),
		undo => 'DELETE FROM "Stock Items" WHERE number > 2000',
		fix => 'DELETE FROM "Stock Items" WHERE number = 2500',
		message => qr/duplicate key value violates unique constraint "Stock Items_pkey"/,
		row => qr/"warehouse" = Nord, "number" = 2500\b/,
	},
	{
		title => 'row to insert has what another unique index has',
		spoil => q(INSERT INTO "Stock Items" VALUES
			('Süd', -1, 77, NULL, 'label 2500')),
		change => q(INSERT INTO "Stock Items"
			SELECT 'Nord', n, 0, repeat('x', 100), 'label ' || n
			  FROM generate_series(2001, 3000) n
			 WHERE {new rows}),
		undo => 'DELETE FROM "Stock Items" WHERE number > 2000',
		fix => 'DELETE FROM "Stock Items" WHERE number = -1',
		message => qr/violates unique constraint "Stock Items_label_key"/,
		row => qr/"warehouse" = Nord, "number" = 2500\b/,
	});

for my $case (@cases)
{
	for my $many (0, 1)
	{
		conflict(%$case, many => $many,
			title => $case->{title} . ($many ? ', among many' : ', alone'));
	}
}

# Without a key all columns count, and none is for the log.
conflict(
	title => 'row of a table without a key does not exist',
	spoil => 'UPDATE keyless SET amount = 1.50 WHERE number = 7;
		DELETE FROM keyless WHERE number = 8',
	change => 'UPDATE keyless SET amount = 2 WHERE number BETWEEN 5 AND 10',
	fix => 'INSERT INTO keyless VALUES (8, 1.5, $$private words$$)',
	message => qr/row to update does not exist in table "public"."keyless"/,
	row => qr/no key to name the row by.*'--on-conflict="public"\."keyless":skip' notes the row in penstock\.conflict/);
is(($pair->run('follow', '--set', '--on-conflict="public"."keyless":skip',
	'--endpos=' . $pair->source_lsn))[0], 0, 'what it says to do can be done');
$pair->target_sql('DELETE FROM keyless WHERE number = 9');
$pair->source_sql('UPDATE keyless SET amount = 3 WHERE number = 9');
my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
is($status, 0, 'the conflict is noted');
is($pair->target_sql("SELECT source_old->>'number', source_new->>'filler' FROM penstock.conflict"),
	'9|private words', 'with the row');
unlike($log, qr/private words|number. = 9/, 'which the log does not have');

# Where nothing on the target keeps a key unique, a row too many must not make up
# for one too few: neither in a transaction nor in a statement for many rows.
for my $last (2, 20)
{
	my $title = "a row too many, and one too few, of $last";
	my $both = "SELECT count(*), min(amount), max(amount) FROM twins";

	$pair->source_sql('UPDATE twins SET amount = 1');
	is(($pair->run('follow', '--endpos=' . $pair->source_lsn))[0], 0,
		'a key that is not unique on the target');
	$pair->target_sql('DELETE FROM twins WHERE number = 2;
		INSERT INTO twins SELECT * FROM twins WHERE number = 1');
	$pair->source_sql("UPDATE twins SET amount = 2 WHERE number <= $last");
	($status, undef, $log) = $pair->run('follow',
		'--endpos=' . $pair->source_lsn);
	is($status, $FOLLOWER_FAILED, $title);
	like($log, qr/table "public"\."twins"/, 'it says where');
	is($pair->target_sql($both), '20|1|1', 'nothing of it is there');
	$pair->target_sql('DELETE FROM twins WHERE number = 1;
		INSERT INTO twins VALUES (1, 1), (2, 1)');
	is(($pair->run('follow', '--endpos=' . $pair->source_lsn))[0], 0,
		'it goes on once that is mended');
	is($pair->target_sql($both), $pair->source_sql($both), 'all is there');
}

done_testing();

sub conflict
{
	my (%case) = @_;
	my $title = $case{title};
	my $rows = $case{many} ? 'number BETWEEN 800 AND 1200' : 'number = 1000';
	my $new_rows = $case{many} ? 'true' : 'n = 2500';
	(my $change = $case{change}) =~ s/\{rows\}/$rows/;
	$change =~ s/\{new rows\}/$new_rows/;
	my $table = $case{message} =~ /keyless/ ? 'keyless' : '"Stock Items"';
	my $sum = "SELECT count(*), sum(hashtext(t::text)) FROM $table t";

	$pair->target_sql($case{spoil});
	my $spoilt = $pair->target_sql($sum);
	$pair->source_sql("INSERT INTO journal VALUES ('$title: before')");
	my $before = $pair->source_lsn;
	my $xid = $pair->source_sql(
		"BEGIN; INSERT INTO journal VALUES ('$title: within');
		 $change;
		 SELECT pg_current_xact_id()::xid; COMMIT");
	my $after = $pair->source_lsn;
	$pair->source_sql("INSERT INTO journal VALUES ('$title: behind')");

	my ($status, undef, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, $FOLLOWER_FAILED, "$title: the follower fails");
	my ($error) = $log =~ /^\S+ \S+ (error .*)/ms;
	like($error, $case{message}, "$title: the message says what and where");
	like($error, $case{row}, "$title: the message has the key");
	unlike($log, qr/xxxxx|private words/, "$title: and no other value");
	like($error, qr/transaction $xid\b/,
		"$title: the message has the transaction");
	my ($lsn) = $error =~ m{commit LSN ([0-9A-F]+/[0-9A-F]+)};
	is( $lsn
		  && $pair->source_sql("SELECT '$lsn' >= '$before'::pg_lsn
				AND '$lsn' < '$after'::pg_lsn"),
		't',
		"$title: the message has the position");
	is( $pair->target_sql("SELECT string_agg(entry, ',') FROM journal
			WHERE entry LIKE '$title:%'"),
		"$title: before",
		"$title: what came before is applied, nothing else is");
	is($pair->target_sql($sum), $spoilt, "$title: the table is untouched");
	is( $pair->target_sql(
			"SELECT end_lsn <= '$before'::pg_lsn FROM penstock.progress"),
		't',
		"$title: progress stands before the transaction");

	# Trying once more is no way around it.
	($status) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
	is($status, $FOLLOWER_FAILED, "$title: it fails again");
	is($pair->target_sql($sum), $spoilt, "$title: and leaves things alone");

	$pair->target_sql($case{fix});
	$pair->follow_to_end;
	$pair->equal_ok("$title: mended");
	return unless $case{undo};
	$pair->source_sql($case{undo});
	$pair->follow_to_end;
}
