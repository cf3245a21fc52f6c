# Memory does not grow with what there is to copy or to apply: neither with the
# size of a transaction, nor with more than a few times the size of a value.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;

my $MB = 1024 * 1024;
my $ROWS = 1_000_000;
my $VALUE_BYTES = 300 * $MB;
# It repeats itself, so that it is soon made.
my $VALUE = "repeat((SELECT string_agg(md5(n::text), '')
	FROM generate_series(1, $VALUE_BYTES / 3200) n), 100)";
my $BOUND = 64 * $MB;
# A value is there as it came, as it goes, and in between.
my $COPIES = 4.5;

plan skip_all => 'memory is measured without AddressSanitizer only'
  if slurp_file($ENV{PENSTOCK_BIN}) =~ /__asan_init/;

my $pair = Penstock::Pair->new(
	source => [ 'logical_decoding_work_mem = 64MB', 'max_wal_size = 8GB' ],
	target => ['max_wal_size = 8GB']);
$pair->source_sql(<<"END");
CREATE TABLE many (id integer PRIMARY KEY, n integer, filler text);
INSERT INTO many SELECT n, 0, 'filler of row ' || n
  FROM generate_series(1, $ROWS) n;
CREATE TABLE large (id integer PRIMARY KEY, value text);
ALTER TABLE large ALTER value SET STORAGE EXTERNAL;
END

# The first copy, and one transaction with all rows.
my $follower = $pair->start('clone', '--follow');
$follower->wait_log(qr/following with slot/);
bounded_ok($follower, $BOUND, "a clone of $ROWS rows");
$pair->source_sql('UPDATE many SET n = n + 1');
$pair->wait_caught_up($follower);
is($pair->target_sql('SELECT sum(n) FROM many'),
	$ROWS, "a transaction of $ROWS updates is applied");
bounded_ok($follower, $BOUND, "a transaction of $ROWS updates");

# The same, folded in one batch with what changed each row before.
$pair->source_sql("BEGIN; DELETE FROM many WHERE id <= $ROWS / 4;
	UPDATE many SET id = -id WHERE id > $ROWS - $ROWS / 4;
	INSERT INTO many SELECT n + $ROWS, 0 FROM generate_series(1, $ROWS / 4) n;
	COMMIT");
$pair->wait_caught_up($follower);
$pair->equal_ok('a transaction of all kinds of changes');
bounded_ok($follower, $BOUND, 'a transaction of all kinds of changes');
$pair->stop_ok($follower);

# A value that comes by itself.
$follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
$pair->source_sql("INSERT INTO large SELECT 1, $VALUE");
$pair->wait_caught_up($follower);
bounded_ok($follower, $BOUND + $COPIES * $VALUE_BYTES,
	'a value of 300 MB, followed');
$pair->stop_ok($follower);
my $sum = 'SELECT id, length(value), md5(value) FROM large';
is($pair->target_sql($sum), $pair->source_sql($sum), 'it is the same');

# And with a copy.
my $copy = $pair->with_database('copy');
$copy->source_sql(
	"CREATE TABLE large (id integer PRIMARY KEY, value text);
	 ALTER TABLE large ALTER value SET STORAGE EXTERNAL;
	 INSERT INTO large SELECT 1, $VALUE");
$follower = $copy->start('clone', '--follow');
$follower->wait_log(qr/following with slot/);
bounded_ok($follower, $BOUND + $COPIES * $VALUE_BYTES,
	'a value of 300 MB, copied');
$copy->stop_ok($follower);
is($copy->target_sql($sum), $copy->source_sql($sum), 'it is the same');

done_testing();

sub bounded_ok
{
	my ($process, $bytes_max, $title) = @_;
	my $peak = $process->memory_peak;

	note(sprintf '%s: at most %.0f MB at once', $title, $peak / $MB);
	cmp_ok($peak, '<', $bytes_max,
		"$title: memory stays under " . int($bytes_max / $MB) . ' MB');
}
