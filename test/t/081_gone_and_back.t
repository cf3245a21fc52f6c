# A table that was never copied and is gone stops nothing; one whose drop was
# rolled back, while its transaction came in pieces, is not gone.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Session;

my $FAILED = 1;
my $pair = Penstock::Pair->new(source => ['logical_decoding_work_mem = 64kB']);

$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
$pair->clone;

my $follower = $pair->start('follow');
my $session = Penstock::Session->new($pair->source, $pair->name);
$session->run(
	'BEGIN',
	'CREATE TABLE gone AS SELECT generate_series(1, 5000) n',
	'CREATE TABLE back AS SELECT generate_series(1, 5000) n',
	'DROP TABLE gone',
	'SAVEPOINT s',
	'DROP TABLE back',
	'INSERT INTO t SELECT generate_series(1, 5000)');
$pair->wait_caught_up;
$session->end('ROLLBACK TO s', 'COMMIT');
is($follower->wait_exit, $FAILED, 'the follower stops');
like($follower->log, qr/"back" was not copied/, 'at the table that is there');

$pair->run_or_die('table', 'add', 'back');
$pair->source_sql('INSERT INTO t VALUES (0)');
$pair->follow_to_end;
$pair->equal_ok('when it was added');
done_testing();
