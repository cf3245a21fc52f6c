# What status says of a follower that does not hold the slot: that it tries
# again, and why; that a fence holds it; that it has stopped, and how.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
$pair->clone;
like(text(), qr/^follower +not running$/m, 'before it was ever started');

my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
like(text(), qr/^follower +running, PID \d+ on the source$/m, 'while it follows');
is(state()->{ok}, JSON::PP::true, 'and all is well');
is(state()->{follower}{state}, 'following', 'for machines, too');
cmp_ok((sort { $b <=> $a } map { length } split /\n/, text())[0],
	'<', 80, 'lines are shorter than 80 columns');

# The source is away: it tries again.
$pair->source->stop('immediate');
wait_until('the follower to say that it tries again',
	sub { (state()->{follower}{state} // '') eq 'retrying' });
my $state = state();
is($state->{ok}, JSON::PP::false, 'a follower that tries again is not in order');
like($state->{follower}{message}, qr/connect|connection|terminating|closed/,
	'the failure is told');
$pair->source->start;
wait_until('the follower to be back', sub { state()->{following} });

# Somebody holds the slot: to status that is a source that can be reached.
$follower->end('TERM');
like(text(), qr/^follower +not running, stopped at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[-+]/m,
	'when it was told to stop');
$state = state();
is($state->{ok}, JSON::PP::false, 'a pipeline that nobody follows is not in order');
is($state->{follower}{state}, 'stopped', 'for machines, too');

# It fails for good.
$pair->target_sql('INSERT INTO t VALUES (7)');
$pair->source_sql('INSERT INTO t VALUES (7)');
my ($status) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
is($status, 1, 'a conflict stops it');
like(text(), qr/^follower +not running, failed at .*: .*duplicate key/m,
	'and status says so afterwards');
$pair->target_sql('DELETE FROM t');

# A fence holds it.
$follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
my $fence = $pair->start('fence', '--hold=100');
$follower->wait_log(qr/holding at the fence/);
wait_until('status to tell of the fence',
	sub { text() =~ /^follower +held by a fence since/m });
is(state()->{ok}, JSON::PP::true, 'which is in order');
$fence->end('TERM');
wait_until('the follower to go on', sub { state()->{following} });

# It is killed.
$follower->end('KILL');
wait_until('the server to notice', sub { !state()->{following} });
like(text(), qr/^follower +not connected, last heard of \d+ s ago$/m,
	'when it was killed');
$pair->run_or_die('drop');
is($pair->target_sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'penstock'"),
	0, 'drop leaves nothing of it');

done_testing();

sub text
{
	return ($pair->run('status'))[1];
}

sub state
{
	return JSON::PP->new->decode(($pair->run('status', '--json'))[1]);
}
