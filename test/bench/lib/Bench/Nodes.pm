# What it costs the source to feed several nodes instead of one.
#
# The transactions of TPC-B, keyed by branch, are a backlog that goes to one
# node, and to four of which each takes the rows of its branches: penstock by
# the hash of the branch, from one slot; native by four subscriptions, whose
# publications filter rows.  All nodes are databases of the target's server.
#
# What is asked for is the CPU of the source's sessions: how often they decode.
package Bench::Nodes;

use strict;
use warnings;

use Bench::Nodes::Native;
use Bench::Nodes::Penstock;
use Bench::Report qw(cell medians print_table);

my $NODES = 4;

# The branch is in each primary key: penstock and row filters alike want it in the
# replica identity.
my $BRANCHES = 20;
my $ACCOUNTS = 10_000;    # of a branch
my $SETUP = <<"END";
CREATE TABLE branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE tellers (tid int, bid int, tbalance int, filler char(84),
					  PRIMARY KEY (tid, bid));
CREATE TABLE accounts (aid int, bid int, abalance int, filler char(84),
					   PRIMARY KEY (aid, bid));
CREATE TABLE history (tid int, bid int, aid int, delta int, mtime timestamp,
					  filler char(22));
INSERT INTO branches SELECT i, 0 FROM generate_series(1, $BRANCHES) i;
INSERT INTO tellers SELECT i, 1 + (i - 1) / 10, 0
  FROM generate_series(1, $BRANCHES * 10) i;
INSERT INTO accounts SELECT i, 1 + (i - 1) / $ACCOUNTS, 0, ''
  FROM generate_series(1, $BRANCHES * $ACCOUNTS) i;
END

# As with pgbench, a transaction's rows are of different branches.
sub load_sql
{
	my ($transactions) = @_;

	return <<"END";
SET synchronous_commit = off;
DO '
DECLARE
	a int;
	b int;
	t int;
	d int;
BEGIN
	PERFORM setseed(0.5);
	FOR i IN 1 .. $transactions LOOP
		a := 1 + floor(random() * $BRANCHES * $ACCOUNTS);
		b := 1 + floor(random() * $BRANCHES);
		t := 1 + floor(random() * $BRANCHES * 10);
		d := (random() - 0.5) * 10000;
		UPDATE accounts SET abalance = abalance + d WHERE aid = a;
		UPDATE tellers SET tbalance = tbalance + d WHERE tid = t;
		UPDATE branches SET bbalance = bbalance + d WHERE bid = b;
		INSERT INTO history VALUES (t, b, a, d, clock_timestamp());
		COMMIT;
	END LOOP;
END;';
END
}

my @TABLES = qw(branches tellers accounts history);

sub workload
{
	my ($small) = @_;
	my $transactions = $small ? 10_000 : 100_000;

	return {
		name => 'nodes',
		rows => $transactions * 4,
		setup => $SETUP . join('', map { publication($_) } 0 .. $NODES - 1),
		load => load_sql($transactions),
	};
}

# For a subscription that has a part of the rows.
sub publication
{
	my ($i) = @_;

	return "CREATE PUBLICATION bench_$i FOR TABLE "
	  . join(', ', map { "$_ WHERE (bid % $NODES = $i)" } @TABLES) . ";\n";
}

sub contenders
{
	return map {
		my $what = $_ == 1 ? '1 node' : "$_ nodes";
		(Bench::Nodes::Penstock->new(name => "penstock $what", count => $_),
			Bench::Nodes::Native->new(name => "native $what", count => $_))
	} 1, $NODES;
}

# One run, and whether what arrived is right.
sub run
{
	my ($contender, $pair) = @_;
	my $result = eval {
		my $run = $contender->run($pair);
		compare($contender, $pair);
		$run;
	};
	my $failure = $@;

	$contender->clean($pair);
	die $failure unless $result;
	return $result;
}

# The rows on the nodes together are the source's.
sub compare
{
	my ($contender, $pair) = @_;
	my @there;

	for my $database ($contender->databases)
	{
		my @digest = digest($pair->{target}, $database);

		$there[$_] += $digest[$_] for 0 .. $#digest;
	}
	die "the nodes together have other rows than the source\n"
	  if "@there" ne join ' ', digest($pair->{source}, $pair->{database});
}

# Of each table the number of rows and a sum over all of them.
sub digest
{
	my ($server, $database) = @_;

	return map { split /\|/, $server->sql($database,
		"SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM $_ t") }
	  @TABLES;
}

# ---- Results ----

sub summarize
{
	my ($results) = @_;

	for my $result (@$results)
	{
		$result->{median} = medians(@{ $result->{runs} })
		  if @{ $result->{runs} };
	}
}

sub report
{
	my ($results) = @_;
	my @keys = qw(wall_s walsender_cpu_s consumer_cpu_s apply_cpu_s);
	my @rows = [ '', 'wall s', 'source', 'consumer', 'targets' ];

	for my $result (grep { $_->{median} } @$results)
	{
		push @rows, [ $result->{name},
			map { cell('%.2f', $result->{median}{$_}) } @keys ];
	}
	print_table(@rows);
	print "\n";
	print_table(
		[ "CPU of the source, $NODES nodes to 1", '' ],
		map { [ $_, cell('%.2fx', spread_ratio($results, $_)) ] }
		  'penstock', 'native');
}

# CPU of the source for all nodes, to that for one; undef: not measured.
sub spread_ratio
{
	my ($results, $who) = @_;
	my ($one, $all) = map {
		my $name = "$who $_";
		grep { $_->{name} eq $name && $_->{median} } @{ $results || [] }
	} '1 node', "$NODES nodes";

	return undef unless $one && $all;
	return $all->{median}{walsender_cpu_s} / $one->{median}{walsender_cpu_s};
}

sub asked
{
	my ($results) = @_;

	return [ "CPU of the source for $NODES nodes, to that for one",
		'<=', 1.1, spread_ratio($results, 'penstock') ];
}

1;
