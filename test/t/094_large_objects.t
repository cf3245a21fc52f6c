# With --large-objects=follow the target's large objects are those of the source:
# contents, owners, privileges, comments; also when whoever brings them is killed.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

my $KILLED = 128 + 9;
my @FOLLOW = ('--large-object-interval=1');
my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my $first = Penstock::Pair->new;

$first->$_->safe_psql('postgres', 'CREATE ROLE alice; CREATE ROLE "Bob";
	CREATE ROLE reader LOGIN REPLICATION') for qw(source target);

following();
crashes();
later();
without_slot();
both_ways();
several_targets();
privileges();
done_testing();


# ---- Helpers ----

# All that a large object is, one in a line.
sub contents
{
	my ($where, $side) = @_;

	return $where->$side->safe_psql($where->name, <<'END');
SELECT m.oid, length(lo_get(m.oid)), md5(lo_get(m.oid)), pg_get_userbyid(lomowner),
	(SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(lomacl) x), obj_description(m.oid, 'pg_largeobject')
  FROM pg_largeobject_metadata m WHERE m.oid <> 4711 ORDER BY 1
END
}

sub same_soon
{
	my ($where, $title) = @_;
	my ($source, $target);

	eval {
		wait_until('large objects to be the same',
			sub { ($source, $target) = map { contents($where, $_) } qw(source target); $source eq $target });
	};
	is($target, $source, $title);
}

sub same_ok
{
	my ($where, $title) = @_;

	is(contents($where, 'target'), contents($where, 'source'), $title);
}

# Waits for a pass that has begun after this was called to end.
sub wait_for_pass
{
	my ($where) = @_;

	for (1 .. 2)
	{
		my $ended = $where->target_sql('SELECT ended_at FROM penstock.large_object_pass');

		wait_until('a pass to end',
			sub { $where->target_sql('SELECT ended_at FROM penstock.large_object_pass') ne $ended });
	}
}

# Of all sizes around those of pages and of what is read at a time.
sub make_objects
{
	my ($where) = @_;

	$where->source_sql(<<'END');
SELECT lo_from_bytea(1000 + n, decode(repeat(to_hex(n % 16) || 'f', s), 'hex'))
  FROM unnest(ARRAY[0, 1, 2047, 2048, 2049, 4096, 262143, 262144, 262145, 600000]) WITH ORDINALITY u (s, n);
SELECT lo_create(2000);
SELECT lo_put(2000, 500000, '\x0102');
SELECT lo_create(2001);
BEGIN; SELECT lo_truncate64(lo_open(2001, 131072), 6000000); COMMIT;
SELECT lo_from_bytea(2002, decode(repeat('ab', 10000), 'hex'));
BEGIN; SELECT lo_truncate(lo_open(2002, 131072), 4096); COMMIT;
SELECT lo_create(4294967295); SELECT lo_put(4294967295, 0, 'last');
SELECT lo_from_bytea(1, 'first');
ALTER LARGE OBJECT 1001 OWNER TO alice;
GRANT SELECT, UPDATE ON LARGE OBJECT 1001 TO "Bob" WITH GRANT OPTION;
GRANT SELECT ON LARGE OBJECT 1002 TO PUBLIC;
COMMENT ON LARGE OBJECT 1003 IS 'it''s';
END
}


# ---- Cases ----

sub following
{
	my $pair = $first->with_database('followed');

	make_objects($pair);
	like(($pair->run('check'))[1], qr/large objects.*--large-objects=follow/s, '"penstock check" says that there are some');
	$pair->clone('--large-objects=follow');
	same_ok($pair, 'they are copied');
	$pair->target_sql("SELECT lo_from_bytea(4711, 'the target''s own')");
	my $follower = $pair->start('follow', @FOLLOW);

	$follower->wait_log(qr/following with slot/);
	wait_for_pass($pair);
	unlike($follower->log, qr/copied \d+ large object/, 'and not once more');

	# Each kind of change.
	$pair->source_sql(<<'END');
SELECT lo_put(1001, 0, 'changed'); SELECT lo_put(1010, 300000, 'within');
BEGIN; SELECT lo_truncate(lo_open(1008, 131072), 2048); COMMIT;
BEGIN; SELECT lo_truncate(lo_open(1007, 131072), 0); COMMIT;
SELECT lo_unlink(1005); SELECT lo_unlink(1006), lo_from_bytea(1006, 'another one');
SELECT lo_unlink(1), lo_unlink(4294967295);
SELECT lo_from_bytea(3000 + n, 'new') FROM generate_series(1, 200) n;
REVOKE ALL ON LARGE OBJECT 1002 FROM PUBLIC;
COMMENT ON LARGE OBJECT 1004 IS 'new';
END
	same_soon($pair, 'what changes is followed');
	$pair->source_sql('SELECT lo_unlink(2002)');
	same_soon($pair, 'so is what is only removed');
	$pair->source_sql('GRANT SELECT ON LARGE OBJECT 1003 TO alice; ALTER LARGE OBJECT 1004 OWNER TO "Bob"');
	same_soon($pair, 'and privileges and owners');
	is($pair->target_sql('SELECT convert_from(lo_get(4711), \'UTF8\')'), q(the target's own),
		'one that the target has by itself stays');

	# A transaction that is in progress during passes, and ends after them: its
	# numbers are smaller than those of what has been seen.
	my $session = Penstock::Session->new($pair->source, $pair->name);
	$session->run('BEGIN', 'SELECT lo_put(1009, 10, \'late\')', 'SAVEPOINT s', 'SELECT lo_create(5000)',
		'SELECT lo_put(1003, 10, \'late\')');
	$pair->source_sql("SELECT lo_from_bytea(5001, 'meanwhile')");
	wait_until('what came meanwhile', sub { $pair->target_sql(
		'SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 5001') eq '1' });
	wait_for_pass($pair);
	$session->run('COMMIT');
	same_soon($pair, 'a transaction that ended after a later one was seen is followed, with its savepoints');
	$session->end;

	# The numbers stay when rows are frozen.
	$pair->source_sql("SELECT lo_put(1010, 10, 'frozen')");
	$pair->source_sql('VACUUM FREEZE pg_largeobject');
	$pair->source_sql("SELECT lo_put(1009, 10, 'written anew')");
	$pair->source_sql('VACUUM FULL pg_largeobject');
	same_soon($pair, 'rows that are frozen, or written anew by the server, are followed');

	# Another pass that begins takes over: what the first goes on with is refused.
	my $row = Penstock::Session->new($pair->target, $pair->name);
	$row->run('BEGIN', 'UPDATE penstock.large_object_pass SET token = token + 1');
	$pair->source_sql("SELECT lo_put(1010, 20, 'superseded')");
	wait_until('the pass to wait', sub { $pair->target_sql(q{SELECT count(*) > 0 FROM pg_stat_activity
		WHERE wait_event_type = 'Lock' AND datname = 'followed'}) eq 't' });
	$row->run('COMMIT');
	$row->end;
	same_soon($pair, 'a pass makes up for one that another has put an end to');
	$pair->stop_ok($follower);

	# A pass goes on from the last one, and looks at nothing else.
	$pair->target_sql("SELECT lo_put(1010, 0, 'not the source''s')");
	$pair->source_sql("SELECT lo_put(1009, 0, 'once more')");
	my $log = ($pair->run('follow', '--endpos=' . $pair->source_lsn))[2];
	like($log, qr/copied 1 large object to target, and removed 0/, 'the last pass copies what has changed');
	is($pair->target_sql('SELECT convert_from(lo_get(1010, 0, 7), \'UTF8\')'), 'not the', 'and nothing else');
	is($pair->target_sql('SELECT lo_get(1009)'), $pair->source_sql('SELECT lo_get(1009)'), 'it is the same');

	# On another timeline nothing is known.
	$pair->target_sql('UPDATE penstock.large_object_pass SET source_timeline = source_timeline + 1');
	$pair->follow_to_end;
	same_ok($pair, 'where it is not known what has changed, all are copied');

	# Somebody has meddled.
	$pair->target_sql('DELETE FROM penstock.large_object WHERE oid = 1010');
	$pair->fails_like(1, qr/not all large objects that source has are noted.*UPDATE penstock\.large_object_pass SET source_xmin = NULL/s,
		'notes that are missing are found', 'follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql("UPDATE penstock.large_object_pass SET source_xmin = NULL WHERE pipeline = 'followed'");
	$pair->follow_to_end;
	same_ok($pair, 'and made up for');

	# Fence and drop.
	$follower = $pair->start('follow', '--large-object-interval=86400');
	$follower->wait_log(qr/following with slot/);
	wait_for_first_pass($pair);
	$pair->source_sql("SELECT lo_from_bytea(6000, 'at the fence'); SELECT lo_unlink(1009)");
	$pair->run_or_die('fence', '--hold=1');
	same_ok($pair, 'at a fence they are the same');
	$pair->stop_ok($follower);
	$pair->source_sql("SELECT lo_from_bytea(6001, 'at the end')");
	like($pair->run_or_die('drop'), qr/^copied 1 large object to target .*, and removed 0$/m, 'drop brings them along');
	same_ok($pair, 'and then they are the same');
	is($pair->target_sql("SELECT to_regclass('penstock.large_object')"), '', 'nothing is left of what was noted');
}

# The first pass of a follower is over: nothing waits for the next.
sub wait_for_first_pass
{
	my ($where) = @_;
	my $began = $where->target_sql('SELECT token FROM penstock.large_object_pass');

	wait_until('the first pass', sub { $where->target_sql(
		"SELECT token > $began OR ended_at > now() - interval '1 minute' FROM penstock.large_object_pass") eq 't' });
	wait_until('its end', sub { $where->source_sql(q{SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'penstock large objects'}) eq '0' });
}

sub crashes
{
	my $pair = $first->with_database('crashed');

	make_objects($pair);
	{
		local $ENV{PENSTOCK_BIN} = $faults_bin;
		local $ENV{PENSTOCK_FAULT} = 'clone.large_object:3';
		is(($pair->run('clone', '--large-objects=follow'))[0], $KILLED, 'a clone is killed among large objects');
	}
	# What changes now is not copied by whoever goes on, and is followed.
	$pair->source_sql("SELECT lo_put(1, 0, 'changed'); SELECT lo_unlink(1001)");
	$pair->clone('--resume', '--large-objects=follow');
	$pair->follow_to_end;
	same_ok($pair, 'what had changed before it was resumed is followed');

	for my $point (qw(written:2 committed:2 done:1))
	{
		$pair->source_sql("SELECT lo_put(1002, 0, '$point'); SELECT lo_put(1010, 100, '$point');
			SELECT lo_from_bytea(0, '$point') FROM generate_series(1, 5);
			SELECT lo_unlink(max(oid)) FROM pg_largeobject_metadata WHERE oid BETWEEN 2000 AND 4000");
		{
			local $ENV{PENSTOCK_BIN} = $faults_bin;
			local $ENV{PENSTOCK_FAULT} = "large_objects.$point";
			is(($pair->run('follow', '--endpos=' . $pair->source_lsn))[0], $KILLED, "the follower is killed at $point");
		}
		$pair->source_sql("SELECT lo_put(1003, 0, '$point')");
		$pair->follow_to_end;
		same_ok($pair, 'and the next one makes it good');
	}

	# Servers that are gone in the midst.
	for my $side (qw(source target))
	{
		my $follower = $pair->start('follow', @FOLLOW);
		$follower->wait_log(qr/following with slot/);
		$pair->source_sql("SELECT lo_from_bytea(0, '$side') FROM generate_series(1, 300);
			SELECT lo_unlink(min(oid)) FROM pg_largeobject_metadata WHERE oid > 3000");
		$pair->$side->stop('immediate');
		$pair->$side->start;
		$pair->source_sql("SELECT lo_put(1003, 0, '$side')");
		same_soon($pair, "they are followed when the $side was killed");
		$pair->stop_ok($follower);
	}
}

# A pipeline that was made without it.
sub later
{
	my $pair = $first->with_database('later');

	make_objects($pair);
	$pair->clone;
	$pair->follow_to_end;
	$pair->source_sql("SELECT lo_put(1, 0, 'changed'); SELECT lo_from_bytea(7000, 'new')");
	$pair->fails_like(1, qr/other values.*large-objects|--large-objects=follow/s, 'it is not changed in passing',
		'follow', '--large-objects=follow', '--endpos=' . $pair->source_lsn);
	$pair->fails_like(1, qr/large object 1 is on target already, with other contents.*SELECT lo_unlink\(1\);/s,
		'one that has changed meanwhile is not taken for the pipeline\'s',
		'follow', '--set', '--large-objects=follow', '--endpos=' . $pair->source_lsn);
	$pair->target_sql('SELECT lo_unlink(1);');
	$pair->follow_to_end;
	same_ok($pair, 'those that are the same are taken over');
	$pair->source_sql('SELECT lo_unlink(1001)');
	$pair->follow_to_end;
	same_ok($pair, 'and are the pipeline\'s from then on');
	$pair->follow_to_end('--set', '--large-objects=off');
	$pair->source_sql('SELECT lo_unlink(1002)');
	$pair->follow_to_end;
	isnt(contents($pair, 'target'), contents($pair, 'source'), 'until it is told not to');
}

# Nothing shows any more that the source is the database that was followed.
sub without_slot
{
	my $pair = $first->with_database('slotless');

	make_objects($pair);
	$pair->clone('--large-objects=follow');
	$pair->follow_to_end;
	my $before = contents($pair, 'target');
	$pair->source_sql("SELECT pg_drop_replication_slot('slotless'); SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
	like($pair->run_or_die('drop'), qr/^the source has no replication slot of the pipeline: large objects on the targets are left as they are$/m,
		'drop says that it makes no pass');
	is(contents($pair, 'target'), $before, 'and no object is gone');
}

sub both_ways
{
	my $pair = $first->with_database('both_ways');

	$pair->source_sql("SELECT lo_from_bytea(1, 'one')");
	$pair->clone('--large-objects=follow');
	$pair->follow_to_end;
	$pair->target_sql('CREATE PUBLICATION back FOR TABLE mark');
	my @ends = map { "--$_=" . $pair->{$_ eq 'source' ? 'target' : 'source'}->connstr('both_ways') } qw(source target);
	my @back = ($ENV{PENSTOCK_BIN}, 'clone', '--name=back', '--publications=back', '--data-only', '--origin=none', @ends);
	$pair->source_sql('TRUNCATE mark');
	IPC::Run::run(\@back) or die 'cannot clone back';
	my ($out, $err) = ('', '');
	my $end = $pair->target_sql('SELECT pg_current_wal_lsn()');
	ok(!IPC::Run::run([ $ENV{PENSTOCK_BIN}, 'follow', '--name=back', '--large-objects=follow', "--endpos=$end", @ends ],
			'>', \$out, '2>', \$err), 'they are not followed in both directions');
	like($err, qr/large objects of target are followed on source already, by pipeline "both_ways".*--large-objects=off/s, 'and that is said');
}

sub several_targets
{
	my $pair = $first->with_database('first_one');

	$pair->target->safe_psql('postgres', 'CREATE DATABASE second_one');
	make_objects($pair);
	my $two = '--target=' . $pair->target->connstr('second_one');
	$pair->clone('--large-objects=follow', $two);
	$pair->source_sql("SELECT lo_put(1, 0, 'changed'); SELECT lo_unlink(1001)");
	$pair->follow_to_end($two);
	same_ok($pair, 'the first target gets all');
	is($pair->target->safe_psql('second_one', 'SELECT count(*), min(convert_from(lo_get(1), \'UTF8\')) FROM pg_largeobject_metadata'),
		$pair->source_sql('SELECT count(*), \'changed\' FROM pg_largeobject_metadata'), 'and so does the second');
}

sub privileges
{
	my $pair = $first->with_database('privileged');

	$pair->source_sql(<<'END');
SELECT lo_from_bytea(1, 'one');
GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC;
GRANT SELECT ON mark TO reader; GRANT SELECT ON SEQUENCE mark_number_seq TO reader;
END
	$pair->clone('--large-objects=follow');
	$pair->set_conninfo('source', $pair->source->connstr('privileged') . ' user=reader');
	like(($pair->run('check'))[1], qr/may not read the contents of large objects.*GRANT SELECT ON pg_catalog\.pg_largeobject TO reader;/s,
		'"penstock check" says what the role lacks');
	$pair->fails_like(1, qr/may not read the contents of large objects on source.*GRANT SELECT ON pg_catalog\.pg_largeobject TO reader;/s,
		'the end is not passed over', 'follow', '--endpos=' . $pair->source_lsn);
	my $follower = $pair->start('follow', @FOLLOW);
	$follower->wait_log(qr/warning large objects: .*may not read the contents/);
	$pair->wait_caught_up($follower);
	$pair->source_sql('GRANT SELECT ON pg_catalog.pg_largeobject TO reader;
		SELECT lo_put(1, 0, \'two\'); REVOKE ALL ON LARGE OBJECT 1 FROM PUBLIC');
	same_soon($pair, 'with what is said they are followed, also what is granted to nobody');
	$pair->stop_ok($follower);
	$pair->source_sql('REVOKE SELECT ON pg_catalog.pg_largeobject FROM reader');
	$pair->fails_like(1, qr/may not read.*--large-objects=off/s, 'drop does not go on without them', 'drop');
	$pair->run_or_die('drop', '--large-objects=off');
	pass('unless it is told to');
}
