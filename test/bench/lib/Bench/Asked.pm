# What is asked of penstock, beside what a run measured.
package Bench::Asked;

use strict;
use warnings;

use List::Util qw(max min);

use Bench::Clone;
use Bench::Nodes;
use Bench::Report qw(print_table);
use Bench::Verify;

# Each: what, the least or the most that is asked, and how to get it from the
# results; undef where it was not measured.
sub asked
{
	my ($result) = @_;
	my @asked = (
		[ 'narrow inserts in 100-row transactions, rows/s to native text',
			'>=', 2.2, faster($result, 'narrow-insert', 'native text') ],
		[ 'TPC-B, rows/s to native text',
			'>=', 2, faster($result, 'tpcb', 'native text') ],
		[ '120 columns, rows/s to native binary',
			'>=', 1.6, faster($result, 'wide-rows', 'native binary') ],
		[ 'random updates, rows/s to native text',
			'>=', 1.2, faster($result, 'random-updates', 'native text') ],
		[ 'random deletes, rows/s to native text',
			'>=', 1.2, faster($result, 'deletes', 'native text') ],
		[ 'hot row, rows/s to native text',
			'>=', 5, faster($result, 'hot-row', 'native text') ],
		[ 'transaction of a million updates, commit to visible, to native text',
			'<=', 0.5, visible($result) ],
		[ '--apply=transaction, TPC-B, best --lanes, rows/s to native text',
			'>=', 1, transaction($result) ],
		[ 'single inserts while a snapshot is held on the target, rows/s to without',
			'>=', 0.95, faster($result, 'single-insert', 'penstock transaction',
				'penstock transaction held') ]);

	my @own = (
		[ 'narrow', 'narrow-insert', 0.2, 0.55 ],
		[ 'TPC-B', 'tpcb', 0.3, 0.55 ],
		[ '120 columns', 'wide-rows', 0.4, 0.75 ],
		[ 'one big transaction', 'big-transaction', 0.2 ]);
	push @asked, map {
		[ "plugin's own CPU to pgoutput binary's, $_->[0]",
			'<=', $_->[2], own($result, $_->[1]) ]
	} @own;
	push @asked, map {
		[ "bytes sent to the smaller pgoutput's, $_->[0]",
			'<=', $_->[3], bytes($result, $_->[1], 'penstock') ]
	} grep { $_->[3] } @own;
	push @asked, map {
		[ "the same with zstd, $_->[0]", '<=', 0.25,
			bytes($result, $_->[1], 'penstock zstd') ]
	} [ '120 columns', 'wide-rows' ], [ 'documents', 'toast-updates' ];
	push @asked, latency($result), Bench::Clone::asked($result->{clone}),
	  Bench::Clone::asked_of_tables($result->{tables}),
	  Bench::Nodes::asked($result->{nodes}),
	  Bench::Verify::asked($result->{verify}, $result->{small});
	push @asked,
	  [ 'peak memory of the consumer, MB, all workloads', '<=', 64,
		peak($result) ];
	return grep { defined $_->[3] } @asked;
}

sub report
{
	my ($result) = @_;
	my @asked = asked($result) or return;
	my @rows = [ '', 'asked', 'measured', '' ];

	for my $row (@asked)
	{
		my ($what, $relation, $limit, $value) = @$row;
		my $good = $relation eq '>=' ? $value >= $limit : $value <= $limit;
		push @rows,
		  [ $what, "$relation " . (0 + sprintf('%.2f', $limit)),
			sprintf('%.2f', $value), $good ? 'yes' : 'NO' ];
		push @{ $result->{asked} },
		  {
			what => $what,
			relation => $relation,
			limit => $limit,
			measured => $value,
			reached => $good ? JSON::PP::true : JSON::PP::false,
		  };
	}
	print "\nAsked and measured\n\n";
	print_table(@rows);
}

# ---- Getting at results ----

sub part
{
	my ($result, $workload, $part, $contender) = @_;
	my ($of) = grep { $_->{name} eq $workload } @{ $result->{workloads} };
	my ($one) = grep { $_->{name} eq $contender } @{ $of->{$part} || [] };

	return $one && $one->{median} ? $one : undef;
}

sub faster
{
	my ($result, $workload, $other, $ours) = @_;
	my ($a, $b) = map { part($result, $workload, 'apply', $_) }
	  $ours // 'penstock', $other;

	return undef unless $a && $b;
	return $b->{median}{wall_s} / $a->{median}{wall_s};
}

sub transaction
{
	my ($result) = @_;
	my @ratios = grep { defined }
	  map { faster($result, 'tpcb', 'native text', "penstock $_") }
	  'transaction', '2 lanes', '4 lanes';

	return max @ratios;
}

sub visible
{
	my ($result) = @_;
	my ($a, $b) = map { part($result, 'big-transaction', 'live', $_) }
	  'penstock', 'native text';

	return undef unless $a && $b;
	return $a->{median}{visible_s} / $b->{median}{visible_s};
}

# Where pgoutput's own cost is lost in the noise there is nothing to compare.
my $OWN_LEAST_S = 0.02;

sub own
{
	my ($result, $workload) = @_;
	my ($a, $b) = map { part($result, $workload, 'decode', $_) }
	  'penstock', 'pgoutput binary';

	return undef
	  unless $a && $b && ($b->{own_cpu_s} // 0) > $OWN_LEAST_S;
	return $a->{own_cpu_s} / $b->{own_cpu_s};
}

sub bytes
{
	my ($result, $workload, $ours) = @_;
	my ($a, @others) = map { part($result, $workload, 'decode', $_) } $ours,
	  'pgoutput text', 'pgoutput binary';

	return undef if grep { !$_ } $a, @others;
	return $a->{wire_bytes} / min map { $_->{wire_bytes} } @others;
}

sub latency
{
	my ($result) = @_;
	my @rows;

	for my $at (@{ $result->{latency} || [] })
	{
		my %of = map { $_->{name} => $_->{median} } @{ $at->{contenders} };
		next unless $of{penstock} && $of{'native text'};
		push @rows,
		  [ "latency at $at->{rate} transactions/s, $_ in ms, to native text's",
			'<=', $of{'native text'}{"${_}_ms"}, $of{penstock}{"${_}_ms"} ]
		  for qw(p50 p99);
	}
	return @rows;
}

sub peak
{
	my ($result) = @_;
	my @contenders = (
		(map { @{ $_->{apply} || [] }, @{ $_->{live} || [] } }
			  @{ $result->{workloads} }),
		map { @{ $_->{contenders} } } @{ $result->{latency} || [] });

	return max grep { defined } map { $_->{consumer_peak_rss_mb} }
	  map { @{ $_->{runs} } } @contenders;
}

1;
