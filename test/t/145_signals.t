# A follower says its state when USR1 asks for it, and reads its configuration
# again when HUP does.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

my $pair = Penstock::Pair->new;
my $file = tempdir(CLEANUP => 1) . '/shop.ini';

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
$pair->clone;
write_file('watchdog = 3600', 'lanes = 1', $pair->conninfo('target'));
my $follower = Penstock::Process->start(
	name => 'follow',
	command => [$ENV{PENSTOCK_BIN}, 'follow', "--config=$file", '--heartbeat=1']);
$follower->wait_log(qr/following with slot/);

# ---- USR1 ----

$pair->source_sql('INSERT INTO t SELECT generate_series(1, 10)');
$pair->wait_caught_up;
wait_until('the whole state to be said', sub {
	$follower->signal('USR1');
	$follower->log =~ /state: target \S+: .* lags by .*; 1\d rows in/;
});
my $log = $follower->log;
like($log, qr/state: following for \d+ s, attempt 1, 0 have failed, what is received lags by/,
	'what it does');
like($log, qr{state: source: \d+ s ago its WAL ended at [0-9A-F]+/[0-9A-F]+; it keeps \d+ MB of WAL for the slot, which is reserved},
	'and the source');

# ---- HUP ----

hang_up();
unlike($follower->log, qr/is now|counts from the next start/, 'nothing has changed');

write_file('watchdog = 1', 'slot-wal-warning = 16MB', 'lanes = 1', 'verbose = on',
	$pair->conninfo('target'));
hang_up();
like($follower->log, qr/info reload: watchdog is now 1$/m, 'what may change has changed');
like($follower->log, qr/info reload: slot-wal-warning is now 16MB$/m, 'also what was not set');
unlike($follower->log, qr/counts from the next start/, 'nothing else is said');

# It counts: nothing was stuck before.
my $session = Penstock::Session->new($pair->target, $pair->name);
$session->run('BEGIN', 'LOCK TABLE t');
$pair->source_sql('INSERT INTO t VALUES (100)');
$follower->wait_log(qr/warning watchdog: target .*is stuck/);
$session->end('COMMIT');
$follower->wait_log(qr/is not stuck any more/);

write_file('watchdog = 1', 'slot-wal-warning = 16MB', 'lanes = 2', 'apply = transaction',
	'verbose = on', $pair->conninfo('target') . ' application_name=secret');
hang_up();
for my $what ('lanes has', 'apply has', 'the targets have')
{
	like($follower->log,
		qr/warning reload: $what changed, which counts from the next start on$/m,
		"$what changed, and is named");
}
unlike($follower->log, qr/secret/, 'but not what it is');

write_file('watchdog = never', $pair->conninfo('target'));
$follower->signal('HUP');
$follower->wait_log(qr/warning reload: .*invalid value.*reading the configuration again: it stays as it was/s);
$pair->source_sql('INSERT INTO t VALUES (101)');
$pair->wait_caught_up;
$pair->stop_ok($follower);

done_testing();

# Settings, and the target's connection string.
sub write_file
{
	my $target = pop @_;

	open my $handle, '>', $file or die "$file: $!\n";
	print $handle join("\n", '[penstock]', 'name = ' . $pair->name, @_, '[target t]', "conninfo = $target",
		'[source]', 'conninfo = ' . $pair->conninfo('source')), "\n";
	close $handle;
}

sub hang_up
{
	my $before = () = $follower->log =~ /was read again/g;

	$follower->signal('HUP');
	wait_until('the configuration to be read again',
		sub { (() = $follower->log =~ /was read again/g) > $before });
}
