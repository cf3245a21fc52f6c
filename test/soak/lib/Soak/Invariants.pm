# What must be true of the target at any moment, in the middle of everything
# too: it is the source as it was at some moment.
package Soak::Invariants;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(answer violations);

# Name => query of what contradicts it, one line each.  All are asked in one
# snapshot.
my @INVARIANTS = (
	[
		'the sum of the accounts',
		'SELECT sum(balance) FROM account HAVING sum(balance) <> 400 * 1000'
	],
	[
		'accounts and transfers agree',
		q(SELECT id, balance, 1000 + coalesce(received, 0) - coalesce(paid, 0)
			FROM account
			LEFT JOIN (SELECT payee AS id, sum(amount) AS received
						 FROM transfer GROUP BY 1) r USING (id)
			LEFT JOIN (SELECT payer AS id, sum(amount) AS paid
						 FROM transfer GROUP BY 1) p USING (id)
		   WHERE balance <> 1000 + coalesce(received, 0) - coalesce(paid, 0))
	],
	[
		'numbers have no gaps and are there once',
		q(SELECT writer, count(number), count(DISTINCT number), max(number), last
			FROM counter LEFT JOIN numbered USING (writer)
		   GROUP BY writer, last
		  HAVING count(number) <> last OR count(DISTINCT number) <> last
			  OR max(number) <> last)
	],
	[
		'keys that are exchanged are all there',
		q(SELECT id / 1000, count(*), count(code), sum(id % 1000),
				 sum(code % 1000), sum(place % 1000)
			FROM keyed GROUP BY 1
		  HAVING count(*) <> 30 OR count(code) <> 30 OR sum(id % 1000) <> 465
			  OR sum(code % 1000) <> 465 OR sum(place % 1000) <> 465)
	],
	[
		'rows that are alike stay as many',
		q(SELECT writer, count(*) FROM alike GROUP BY 1 HAVING count(*) <> 30)
	],
	[
		'rows are in one partition',
		q(SELECT id / 1000, count(DISTINCT id) FROM parted GROUP BY 1
		  HAVING count(*) <> 30 OR count(DISTINCT id) <> 30)
	],
	[
		'large values are still there',
		q(SELECT id / 1000, count(*) FROM toasted GROUP BY 1
		  HAVING count(*) <> 20)
	]);

# Of this side; each a line of text.  Not defined: the server cannot be asked.
sub violations
{
	my ($node, $database) = @_;
	my $sql = "BEGIN ISOLATION LEVEL REPEATABLE READ;\n" . join "\n",
	  map {
		my ($name, $query) = @$_;
		"SELECT '$name', v::text FROM ($query) v;"
	  } @INVARIANTS;
	my $answer = answer($node, $database, "$sql\nCOMMIT;");

	return defined $answer ? [ grep { length } split /\n/, $answer ] : undef;
}

# What a server answers; not defined if it cannot be asked now.
sub answer
{
	my ($node, $database, $sql) = @_;
	my ($stdout, $stderr);

	# To write to a psql that could not connect is an exception.
	my $status = eval {
		$node->psql(
			$database, $sql,
			stdout => \$stdout,
			stderr => \$stderr,
			on_error_die => 0,
			on_error_stop => 1);
	};
	return defined $status && $status == 0 ? $stdout : undef;
}

1;
