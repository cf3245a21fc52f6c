# Numbers at random that are the same each time for one seed, whatever else
# draws from perl's own.
package Soak::Random;

use strict;
use warnings;

my $MODULUS = 2**31;

sub new
{
	my ($class, $seed) = @_;
	my $self = bless { state => $seed % $MODULUS }, $class;

	# Seeds that are close to one another are to part.
	$self->draw for 1 .. 5;
	return $self;
}

# 0 <= … < 1.  The lower bits of such a generator are no good, the upper are.
sub draw
{
	my ($self) = @_;

	$self->{state} = ($self->{state} * 1_103_515_245 + 12_345) % $MODULUS;
	return $self->{state} / $MODULUS;
}

# A fraction within the two.
sub between
{
	my ($self, $low, $high) = @_;

	return $low + $self->draw * ($high - $low);
}

# An integer from $low to $high.
sub integer
{
	my ($self, $low, $high) = @_;

	return $low + int($self->draw * ($high - $low + 1));
}

sub pick
{
	my ($self, @list) = @_;

	return $list[ $self->integer(0, $#list) ];
}

sub shuffle
{
	my ($self, @list) = @_;

	for my $i (reverse 1 .. $#list)
	{
		my $j = $self->integer(0, $i);
		@list[ $i, $j ] = @list[ $j, $i ];
	}
	return @list;
}

1;
