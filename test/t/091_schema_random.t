# A few rounds of the fuzzer of schema changes, which are the same each time.
# "make fuzz-ddl" has the long run, with others.
#
# Before that, whether it sees what is wrong.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/../fuzz/ddl/lib";
use Ddl::Databases;
use Ddl::Round;
use Penstock::Server qw(start_server);

my @SEEDS = (1 .. 4);

# PENSTOCK_SEED=N is the round with that seed alone.
@SEEDS = $ENV{PENSTOCK_SEED} if $ENV{PENSTOCK_SEED};

my $node = start_server('both');

sees('a column', 'ALTER TABLE t ADD COLUMN b int', qr/only on the target/);
sees('a row', 'INSERT INTO t VALUES (1)', qr/^rows of public\.t/);
Ddl::Round::test($node, $_) for @SEEDS;
done_testing();

# What it finds when something is done on the target alone.
sub sees
{
	my ($title, $sql, $message) = @_;
	my $databases = Ddl::Databases->new($node, 'spoilt',
		'CREATE TABLE t (a int)');

	$node->safe_psql('spoilt_target', $sql);
	$databases->session->run('CREATE TABLE other (a int)');
	my @findings = $databases->follow;

	like(join('', @findings), $message, "$title too many: it is seen");
	$databases->drop;
}
