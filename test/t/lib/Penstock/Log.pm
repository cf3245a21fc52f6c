# A log that a source is recorded into.
#
#     my $log = Penstock::Log->new($pair);
#     my $recorder = $log->start;
#     $log->wait_slot;
#     $pair->source_sql('INSERT …');
#     $log->wait_recorded;
#     my @lines = $log->lines;
package Penstock::Log;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Poll qw(wait_until);
use Penstock::Process;

my $READER = dirname(abs_path(__FILE__)) . '/../log_reader.py';

# Options: directory; slot (the pair's name).
sub new
{
	my ($class, $pair, %option) = @_;

	return bless {
		pair => $pair,
		slot => $option{slot} // $pair->name,
		directory => $option{directory}
		  // PostgreSQL::Test::Utils::tempdir() . '/log_' . ($option{slot} // $pair->name),
	}, $class;
}

sub directory { return $_[0]{directory}; }

sub command
{
	my ($self, @options) = @_;

	return ($ENV{PENSTOCK_BIN}, 'record',
		'--source=' . $self->{pair}->conninfo('source'),
		"--log=$self->{directory}", "--name=$self->{slot}",
		((grep { /^--publications=/ } @options) ? () :
			  '--publications=' . $self->{pair}->name),
		@options);
}

# A recorder that runs.
sub start
{
	my ($self, @options) = @_;

	return Penstock::Process->start(name => 'record',
		command => [ $self->command(@options) ]);
}

# A run of the recorder up to the end of the source's WAL; its status and what it
# said.
sub run
{
	my ($self, @options) = @_;
	my $process = $self->start('--endpos=' . $self->{pair}->source_lsn, @options);
	my $status = $process->wait_exit;

	return ($status, $process->log);
}

sub confirmed
{
	my ($self) = @_;

	return $self->{pair}->source_sql(
		"SELECT confirmed_flush_lsn FROM pg_replication_slots
		  WHERE slot_name = '$self->{slot}'");
}

sub wait_slot
{
	my ($self) = @_;

	wait_until('the slot', sub { $self->confirmed ne '' });
}

# Wait until all that is committed now was confirmed.
sub wait_recorded
{
	my ($self) = @_;
	my $pair = $self->{pair};

	$pair->source_sql('INSERT INTO mark DEFAULT VALUES');
	my $lsn = $pair->source_lsn;
	wait_until(
		'what was recorded',
		sub {
			$pair->source_sql("SELECT confirmed_flush_lsn >= '$lsn'
				FROM pg_replication_slots
				WHERE slot_name = '$self->{slot}'") eq 't';
		});
}

# What a program in another language reads.
sub lines
{
	my ($self, @options) = @_;
	my ($out, $err) = run_command([ '/usr/bin/python3', $READER, @options, $self->{directory} ]);

	die "the log cannot be read: $err\n" if $err ne '';
	return split /\n/, $out;
}

1;
