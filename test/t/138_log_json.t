# The log for machines: an object a line, with the name of the event.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $pair = Penstock::Pair->new;

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, text text)');
$pair->clone;
my $follower = $pair->start('follow', '--log-format=json');
$follower->wait_log(qr/following with slot/);
$pair->target->stop('immediate');
wait_until('it to try again', sub { grep { $_->{event} eq 'follow.trying-again' } lines() });
$pair->target->start;
$pair->wait_caught_up;
$pair->stop_ok($follower);

my ($line) = grep { $_->{event} eq 'follow.trying-again' } lines();
is($line->{level}, 'warning', 'a warning has its level');
is($line->{component}, 'follow', 'and its component');
like($line->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[-+]\d\d:\d\d$/, 'and a time');
ok(length $line->{message}, 'and a message');

# An error with its parts.
$pair->target_sql("INSERT INTO t VALUES (7, 'seven')");
$pair->source_sql("INSERT INTO t VALUES (7, 'sept')");
$follower = $pair->start('follow', '--log-format=json', '--endpos=' . $pair->source_lsn);
is($follower->wait_exit, 1, 'a conflict ends it');
($line) = grep { $_->{level} eq 'error' } lines();
is($line->{event}, 'follow.failed', 'the error has a name');
is($line->{sqlstate}, '23505', 'its SQLSTATE');
like($line->{context}, qr/transaction/, 'and its context');

done_testing();

# All lines as they are; dies if one is no object.
sub lines
{
	return map { JSON::PP->new->utf8->decode($_) } split /\n/, $follower->log;
}
