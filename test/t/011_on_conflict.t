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
$pair->target_sql('DELETE FROM strict');
$pair->source_sql('UPDATE strict SET n = 2');
isnt(follow_with(@policies), 0, 'a table that no rule names stops it');

done_testing();

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
