# A target that falls silent in the midst of what is asked of it: at a savepoint
# of an open transaction, when a table is looked up, when a further session is
# opened.  The other target goes on at once, the source hears of its follower,
# and the silent one gets what it missed.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Penstock::Nodes;
use Penstock::Poll qw(wait_until);
use Penstock::Proxy;
use Penstock::Session;

# What the source gives its follower to say something, and what a target has to
# answer.
my $SENDER_TIMEOUT_S = 4;
my $ANSWER_TIMEOUT_S = 9;

# Sessions in which large transactions are open at a time, and lanes.
my $LARGE = 8;
my $LANES = 16;

my $nodes = Penstock::Nodes->new(
	count => 2,
	placement => [ '* = all' ],
	source => [
		"wal_sender_timeout = '${SENDER_TIMEOUT_S}s'",
		'logical_decoding_work_mem = 64kB'
	],
	target => [
		'max_connections = 100',
		'max_replication_slots = 60',
		'wal_writer_delay = 10ms'
	]);
my $pair = $nodes->pair;

$pair->source_sql(<<'END');
CREATE TABLE t (id int PRIMARY KEY);
CREATE TABLE other (id int PRIMARY KEY);
CREATE TABLE another (id int PRIMARY KEY);
CREATE TABLE big (id int PRIMARY KEY, note text);
END
$nodes->run_or_die('clone');

my $proxy = Penstock::Proxy->start($pair->target);
$nodes->set_conninfo(b => $proxy->conninfo('node_b')
	  . " connect_timeout=$ANSWER_TIMEOUT_S");

# The proxy's processes say here that one of them has fallen silent.
my $silent_file = "$ENV{TESTDATADIR}/silent";
my $follower;
my $row = 0;

# Sources before 14 do not send transactions that are open.
my $streams = $pair->source_sql('SHOW server_version_num') >= 140000;

# A savepoint that is waited for: the answer to nothing else comes right after
# the last one has ended.
silent_at(
	'a savepoint',
	sub {
		my ($type, $body, $before) = @_;

		return $type eq 'C' && $body =~ /^SAVEPOINT\0/ && $before eq 'Z';
	},
	sub {
		my $session = Penstock::Session->new($pair->source, $pair->name);

		$session->run('BEGIN', large(1), 'SAVEPOINT s', large(2));
		return $session;
	}) if $streams;

silent_at(
	'looking up a table',
	sub {
		my ($type, $body) = @_;

		return $type eq 'T' && $body =~ /typdelim\0/;
	},
	sub { $pair->source_sql('INSERT INTO other VALUES (1)') });

# From the first word on.
silent_at(
	'a session for an open transaction',
	sub { return 1 },
	sub {
		my $session = Penstock::Session->new($pair->source, $pair->name);

		$session->run('BEGIN', large(3));
		return $session;
	},
	new_sessions => 1) if $streams;

silent_while_told_to_stop();
many_sessions() if $streams;
done_testing();


# ---- What happens ----

# Once arm() was called, node b says nothing any more on the connection on which
# it answers so; or on one that is opened from then on.
sub fall_silent_at
{
	my ($is_moment, %option) = @_;

	unlink $silent_file, "$silent_file.armed";
	$proxy->restart(sub {
		my $may_be = !$option{new_sessions} || -e "$silent_file.armed";
		my $silent = 0;
		my $before = '';

		return {
			reply => sub {
				my ($type, $body) = @_;

				if (!$silent && $may_be && -e "$silent_file.armed" &&
					$is_moment->($type, $body, $before))
				{
					$silent = 1;
					append_to_file($silent_file, 'x');
				}
				$before = $type;
				return $silent ? () : ($type, $body);
			}
		};
	});
}

sub arm
{
	append_to_file("$silent_file.armed", 'x');
}

sub start_follower
{
	$follower = $nodes->start('follow', '--streaming=on');
	$follower->wait_log(qr/following with slot/);
	insert_row();
	wait_until('both to follow', sub { has_row('a') && has_row('b') });
}

