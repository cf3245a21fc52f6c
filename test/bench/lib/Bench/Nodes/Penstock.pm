# Penstock: to one target, or with a configuration file to several.
package Bench::Nodes::Penstock;

use strict;
use warnings;

use parent 'Bench::Nodes::Contender';

use Bench::Follow::Penstock;
use Bench::Process qw(run_measured);

# Leaves the slot where the backlog begins, under a name of its own: the nodes
# know at which position they stand.
sub prepare
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};

	$self->{slot} = "start_$self->{count}";
	$self->create_templates($pair);
	run_measured("$target->{directory}/clone.log",
		$self->command($pair, 'clone', $self->templates));
	$source->copy_slot($pair->{database}, 'bench', $self->{slot}, 'pgoutput');
	$source->drop_slot('bench');
	$self->vacuum_templates($pair);
}

sub run
{
	my ($self, $pair) = @_;
	my ($source, $target) = @$pair{qw(source target)};

	$self->create_nodes($pair);
	$source->copy_slot($pair->{database}, $self->{slot}, 'bench', 'penstock');
	my $cpu = $self->begin($pair);
	my $consumer = run_measured("$target->{directory}/follow.log",
		$self->command($pair, 'follow', $self->databases),
		"--endpos=$pair->{end_lsn}");
	return {
		wall_s => $consumer->{wall_s},
		consumer_cpu_s => $consumer->{cpu_s},
		$self->end($pair, $cpu),
	};
}

sub command
{
	my ($self, $pair, $verb, @databases) = @_;
	my $file = "$ENV{PENSTOCK_STAGE}/tmp/nodes.ini";

	return ($ENV{PENSTOCK_BIN}, $verb,
		Bench::Follow::Penstock::options($pair, $databases[0]))
	  if @databases == 1;

	open my $handle, '>', $file or die "could not write \"$file\": $!\n";
	print $handle "[penstock]\nname = bench\n",
	  "[source]\nconninfo = ", $pair->{source}->conninfo($pair->{database}), "\n",
	  map({ "[target $_]\nconninfo = " . $pair->{target}->conninfo($databases[$_]) . "\n" }
		0 .. $#databases),
	  "[placement]\n* = hash(bid)\n";
	close $handle or die "could not write \"$file\": $!\n";
	return ($ENV{PENSTOCK_BIN}, $verb, "--config=$file");
}

sub forget
{
	my ($self, $pair) = @_;

	$pair->{source}->drop_slot($self->{slot});
	$self->SUPER::forget($pair);
}

sub clean
{
	my ($self, $pair) = @_;

	$pair->{source}->end_slot('bench');
	$self->SUPER::clean($pair);
	Bench::Follow::Penstock::drop_origins($pair);
}

1;
