# A pair whose target is several nodes: databases of the same server, over which
# a configuration file spreads the tables.
package Rows::Spread;

use strict;
use warnings;

use parent 'Penstock::Pair';

use Rows::Table qw(quote_ident);

# Options: pair; schema, whose tables say their places; directory, for the
# file; network, on the way to the target, if there is one.  The first node is the pair's own target.
sub new
{
	my ($class, %option) = @_;
	my $pair = $option{pair};
	my $count = $option{schema}->nodes;
	my @names = map { chr(ord('a') + $_) } 0 .. $count - 1;
	my $self = bless {
		%$pair,
		node_names => \@names,
		file => "$option{directory}/nodes.ini",
	}, $class;

	$pair->target->safe_psql('postgres', "CREATE DATABASE $_")
	  for grep { $_ ne $pair->name } $self->node_databases;
	$self->configure($option{schema}, $option{network} || $pair->target);
	return $self;
}

sub node_databases
{
	my ($self) = @_;
	my ($first, @others) = @{ $self->{node_names} };

	return ($self->name, map { $self->name . "_$_" } @others);
}

sub configure
{
	my ($self, $schema, $target) = @_;
	my @databases = $self->node_databases;

	open my $file, '>', $self->{file}
	  or die "could not create \"$self->{file}\": $!\n";
	print $file "[penstock]\nname = " . $self->name . "\npublications = "
	  . join(',', $schema->publications)
	  . "\n\n[source]\nconninfo = " . $self->conninfo('source') . "\n";
	print $file "\n[target $self->{node_names}[$_]]\nconninfo = "
	  . ($target->can('conninfo')
		? $target->conninfo($databases[$_]) : $target->connstr($databases[$_])) . "\n"
	  for 0 .. $#databases;
	print $file "\n[placement]\n";
	print $file $_->name . ' = ' . place($_) . "\n"
	  for grep { $_->{place} } $schema->tables;
	print $file "* = all\n";
	close $file or die "could not write \"$self->{file}\": $!\n";
}

sub place
{
	my ($table) = @_;
	my $place = $table->{place};

	return "only $place->{only}" if $place->{only};
	return 'hash(' . join(', ', map { quote_ident($_) } @{ $place->{hash} }) . ')';
}

# The options are in the file.
sub command
{
	my ($self, $verb, @options) = @_;

	return ($ENV{PENSTOCK_BIN}, $verb, "--config=$self->{file}",
		grep { !/^--publications=/ } @options);
}

1;
