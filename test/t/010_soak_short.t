# A short run of the soak test: a workload, and faults of some kinds while it
# goes on.  "make soak" has the long one, with all kinds.
#
# Behind it, whether the comparison that all of these tests rely on sees a
# difference: a row that is changed, one that is missing, one that is there
# twice.

use strict;
use warnings;

use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../soak/lib";
use Soak::Invariants qw(violations);
use Soak::Soak;

my $SECONDS = 40;

# Those that do not take long, so that there are many.
my @KINDS = qw(
  apply_cancelled apply_terminated commit_replies_dropped consumer_crash
  consumer_ended consumer_killed rows_locked second_consumer source_cut_midway
  source_fast source_immediate target_backend_killed target_cut target_fast
  target_immediate target_loses_commits walsender_terminated
);
my $FAULTS_MIN = 5;

# PENSTOCK_SEED repeats a run, as far as moments can be repeated.
my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same faults");

my $soak = Soak::Soak->new(seed => $seed, kinds => \@KINDS);
$soak->run(seconds => $SECONDS, faults => $FAULTS_MIN);
note($soak->summary);
cmp_ok($soak->fault_count, '>=', $FAULTS_MIN, 'there were faults enough');

# The workload went on for a moment behind the last comparison.
my $pair = $soak->pair;
$pair->set_conninfo($_, undef) for qw(source target);
$pair->follow_to_end;
$pair->equal_ok('when all is over');
differs(
	'a row that was changed',
	"UPDATE toasted SET large = overlay(large PLACING '#' FROM 2500 FOR 1)
	  WHERE id = (SELECT min(id) FROM toasted WHERE length(large) > 3000)",
	'public.toasted', 'source', 'target');
differs(
	'a row that is missing',
	'DELETE FROM transfer WHERE number = (SELECT min(number) FROM transfer)',
	'public.transfer', 'source');
differs(
	'a row that is there twice',
	'INSERT INTO numbered SELECT * FROM numbered
	  WHERE writer = 1 AND number = 2',
	'public.numbered', 'target');

done_testing();

# The comparison finds what was done to the target: it names the table, and the
# row on the sides that have one of its own.
sub differs
{
	my ($title, $sql, $table, @sides) = @_;
	my ($stdout, $stderr);

	$pair->target_sql("CREATE TABLE before AS TABLE $table; $sql");
	IPC::Run::run(
		[
			"$ENV{PENSTOCK_STAGE}/test/compare", '--quiet',
			'--exclude=public.before',
			map { $pair->{$_}->connstr($pair->name) } qw(source target)
		],
		'>', \$stdout, '2>', \$stderr);
	is($? >> 8, 1, "$title: exit status") or diag($stderr);
	is_deeply([ $stdout =~ /^(\S+): \d+ rows on the source/mg ],
		[$table], "$title: its table is named, and no other");
	is_deeply([ $stdout =~ /^    only on the (\w+): /mg ],
		\@sides, "$title: the row is printed");
	like($stdout, qr/^source and target differ$/m, "$title: the last line");
	# The soak test looks at these while everything goes on.
	my $violations = violations($pair->target, $pair->name);
	cmp_ok(scalar @$violations, '>', 0, "$title: an invariant is violated")
	  unless $title =~ /changed/;

	# Columns that are always generated are no exception.
	$pair->target_sql("TRUNCATE $table; INSERT INTO $table
		OVERRIDING SYSTEM VALUE SELECT * FROM before; DROP TABLE before");
	$pair->equal_ok("$title, put right");
}
