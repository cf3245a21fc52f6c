# How long a server takes to decode a backlog and send it to a client that
# throws it away, with each output plugin.
package Bench::Decode;

use strict;
use warnings;

use Bench::Process qw(run_measured);
use Bench::Report qw(cell grouped medians print_table ratio);
use Bench::Server;

# The floor decodes everything and sends nothing: a publication without tables.
# What a plugin costs is what it takes beyond that.
my @CONTENDERS = (
	{
		name => 'floor',
		plugin => 'pgoutput',
		options => { proto_version => 1, publication_names => 'bench_nothing' },
	},
	{
		name => 'penstock',
		plugin => 'penstock',
		options => { proto_version => 1, publications => 'bench' },
	},
	{
		name => 'penstock zstd',
		plugin => 'penstock',
		options => {
			proto_version => 1,
			publications => 'bench',
			compression => 'zstd',
		},
	},
	{
		name => 'pgoutput text',
		plugin => 'pgoutput',
		options => { proto_version => 1, publication_names => 'bench' },
	},
	{
		name => 'pgoutput binary',
		plugin => 'pgoutput',
		options => {
			proto_version => 1,
			publication_names => 'bench',
			binary => 'true',
		},
	},
	{ name => 'test_decoding', plugin => 'test_decoding', options => {} },
	{
		name => 'wal2json',
		plugin => 'wal2json',
		options => { 'format-version' => 2 },
	},
	{ name => 'decoderbufs', plugin => 'decoderbufs', options => {} },
);

sub contenders
{
	return @CONTENDERS;
}

# Why a plugin cannot take part; undef if it can.  Asked before the servers run,
# and then again, of a server that runs.
sub missing
{
	my ($contender, $source) = @_;

	return 'not installed'
	  unless Bench::Server::has_library($contender->{plugin});
	return undef unless $source;

	# A database in which nothing happens, with the publications.
	my $slot = $source->sql('postgres',
		"SELECT pg_create_logical_replication_slot('probe', '$contender->{plugin}')");
	my $works = eval {
		peek($source, 'postgres', 'probe', 'NULL', $contender);
		1;
	};
	my ($reason) = $@ =~ /ERROR:\s*(.*)/;
	$source->drop_slot('probe');
	return $works ? undef : $reason // 'failed';
}

# Number and bytes of the messages up to a position.
sub peek
{
	my ($source, $database, $slot, $end_lsn, $contender) = @_;
	my %options = %{ $contender->{options} };
	my $arguments = join '', map { ", '$_', '$options{$_}'" } sort keys %options;

	return split /\|/, $source->sql($database,
		'SELECT count(*), coalesce(sum(length(data)), 0)'
		  . " FROM pg_logical_slot_peek_binary_changes('$slot', $end_lsn,"
		  . " NULL$arguments)");
}

# Time one drain of the backlog; see Bench::Process for how CPU is counted.
sub drain
{
	my ($source, $workload, $contender) = @_;
	my %options = %{ $contender->{options} };
	my $database = $workload->{name};

	$source->copy_slot($database, 'start', 'drain', $contender->{plugin});
	$source->settle;
	my $cpu_s = $source->sessions_cpu_s;
	my $client = run_measured(
		"$source->{directory}/drain.log", 'pg_recvlogical',
		'--dbname=' . $source->conninfo($database), '--slot=drain',
		'--start', '--no-loop', "--endpos=$workload->{end_lsn}",
		'--file=/dev/null',
		map { "--option=$_=$options{$_}" } sort keys %options);
	$source->settle;
	$cpu_s = $source->sessions_cpu_s - $cpu_s;
	$source->drop_slot('drain');
	return {
		wall_s => $client->{wall_s},
		walsender_cpu_s => $cpu_s,
		client_cpu_s => $client->{cpu_s},
	};
}

# Around each message: CopyData's type and length, and the header of
# XLogData, which is a type and three 8-byte numbers.
my $HEADER_BYTES = 1 + 4 + 1 + 3 * 8;

# What the plugin hands out, which no run changes: counted once, in SQL; and
# what becomes of it in a replication connection.
sub volume
{
	my ($source, $workload, $contender) = @_;
	my $database = $workload->{name};

	$source->copy_slot($database, 'start', 'volume', $contender->{plugin});
	my ($messages, $bytes) = peek($source, $database, 'volume',
		"'$workload->{end_lsn}'", $contender);
	$source->drop_slot('volume');
	return {
		messages => $messages + 0,
		bytes => $bytes + 0,
		wire_bytes => $bytes + $messages * $HEADER_BYTES,
	};
}

sub report
{
	my ($workload, $results) = @_;
	my %of = map { $_->{name} => $_ } @$results;
	my @rows = [
		'',    'wall s',  'CPU s', 'own CPU s', 'rows/s', 'MB',
		'MB sent', 'messages' ];

	for my $result (grep { $_->{median} } @$results)
	{
		my $median = $result->{median};
		push @rows,
		  [ $result->{name},
			sprintf('%.2f', $median->{wall_s}),
			sprintf('%.2f', $median->{walsender_cpu_s}),
			cell('%.2f', $result->{own_cpu_s}),
			grouped($workload->{rows} / $median->{wall_s}),
			sprintf('%.1f', $result->{bytes} / 1e6),
			sprintf('%.1f', $result->{wire_bytes} / 1e6),
			grouped($result->{messages}) ];
	}
	print_table(@rows);

	my $ours = $of{penstock};
	return unless $ours && $ours->{median};
	@rows = [ 'penstock takes 1, ...', 'wall', 'CPU', 'own CPU', 'MB', 'MB sent' ];
	for my $result (grep { $_ != $ours && $_->{name} ne 'floor' && $_->{median} } @$results)
	{
		push @rows,
		  [ "... $result->{name}",
			ratio($result->{median}{wall_s}, $ours->{median}{wall_s}),
			ratio($result->{median}{walsender_cpu_s},
				$ours->{median}{walsender_cpu_s}),
			ratio($result->{own_cpu_s}, $ours->{own_cpu_s}),
			ratio($result->{bytes}, $ours->{bytes}),
			ratio($result->{wire_bytes}, $ours->{wire_bytes}) ];
	}
	print "\n";
	print_table(@rows);
}

# Medians, and each plugin's own cost, if the floor was measured too.
sub summarize
{
	my ($results) = @_;

	for my $result (grep { @{ $_->{runs} } } @$results)
	{
		$result->{median} = medians(@{ $result->{runs} });
	}
	my ($floor) = grep { $_->{name} eq 'floor' && $_->{median} } @$results;
	return unless $floor;
	for my $result (grep { $_->{median} } @$results)
	{
		$result->{own_cpu_s} =
		  $result->{median}{walsender_cpu_s} - $floor->{median}{walsender_cpu_s};
	}
}

1;
