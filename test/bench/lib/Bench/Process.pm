# What the kernel knows about processes: CPU time, children, memory.
package Bench::Process;

use strict;
use warnings;

use Exporter qw(import);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

our @EXPORT_OK =
  qw(children children_cpu_s command_line cpu_s peak_rss_kb run_measured spawn);

my $TICKS_PER_S = POSIX::sysconf(&POSIX::_SC_CLK_TCK);

# How often a running program's peak memory is read.  The kernel keeps the
# peak, so nothing is missed but what is new in the last moments.
my $SAMPLE_S = 0.02;

# Fields of /proc/PID/stat behind the name, which may hold anything; element 0
# is the state.  Empty if there is no such process.
sub stat_fields
{
	my ($pid) = @_;

	open my $handle, '<', "/proc/$pid/stat" or return;
	my $line = <$handle> // return;
	return split ' ', substr($line, rindex($line, ')') + 1);
}

sub children
{
	my ($parent) = @_;

	opendir my $proc, '/proc' or die "could not open /proc: $!\n";
	my @pids = grep { /^\d+$/ } readdir $proc;
	return grep { my @f = stat_fields($_); @f && $f[1] == $parent } @pids;
}

# User and system time of all children of a process that have ended, and of
# their children: exact to a tick, and to the last moment of each.
sub children_cpu_s
{
	my ($pid) = @_;
	my @fields = stat_fields($pid) or die "process $pid is gone\n";

	return ($fields[13] + $fields[14]) / $TICKS_PER_S;
}

# Of a process that runs.
sub cpu_s
{
	my ($pid) = @_;
	my @fields = stat_fields($pid) or die "process $pid is gone\n";

	return ($fields[11] + $fields[12]) / $TICKS_PER_S;
}

sub command_line
{
	my ($pid) = @_;

	open my $handle, '<', "/proc/$pid/cmdline" or return '';
	my $line = <$handle> // '';
	return $line =~ s/\0+/ /gr;
}

sub peak_rss_kb
{
	my ($pid) = @_;

	open my $handle, '<', "/proc/$pid/status" or return 0;
	while (my $line = <$handle>)
	{
		return $1 if $line =~ /^VmHWM:\s+(\d+)/;
	}
	return 0;
}

# Start a program, its output to a log.
sub spawn
{
	my ($log, @command) = @_;
	my $pid = fork() // die "could not fork: $!\n";

	if ($pid == 0)
	{
		open STDOUT, '>', $log or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	return $pid;
}

# Run a program to its end, its output to a log; what it took.
sub run_measured
{
	my ($log, @command) = @_;
	my @cpu = times;
	my $started = time;
	my $peak = 0;

	# So that the end of the program ends the sleep below.
	local $SIG{CHLD} = sub { };
	my $pid = spawn($log, @command);
	while (waitpid($pid, WNOHANG) == 0)
	{
		my $now = peak_rss_kb($pid);
		$peak = $now if $now > $peak;
		sleep $SAMPLE_S;
	}
	die "\"$command[0]\" failed, see $log\n" . tail($log) if $? != 0;

	my $wall_s = time - $started;
	my @after = times;
	return {
		wall_s => $wall_s,
		cpu_s => $after[2] + $after[3] - $cpu[2] - $cpu[3],
		peak_rss_kb => $peak,
	};
}

sub tail
{
	my ($file) = @_;

	open my $handle, '<', $file or return '';
	my @lines = <$handle>;
	splice @lines, 0, -20 if @lines > 20;
	return join '', @lines;
}

1;
