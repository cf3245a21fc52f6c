# The writes go there and back while 64 sessions of pgbench write and 16 read: no
# write is lost, and none is there twice.
#
# PENSTOCK_ROUNDS=100 for the real thing ("make soak-switch"): how often it goes
# there and back.  How long writers and readers had to wait is printed.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Penstock::Crowd;
use Penstock::Pair;
use Penstock::Poll qw(wait_until pause);

my $ROUNDS = $ENV{PENSTOCK_ROUNDS} || 2;
my @SETTINGS = ('max_connections = 150');

# The longest time between two commits of a session is looked for from the start
# of a switch to so many seconds after it, and before it for as long.
my $AFTER_S = 2;

my $pair = Penstock::Pair->new(source => \@SETTINGS, target => \@SETTINGS);
my (%waits, @stalls);

$pair->source_sql(Penstock::Crowd::tables_sql());
$pair->clone;
my $follower = follow();
my $crowd = Penstock::Crowd->start($pair, writers => 64, readers => 16);

for my $round (1 .. $ROUNDS)
{
	one_way("round $round: there", 'source', 'target');
	one_way("round $round: back", 'target', 'source', '--back');
}
written_at('source');
$crowd->end('source');
$pair->wait_caught_up($follower);
complete_ok($_) for qw(source target);
$pair->equal_ok('in the end');
$pair->stop_ok($follower);
$pair->run_or_die('finish');
$pair->run_or_die('drop');
report();
done_testing();

sub follow
{
	my (@options) = @_;
	my $process = $pair->start('follow', @options);

	$process->wait_log(qr/following with slot/);
	return $process;
}

# Waits until all sessions write there, and a little longer.
sub written_at
{
	my ($side) = @_;
	my $sessions = "SELECT count(*) = 64 FROM pg_stat_activity
		WHERE application_name = 'pgbench' AND query <> ''";
	my $last = 'SELECT last_value FROM entry_id_seq';

	$crowd->check;
	wait_until("all writers at the $side",
		sub { $pair->$side->safe_psql($pair->name, $sessions) eq 't' });
	my $begin = $pair->$side->safe_psql($pair->name, $last);
	wait_until("rows at the $side", sub {
		$pair->$side->safe_psql($pair->name, $last) > $begin + 500 });
	pause($AFTER_S);
}

sub one_way
{
	my ($title, $from, $to, @options) = @_;

	written_at($from);
	my $begin = time;
	my ($status, $output, $log) = $pair->run('switch', @options);
	my $end = time;

	is($status, 0, $title) or BAIL_OUT($log);
	push @stalls, $output =~ /writers were kept waiting for ([\d.]+) s/;
	push @{ $waits{$to} }, [ $begin, $end ];
	isnt($follower->wait_exit, 0, "$title: the follower ends");
	$follower = follow($to eq 'target' ? '--back' : ());
}

sub complete_ok
{
	my ($side) = @_;
	my $name = $pair->name;

	is($pair->$side->safe_psql($name, Penstock::Crowd::committed_sql()),
		$crowd->committed, "$side: each row that was committed is there once");
	is($pair->$side->safe_psql($name, 'SELECT sum(balance) FROM account'),
		$crowd->committed_count, "$side: so is each change");
}

sub report
{
	my (@before, @during, @reads_before, @reads);

	for my $switch (map { @$_ } values %waits)
	{
		my ($begin, $end) = @$switch;
		my $length = $end + $AFTER_S - $begin;

		push @before, $crowd->writer_waits($begin - $AFTER_S, $begin);
		push @during, $crowd->writer_waits($begin, $end + $AFTER_S);
		push @reads_before, $crowd->reader_waits($begin - $AFTER_S, $begin);
		push @reads, $crowd->reader_waits($begin, $end + $AFTER_S);
	}
	diag(sprintf '%d switches there, %d back, %d transactions',
		map({ scalar @{ $waits{$_} } } qw(target source)),
		$crowd->committed_count);
	diag('  the locks were held:            '
		. Penstock::Crowd::summary(map { $_ * 1e3 } @stalls));
	diag('  longest wait of a writer:       ' . Penstock::Crowd::summary(@during));
	diag("    in $AFTER_S s before the switch:     "
		. Penstock::Crowd::summary(@before));
	diag('    pgbench, to connect 8 anew:   '
		. Penstock::Crowd::summary($crowd->connecting));
	diag('  longest wait of a reader:       ' . Penstock::Crowd::summary(@reads));
	diag("    in $AFTER_S s before the switch:     "
		. Penstock::Crowd::summary(@reads_before));
}
