# A source is known by its history: after a failover, a recovery to a point in
# time or a restored copy of its files, a target goes on exactly if all that it
# has is in the source's WAL, and is refused otherwise, with the positions.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Session;

# As much as makes a slot that is made now start before what comes after.
my $MANY = 20_000;

my $pair = Penstock::Pair->new(source => [ 'autovacuum = off' ]);
my $first = $pair->source;
my $other = $pair->with_database('other');
$other->both_sql('CREATE TABLE u (id int PRIMARY KEY)');
$other->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
$other->source_sql('INSERT INTO u SELECT generate_series(1, 100)');
$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
$first->backup('base');

# Three servers that have the beginning of the log, and may get more of it.
my $behind = standby('behind');
my $level = standby('level');
my $restored = restored('restored');
$pair->clone;
$pair->source_sql('INSERT INTO t SELECT generate_series(1, 10)');
$pair->follow_to_end;
$first->wait_for_catchup($_, 'replay', $pair->source_lsn) for $behind, $level;

# The target follows past what one of the standbys has, and past the point to
# which the other server is recovered.
$behind->stop;
$pair->source_sql("INSERT INTO t SELECT generate_series(11, $MANY)");
$pair->follow_to_end;
my $ahead = $pair->progress_lsn;
$first->wait_for_catchup($level, 'replay', $pair->source_lsn);
$level->stop;

# A killed follower leaves a slot that has not been told of what was applied.
my $follower = $pair->start('follow');
$pair->source_sql('INSERT INTO t VALUES (-1)');
$pair->wait_for_sql('target', 'SELECT count(*) > 0 FROM t WHERE id = -1');
$follower->end('KILL');
$pair->follow_to_end;
$pair->equal_ok('after a killed follower, on the same history');

# ---- A copy of the files, put back ----

