# Clones to several targets by a placement: what is nowhere is not there, and a
# server that goes away is waited for.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Nodes;
use Penstock::Pair;

my @PLACEMENT = ('public.tmp_* = none', 'public.tmp_kept = all',
	'public.hashed = hash(id)', '* = all');
my $nodes = Penstock::Nodes->new(count => 2, placement => [@PLACEMENT]);
my $pair = $nodes->pair;

nowhere();
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
