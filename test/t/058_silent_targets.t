# Targets that take connections and say nothing, at one moment or another: the
# others go on, the source does not lose its follower, and they get what they
# missed when they are back.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);
use Penstock::Proxy;

# What the source gives its follower to say something, and what a target has to
# connect or to answer.
my $SENDER_TIMEOUT_S = 4;
my $CONNECT_TIMEOUT_S = 6;

# So long that a slow machine goes on within it.
my $PATIENT_TIMEOUT_S = 60;

my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [ '* = all' ],
	source => [ "wal_sender_timeout = '${SENDER_TIMEOUT_S}s'" ]);
my $pair = $nodes->pair;
$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
$nodes->run_or_die('clone');

# ---- From the start, before they say anything ----

my %silent = map { $_ => silent_socket() } qw(b c);
$nodes->set_conninfo($_ => conninfo($silent{$_}->sockport, $_)) for qw(b c);
my $started = time;
my $follower = $nodes->start('follow');
$pair->source_sql('INSERT INTO t VALUES (1)');
$follower->wait_log(qr/target "b" is unreachable.*target "c" is unreachable.*following with slot/s);
wait_until('the other to go on', sub { has_rows('a', 1) });
cmp_ok(time - $started, '<', $PATIENT_TIMEOUT_S,
	'the other goes on before the silent ones have had their time');

# They stay silent when they are looked for, for longer than the source waits.
$pair->source_sql('INSERT INTO t VALUES (2)');
wait_until('another turn', sub { has_rows('a', 2) });
my $end = time + 2 * $SENDER_TIMEOUT_S;
wait_until('some time to pass', sub { time > $end });
is(senders_lost(), 0, 'the source hears of its follower all the while');
like($pair->source_sql('SELECT active FROM pg_replication_slots'), qr/^t$/,
	'which has its slot');
unlike($follower->log, qr/trying again in/, 'it began once');
$pair->stop_ok($follower, 'TERM', 'a follower beside silent targets');
close $_ for values %silent;

# ---- Connected, and silent then ----

# When it is set up.
my $proxy = Penstock::Proxy->start(
	$pair->target,
	sub {
		my $silent = 0;

		return {
			reply => sub {
				my ($type, $body) = @_;

				$silent ||= $type eq 'C' && $body =~ /^SET\0/;
				return $silent ? () : ($type, $body);
			}
		};
	});
$nodes->set_conninfo(b => $proxy->conninfo('node_b')
	  . " connect_timeout=$CONNECT_TIMEOUT_S");
$nodes->set_conninfo(c => undef);
$follower = $nodes->start('follow');
$pair->source_sql('INSERT INTO t VALUES (3)');
$follower->wait_log(qr/no answer from target "b" within $CONNECT_TIMEOUT_S seconds/);
wait_until('the others to go on', sub { has_rows('a', 3) && has_rows('c', 3) });
pass('the others go on beside one that is silent when it is set up');
unlike($follower->log, qr/starting again|trying again/,
	'and do not begin again for it');
$pair->source_sql('INSERT INTO t VALUES (4)');
wait_until('the others to go on', sub { has_rows('a', 4) && has_rows('c', 4) });
is(senders_lost(), 0, 'the source hears of its follower meanwhile');

# ---- It speaks again ----

$proxy->restart;
wait_until('the silent one to have all', sub { has_rows('b', 4) });
pass('what was silent gets what it missed');
$pair->stop_ok($follower);
is(has_rows($_, 4), 1, "node $_ has all") for $nodes->names;

# ---- Far away, and the only one that knows how the pipeline was changed ----

# Each answer takes its time, so that another is always there before.
$proxy->restart(sub {
	return {
		reply => sub {
			my ($type, $body) = @_;

			sleep 0.1 if $type eq 'Z';
			return ($type, $body);
		}
	};
});
$nodes->node_sql('b', 'UPDATE penstock.pipeline SET revision = revision + 1');
my $revision = $nodes->node_sql('b', 'SELECT revision FROM penstock.pipeline');
$follower = $nodes->start('follow');
$pair->source_sql('INSERT INTO t VALUES (5)');
wait_until('the others to be told', sub {
	$nodes->node_sql('a', 'SELECT revision FROM penstock.pipeline') eq $revision;
});
wait_until('all to have all', sub { !grep { !has_rows($_, 5) } $nodes->names });
pass('what a slow target remembers reaches the others');
my $restarts = () = $follower->log =~ /options of pipeline "\w+" were changed/g;
cmp_ok($restarts, '<=', 2, 'and the follower does not begin again for ever');
$pair->stop_ok($follower);

# What is to be changed is changed from there, though another is asked first.
$nodes->node_sql($_, q{UPDATE penstock.pipeline SET revision = revision + 1,
	options = array_replace(options, 'apply=batch', 'apply=transaction')}) for qw(b c);
$follower = $nodes->start('follow', '--set', '--on-conflict=skip');
$pair->source_sql('INSERT INTO t VALUES (6)');
wait_until('all to have all', sub { !grep { !has_rows($_, 6) } $nodes->names });
like($nodes->node_sql($_, 'SELECT revision, options FROM penstock.pipeline'),
	qr/^${\($revision + 2)}\|.*apply=transaction.*on-conflict=skip/,
	"node $_ has what was changed before, and now")
  for $nodes->names;
$pair->stop_ok($follower);

done_testing();

# Connections are taken by the system; nobody speaks.
sub silent_socket
{
	return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20)
	  || die "could not listen: $!\n";
}

sub conninfo
{
	my ($port, $name) = @_;

	return "host=127.0.0.1 port=$port dbname=node_$name sslmode=disable"
	  . " connect_timeout=$PATIENT_TIMEOUT_S";
}

sub has_rows
{
	my ($node, $count) = @_;

	return $nodes->node_sql($node, 'SELECT count(*) FROM t') eq $count;
}

sub senders_lost
{
	my $log = PostgreSQL::Test::Utils::slurp_file($pair->source->logfile);

	return scalar(() = $log =~ /terminating walsender process/g);
}
