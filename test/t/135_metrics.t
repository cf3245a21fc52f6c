# The metrics of a follower: that they are valid, that they say what happens on
# both sides, also while the follower waits for a server, and who may ask.

use strict;
use warnings;

use IPC::Run qw(run);
use Test::More;

use Penstock::Metrics;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $pair = Penstock::Pair->new(source => ['max_slot_wal_keep_size = 1GB']);
my $metrics = Penstock::Metrics->new;
my @options = ($metrics->option, '--heartbeat=1', '--watchdog=2');

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, text text)');
$pair->clone;

my $follower = $pair->start('follow', @options);
$follower->wait_log(qr/listening at unix:/);
wait_until('the target to be up', sub { $metrics->value('penstock_target_up') });
ready_ok('an idle follower is ready');

# ---- What is written down ----

my ($status, $head, $body) = $metrics->get('/metrics');
is($status, 200, 'metrics are served');
like($head, qr{^Content-Type: text/plain; version=0\.0\.4}m, 'in the old format');
unlike($body, qr/# EOF/, 'which has no mark at its end');
($status, $head, $body) = $metrics->get('/metrics',
	headers => { Accept => 'application/openmetrics-text;version=1.0.0,*/*;q=0.1' });
like($head, qr{^Content-Type: application/openmetrics-text; version=1\.0\.0}m,
	'as OpenMetrics for who asks for it');
like($body, qr/^# TYPE penstock_target_rows counter\n/m, 'with names of families');
like($body, qr/\n# EOF\n\z/, 'and a mark at the end');
unlike($body, qr/password|host=/, 'there are no connection strings in it');
is(scalar(grep { $_->[1]{pipeline} ne $pair->name } $metrics->samples), 0,
	'each sample has the name of the pipeline');
SKIP:
{
	my ($out, $problems) = ('', '');

	skip 'promtool is not installed', 1 unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};
	(undef, undef, $body) = $metrics->get('/metrics');
	run(['promtool', 'check', 'metrics'], '<', \$body, '>', \$out, '2>', \$problems);
	is("$out$problems", '', 'promtool finds nothing wrong');
}

# ---- What happens ----

$pair->source_sql('INSERT INTO t SELECT i, i FROM generate_series(1, 100) i');
$pair->wait_caught_up;
wait_until('the rows to be counted',
	sub { ($metrics->value('penstock_target_rows_total') // 0) >= 100 });
cmp_ok($metrics->value('penstock_target_batches_total'), '>', 0, 'batches are counted');
cmp_ok($metrics->value('penstock_received_bytes_total'), '>', 0, 'and bytes');
is($metrics->value('penstock_state', state => 'following'), 1, 'the state is there');
is($metrics->value('penstock_slot_exists'), 1, 'and the slot');
is($metrics->value('penstock_slot_wal_status', status => 'reserved'), 1, 'which has its WAL');
cmp_ok($metrics->value('penstock_slot_safe_wal_bytes'), '>', 0, 'and room for more');
for my $position (qw(received applied confirmed))
{
	wait_until("the lag of what is $position to be known",
		sub { defined $metrics->value('penstock_lag_seconds', position => $position) });
	cmp_ok($metrics->value('penstock_position_bytes', position => $position), '>', 0,
		"the position of what is $position");
}

# An idle database: heartbeats alone move the slot.
my $before = $pair->confirmed_lsn;
wait_until('the slot of an idle database to move',
	sub { $pair->source_sql("SELECT '" . $pair->confirmed_lsn . "'::pg_lsn > '$before'") eq 't' });

# ---- The target is locked: answered all the same, with a lag that grows ----

my $locker = Penstock::Session->new($pair->target, $pair->name);
$locker->run('BEGIN', 'LOCK TABLE t');
$pair->source_sql('INSERT INTO t SELECT i, i FROM generate_series(101, 200) i');
wait_until('the lag to exceed the limit',
	sub { ($metrics->value('penstock_target_lag_seconds', position => 'applied') // 0) > 2 });
($status, undef, $body) = $metrics->get('/readyz');
is($status, 503, 'a follower whose target is locked is not ready');
like($body, qr/^target 1 lags by \d+ s$/m, 'and says why');
is(($metrics->get('/healthz'))[0], 200, 'but alive');
cmp_ok($metrics->value('penstock_lag_bytes', position => 'applied'), '>', 0,
	'the lag in bytes grows, too');
$locker->end('COMMIT');
ready_ok('ready again when the lock is gone');

# ---- The source is away: unknown is absent ----

$pair->source->stop('immediate');
wait_until('what the source has told to be too old',
	sub { !defined $metrics->value('penstock_slot_exists') });
is($metrics->value('penstock_lag_bytes', position => 'applied'), undef,
	'the lag is not known then');
cmp_ok($metrics->value('penstock_position_bytes', position => 'applied'), '>', 0,
	'but the position is');
cmp_ok($metrics->value('penstock_heartbeat_age_seconds'), '>', 2, 'and for how long not');
wait_until('an attempt to have failed',
	sub { $metrics->value('penstock_failed_attempts_total') > 0 });
is(($metrics->get('/readyz'))[0], 503, 'not ready without a source');
$pair->source->start;
ready_ok('ready again when the source is back');

# ---- The target is away: the source is asked all the same ----

$pair->target->stop('immediate');
wait_until('the target not to be up', sub { !$metrics->value('penstock_target_up') });
my $end = $metrics->value('penstock_source_wal_position_bytes') // 0;
$pair->source_sql('INSERT INTO t VALUES (1000)');
wait_until('the source to be asked while there is no target',
	sub { ($metrics->value('penstock_source_wal_position_bytes') // 0) > $end });
$pair->target->start;
ready_ok('ready again when the target is back');

# ---- Who may ask for what ----

is(($metrics->get('/metrics', method => 'POST'))[0], 405, 'nothing can be sent');
is(($metrics->get('/metrics', method => 'HEAD'))[0], 200, 'a head can be asked for');
is(($metrics->get('/etc/passwd'))[0], 404, 'nothing else is there');
is(($metrics->get('/metrics', headers => { X => 'x' x 100_000 }))[0] // 0, 431,
	'a request is limited');

$pair->stop_ok($follower);
ok(!-e $metrics->{path}, 'the socket is gone');

# ---- By TCP ----

my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
$metrics = Penstock::Metrics->new(port => $port);
$follower = $pair->start('follow', $metrics->option);
$follower->wait_log(qr{listening at http://127\.0\.0\.1:$port});
is(($metrics->get('/healthz', headers => { Host => "127.0.0.1:$port" }))[0], 200, 'by number');
is(($metrics->get('/healthz', headers => { Host => "localhost:$port" }))[0], 200, 'by name');
is(($metrics->get('/healthz', headers => { Host => "evil.example:$port" }))[0], 403,
	'a name of somebody else is refused');
my ($other, undef, $problem) = $pair->run('follow', $metrics->option);
is($other, 1, 'another process cannot have the address');
like($problem, qr/could not listen at "http:\/\/127\.0\.0\.1:$port": Address already in use/,
	'and says so');
$pair->stop_ok($follower);

done_testing();

sub ready_ok
{
	my ($title) = @_;

	wait_until($title, sub { ($metrics->get('/readyz'))[0] == 200 });
	is(($metrics->get('/readyz'))[2], "ok: following\n", $title);
}
