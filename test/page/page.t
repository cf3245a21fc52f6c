# The page of a follower in a browser: light and dark, wide and narrow, without a
# finding of axe-core; in order, and with a target that is down.

use strict;
use warnings;

use IO::Socket::INET;
use IPC::Run qw(run);
use Test::More;

use Penstock::Metrics;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $pair = Penstock::Pair->new(source => ['max_slot_wal_keep_size = 1GB']);
my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
my $metrics = Penstock::Metrics->new(port => $port);

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
$pair->clone;
my $follower = $pair->start('follow', $metrics->option, '--heartbeat=1');
$follower->wait_log(qr/listening at/);
wait_until('it to be ready', sub { ($metrics->get('/readyz'))[0] == 200 });
# A step of the graphs is 20 seconds.
for my $turn (1 .. 4)
{
	my $points = points();

	$pair->source_sql("INSERT INTO t SELECT i FROM generate_series(1, 1000 * $turn) i
		ON CONFLICT DO NOTHING");
	wait_until('a point', sub { points() > $points }) if $turn < 4;
}
looks_ok('in-order');

$pair->target->stop('immediate');
wait_until('it not to be ready', sub { ($metrics->get('/readyz'))[0] == 503 });
looks_ok('target-down');
$pair->target->start;
$pair->stop_ok($follower);

done_testing();

sub points
{
	my $body = ($metrics->get('/state.json'))[2];

	return $body =~ /"ages_s":\[([^\]]*)\]/ ? scalar(my @all = split /,/, $1) : 0;
}

sub looks_ok
{
	my ($name) = @_;
	my $pictures = "$ENV{PENSTOCK_RESULTS}/$name";
	my ($found, $problems) = ('', '');

	mkdir $pictures;
	run(['node', '--experimental-websocket', "$ENV{PENSTOCK_STAGE}/test/page/look.js",
		"http://127.0.0.1:$port/", "$ENV{PENSTOCK_STAGE}/axe-core/axe.min.js", $pictures],
		'>', \$found, '2>', \$problems);
	is($found, '', "nothing is wrong with the page: $name") or diag($problems);
	is(scalar(my @all = glob "$pictures/*.png"), 4, 'and there are pictures of it');
}
