# What feeds one node or several: the base of the contenders of Bench::Nodes.
#
# As with Bench::Follow, prepare() makes the templates of the nodes before the
# backlog is written, run() applies it to new nodes, and clean() takes these
# away; forget() takes the templates away.
package Bench::Nodes::Contender;

use strict;
use warnings;

use parent 'Bench::Follow';

# The nodes' databases.
sub databases
{
	my ($self) = @_;

	return map { "run_$_" } 0 .. $self->{count} - 1;
}

sub templates
{
	my ($self) = @_;

	my $kind = lc ref($self) =~ s/.*:://r;

	return map { "base_${kind}_$self->{count}_$_" } 0 .. $self->{count} - 1;
}

sub create_nodes
{
	my ($self, $pair) = @_;
	my @templates = $self->templates;

	for my $database ($self->databases)
	{
		my $template = shift @templates;
		$pair->{target}->sql('postgres',
			"CREATE DATABASE $database TEMPLATE $template");
	}
}

sub create_templates
{
	my ($self, $pair) = @_;

	$pair->{target}->sql('postgres', "CREATE DATABASE $_")
	  for $self->templates;
}

sub vacuum_templates
{
	my ($self, $pair) = @_;

	$pair->{target}->sql($_, 'VACUUM ANALYZE; CHECKPOINT') for $self->templates;
}

sub forget
{
	my ($self, $pair) = @_;

	$pair->{target}->drop_database($_) for $self->templates;
}

sub clean
{
	my ($self, $pair) = @_;

	$pair->{target}->drop_database($_) for $self->databases;
}

1;
