# What pg_dump says of a database's schema, as a list in which order does not
# count: of statements, and of the columns of a table, which have another order
# where a column was dropped or added to a parent.
package Ddl::Dump;

use strict;
use warnings;

use Exporter qw(import);
use IPC::Run;

our @EXPORT_OK = qw(dump_schema differences);

sub dump_schema
{
	my ($conninfo, @options) = @_;
	my ($out, $err);

	IPC::Run::run([ 'pg_dump', '-s', @options, '-d', $conninfo ], '>', \$out, '2>', \$err)
	  or die "pg_dump failed:\n$err";
	return sort map { sorted($_) } statements($out);
}

sub statements
{
	my ($text) = @_;
	my @statements;
	my $current = '';

	for my $line (split /\n/, $text)
	{
		next if $line eq '' || $line =~ /^--|^SET |^\\|^SELECT pg_catalog/;
		$current .= "$line\n";
		next unless $line =~ /;$/;
		push @statements, $current;
		$current = '';
	}
	return @statements;
}

# The lines of CREATE TABLE, without the commas between them.
sub sorted
{
	my ($statement) = @_;

	return $statement unless $statement =~ /^CREATE (UNLOGGED )?TABLE/;
	my @lines = split /\n/, $statement;
	my $first = shift @lines;
	s/,$// for @lines;
	return join "\n", $first, sort(@lines), '';
}

# Lines that say what is on one side only.
sub differences
{
	my ($source, $target) = @_;
	my %count;

	$count{$_}++ for @$source;
	$count{$_}-- for @$target;
	return map {
		($count{$_} > 0 ? 'only on the source: ' : 'only on the target: ') . $_
	} grep { $count{$_} } sort keys %count;
}

1;