$first->stop;
my $copy = $first->basedir . '/copy';
system_or_bail('cp', '-a', $first->data_dir, $copy);
$first->start;
$pair->source_sql('INSERT INTO t SELECT generate_series(-100, -2)');
$pair->follow_to_end;
break_off_clone();
my $last = $pair->progress_lsn;
$first->stop;
rename $first->data_dir, $first->basedir . '/original' or die "$!\n";
rename $copy, $first->data_dir or die "$!\n";
$first->start;
refused(qr/target has changes that are not in the source's history/,
	qr{target is at \Q$last\E, and the source's WAL ends at 0/\w+, \d+ bytes before, on the same timeline, 1},
	'a source that was put back');
like(fails('table', 'resync', 'public.t'), qr/not in the source's history/,
	'and a table is not copied from it');
like(fails('fence', '--hold=1'), qr/not in the source's history/,
	'nor a fence put up');
$other->fails_like(1, qr/target has changes that are not in the source's history/,
	'nor a clone gone on with', 'clone', '--data-only', '--resume');
$pair->source_sql("INSERT INTO t SELECT generate_series(50000, 60000)");
$pair->wait_for_sql('source', "SELECT pg_current_wal_lsn() > '$last'");
refused(qr/target has changes that are not in the source's WAL/,
	qr{last transaction that it has applied was committed at LSN \S+; the source's WAL has},
	'a source that was put back and has gone on');
$first->stop;
rename $first->data_dir, $first->basedir . '/copy' or die "$!\n";
rename $first->basedir . '/original', $first->data_dir or die "$!\n";
$first->start;
$other->clone('--data-only', '--resume');
$other->equal_ok('a clone that was interrupted, with the original');
$pair->source_sql('INSERT INTO t VALUES (-200)');
$pair->follow_to_end;
$pair->equal_ok('with the original back');
$last = $pair->progress_lsn;

# ---- A failover to a standby that was behind ----

$first->stop;
$behind->start;
$behind->promote;
$pair->{source} = $behind;
$pair->source_sql(
	q(SELECT pg_create_logical_replication_slot('shop', 'penstock')));
$pair->source_sql('INSERT INTO t VALUES (2000000)');
refused(qr/target has changes that are not in the source's history/,
	qr{target is at \Q$last\E, timeline 1; the source's timeline 2 began at 0/\w+: the last \d+ bytes},
	'a standby that was behind');
$pair->source_sql("INSERT INTO t SELECT generate_series(3000000, 3060000)");
$pair->wait_for_sql('source', "SELECT pg_current_wal_lsn() > '$last'");
refused(qr/not in the source's history/, qr/timeline 2 began at/,
	'and one that has gone on');
$behind->stop;

# ---- Recovery to a point in time ----

$restored->start;
$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
$pair->{source} = $restored;
$pair->source_sql(
	q(SELECT pg_create_logical_replication_slot('shop', 'penstock')));
refused(qr/target has changes that are not in the source's history/,
	qr{timeline 1; the source's timeline 2 began at},
	'a recovery to a point in time');
$restored->stop;

# ---- A failover to a standby that had everything ----

# As tools for high availability do it, the slot goes along.
$pair->{source} = $first;
$first->start;
$level->start;
$first->wait_for_catchup($level, 'replay', $pair->source_lsn);
$first->stop;
$level->stop;
copy_slot($first, $level);
$level->start;
$level->promote;
$pair->{source} = $level;
$pair->source_sql('INSERT INTO t SELECT generate_series(70001, 70100)');
$pair->follow_to_end;
$pair->equal_ok('after a failover to a standby that had everything');
is($pair->target_sql('SELECT source_timeline FROM penstock.progress'), 2,
	'the new timeline is noted');
$pair->run_or_die('table', 'resync', 'public.t');
$pair->follow_to_end;
$pair->equal_ok('a table is copied from the new timeline');
$level->stop;

# The former primary is not the source any more.
$first->start;
$pair->{source} = $first;
refused(qr/target has changes that are not in the source's history/,
	qr{timeline 2; the source is on timeline 1, which is an earlier one},
	'the former primary');

done_testing();

sub standby
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init_from_backup($first, 'base', has_streaming => 1);
	$node->start;
	return $node;
}

# To where the log is by now, once it is started.
sub restored
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $log = $first->data_dir . '/pg_wal';

	$node->init_from_backup($first, 'base');
	$node->append_conf('postgresql.conf', "restore_command = 'cp $log/%f %p'
		recovery_target_lsn = '" . $pair->source_lsn . "'
		recovery_target_action = promote\n");
	$node->set_recovery_mode;
	return $node;
}

# It has begun to copy, and no more.
sub break_off_clone
{
	my $session = Penstock::Session->new($other->target, $other->name);

	$session->run('BEGIN', 'LOCK TABLE u IN SHARE MODE');
	my $clone = $other->start('clone', '--data-only');
	$other->wait_for_sql('target', "SELECT count(*) > 0 FROM pg_locks
		WHERE relation = 'u'::regclass AND NOT granted");
	$clone->end('KILL');
	$session->end('COMMIT');
}

sub copy_slot
{
	my ($from, $to) = @_;
	my $slot = 'pg_replslot/shop';

	system_or_bail('cp', '-a', $from->data_dir . "/$slot",
		$to->data_dir . "/$slot");
}

sub fails
{
	my ($verb, @options) = @_;
	my ($status, undef, $log) = $pair->run($verb, @options);

	isnt($status, 0, "$verb is refused");
	return $log;
}

# What the follower refuses is not in order for others, who only look at it.
sub said_by_others
{
	my ($title) = @_;
	my ($status, $output) = $pair->run('check');

	isnt($status, 0, "$title: check finds it");
	like($output =~ s/\s+/ /gr, qr/error .*has changes that are not in the source's history: The target is at/,
		"$title: check says where");
	($status, $output) = $pair->run('status');
	is($status, 1, "$title: status is not in order");
	like($output, qr/  has changes that are not in the source's history$/m,
		"$title: status says so and tells no lag");
	like($output, qr/: The target is at 0\/\w+, /, "$title: and where");
}

sub refused
{
	my ($message, $detail, $title) = @_;
	my $before = $pair->target_contents(but_sequences => 1);
	my ($status, undef, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);

	isnt($status, 0, "$title is refused");
	like($log, $message, "$title: it says what is wrong");
	like($log, $detail, "$title: it says where");
	is($pair->target_contents(but_sequences => 1), $before, "$title: nothing is written");
	said_by_others($title) if $message =~ /history/;
}
