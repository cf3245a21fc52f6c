# What the page for a browser is made of: its files, and the state that it shows.
# How it looks is tested by make check-page.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Metrics;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $pair = Penstock::Pair->new;
my $metrics = Penstock::Metrics->new;

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, secret text)');
$pair->clone('--on-conflict=skip');
my $follower = $pair->start('follow', $metrics->option, '--heartbeat=1');
$follower->wait_log(qr/listening at unix:/);

for my $file (['/', 'text/html'], ['/page.css', 'text/css'], ['/page.js', 'text/javascript'])
{
	my ($status, $head, $body) = $metrics->get($file->[0]);

	is($status, 200, "$file->[0] is served");
	like($head, qr/^Content-Type: $file->[1]; charset=utf-8/m, 'with its type');
	like($head, qr/^Content-Security-Policy: default-src 'none'/m, 'and a policy');
	unlike($body =~ s{http://www\.w3\.org/2000/svg}{}r, qr{//\w+\.|\@import},
		'it fetches nothing from elsewhere');
	unlike($body, qr/innerHTML|<script>|style=|\son\w+=/, 'nothing is inline');
}

wait_until('it to be ready', sub { state()->{ready} });
my $state = state();
is($state->{pipeline}, 'shop', 'the state has the name');
is($state->{state}, 'following', 'what it does');
is_deeply($state->{next}, [], 'there is nothing to do');
ok($state->{source}{slot_exists}, 'the slot is there');
is(scalar @{ $state->{targets} }, 1, 'and the target');
is(scalar @{ $state->{targets}[0]{lag} }, scalar @{ $state->{ages_s} }, 'with a graph');
is_deeply($state->{events}, [], 'nothing has happened');

# A conflict: the event is there, the row is not.
$pair->target_sql("INSERT INTO t VALUES (4711, 'here')");
$pair->source_sql("INSERT INTO t VALUES (4711, 'there')");
wait_until('the conflict to be told', sub { @{ state()->{events} } > 0 });
$state = state();
is($state->{events}[0]{name}, 'apply.conflict-settled', 'an event has its name');
is($state->{events}[0]{level}, 'warning', 'and level');
unlike(($metrics->get('/state.json'))[2], qr/4711|here|host=/, 'but no row, and no connection');

$pair->target->stop('immediate');
wait_until('the target to be down', sub { !state()->{targets}[0]{up} && !state()->{ready} });
wait_until('advice', sub { grep { /Target 1 cannot be reached/ } @{ state()->{next} } });
pass('what to do is said');
$pair->target->start;
wait_until('it to be ready again', sub { state()->{ready} });
$pair->stop_ok($follower);

done_testing();

sub state
{
	return decode_json(($metrics->get('/state.json'))[2]);
}
