# A log is of one history: what is recorded after a failover goes on in it, and a
# target that follows from it is refused if it has changes that the log has not.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Log;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $FAILED = 1;
my $pair = Penstock::Pair->new(source => ['autovacuum = off']);
my $log = Penstock::Log->new($pair);
my $first = $pair->source;

$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
$first->backup('base');
$pair->clone;
$pair->source_sql('INSERT INTO t SELECT generate_series(1, 10)');
is(($log->run)[0], 0, 'it is recorded');
follows('a target follows from it');
messages();
my $old = old_log();
failover();
former_log();
put_back();
done_testing();

sub follower
{
	my ($directory, @options) = @_;

	return Penstock::Process->start(
		name => 'follow',
		command => [
			$ENV{PENSTOCK_BIN}, 'follow', "--source=log:$directory",
			'--target=' . $pair->conninfo('target'),
			'--name=' . $pair->name, @options
		]);
}

sub follows
{
	my ($title) = @_;
	my $follower =
	  follower($log->directory, '--endpos=' . $pair->source_lsn);

	is($follower->wait_exit, 0, $title) or diag($follower->log);
	$pair->equal_ok($title);
}

# From a log, which has messages, back to the slot, whose stream has none.
sub messages
{
	my $db = $pair->with_database('messages');
	my $beside = Penstock::Log->new($db, slot => 'beside',
		directory => PostgreSQL::Test::Utils::tempdir() . '/beside');

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	is(($beside->run)[0], 0, 'recorded with a slot of its own');
	$db->clone;
	$db->source_sql("INSERT INTO t VALUES (1);
		SELECT pg_logical_emit_message(true, 'app', 'hello')");
	$db->source_sql("SELECT pg_logical_emit_message(true, 'app', 'alone')");
	is(($beside->run)[0], 0, 'a transaction that has only a message is recorded');
	my $follower = Penstock::Process->start(
		name => 'follow',
		command => [
			$ENV{PENSTOCK_BIN}, 'follow', '--source=log:' . $beside->directory,
			'--target=' . $db->conninfo('target'), '--name=messages',
			'--endpos=' . $db->source_lsn ]);
	is($follower->wait_exit, 0, 'and followed') or diag($follower->log);
	$db->equal_ok('from the log');
	$db->source_sql('INSERT INTO t VALUES (2)');
	$db->follow_to_end;
	$db->equal_ok('from the slot again');
	$db->run_or_die('drop');
	$db->source_sql("SELECT pg_drop_replication_slot('beside')");
}

sub old_log
{
	my $directory = PostgreSQL::Test::Utils::tempdir() . '/old';

	system_or_bail('cp', '-a', $log->directory, $directory);
	return $directory;
}

# To a standby that has everything, with the slot, as tools for it do.
sub failover
{
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	my $slot = 'pg_replslot/shop';

	$standby->init_from_backup($first, 'base', has_streaming => 1);
	$standby->start;
	$pair->source_sql('INSERT INTO t SELECT generate_series(11, 100)');
	is(($log->run)[0], 0, 'it is recorded before the failover');
	$first->wait_for_catchup($standby, 'replay', $pair->source_lsn);
	$first->stop;
	$standby->stop;
	system_or_bail('cp', '-a', $first->data_dir . "/$slot",
		$standby->data_dir . "/$slot");
	$standby->start;
	$standby->promote;
	$pair->{source} = $standby;
	$pair->source_sql('INSERT INTO t SELECT generate_series(101, 200)');
	is(($log->run)[0], 0, 'it is recorded after the failover');
	like(slurp_file($log->directory . '/00000002.history'),
		qr{^1\t0/[0-9A-F]+\t}, 'the log has the history of the timeline');
	follows('a target follows over the failover');
	is($pair->target_sql('SELECT source_timeline FROM penstock.progress'),
		2, 'the new timeline is noted');
}

# A copy of the log that was made before.
sub former_log
{
	my $before = $pair->target_contents(but_sequences => 1);
	my $follower = follower($old);

	isnt($follower->wait_exit, 0, 'a log of the timeline before is refused');
	like($follower->log, qr/has changes that are not in the source's history/,
		'which is said');
	$old = old_log();
	$pair->source_sql('INSERT INTO t SELECT generate_series(201, 300)');
	is(($log->run)[0], 0, 'it is recorded further');
	follows('and followed');
	$before = $pair->target_contents(but_sequences => 1);
	$follower = follower($old);
	$follower->wait_log(qr/has not got to where the target is/);
	ok($follower->is_running, 'a log that is older than the target is waited for');
	$follower->end('TERM');
	is($pair->target_contents(but_sequences => 1), $before,
		'and nothing is applied from it');
}

# The files of the source, as they were before the target got to where it is.
sub put_back
{
	my $source = $pair->source;
	my $copy = $source->basedir . '/copy';

	$source->stop;
	system_or_bail('cp', '-a', $source->data_dir, $copy);
	$source->start;
	$pair->source_sql('INSERT INTO t SELECT generate_series(301, 400)');
	is(($log->run)[0], 0, 'what is lost then is recorded');
	follows('and followed');
	my $lsn = $pair->source_lsn;
	$source->stop;
	rename $source->data_dir, $source->basedir . '/original' or die "$!\n";
	rename $copy, $source->data_dir or die "$!\n";
	$source->start;
	is(($log->run)[0], $FAILED, 'the log refuses the source that was put back');
	while ($pair->source_sql("SELECT pg_current_wal_lsn() <= '$lsn'") eq 't')
	{
		$pair->source_sql('INSERT INTO t SELECT generate_series(1001, 1200)');
		$pair->source_sql('DELETE FROM t WHERE id > 1000');
	}
	my $new = Penstock::Log->new($pair,
		directory => PostgreSQL::Test::Utils::tempdir() . '/new');
	is(($new->run)[0], 0, 'another log takes it');
	my $before = $pair->target_contents(but_sequences => 1);
	my $follower =
	  follower($new->directory, '--endpos=' . $pair->source_lsn);
	isnt($follower->wait_exit, 0, 'a log of other changes is refused');
	like($follower->log, qr/target has changes that are not in the log/,
		'which is said');
	is($pair->target_contents(but_sequences => 1), $before,
		'nothing is applied from it');
}
