# A new slot waits for the transactions that are open on the source, in all its
# databases: it is said whose they are.  A clone that is killed meanwhile leaves
# nothing that goes on without it, and can be gone on with or started over.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Process;
use Penstock::Session;

my $pair = Penstock::Pair->new(
	source => ['max_prepared_transactions = 5'],
	target => ['max_replication_slots = 0']);
my $other = $pair->with_database('other');
$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY);
	INSERT INTO t SELECT generate_series(1, 100)');
$other->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
my $no_slot = 'SELECT count(*) = 0 FROM pg_replication_slots';

# ---- Who is waited for ----

$pair->source_sql("BEGIN; INSERT INTO t VALUES (1001); PREPARE TRANSACTION 'held'");
my $open = open_transaction($other);
my $clone = $pair->start('clone');
$clone->wait_log(
	qr/waiting for transactions that are open on the source: .*PID \d+ of user "\w+" in database "other", open for \d+ s \(idle in transaction\)/);
pass('a transaction of another database is named');
like($clone->log,
	qr/prepared transaction "held" of user "\w+" in database "shop", open for \d+ s/,
	'and a prepared one');

# ---- Killed meanwhile ----

# The walsender notices by itself, while the transactions go on.
$clone->end('KILL');
$pair->wait_for_sql('source', $no_slot);
$pair->wait_for_sql('source', "SELECT count(*) = 0 FROM pg_stat_activity
	WHERE backend_type = 'walsender'");
pass('a walsender whose client was killed does not go on');

# As if it had not noticed yet.
for my $way ('--resume', '--restart')
{
	my $maker = Penstock::Process->start(
		name => 'psql',
		command => [
			'psql', '--no-psqlrc',
			'--command=CREATE_REPLICATION_SLOT shop LOGICAL penstock',
			$pair->source->connstr($pair->name) . ' replication=database' ]);

	making();
	$clone = $pair->start('clone', $way);
	$clone->wait_log(qr/replication slot "shop" is still being made for a client that is gone/);
	$clone->wait_log(qr/creating replication slot.*still waiting for transactions/s);
	pass("$way ends what was left, and waits in its place");
	isnt($maker->wait_exit, 0, 'what was left has ended');
	$clone->end('KILL');
	$pair->wait_for_sql('source', $no_slot);
}

# ---- In the end ----

$clone = $pair->start('clone', '--resume');
making();
$pair->source_sql("ROLLBACK PREPARED 'held'");
$open->run('COMMIT');
$open->end;
is($clone->wait_exit, 0, 'the clone is done when they have ended')
  or diag($clone->log);
$pair->source_sql('INSERT INTO t VALUES (1002)');
my ($status, undef, $log) =
  $pair->run('follow', '--endpos=' . $pair->source_lsn);
is($status, 0, 'it is followed');
$pair->equal_ok('after it');

# A target that cannot mark what is written says why.
like($log, qr/changes have no replication origin: .*max_replication_slots = 0/,
	'why there is no mark');

done_testing();

sub open_transaction
{
	my ($where) = @_;
	my $session = Penstock::Session->new($where->source, $where->name);

	$session->run('BEGIN; INSERT INTO t VALUES (1)');
	return $session;
}

# Wait until the slot is there, and has no starting point.
sub making
{
	$pair->wait_for_sql('source', "SELECT count(*) > 0 FROM pg_replication_slots
		WHERE active AND confirmed_flush_lsn IS NULL");
}
