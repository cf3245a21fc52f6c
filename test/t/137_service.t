# As a service of systemd: what the follower tells its manager, and what the
# unit lets it do.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use IPC::Run qw(run);
use Socket qw(SOCK_DGRAM);
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Shards;

# ---- The manager ----

my $pair = Penstock::Pair->new;
my $path = tempdir(CLEANUP => 1) . '/notify';
my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path)
  or die "could not create a socket: $!\n";
my $select = IO::Select->new($manager);
my $told = '';

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
$pair->clone;
{
	my $follower = do
	{
		# Servers that are started would tell it things, too.
		local $ENV{NOTIFY_SOCKET} = $path;
		local $ENV{WATCHDOG_USEC} = 60_000_000;
		$pair->start('follow', '--heartbeat=1', '--watchdog=1');
	};

	wait_until('it to be ready', sub { told() =~ /^READY=1$/m });
	like($told, qr/^WATCHDOG_USEC=60000000\n.*^READY=1\n/ms,
		'from then on it has to ping');
	like($told, qr/^STATUS=following$/m, 'what it does is told');
	$told = '';
	wait_until('it to ping', sub { (() = told() =~ /^WATCHDOG=1$/mg) >= 2 });

	$pair->target->stop('immediate');
	wait_until('it to say that it tries again', sub { told() =~ /^STATUS=trying again/m });
	$told = '';
	wait_until('it to ping meanwhile', sub { told() =~ /^WATCHDOG=1$/m });
	$pair->target->start;
	wait_until('it to follow again', sub { told() =~ /^STATUS=following$/m });
	unlike($told, qr/^READY=1$/m, 'it is ready only once');
	$pair->stop_ok($follower);
	like(told(), qr/^STATUS=ending$/m, 'and says that it ends');
}

# ---- Several sources ----

{
	my $shards = Penstock::Shards->new(
		name => 'two',
		sources => {
			a => [ $pair->source, 'shard_a' ],
			b => [ $pair->source, 'shard_b' ],
		},
		nodes => { all => [ $pair->target, 'whole' ] },
		placement => [ 'public.t = hash(id)', '* = all from a' ]);
	my $follower;

	$shards->sources_sql('CREATE TABLE t (id integer PRIMARY KEY);
		CREATE PUBLICATION two FOR TABLE t');
	$shards->run_or_die('clone');
	$told = '';
	{
		local $ENV{NOTIFY_SOCKET} = $path;
		local $ENV{WATCHDOG_USEC} = 60_000_000;
		$follower = $shards->start('follow', '--heartbeat=1', '--watchdog=1');
	}
	$follower->wait_log(qr/source "$_": following with slot/) for qw(a b);
	my @ready = told() =~ /^(READY=1)$/mg;
	is(@ready, 1, 'of several sources one process is ready');
	my @status = $told =~ /^STATUS=(.*)$/mg;
	is("@status", 'following 2 sources', 'and says what all do');
	unlike($told, qr/^WATCHDOG_USEC=60000000$/m, 'no pings are expected');
	$pair->stop_ok($follower);
}

# ---- The unit ----

my $unit = "$ENV{PENSTOCK_STAGE}/service/penstock\@.service.in";
SKIP:
{
	my ($out, $problems) = ('', '');
	my $copy = tempdir(CLEANUP => 1) . '/penstock@.service';

	skip 'systemd-analyze is not installed', 2
	  unless grep { -x "$_/systemd-analyze" } split /:/, $ENV{PATH};
	run(['sed', 's|@PREFIX@/bin/penstock|/bin/true|; /^Documentation/d', $unit], '>', $copy);
	run(['systemd-analyze', 'verify', $copy], '>', \$out, '2>', \$problems);
	is("$out$problems", '', 'systemd understands the unit');
	run(['systemd-analyze', 'security', '--offline=true', '--no-pager', $copy], '>', \$out,
		'2>', \$problems);
	my ($exposure) = $out =~ /exposure level for \S+: ([\d.]+)/;
	cmp_ok($exposure // 10, '<', 2.0, 'which leaves the service few rights');
}

done_testing();

# All that the manager was told so far.
sub told
{
	my $message;

	while ($select->can_read(0))
	{
		$manager->recv($message, 4096);
		$told .= "$message\n";
	}
	return $told;
}