sub silent_at
{
	my ($title, $is_moment, $do, %option) = @_;

	fall_silent_at($is_moment, %option);
	start_follower();
	my $lost = senders_lost();
	arm();
	my $session = $do->();
	wait_until("silence at $title", sub { -e $silent_file });

	# Once more and again: it is not just what was on its way.
	for (1 .. 3)
	{
		insert_row();
		wait_until("the other to go on beside silence at $title",
			sub { has_row('a') });
	}
	unlike($follower->log, gave_up(), "$title: the other goes on at once");
	ok(!has_row('b'), "$title: the silent one does not");

	# That takes longer than the source waits for its follower.
	$follower->wait_log(gave_up());
	is(senders_lost(), $lost, "$title: the source hears of its follower");
	insert_row();
	wait_until('the other to go on', sub { has_row('a') });

	$proxy->restart;
	$session->end('COMMIT') if ref $session;
	insert_row();
	wait_until("what was silent at $title to have all", sub { has_row('b') });
	is($nodes->node_sql('b', 'SELECT sum(id), count(*) FROM big'),
		$pair->source_sql('SELECT sum(id), count(*) FROM big'),
		"$title: all is there") if ref $session;
	$pair->stop_ok($follower);
}

# Who waits for an answer need not wait for it to stop.
sub silent_while_told_to_stop
{
	fall_silent_at(sub { $_[0] eq 'T' && $_[1] =~ /typdelim\0/ });
	start_follower();
	arm();
	$pair->source_sql('INSERT INTO another VALUES (1)');
	wait_until('silence', sub { -e $silent_file });
	$pair->stop_ok($follower, 'TERM', 'a follower whose target is silent');
	$proxy->restart;
}

# A lane for each, and a session for each of the large transactions.
sub many_sessions
{
	$nodes->set_conninfo(b => undef);
	$follower = $nodes->start('follow', '--streaming=on', '--memory=64MB', '--verbose',
		'--apply=transaction', "--lanes=$LANES", '--set');
	$follower->wait_log(qr/following with slot/);
	my @sessions = map { Penstock::Session->new($pair->source, $pair->name) } 1 .. $LARGE;

	$sessions[$_]->run('BEGIN', large(10 + $_)) for 0 .. $LARGE - 1;
	wait_until(
		'all of them to be open on both nodes',
		sub {
			$pair->target->safe_psql('postgres',
				q{SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL
				   AND application_name LIKE 'penstock%'
				   AND state LIKE 'idle in transaction%'}) == 2 * $LARGE;
		});
	insert_row() for 1 .. 2 * $LANES;
	$_->end('COMMIT') for @sessions;
	insert_row();
	wait_until('both to have all', sub { has_row('a') && has_row('b') });
	my $all = $pair->source_sql('SELECT sum(id), count(*) FROM big');
	is($nodes->node_sql($_, 'SELECT sum(id), count(*) FROM big'),
		$all, "$LANES lanes and $LARGE open transactions: node $_ has all")
	  for $nodes->names;
	is(scalar(() = $follower->log =~ /was applied while open/g), 2 * $LARGE,
		'which were applied while open');
	$pair->stop_ok($follower);
}


# ---- Rows ----

# A transaction of such rows is larger than the source keeps.
sub large
{
	my ($number) = @_;
	my $first = $number * 10_000;

	return "INSERT INTO big SELECT $first + n, repeat('x', 100)
	          FROM generate_series(1, 3000) n";
}

sub insert_row
{
	$pair->source_sql('INSERT INTO t VALUES (' . ++$row . ')');
}

sub has_row
{
	my ($node) = @_;

	return $nodes->node_sql($node, "SELECT count(*) FROM t WHERE id = $row");
}

sub gave_up
{
	return qr/no answer from target "b" within $ANSWER_TIMEOUT_S seconds|could not connect to target "b"/;
}

sub senders_lost
{
	my $log = slurp_file($pair->source->logfile);

	return scalar(() = $log =~ /terminating walsender process/g);
}
