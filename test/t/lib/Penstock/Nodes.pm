# A source and several nodes, with a configuration file that says how tables
# are spread over them.
#
#     my $nodes = Penstock::Nodes->new(
#         count => 4,
#         placement => [ 'public.orders = hash(customer)', '* = all' ]);
#     $nodes->pair->source_sql('CREATE TABLE …');
#     $nodes->run_or_die('clone');
#     my $follower = $nodes->start('follow');
#     $nodes->spread_ok('after the clone', orders => 'customer');
#
# The nodes are databases of one server, the target of a Penstock::Pair.  The
# configuration file is written anew by configure().
package Penstock::Nodes;

use strict;
use warnings;

use parent 'Penstock::Runner';

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

# Options: count, placement, extra (lines of section [penstock]), and pair, one
# that is there already, or those of Penstock::Pair->new.
sub new
{
	my ($class, %option) = @_;
	my $self = bless {
		pair => $option{pair} || Penstock::Pair->new(%option),
		names => [ map { chr(ord('a') + $_) } 0 .. $option{count} - 1 ],
	}, $class;

	$self->create_nodes;
	$self->configure(%option);
	return $self;
}

sub pair { return $_[0]{pair}; }
sub names { return @{ $_[0]{names} }; }
sub file { return $_[0]{file}; }

# Connection string of a node; a proxy may have taken its place.
sub conninfo
{
	my ($self, $name) = @_;

	return $self->{conninfo}{$name}
	  // $self->pair->target->connstr("node_$name");
}

# From here on the consumer connects in this way to a node.
sub set_conninfo
{
	my ($self, $name, $conninfo) = @_;

	$self->{conninfo}{$name} = $conninfo;
	$self->configure;
}

sub create_nodes
{
	my ($self) = @_;

	$self->pair->target->safe_psql('postgres', "CREATE DATABASE node_$_")
	  for $self->names;
}

# Empty ones in their place.
sub recreate_nodes
{
	my ($self) = @_;

	$self->pair->target->safe_psql('postgres', "DROP DATABASE node_$_")
	  for $self->names;
	$self->create_nodes;
}

# Write the configuration file; options count (the first so many nodes),
# placement and extra as for new().
sub configure
{
	my ($self, %option) = @_;
	my $pair = $self->pair;
	my @names = $self->names;

	$self->{option} = { %{ $self->{option} || {} }, %option };
	%option = %{ $self->{option} };
	$self->{file} = "$ENV{TESTDATADIR}/" . $pair->name . '.ini';
	open my $handle, '>', $self->{file}
	  or die "could not create \"$self->{file}\": $!\n";
	print $handle "[penstock]\nname = " . $pair->name . "\n",
	  map({ "$_\n" } @{ $option{extra} || [] }),
	  "\n[source]\nconninfo = " . $pair->conninfo('source') . "\n",
	  map({ "\n[target $_]\nconninfo = " . $self->conninfo($_) . "\n" }
		@names[ 0 .. $option{count} - 1 ]),
	  "\n[placement]\n", map { "$_\n" } @{ $option{placement} };
	close $handle or die "could not write \"$self->{file}\": $!\n";
}

sub node_sql
{
	my ($self, $name, $sql) = @_;

	return $self->pair->target->safe_psql("node_$name", $sql);
}


# ---- The consumer ----

sub source_lsn
{
	my ($self) = @_;

	return $self->pair->source_lsn;
}

sub command
{
	my ($self, $verb, @options) = @_;

	return ($ENV{PENSTOCK_BIN}, split(/ /, $verb), "--config=$self->{file}",
		@options);
}


# ---- Contents ----

# Number of rows and a sum over all of them: what of two sets of rows is the
# same, where it is the same.
sub digest_sql
{
	my ($table) = @_;

	return "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)
		FROM $table t";
}

# The rows of the table on the nodes together are those on the source, and each
# is where the hash of its key says.
sub spread_ok
{
	my ($self, $when, %keys) = @_;
	my @names = ($self->names)[ 0 .. $self->{option}{count} - 1 ];

	for my $table (sort keys %keys)
	{
		my ($source_rows, $source_sum) = split /\|/,
		  $self->pair->source_sql(digest_sql($table));
		my ($rows, $sum, $misplaced) = (0, 0, 0);

		require Math::BigInt;
		$sum = Math::BigInt->new(0);
		for my $i (0 .. $#names)
		{
			my ($node_rows, $node_sum) = split /\|/,
			  $self->node_sql($names[$i], digest_sql($table));

			$rows += $node_rows;
			$sum->badd($node_sum);
			$misplaced += $self->misplaced($names[$i], $i, scalar @names,
				$table, $keys{$table});
		}
		is("$rows rows, sum $sum, $misplaced misplaced",
			"$source_rows rows, sum $source_sum, 0 misplaced",
			"$when: $table is spread over the nodes");
	}
}

# Rows of a node that satisfies_hash_partition() puts elsewhere.
sub misplaced
{
	my ($self, $name, $remainder, $modulus, $table, $key) = @_;
	my $parted = 'parted_' . $table =~ s/\W/_/gr;

	$self->node_sql($name, "CREATE SCHEMA IF NOT EXISTS penstock_test;
		CREATE TABLE IF NOT EXISTS penstock_test.$parted (LIKE $table)
			PARTITION BY HASH ($key)");
	return $self->node_sql($name, "SELECT count(*) FROM $table
		WHERE NOT satisfies_hash_partition('penstock_test.$parted'::regclass,
			$modulus, $remainder, $key)");
}

# Every row is on each of these nodes.
sub copied_ok
{
	my ($self, $when, $table, @names) = @_;
	my $expected = $self->pair->source_sql(digest_sql($table));

	is(join(', ', map { $self->node_sql($_, digest_sql($table)) } @names),
		join(', ', ($expected) x @names),
		"$when: $table is on " . join ', ', @names);
}

sub empty_ok
{
	my ($self, $when, $table, @names) = @_;

	is( join(', ',
			map { $self->node_sql($_, "SELECT count(*) FROM $table") } @names),
		join(', ', (0) x @names),
		"$when: $table has no rows on " . join ', ', @names);
}

1;
