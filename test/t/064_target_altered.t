# The columns of a table of the target are altered while a copy runs: what was
# known of them when it began is not what its rows are sent for.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Nodes;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

# It stops where it is told to.
local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN}
  or die "there is no consumer with crash points: run \"make check-e2e\"\n";

# The bytes of a bigint are those of a very small double precision.
my $TABLES = <<'END';
CREATE TABLE a (id int PRIMARY KEY, v text);
CREATE TABLE b (id int PRIMARY KEY, f bigint);
END
my $ALTER = 'ALTER TABLE b ALTER f TYPE double precision';
my $ROWS = 5;
my $SUM = 15;

my $pair = Penstock::Pair->new;

cloned('before', 0);
cloned('meanwhile', 1);
spread();
copied_again();
done_testing();

# The larger table is copied first.
sub fill
{
	my ($db) = @_;

	$db->source_sql("$TABLES INSERT INTO b SELECT i, i
		FROM generate_series(1, $ROWS) i;
		INSERT INTO a SELECT i, repeat('x', 500)
		FROM generate_series(1, 1000) i; ANALYZE");
}

# Wait until a session of a database waits for a lock on a table.
sub wait_for_waiter
{
	my ($server, $database, $table) = @_;

	wait_until(
		"a session that waits for table $table",
		sub {
			$server->safe_psql($database,
				"SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted
					AND relation = '$table'::regclass)") eq 't';
		});
}

# Alter table b while a clone waits for table a, having looked at both; it comes
# to b before the transaction that alters it has ended, if $meanwhile.
sub alter
{
	my ($database, $clone, $holder, $meanwhile) = @_;
	my $server = $pair->target;
	my $alterer = Penstock::Session->new($server, $database);

	wait_for_waiter($server, $database, 'a');
	$alterer->run('BEGIN', $ALTER);
	$alterer->end('COMMIT') unless $meanwhile;
	$holder->end('COMMIT');
	return unless $meanwhile;
	wait_for_waiter($server, $database, 'b');
	$alterer->end('COMMIT');
}

# A session that keeps others from writing to table a.
sub holder
{
	my ($database) = @_;
	my $holder = Penstock::Session->new($pair->target, $database);

	$holder->run('BEGIN', 'LOCK TABLE a IN SHARE MODE');
	return $holder;
}

sub cloned
{
	my ($when, $meanwhile) = @_;
	my $db = $pair->with_database("altered_$when");

	fill($db);
	$db->target_sql('CREATE TABLE mark (number bigint PRIMARY KEY);' . $TABLES);
	my $holder = holder($db->name);
	my $clone = $db->start('clone', '--data-only', '--jobs=1');
	alter($db->name, $clone, $holder, $meanwhile);
	is($clone->wait_exit, 0, "altered $when: the clone goes on by itself");
	like($clone->log, qr/columns of table "public"."b" were altered/,
		"altered $when: it says why");
	is($db->target_sql('SELECT count(*), sum(f) FROM b'),
		"$ROWS|$SUM", "altered $when: with the values");
}

sub spread
{
	my $nodes = Penstock::Nodes->new(
		pair => $pair->with_database('spread'), count => 2,
		placement => [ 'public.b = hash(id)', '* = all' ]);

	fill($nodes->pair);
	$nodes->node_sql($_, 'CREATE TABLE mark (number bigint PRIMARY KEY);' . $TABLES)
	  for $nodes->names;
	my $holder = holder('node_b');
	my $clone = $nodes->start('clone', '--data-only', '--jobs=1');
	alter('node_b', $clone, $holder, 1);
	is($clone->wait_exit, 0, 'the clone that spreads rows goes on by itself');
	my $rows = 0;
	my $sum = 0;
	for my $node ($nodes->names)
	{
		my ($count, $of_node) = split /\|/,
		  $nodes->node_sql($node, 'SELECT count(*), coalesce(sum(f), 0) FROM b');
		$rows += $count;
		$sum += $of_node;
	}
	is("$rows|$sum", "$ROWS|$SUM", 'with the values on all nodes');
}

# One table of a pipeline.
sub copied_again
{
	my $db = $pair->with_database('again');

	fill($db);
	$db->clone;
	my $resync;
	{
		local $ENV{PENSTOCK_FAULT_STOP} = 'table.rows';
		$resync = $db->start('table', 'resync', 'public.b');
	}
	wait_until('the copy to stop', sub {
		die "it has ended:\n" . $resync->log unless $resync->is_running;
		return slurp_file('/proc/' . $resync->pid . '/stat') =~ /\) T /;
	});
	$db->target_sql($ALTER);
	$resync->signal('CONT');
	is($resync->wait_exit, 1, 'the copy of one table fails');
	like($resync->log, qr/columns of table "public"."b" were altered.*begun again/s,
		'and says why');
	$db->run_or_die('table', 'resync', 'public.b');
	is($db->target_sql('SELECT count(*), sum(f) FROM b'),
		"$ROWS|$SUM", 'the next one has the values');
}
