# A physical standby that replays the same log: the ceiling.  It does not turn
# changes into rows, it writes the source's pages, all databases' of them.
#
# A copy of the source, taken before the backlog, is started without knowing
# its source.  When it has replayed what it has, it is told where the source is.
package Bench::Follow::Standby;

use strict;
use warnings;

use parent 'Bench::Follow';

use Time::HiRes qw(time);

use Bench::Process qw(children cpu_s);
use Bench::Server;

sub prepare
{
	my ($self, $pair) = @_;
	my $base = base();

	return if -d $base;
	$pair->{source}->command('pg_basebackup', '--checkpoint=fast',
		'--wal-method=stream', "--pgdata=$base",
		'--dbname=' . $pair->{source}->conninfo('postgres'));
}

sub base
{
	return "$ENV{PENSTOCK_STAGE}/base_standby";
}

sub run
{
	my ($self, $pair) = @_;
	my $source = $pair->{source};
	my $standby = $self->{standby} =
	  Bench::Server->start_copy('standby', base(),
		q(primary_conninfo = ''), q(shared_preload_libraries = ''));
	my $conninfo = $source->conninfo('postgres');
	my $watcher = $standby->watcher('postgres');
	my $of_source = $source->watcher('postgres');
	my $cpu = $self->begin($pair, $of_source);
	my $replaying = replaying_cpu_s($standby);

	my $started = time;
	$standby->sql('postgres',
		"ALTER SYSTEM SET primary_conninfo = '$conninfo'");
	$standby->sql('postgres', 'SELECT pg_reload_conf()');
	Bench::Server::wait_for($watcher,
		"SELECT pg_last_wal_replay_lsn() >= '$pair->{end_lsn}'");
	my $wall_s = time - $started;

	$replaying = replaying_cpu_s($standby) - $replaying;
	$standby->sql('postgres', q(ALTER SYSTEM SET primary_conninfo = ''));
	$standby->sql('postgres', 'SELECT pg_reload_conf()');
	my %result = $self->end($pair, $cpu, $of_source);
	Bench::Server::end_watcher($_) for $watcher, $of_source;
	return { %result, wall_s => $wall_s, apply_cpu_s => $replaying };
}

# Of the process that replays, and of the one that receives.
sub replaying_cpu_s
{
	my ($standby) = @_;
	my $sum = 0;

	$sum += cpu_s($_)
	  for grep { Bench::Process::command_line($_) =~ /startup|walreceiver/ }
	  children($standby->{pid});
	return $sum;
}

sub conninfo
{
	my ($self, $pair) = @_;

	return $self->{standby}->conninfo($pair->{database});
}

sub clean
{
	my ($self) = @_;
	my $standby = delete $self->{standby} or return;

	$standby->remove;
}

sub forget
{
	system('rm', '-rf', base());
}

1;
