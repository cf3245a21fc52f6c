# Rows that change their key go from node to node, large values included, while
# nodes and consumer are killed.  PENSTOCK_TEST_MOVES says how many.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);

my $MOVES = $ENV{PENSTOCK_TEST_MOVES} || 30_000;
my $ROWS = 5000;

my $nodes = Penstock::Nodes->new(
	count => 4,
	placement => [
		'public.parcel = hash(place)', 'public.trunk = hash(place)', '* = all' ]);
my $pair = $nodes->pair;

# Of the one table the log has all large values, of the other it has not.
for my $table (qw(parcel trunk))
{
	my $identity = $table eq 'parcel' ? 'FULL' : 'DEFAULT';

	$pair->source_sql(
		"CREATE TABLE $table (id int, place int, small text, large text);
		ALTER TABLE $table ADD PRIMARY KEY (id, place),
			REPLICA IDENTITY $identity, ALTER large SET STORAGE EXTERNAL;
		INSERT INTO $table SELECT n, n, md5(n::text),
				CASE n % 5 WHEN 0 THEN repeat(md5(n::text), 100) WHEN 1 THEN 'x' END
			FROM generate_series(1, $ROWS) n");
}
$nodes->run_or_die('clone');

my $follower = $nodes->start('follow');
my $rounds = int($MOVES / $ROWS / 2);
for my $round (1 .. $rounds)
{
	# Every row moves, one of ten together with a new large value.
	$pair->source_sql("UPDATE $_ SET place = random() * 1000000,
		large = CASE id % 10 WHEN $round % 10 THEN repeat('$round', 3000) ELSE large END")
	  for qw(parcel trunk);
	$pair->wait_caught_up($follower) if $round % 20 == 0;
	disturb($round) if $round == 2 || $round == 4 || $round % 50 == 0;
}
$pair->wait_caught_up($follower);
$nodes->spread_ok("$MOVES moves", parcel => 'place', trunk => 'place');
$pair->stop_ok($follower);
done_testing();

# The consumer is killed, or the server with all nodes.
sub disturb
{
	my ($round) = @_;

	if ($round % 4 == 0)
	{
		$pair->target->stop('immediate');
		$pair->target->start;
		return;
	}
	$follower->end('KILL');
	$follower = $nodes->start('follow');
}
