# Nodes that are all written to after a switch draw disjoint values from the same
# sequence.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);

my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [ 'public.item = all', 'public.mark = all' ]);
my $pair = $nodes->pair;

$pair->source_sql(<<'END');
CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text);
CREATE SEQUENCE down INCREMENT -5 START -2;
CREATE SEQUENCE round MAXVALUE 1000 CYCLE;
INSERT INTO item (who) SELECT 'source' FROM generate_series(1, 100);
SELECT nextval('down'), nextval('round') FROM generate_series(1, 7);
END
$nodes->fails_like(2, qr/--sequence-stride=3:1 has room for 2 targets, and there are 3/,
	'there has to be a number for each target', 'follow', '--sequence-stride=3:1');
$nodes->run_or_die('clone');

my $follower = $nodes->start('follow', '--sequence-interval=1',
	'--sequence-stride=4:1');
$follower->wait_log(qr/following with slot/);
$pair->source_sql("INSERT INTO item (who) SELECT 'source' FROM generate_series(1, 500)");

my $beyond = sub {
	return !grep {
		$nodes->node_sql($_, 'SELECT last_value FROM item_id_seq') <
		  $pair->source_sql('SELECT last_value FROM item_id_seq') } $nodes->names;
};
wait_until('all nodes to be beyond the source', $beyond);
for my $name ($nodes->names)
{
	like($follower->log, qr/sequence public\.round on target "$name": it cycles/,
		"$name: one that cycles is named");
}

sub drawn
{
	my ($sequence, $count) = @_;
	my %owners;

	for my $name ($nodes->names)
	{
		push @{ $owners{$_} }, $name
		  for split /\n/, $nodes->node_sql($name,
			"SELECT nextval('$sequence') FROM generate_series(1, $count)");
	}
	return \%owners;
}

# Nobody's number is the source's, which goes on, in its own: 0 of 4.
my $ids = drawn('item_id_seq', 400);
is(scalar keys %$ids, 1200, 'no value is drawn by two nodes');
is(scalar(grep { ($_ - 1) % 4 == 0 } keys %$ids), 0,
	'nor one of a number that no target has');
is(scalar keys %{ drawn('down', 100) }, 300, 'so it is with a descending sequence');
is(scalar(grep { ($_ + 2) % 5 != 0 } keys %{ drawn('down', 100) }), 0,
	'whose values are in its steps');

# What is drawn later on is still disjoint, when the nodes were moved on at
# different moments.
for my $round (1 .. 3)
{
	$pair->source_sql("SELECT nextval('item_id_seq') FROM generate_series(1, 3000)");
	wait_until('all nodes to be beyond the source', $beyond);
	my $more = drawn('item_id_seq', 100);
	is(scalar(grep { @{ $more->{$_} } > 1 || $ids->{$_} } keys %$more), 0,
		"round $round: still no value is drawn twice");
	$ids = { %$ids, %$more };
}

$pair->source->stop('immediate');
my ($status, $output) = $nodes->run('promote');
is($status, 0, 'all nodes are promoted');
my $more = drawn('item_id_seq', 100);
is(scalar(grep { @{ $more->{$_} } > 1 || $ids->{$_} || ($_ - 1) % 4 == 0 } keys %$more), 0,
	'and draw no value twice');
is($follower->end('KILL'), 128 + 9, 'the follower still ran');

done_testing;
