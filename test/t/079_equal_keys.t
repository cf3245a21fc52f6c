# Keys that are equal and not identical, such as 1.0 and 1.00: whatever becomes of
# a row, the target has the key that the source has.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;

$pair->source_sql(<<'END');
CREATE TABLE prices (amount numeric PRIMARY KEY, note text);
CREATE TABLE alone (amount numeric PRIMARY KEY);
END
$pair->clone;

# A row that is in the way of one to insert is overwritten as a whole.
$pair->target_sql("INSERT INTO prices VALUES (1.0, 'ours'), (2.0, 'ours');
	INSERT INTO alone VALUES (1.0), (2.0)");
$pair->source_sql("INSERT INTO prices VALUES (1.00, 'theirs'), (2.0, 'theirs');
	INSERT INTO alone VALUES (1.00), (2.0)");
$pair->follow_to_end('--on-conflict=overwrite');
is($pair->target_sql('SELECT count(*) FROM penstock.conflict'),
	4, 'each of the conflicts is noted');
$pair->equal_ok('overwritten');

# An update of one to the other, and the one in the place of the other.
$pair->source_sql($_) for (
	"UPDATE prices SET amount = 2.000 WHERE amount = 2",
	"BEGIN; DELETE FROM prices WHERE amount = 1;
	 INSERT INTO prices VALUES (1.0, 'again'); COMMIT",
	"UPDATE alone SET amount = 1.0 WHERE amount = 1");
$pair->follow_to_end;
$pair->equal_ok('changed to an equal one');
done_testing();
