# A few rounds of the fuzzer of schema changes that are followed, which make the
# same statements each time.  "make fuzz-follow" has the long run, with others.
#
# Before that, whether it sees what is wrong.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/../fuzz/ddl/lib";
use Ddl::Followed;
use Penstock::Pair;

my @SEEDS = (1, 2, 3, 4);
my $STEPS = 150;

# PENSTOCK_SEED=N is the round with that seed alone.
@SEEDS = $ENV{PENSTOCK_SEED} if $ENV{PENSTOCK_SEED};

my $servers = Penstock::Pair->new;

sees('a column too many', 'ALTER TABLE t1 ADD COLUMN other int',
	qr/only on the target: CREATE TABLE public\.t1/);
sees('a row too many', q{INSERT INTO t1 VALUES (-99, 1, 'x')},
	qr/public\.t1: .*only on the target/s);
Ddl::Followed::test_ok($servers, $_, $STEPS) for @SEEDS;
done_testing();

# What it finds when something is done on the target alone.
sub sees
{
	my ($title, $sql, $message) = @_;
	my $spoilt = Ddl::Followed->new(
		$servers,
		seed => 0,
		mode => 'batch',
		steps => 0,
		spoil => $sql);

	like(join('', $spoilt->test), $message, "$title: it is seen");
}
