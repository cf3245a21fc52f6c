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
		options => {
			proto_version => 1,
			publications => 'bench',
			bundle => 'true',
			schema_changes => 'true',
		},
	},
	{
		name => 'penstock --ddl=off',
		plugin => 'penstock',
		options => {
			proto_version => 1,
			publications => 'bench',
			bundle => 'true',
		},
	},
	{
		name => 'penstock zstd',
		plugin => 'penstock',
		options => {
			proto_version => 1,
			publications => 'bench',
			bundle => 'true',
			schema_changes => 'true',
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

# Number and bytes of the messages up to a position.  Bundles are only made in a
# replication connection.
sub peek
{
	my ($source, $database, $slot, $end_lsn, $contender) = @_;
	my %options = %{ $contender->{options} };
	delete $options{bundle};
	my $arguments = join '', map { ", '$_', '$options{$_}'" } sort keys %options;

	return split /\|/, $source->sql($database,
		'SELECT count(*), coalesce(sum(length(data)), 0)'
		  . " FROM pg_logical_slot_peek_binary_changes('$slot', $end_lsn,"
		  . " NULL$arguments)");
}

sub receive
{
	my ($source, $workload, $contender, $slot, $file) = @_;
	my %options = %{ $contender->{options} };

	return run_measured(
		"$source->{directory}/$slot.log", 'pg_recvlogical',
		'--dbname=' . $source->conninfo($workload->{name}), "--slot=$slot",
		'--start', '--no-loop', "--endpos=$workload->{end_lsn}",
		"--file=$file", map { "--option=$_=$options{$_}" } sort keys %options);
}

# Time one drain of the backlog; see Bench::Process for how CPU is counted.
sub drain
{
	my ($source, $workload, $contender) = @_;
	my $database = $workload->{name};

	$source->copy_slot($database, 'start', 'drain', $contender->{plugin});
	$source->settle;
	my $cpu_s = $source->sessions_cpu_s;
	my $client =
	  receive($source, $workload, $contender, 'drain', '/dev/null');
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

# Number and bytes of our own messages in what pg_recvlogical wrote, which puts a
# newline behind each.  A message is a sequence of protobuf fields: the tag, and
# a length and so many bytes or, of number 9, a small number.  The newline is the
# tag of the first field, which only the first message has.
sub count_frames
{
	my ($file) = @_;
	open my $handle, '<:raw', $file or die "could not open \"$file\": $!\n";
	my $data = do { local $/; <$handle> } // '';
	my ($at, $messages) = (0, 0);

	while ($at < length $data)
	{
		my $tag = ord substr $data, $at++, 1;
		if ($tag == 0x0a && $at > 1)
		{
			$messages++;
			next;
		}
		my ($number, $shift, $byte) = (0, 0);
		do
		{
			$byte = ord substr $data, $at++, 1;
			$number |= ($byte & 0x7f) << $shift;
			$shift += 7;
		} while ($byte & 0x80);
		$at += $number if ($tag & 7) == 2;
	}
	return ($messages, $at - $messages);
}

sub volume_received
{
	my ($source, $workload, $contender) = @_;
	my $file = "$source->{directory}/volume.out";

	receive($source, $workload, $contender, 'volume', $file);
	my @volume = count_frames($file);
	unlink $file;
	return @volume;
}

# What the plugin hands out, which runs hardly change: counted once, in SQL if
# that can be; and what becomes of it in a replication connection.
sub volume
{
	my ($source, $workload, $contender) = @_;
	my $database = $workload->{name};

	$source->copy_slot($database, 'start', 'volume', $contender->{plugin});
	my ($messages, $bytes) =
	  $contender->{options}{bundle}
	  ? volume_received($source, $workload, $contender)
	  : peek($source, $database, 'volume', "'$workload->{end_lsn}'", $contender);
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
