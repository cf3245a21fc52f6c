# Foreign keys between tables that were copied as of different positions: the
# follower checks them when it has come to the newest of these.

use strict;
use warnings;

use FindBin;
use IPC::Run;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Pair;

my $KILLED = 128 + 9;

my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";
# Rows that are there and not there, one way round and the other.
my $change = <<'END';
DELETE FROM child WHERE p = 5;
DELETE FROM parent WHERE id = 5;
INSERT INTO parent VALUES (500);
INSERT INTO child VALUES (50000, 500, 'new');
END

my $pair = Penstock::Pair->new;

resumed('plain', '');
resumed('partitioned', 'PARTITION BY RANGE (id)');
rewritten();
dropped_meanwhile();
done_testing();


# ---- Helpers ----

# The child is larger, and so the first to be copied.
sub make_tables
{
	my ($db, $partition, $rows) = @_;
	my $leaf = $partition eq '' ? ''
	  : 'CREATE TABLE low PARTITION OF child FOR VALUES FROM (MINVALUE) TO (1000);
		CREATE TABLE high PARTITION OF child FOR VALUES FROM (1000) TO (MAXVALUE);';

	$db->source_sql(<<"END");
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 100);
CREATE TABLE child (id int PRIMARY KEY, p int, pad text) $partition;
$leaf
INSERT INTO child SELECT i, i % 100 + 1, repeat('x', 500)
  FROM generate_series(1, $rows) i;
ALTER TABLE child ADD CONSTRAINT of_parent FOREIGN KEY (p) REFERENCES parent;
COMMENT ON CONSTRAINT of_parent ON child IS 'each has a parent';
ALTER TABLE child ADD CONSTRAINT of_itself FOREIGN KEY (id) REFERENCES child;
END
}

sub keys_of
{
	my ($db) = @_;

	return $db->target_sql("SELECT string_agg(conname || ' ' || convalidated, ', '
		ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0");
}

sub schema_of
{
	my ($server, $db) = @_;
	my ($stdout, $stderr);

	IPC::Run::run(
		[ 'pg_dump', '--schema-only', '--exclude-schema=penstock',
			'--no-publications', $server->connstr($db->name) ],
		'>', \$stdout, '2>', \$stderr)
	  or die "pg_dump failed: $stderr";
	$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
	return $stdout;
}

# A clone that is killed when the child is copied, and what changes then.
sub interrupted
{
	my ($db, $change) = @_;
	my ($status, $log);
	{
		local $ENV{PENSTOCK_BIN} = $faults_bin;
		local $ENV{PENSTOCK_FAULT} = 'clone.after_mark';

		($status, undef, $log) = $db->run('clone', '--jobs=1');
	}
	is($status, $KILLED, 'a clone is killed when the child is copied') or diag($log);
	$db->source_sql($change);
}

sub ends_well
{
	my ($db, $title) = @_;

	$db->follow_to_end;
	$db->equal_ok($title);
	is(schema_of($db->target, $db), schema_of($db->source, $db),
		"$title: the schemas are the same");
	is($db->target_sql('SELECT count(*) FROM penstock.postponed_key'), 0,
		"$title: nothing is left to be checked");
	is_deeply(status_of($db)->{targets}[0]{keys}, [], "$title: status agrees");
}

sub status_of
{
	my ($db) = @_;
	my (undef, $stdout) = $db->run('status', '--json');

	return decode_json($stdout);
}


# ---- Cases ----

sub resumed
{
	my ($name, $partition) = @_;
	my $db = $pair->with_database($name);

	make_tables($db, $partition, 200);
	interrupted($db, $change);
	my ($status, undef, $log) = $db->run('clone', '--resume');
	is($status, 0, "$name: it is resumed") or diag($log);
	like($log, qr/foreign key of_parent of table public\.child on .* is not (valid|there) yet/,
		"$name: the key is said to be left");
	unlike($log, qr/foreign key of_itself/, "$name: others are not");
	like($log, qr/"penstock follow" sees to it when it has come to \S+, by: ALTER TABLE/,
		"$name: and what sees to it");
	is(keys_of($db),
		$partition eq '' ? 'of_itself true, of_parent false' : 'of_itself true',
		"$name: the key is not valid");
	my (undef, $stdout) = $db->run('status');
	like($stdout, qr/foreign keys that are not valid yet on .*\n  of_parent of public\.child: /,
		"$name: status says so");
	is(status_of($db)->{targets}[0]{keys}[0]{name}, 'of_parent', "$name: in JSON as well");
	ends_well($db, $name);
	is(keys_of($db), 'of_itself true, of_parent true', "$name: the key is valid");
}

# Within one run: the parent is copied again from a newer snapshot.
sub rewritten
{
	my $db = $pair->with_database('rewritten');

	make_tables($db, '', 6000);
	my $clone = $db->start('clone', '--max-rate=1MB/s', '--jobs=1');

	$clone->wait_log(qr/copying \d+ tables?/);
	$db->source_sql($change);
	$db->source_sql('VACUUM FULL parent');
	is($clone->wait_exit, 0, 'the clone ends with status 0') or diag($clone->log);
	like($clone->log, qr/"public"\."parent" was truncated, rewritten or replaced/,
		'the parent was copied again');
	is(keys_of($db), 'of_itself true, of_parent false', 'the key is not valid');

	# While it follows, too.
	my $follower = $db->start('follow');
	$follower->wait_log(qr/foreign key of_parent of table public\.child on .* is valid/);
	$db->stop_ok($follower);
	ends_well($db, 'rewritten');
}

# What was done by hand, or is not there any more, is not asked for again.
sub dropped_meanwhile
{
	my $db = $pair->with_database('by_hand');

	make_tables($db, '', 200);
	interrupted($db, $change);
	$db->clone('--resume');
	like($db->run_or_die('drop', '--dry-run'),
		qr/would remove the entry of foreign key of_parent of table public\.child on .*, which is not valid yet; to complete it, run: ALTER TABLE/,
		'a drop names what it leaves');
	$db->target_sql('ALTER TABLE child DROP CONSTRAINT of_parent');
	my $follower = $db->start('follow');
	$follower->wait_log(
		qr/warning follow: foreign key of_parent of .* was dropped or renamed.*ALTER TABLE .*of_parent/);
	$db->stop_ok($follower);
	$db->follow_to_end;
	is($db->target_sql('SELECT count(*) FROM penstock.postponed_key'), 0,
		'a key that was dropped is forgotten');
	is(keys_of($db), 'of_itself true', 'and not made again');
	$db->run_or_die('drop');
	is($db->target_sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'penstock'"),
		0, 'nothing is left after a drop');
}
