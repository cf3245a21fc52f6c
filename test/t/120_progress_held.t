# A snapshot that is held on the target keeps every version of the row of progress.
# What a transaction costs there does not grow with their number: it goes through
# few entries of the key's index, whether changes are applied by one lane, by several,
# or in batches.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Session;

# Several hundred times what a page of progress has room for.
my $TRANSACTIONS = 4000;

# Most index entries that a move of progress may go through, on average.
my $ENTRIES_MAX = 12;

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE event (id integer PRIMARY KEY)');
$pair->clone;

my $last = 0;
held_ok('one lane', '--apply=transaction', '--lanes=1');
held_ok('two lanes', '--apply=transaction', '--lanes=2');

is($pair->target_sql('SELECT count(*) FROM penstock.progress'), 1,
	'there is one row of progress');
cmp_ok($pair->target_sql('SELECT place FROM penstock.progress'), '>', 100,
	'which has had many places');
$pair->equal_ok('all is there');

$pair->follow_to_end;
$pair->equal_ok('and more follows');

done_testing();

# Applies transactions while a snapshot is held, and looks at what they have read.
sub held_ok
{
	my ($title, @options) = @_;
	my $holder = Penstock::Session->new($pair->target, $pair->name);
	my $before = entries();

	$holder->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$holder->run('SELECT count(*) FROM event');
	$pair->source_sql(<<"SQL");
DO \$\$ BEGIN
	FOR i IN $last + 1 .. $last + $TRANSACTIONS LOOP INSERT INTO event VALUES (i); COMMIT; END LOOP;
END \$\$
SQL
	$last += $TRANSACTIONS;
	$pair->follow_to_end(@options);
	cmp_ok((entries() - $before) / $TRANSACTIONS, '<', $ENTRIES_MAX,
		"$title: a move of progress reads few index entries");
	$holder->end('COMMIT');
	return;
}

# Index entries of progress that were read so far.  Sessions that have ended have
# reported theirs.
sub entries
{
	return $pair->target_sql(q{SELECT pg_stat_get_tuples_returned('penstock.progress_pkey'::regclass)});
}
