# Conflicts that a policy settles: what becomes of the rows, what the ledger
# says of them, and what no policy can settle.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $MANY = 300;

my $pair = Penstock::Pair->new;
$pair->source_sql(<<'END');
CREATE TABLE prices (id integer PRIMARY KEY, code integer UNIQUE,
	amount numeric, note text);
ALTER TABLE prices ALTER note SET STORAGE external;
CREATE TABLE "My Logs" (number integer, entry text);
ALTER TABLE "My Logs" REPLICA IDENTITY FULL;
CREATE TABLE strict (id integer PRIMARY KEY, n integer);
INSERT INTO prices SELECT n, n, n / 4.0, 'note ' || n
  FROM generate_series(1, 1000) n;
INSERT INTO "My Logs" SELECT n, 'entry' FROM generate_series(1, 10) n;
INSERT INTO strict VALUES (1, 1);
END
$pair->clone;
my @policies = ('--on-conflict=public.prices:overwrite',
	'--on-conflict=public."My Logs":skip');

# One by one.
$pair->target_sql(<<'END');
DELETE FROM prices WHERE id IN (1, 2);
INSERT INTO prices VALUES (2001, 2001, 7, 'ours');
DELETE FROM "My Logs" WHERE number IN (3, 4);
END
$pair->source_sql(q(UPDATE prices SET amount = 99 WHERE id = 1));
$pair->source_sql(q(DELETE FROM prices WHERE id = 2));
$pair->source_sql(q(INSERT INTO prices VALUES (2001, 2002, 8, 'theirs')));
$pair->source_sql(q(UPDATE "My Logs" SET entry = 'changed' WHERE number = 3));
$pair->source_sql(q(DELETE FROM "My Logs" WHERE number = 4));
is(follow_with(@policies), 0, 'the follower goes on');
is($pair->target_sql('SELECT amount FROM prices WHERE id = 1'),
	99, 'a row to update that was not there is there now');
is($pair->target_sql('SELECT code, amount, note FROM prices WHERE id = 2001'),
	'2002|8|theirs', 'a row to insert that was there is overwritten');
is($pair->target_sql('SELECT count(*) FROM "My Logs" WHERE number IN (3, 4)'),
	0, 'a skipped row stays as it was');
is( $pair->target_sql(
		q(SELECT string_agg(concat_ws(' ', table_name, operation, policy), ', '
			ORDER BY id) FROM penstock.conflict)),
	'prices update overwrite, prices delete overwrite, '
	  . 'prices insert overwrite, My Logs update skip, My Logs delete skip',
	'the ledger has every conflict in order');
is( $pair->target_sql(
		q(SELECT target_row->>'note', source_new->>'note' FROM penstock.conflict
			WHERE operation = 'insert')),
	'ours|theirs',
	'the ledger has both images of a row that was there');
is( $pair->target_sql(
		q(SELECT source_old->>'entry', source_new->>'entry'
			FROM penstock.conflict WHERE table_name = 'My Logs'
			AND operation = 'update')),
	'entry|changed',
	'the ledger has the row as the source had it');


# A statement that one row was given is used for others again.
$pair->target_sql('DELETE FROM prices WHERE id IN (5, 6)');
$pair->source_sql('UPDATE prices SET note = NULL WHERE id = 5');
$pair->source_sql('UPDATE prices SET amount = 6 WHERE id = 6');
is(follow_with(@policies), 0, 'the follower goes on with a null');
is( $pair->target_sql(q(SELECT source_old FROM penstock.conflict
		WHERE source_new->>'id' IN ('5', '6') ORDER BY id)),
	qq({"id": 5}\n{"id": 6}),
	'the ledger has nothing of an old row but what the source told');
$pair->target_sql(q(DELETE FROM penstock.conflict
	WHERE source_new->>'id' IN ('5', '6')));

# Among many, which are applied as their net effect where nothing is in the way.
$pair->target_sql("DELETE FROM prices WHERE id BETWEEN 10 AND 19");
$pair->source_sql("UPDATE prices SET amount = amount + 1 WHERE id <= $MANY");
is(follow_with(@policies), 0, 'the follower goes on with many');
is( $pair->target_sql('SELECT count(*) FROM penstock.conflict'),
	15, 'each of ten more conflicts is noted, once');
