# Several sources and several nodes, with a configuration file that says how
# the tables of the ones are spread over the others.
#
#     my $shards = Penstock::Shards->new(
#         sources => { a => [ $server, 'shard_a' ], b => [ $server, 'shard_b' ] },
#         nodes => { x => [ $other, 'node_x' ] },
#         placement => [ 'public.orders = hash(customer)', '* = all from a' ]);
#     $shards->source_sql('a', 'CREATE TABLE …');
#     $shards->run_or_die('clone');
#     my $follower = $shards->start('follow');
#     $shards->wait_caught_up($follower, 'INSERT INTO mark …');
#     $shards->gathered_ok('after the clone', orders => 'customer');
#
# A source or a node is a database, which is made here unless it is there, and a
# server.  The order of the names is that of the file.
package Penstock::Shards;

use strict;
use warnings;

use parent 'Penstock::Nodes';

use Test::More;

use Math::BigInt;
use Penstock::Poll qw(wait_until);

# Options: sources, nodes, placement, and name, of the pipeline, of the
# publication and of the file.
sub new
{
	my ($class, %option) = @_;
	my $self = bless { name => 'shop', %option }, $class;

	make_database(@$_) for values %{ $self->{sources} }, values %{ $self->{nodes} };
	$self->configure;
	return $self;
}

sub make_database
{
	my ($server, $database) = @_;

	$server->safe_psql('postgres', "CREATE DATABASE $database")
	  if $server->safe_psql('postgres', "SELECT count(*) FROM pg_database
		  WHERE datname = '$database'") == 0;
}

sub source_names { return sort keys %{ $_[0]{sources} }; }
sub node_names { return sort keys %{ $_[0]{nodes} }; }

# Write the configuration file; options sources, nodes and placement as for
# new(), text, to be added at the end, and leave_out, a pattern of what is not to
# be in it.
sub configure
{
	my ($self, %option) = @_;

	%$self = (%$self, %option);
	$self->{file} = "$ENV{TESTDATADIR}/$self->{name}.ini";
	my $text = join '', "[penstock]\nname = $self->{name}\n",
	  $self->sections(source => 'sources'), $self->sections(target => 'nodes'),
	  "\n[placement]\n", map({ "$_\n" } @{ $self->{placement} }),
	  $option{text} // '';
	$text =~ s/$option{leave_out}// if $option{leave_out};
	open my $handle, '>', $self->{file}
	  or die "could not create \"$self->{file}\": $!\n";
	print $handle $text;
	close $handle or die "could not write \"$self->{file}\": $!\n";
}

sub sections
{
	my ($self, $kind, $ends) = @_;

	return map {
		my ($server, $database) = @{ $self->{$ends}{$_} };
		"\n[$kind $_]\nconninfo = " . $server->connstr($database) . "\n"
	} sort keys %{ $self->{$ends} };
}

sub source_sql
{
	my ($self, $name, $sql) = @_;
	my ($server, $database) = @{ $self->{sources}{$name} };

	return $server->safe_psql($database, $sql);
}

sub sources_sql
{
	my ($self, $sql) = @_;

	return map { $self->source_sql($_, $sql) } $self->source_names;
}

sub node_sql
{
	my ($self, $name, $sql) = @_;
	my ($server, $database) = @{ $self->{nodes}{$name} };

	return $server->safe_psql($database, $sql);
}

# Wait until all that is committed on the sources now is durable on the nodes;
# the statement, run on each, gives the pipelines something to apply.
sub wait_caught_up
{
	my ($self, $follower, $sql) = @_;

	for my $name ($self->source_names)
	{
		my $lsn = $self->source_sql($name, 'SELECT pg_current_wal_lsn()');

		$self->source_sql($name, $sql);
		wait_until(
			"position $lsn of source $name to be confirmed",
			sub {
				die "the follower has ended:\n" . $follower->log
				  if !$follower->is_running;
				return $self->source_sql($name,
					"SELECT confirmed_flush_lsn >= '$lsn'
					   FROM pg_replication_slots
					  WHERE slot_name = '$self->{name}_$name'") eq 't';
			});
	}
}

# The rows of all of them together: their number, and a sum.
sub total
{
	my ($self, $table, $run, @names) = @_;
	my $total = [ 0, Math::BigInt->new(0) ];

	for my $name (@names)
	{
		my ($rows, $sum) = split /\|/,
		  $self->$run($name, Penstock::Nodes::digest_sql($table));

		$total->[0] += $rows;
		$total->[1]->badd($sum);
	}
	return "$total->[0] rows, sum $total->[1]";
}

# The rows of the table on the nodes together are those on the sources, and each
# is where the hash of its key says.
sub gathered_ok
{
	my ($self, $when, %keys) = @_;
	my @nodes = $self->node_names;

	for my $table (sort keys %keys)
	{
		my $misplaced = 0;

		for my $i (0 .. $#nodes)
		{
			$misplaced += $self->misplaced($nodes[$i], $i, scalar @nodes, $table,
				$keys{$table});
		}
		is( $self->total($table, 'node_sql', @nodes) . ", $misplaced misplaced",
			$self->total($table, 'source_sql', $self->source_names)
			  . ', 0 misplaced',
			"$when: $table is spread over the nodes");
	}
}

# The table of these sources together is on this node.
sub merged_ok
{
	my ($self, $when, $table, $node, @sources) = @_;

	is( $self->total($table, 'node_sql', $node),
		$self->total($table, 'source_sql', @sources),
		"$when: $table of " . join(', ', @sources) . " is on $node");
}

1;
