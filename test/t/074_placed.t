# Clones to several targets by a placement: what is nowhere is not there, and a
# server that goes away is waited for.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Nodes;
use Penstock::Pair;

my $KILLED = 128 + 9;

# It copies small tables in parts.
my $faults_bin = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

my @PLACEMENT = ('public.tmp_* = none', 'public.tmp_kept = all',
	'public.hashed = hash(id)', '* = all');
my $nodes = Penstock::Nodes->new(count => 2, placement => [@PLACEMENT]);
my $pair = $nodes->pair;

nowhere();
make_tables();
resumed();
restarted($_) for qw(source target);
done_testing();


# ---- Cases ----

sub relations_on
{
	my ($name) = @_;

	return $nodes->node_sql($name, "SELECT string_agg(relname, ' ' ORDER BY relname)
		FROM pg_class WHERE relnamespace = 'public'::regnamespace
		AND relkind IN ('r', 'p', 'v') AND relname <> 'mark'");
}

sub nowhere
{
	$pair->source_sql(<<'END');
CREATE TABLE hashed (id int PRIMARY KEY);
INSERT INTO hashed SELECT generate_series(1, 100);
CREATE TABLE tmp_plain (id serial PRIMARY KEY, note text);
INSERT INTO tmp_plain (note) VALUES ('nowhere');
CREATE TABLE tmp_split (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE tmp_half PARTITION OF tmp_split FOR VALUES FROM (0) TO (50);
CREATE TABLE tmp_mixed (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE here PARTITION OF tmp_mixed FOR VALUES FROM (0) TO (50);
CREATE TABLE tmp_not PARTITION OF tmp_mixed FOR VALUES FROM (50) TO (100);
INSERT INTO tmp_mixed VALUES (1), (51);
INSERT INTO tmp_split VALUES (1);
CREATE UNLOGGED TABLE tmp_unlogged (id int);
CREATE TABLE tmp_kept (id int PRIMARY KEY);
INSERT INTO tmp_kept VALUES (1);
CREATE VIEW seen AS SELECT * FROM tmp_kept;
END
	$nodes->run_or_die('check');
	my (undef, $stdout, $log) = $nodes->run('clone');
	is(relations_on($_), 'hashed here seen tmp_kept tmp_mixed tmp_not', "what is placed nowhere is not on $_")
	  for $nodes->names;
	unlike($log, qr/left out of the copy|will stop/, 'it is not warned of');
	$pair->source_sql("INSERT INTO tmp_plain (note) VALUES ('still');
		INSERT INTO tmp_split VALUES (2); INSERT INTO tmp_mixed VALUES (2), (52);
		TRUNCATE tmp_split, tmp_kept;
		INSERT INTO tmp_kept VALUES (2); INSERT INTO hashed VALUES (101)");
	$nodes->follow_to_end;
	$nodes->copied_ok('followed', 'tmp_kept', $nodes->names);
	$nodes->copied_ok('followed', 'here', $nodes->names);
	$nodes->empty_ok('followed', 'tmp_not', $nodes->names);
	$nodes->spread_ok('followed', hashed => 'id');
	my ($status) = $nodes->run('check');
	is($status, 0, 'check has nothing to say');
	(undef, $stdout) = $nodes->run('status');
	unlike($stdout, qr/tmp_/, 'neither has status');
	$nodes->run_or_die('drop');
	$nodes->recreate_nodes;
}

# The first to be copied is the largest, and takes seconds at 2 MB/s.
sub make_tables
{
	$pair->source_sql(<<'END');
DROP TABLE tmp_plain, tmp_split, tmp_mixed, tmp_unlogged;
CREATE TABLE big (id int PRIMARY KEY, v text);
INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 4000) i;
CREATE TABLE last (id int, h int REFERENCES hashed, PRIMARY KEY (id, h));
INSERT INTO last VALUES (1, 1), (2, 2);
END
	$nodes->configure(placement => [ 'public.hashed = hash(id)',
		'public.last = hash(h)', '* = all' ]);
}

sub ends_well
{
	my ($title) = @_;

	$nodes->follow_to_end;
	$nodes->copied_ok($title, $_, $nodes->names) for qw(big tmp_kept);
	$nodes->spread_ok($title, hashed => 'id', last => 'h');
	is($nodes->node_sql($_, "SELECT string_agg(conname || ' ' || convalidated, ',')
		FROM pg_constraint WHERE contype = 'f'"), 'last_h_fkey true',
		"$title: the foreign key is valid on $_")
	  for $nodes->names;
	$nodes->run_or_die('drop');
	$nodes->recreate_nodes;
}

# A table that is whole everywhere stays, the others are copied again.
sub resumed
{
	my ($status, $log);
	{
		local $ENV{PENSTOCK_BIN} = $faults_bin;
		local $ENV{PENSTOCK_FAULT} = 'clone.spread_noted';

		($status, undef, $log) = $nodes->run('clone', '--jobs=1', '--max-rate=20MB/s');
	}
	is($status, $KILLED, 'a clone is killed when a table is finished') or diag($log);
	is($nodes->node_sql($_, "SELECT count(*) > 0 FROM penstock.copy_table
		WHERE finished_at IS NOT NULL"), 't', "what is finished is noted on $_")
	  for $nodes->names;
	$pair->source_sql("UPDATE big SET v = 'changed' WHERE id < 100;
		DELETE FROM last WHERE id = 1; DELETE FROM hashed WHERE id = 1;
		INSERT INTO hashed VALUES (1001), (1002); INSERT INTO last VALUES (3, 1001)");
	$nodes->node_sql('b', 'UPDATE penstock.copy_table SET finished_at = NULL, parts_done = 0
		WHERE table_name = \'hashed\'');
	$nodes->fails_like(1, qr/clone --resume/, 'another one names --resume', 'clone');
	$nodes->configure(placement => [ 'public.hashed = all',
		'public.last = hash(h)', '* = all' ]);
	$nodes->fails_like(1, qr/was begun with other options/,
		'it does not go on by another placement', 'clone', '--resume');
	$nodes->configure(placement => [ 'public.hashed = hash(id)',
		'public.last = hash(h)', '* = all' ]);
	my ($a, $b) = map { $nodes->conninfo($_) } qw(a b);
	$nodes->set_conninfo(a => $b);
	$nodes->set_conninfo(b => $a);
	$nodes->fails_like(1,
		qr/was begun with other options.*as target "b".*Now.*as target "a"/s,
		'nor with one node in the place of another', 'clone', '--resume');
	$nodes->set_conninfo(a => $a);
	$nodes->set_conninfo(b => $b);
	$nodes->run_or_die('clone', '--resume');
	ends_well('resumed');
}

# It waits for a server, and goes on by itself.
sub restarted
{
	my ($side) = @_;
	my $clone = $nodes->start('clone', '--jobs=1', '--max-rate=500kB/s');

	$clone->wait_log(qr/copying tables to 2 targets/);
	$pair->$side->restart('fast');
	is($clone->wait_exit, 0, "$side restarted: the clone ends with status 0")
	  or diag($clone->log);
	like($clone->log, qr/the clone waits for its servers/, "$side restarted: it says so");
	ends_well("$side restarted");
}