is(digest('source'), digest('target'), 'overwriting made the tables equal');

# What a policy cannot settle, and a table without one, stop it.
$pair->source_sql(
	q(INSERT INTO prices VALUES (3000, 3000, 0, repeat('long', 5000))));
is(follow_with(), 0, 'following goes on without policies');
$pair->target_sql('DELETE FROM prices WHERE id = 3000');
$pair->source_sql('UPDATE prices SET amount = 1 WHERE id = 3000');
my ($status, $log) = follow_with(@policies);
isnt($status, 0, 'a row whose values are not all in the log stops it');
like($log, qr/cannot be overwritten in table "public"."prices"/,
	'it says that the row cannot be overwritten');
is($pair->target_sql('SELECT count(*) FROM prices WHERE id = 3000'),
	0, 'nothing is written then');
is($pair->target_sql('SELECT count(*) FROM penstock.conflict'),
	15, 'and nothing is noted');
is(follow_with('--on-conflict=skip'), 0, 'skipping is always possible');
$pair->target_sql("INSERT INTO prices VALUES (4000, 4000, 0, 'ours')");
$pair->source_sql('UPDATE prices SET id = 4000 WHERE id = 50');
for my $policy (qw(skip overwrite))
{
	($status, $log) = follow_with("--on-conflict=$policy");
	isnt($status, 0, "$policy: an update to a key that another row has stops it");
	like($log, qr/duplicate key value.*"prices_pkey".*Fix the row/s,
		"$policy: it says which row");
	is($pair->target_sql('SELECT string_agg(note, \',\') FROM prices
		WHERE id IN (50, 4000)'), 'note 50,ours', "$policy: both rows are as they were");
}
$pair->target_sql('DELETE FROM prices WHERE id = 4000');
is(follow_with('--on-conflict=skip'), 0, 'it goes on when that row is gone');
$pair->target_sql('DELETE FROM strict');
$pair->source_sql('UPDATE strict SET n = 2');
isnt(follow_with(@policies), 0, 'a table that no rule names stops it');

# Keys and other columns that only an INSERT can set, in all ways to apply.
my @WAYS = (
	[ '--apply=batch', '--lanes=1' ],
	[ '--apply=transaction', '--lanes=1', '--streaming=on' ],
	[ '--apply=transaction', '--lanes=4', '--streaming=off' ]);
always_identity($WAYS[$_], $_) for 0 .. $#WAYS;

done_testing();

# Of each two rows, the target has the one as the source had it, and the other
# not, or another one in its place.
sub always_identity
{
	my ($way, $number) = @_;

	for my $policy (qw(skip overwrite))
	{
		my $db = $pair->with_database("always_${number}_$policy");
		my $title = "@$way, $policy";

		$db->source_sql(<<'END');
CREATE TABLE as_key (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text);
CREATE TABLE as_value (id integer PRIMARY KEY,
	n integer GENERATED ALWAYS AS IDENTITY, t text);
INSERT INTO as_key (t) SELECT 'first' FROM generate_series(1, 60);
INSERT INTO as_value (id, t) SELECT n, 'first' FROM generate_series(1, 60) n;
CREATE TABLE keyless (n integer GENERATED ALWAYS AS IDENTITY, t text);
ALTER TABLE keyless REPLICA IDENTITY FULL;
INSERT INTO keyless (t) SELECT 'first' FROM generate_series(1, 60);
CREATE TABLE passing (id integer PRIMARY KEY, t text);
END
		$db->clone;
		$db->target_sql(<<'END');
DELETE FROM as_key WHERE id IN (11, 21, 31);
DELETE FROM as_value WHERE id IN (11, 21, 31);
DELETE FROM keyless WHERE n IN (11, 21, 31);
INSERT INTO passing VALUES (1, 'ours'), (2, 'ours');
INSERT INTO as_key OVERRIDING SYSTEM VALUE VALUES (101, 'ours');
INSERT INTO as_value OVERRIDING SYSTEM VALUE VALUES (101, -1, 'ours');
ALTER TABLE as_key ADD own text;
UPDATE as_key SET own = 'kept ' || id;
END
		$db->source_sql($_) for (
			map({
				my $table = $_;
				(
					"INSERT INTO $table (id, t) OVERRIDING SYSTEM VALUE
					   VALUES (100, 'new'), (101, 'new')",
					"UPDATE $table SET t = 'changed' WHERE id IN (10, 11)",
					"DELETE FROM $table WHERE id IN (20, 21)");
			} qw(as_key as_value)),
			"UPDATE as_key SET id = DEFAULT, t = 'renewed' WHERE id IN (30, 31)",
			"UPDATE as_value SET n = DEFAULT, t = 'renewed' WHERE id IN (30, 31)",
			"UPDATE keyless SET t = 'changed' WHERE n IN (10, 11)",
			'DELETE FROM keyless WHERE n IN (20, 21)',
			"UPDATE keyless SET n = DEFAULT, t = 'renewed' WHERE n IN (30, 31)",
			# A row that comes and goes meets the target's all the same.
			q(BEGIN; INSERT INTO passing VALUES (1, 'new'); DELETE FROM passing;
				INSERT INTO passing VALUES (2, 'new');
				UPDATE passing SET id = 3; COMMIT));
		$db->run_or_die('follow', '--set', '--endpos=' . $db->source_lsn, @$way,
			"--on-conflict=$policy");
		check_always($db, $policy, $title);
	}
}

sub check_always
{
	my ($db, $policy, $title) = @_;
	my %expected = (
		skip => {
			as_key => '10 changed, 61 renewed, 100 new, 101 ours',
			as_value => '10 changed 10, 30 renewed 63, 100 new 61, 101 ours -1',
			keyless => '10 changed, 61 renewed',
			passing => '3 new',
		},
		overwrite => {
			as_key => '10 changed, 11 changed, 61 renewed, 62 renewed, '
			  . '100 new, 101 new',
			as_value => '10 changed 10, 11 changed 11, 30 renewed 63, '
			  . '31 renewed 64, 100 new 61, 101 new 62',
			keyless => '10 changed, 11 changed, 61 renewed, 62 renewed',
			passing => '3 new',
		});
	my %columns = (
		as_key => 'id, t',
		as_value => 'id, t, n',
		keyless => 'n, t',
		passing => 'id, t');

	is( $db->target_sql(
			"SELECT string_agg(concat_ws(' ', $columns{$_}), ', ' ORDER BY 1)
			   FROM (SELECT $columns{$_} FROM $_ WHERE t <> 'first' ORDER BY 1) t"),
		$expected{$policy}{$_},
		"$title: what is changed in $_")
	  for sort keys %columns;
	is( $db->target_sql(
			"SELECT string_agg(own, ', ') FROM as_key WHERE t = 'renewed'"),
		'kept 30',
		"$title: a row with a new key keeps what the target alone has");
	is( $db->target_sql(
			q(SELECT string_agg(d, ', ' ORDER BY d) FROM (
				SELECT concat_ws(' ', table_name, operation, count(*)) AS d
				  FROM penstock.conflict GROUP BY table_name, operation) s)),
		'as_key delete 1, as_key insert 1, as_key update 2, '
		  . 'as_value delete 1, as_value insert 1, as_value update 2, '
		  . 'keyless delete 1, keyless update 2, passing insert 2',
		"$title: each conflict is noted, once");
}

sub follow_with
{
	my @options = @_ ? @_ : '--on-conflict=stop';
	my ($status, undef, $log) = $pair->run('follow', '--set',
		'--endpos=' . $pair->source_lsn, @options);

	return wantarray ? ($status, $log) : $status;
}

sub digest
{
	my ($side) = @_;
	my $sql = 'SELECT count(*), sum(hashtext(p::text)) FROM prices p';

	return $side eq 'source' ? $pair->source_sql($sql) : $pair->target_sql($sql);
}
