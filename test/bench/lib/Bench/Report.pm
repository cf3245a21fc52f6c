# Medians, tables, and the file that machines read.
package Bench::Report;

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(cell grouped median medians print_table ratio write_json);

sub median
{
	my @values = sort { $a <=> $b } @_;
	my $middle = int(@values / 2);

	return undef unless @values;
	return @values % 2
	  ? $values[$middle]
	  : ($values[ $middle - 1 ] + $values[$middle]) / 2;
}

# Of hashes with the same keys: a hash of each key's median.
sub medians
{
	my @runs = @_;
	my %median;

	for my $key (keys %{ $runs[0] })
	{
		$median{$key} = median(map { $_->{$key} } @runs);
	}
	return \%median;
}

sub grouped
{
	my ($number) = @_;
	my $text = sprintf '%.0f', $number;

	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

# Below this a time of a process is no more than the clock's ticks.
my $LEAST = 0.02;

# "2.31x", or "-" where there is nothing to divide by.
sub ratio
{
	my ($numerator, $denominator) = @_;

	return '-' unless defined $numerator && $denominator && $denominator > $LEAST;
	return sprintf '%.2fx', $numerator / $denominator;
}

# A number, or "-" where there is none.
sub cell
{
	my ($format, $value) = @_;

	return defined $value ? sprintf($format, $value) : '-';
}

# Rows of cells; the first row is the head, the first column is to the left.
sub print_table
{
	my @rows = @_;
	my @width;

	for my $row (@rows)
	{
		for my $i (0 .. $#$row)
		{
			my $length = length $row->[$i];
			$width[$i] = $length if $length > ($width[$i] // 0);
		}
	}
	for my $row (@rows)
	{
		my @right = map { sprintf '%*s', $width[$_], $row->[$_] } 1 .. $#$row;
		printf "  %-*s  %s\n", $width[0], $row->[0], join('  ', @right);
	}
}

# To what was measured: times are exact to less than that.
sub rounded
{
	my ($value) = @_;

	return { map { $_ => rounded($value->{$_}) } keys %$value }
	  if ref $value eq 'HASH';
	return [ map { rounded($_) } @$value ] if ref $value eq 'ARRAY';
	return $value if ref $value || $value !~ /^-?\d+\.\d+(?:e-?\d+)?$/;
	return 0 + sprintf '%.3f', $value;
}

sub write_json
{
	my ($file, $data) = @_;

	open my $handle, '>', $file or die "could not write \"$file\": $!\n";
	print $handle JSON::PP->new->pretty->canonical->encode(rounded($data));
	close $handle or die "could not write \"$file\": $!\n";
}

1;
