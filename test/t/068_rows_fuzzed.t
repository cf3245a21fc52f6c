# A few rounds of the fuzzer of rows: tables, publications, values and changes
# that are the same each time.  "make fuzz-rows" has the long run, with others.
#
# Before that, whether it sees what is wrong: a row that is missing, and one
# that is there and should not be; and whether all that it lists is done.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../fuzz/rows/lib", "$FindBin::RealBin/../soak/lib";
use Rows::Features;
use Rows::Fuzz;

my @SEEDS = (1 .. 5);

# PENSTOCK_SEED=N is the round with that seed alone.
@SEEDS = $ENV{PENSTOCK_SEED} if $ENV{PENSTOCK_SEED};

my $code = join '', map { slurp_file($_) } grep { !/Features/ }
  glob "$FindBin::RealBin/../fuzz/rows/lib/Rows/*.pm";
is(join(' ', grep { $code !~ /'$_'/ } Rows::Features->names),
	'', 'each feature that is listed is used');

my $results = "$PostgreSQL::Test::Utils::log_path/fuzz";
my $fuzz = Rows::Fuzz->new(
	steps => 20,
	phases => 2,
	results => $results);

sees('a row that is missing', 'target', 'only on the source');
sees('a row too many', 'source', 'only on the target');
$fuzz->run(seed => $_, rounds => 1) for @SEEDS;
done_testing();

# What the fuzzer finds when a row is gone on one side.
sub sees
{
	my ($title, $side, $message) = @_;
	my $spoilt = Rows::Fuzz->new(
		only => [],
		steps => 2,
		phases => 1,
		results => $results,
		servers => $fuzz->servers,
		spoil => sub {
			my ($pair) = @_;
			my $database = $pair->name;

			$pair->$side->safe_psql($database,
				'DELETE FROM t1 WHERE ctid = (SELECT min(ctid) FROM t1)');
		});

	$spoilt->run(seed => 0, rounds => 1);
	my @findings = $spoilt->findings;
	is(scalar @findings, 1, "$title: it is seen");
	like($findings[0] // '', qr/^public\.t1: \d+ rows.*^    $message/ms,
		"$title: the row is printed");
}
