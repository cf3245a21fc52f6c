# A log that is damaged says so, and which changes cannot be read; a disk that is
# full stops recording until there is room.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Log;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

my $FAILED = 1;
my $FLIPS = $ENV{PENSTOCK_ROUNDS} // 40;
my $pair = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB']);
my $log = Penstock::Log->new($pair);

$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY, v text)');
$log->run('--segment-size=64kB');
$pair->source_sql(
	"INSERT INTO t SELECT n, md5(n::text) FROM generate_series($_ * 10000, $_ * 10000 + 4000) n")
  for 1 .. 12;
is(($log->run('--segment-size=64kB'))[0], 0, 'a log of several segments');
$pair->source_sql('SELECT 1');
flipped_bytes();
torn_end();
missing_segment();
older_than_slot();
no_log();
damaged_open_file();
full_disk();
done_testing();

sub segments { return glob $log->directory . '/*.log'; }

sub verify
{
	my ($out, $err) =
	  run_command([ $ENV{PENSTOCK_BIN}, 'log', 'verify', $log->directory ]);

	return ($out, $err);
}

sub change_byte
{
	my ($file, $offset) = @_;

	open my $handle, '+<', $file or die "$file: $!\n";
	binmode $handle;
	seek $handle, $offset, 0;
	read $handle, my $byte, 1;
	seek $handle, $offset, 0;
	print $handle chr(ord($byte) ^ 1 << int rand 8);
	close $handle;
	return sub {
		open my $again, '+<', $file or die "$file: $!\n";
		binmode $again;
		seek $again, $offset, 0;
		print $again $byte;
		close $again;
	};
}

# In all segments but the last one, which may be in the midst of being written.
sub flipped_bytes
{
	my @segments = segments();
	my ($found, $named) = (0, 0);

	pop @segments;
	cmp_ok(scalar(@segments), '>', 2, 'there are segments');
	for (1 .. $FLIPS)
	{
		my $file = $segments[ rand @segments ];
		my $offset = int rand -s $file;
		my $restore = change_byte($file, $offset);
		my ($out, $err) = verify();

		$found++ if $out =~ /^damaged +1 /m;
		diag("byte $offset of $file: $out$err") if $out !~ /^damaged +1 /m;
		$named++ if $err =~ m{after LSN [0-9A-F]+/[0-9A-F]+ and up to LSN|The changes are there};
		$restore->();
	}
	is($found, $FLIPS, 'each flipped byte is found');
	is($named, $FLIPS, 'and the changes that are concerned are named');
	unlike((verify())[0], qr/^damaged/m, 'nothing is damaged else');
}

# As after a crash of the machine.
sub torn_end
{
	my $file = (segments())[-1];
	my $size = -s $file;
	my ($whole) = (verify())[0] =~ /^to +(\S+?),? /m;
	my $process;

	append_to_file($file, 'x' x 100);
	$process = Penstock::Process->start(name => 'verify',
		command => [ $ENV{PENSTOCK_BIN}, 'log', 'verify', $log->directory ]);
	is($process->wait_exit, $FAILED, 'bytes after the last record are found');
	like($process->log,
		qr/has \d+ bytes after its last good record.*ends at LSN \Q$whole\E\./s,
		'with their number, and where the log ends');
	truncate $file, $size;
	unlike((verify())[0], qr/^(damaged|rest)/m, 'nothing is damaged else');
}

sub missing_segment
{
	my $file = (segments())[1];

	rename $file, "$file.away";
	my ($out, $err) = verify();
	like($err, qr/changes are missing before segment/, 'a segment is missing');
	my ($status, $said) = $log->run;
	is($status, $FAILED, 'recording is refused');
	like($said, qr/has a gap before segment.*ends at LSN.*begins at LSN/s,
		'which names the gap');
	rename "$file.away", $file;
}

sub older_than_slot
{
	my $file = (segments())[-1];

	rename $file, "$file.away";
	my ($status, $said) = $log->run;
	is($status, $FAILED, 'a log older than the slot is refused');
	like($said, qr/is ahead of the log.*ends at LSN.*confirmed up to LSN/s,
		'which names the gap');
	rename "$file.away", $file;
	is(($log->run)[0], 0, 'with the segment it goes on');
}

sub no_log
{
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my ($out, $err) =
	  run_command([ $ENV{PENSTOCK_BIN}, 'log', 'verify', $directory ]);

	is($out, '', 'a directory that is no log is not called whole');
	like($err, qr/log "\Q$directory\E" has no file "log\.conf"/, 'it is named');
}

# The file of a transaction in progress is not part of the log, but what it has
# enters it.
sub damaged_open_file
{
	my $other = Penstock::Log->new($pair, slot => 'other');
	my $recorder = $other->start('--streaming=on');
	my $file;

	$other->wait_slot;
	$other->wait_recorded;
	my $session = Penstock::Session->new($pair->source, $pair->name);
	$session->run('BEGIN',
		'INSERT INTO t SELECT n, md5(n::text) FROM generate_series(2000001, 2040000) n');
	wait_until('the file of the transaction', sub {
		($file) = glob $other->directory . '/open.*';
		return $file && -s $file > 300_000;
	});
	change_byte($file, 1000);
	$session->end('COMMIT');
	is($recorder->wait_exit, $FAILED, 'a damaged file of a transaction ends it');
	like($recorder->log, qr/open\.\d+" is damaged at byte \d+.*comes again/s,
		'which is said');
	is(($other->run('--streaming=on'))[0], 0, 'the next start is none the worse');
	is(scalar(grep { /^insert t id=20\d{5} / } $other->lines),
		40000, 'and has the transaction');
}

sub full_disk
{
  SKIP:
	{
		skip $ENV{PENSTOCK_SMALL_DISK_WHY} || 'there is no small disk', 13
		  if !$ENV{PENSTOCK_SMALL_DISK};
		my $small = Penstock::Log->new($pair, slot => 'small',
			directory => "$ENV{PENSTOCK_SMALL_DISK}/log");
		my $ballast = "$ENV{PENSTOCK_SMALL_DISK}/ballast";
		# Not in a file of its own, which has other words for it.
		my $recorder = $small->start('--streaming=off');

		$small->wait_slot;
		$small->wait_recorded;
		system('dd', 'if=/dev/zero', "of=$ballast", 'bs=64k', 'status=none');
		my $before = $pair->source_lsn;
		$pair->source_sql(
			"INSERT INTO t SELECT n, md5(random()::text) FROM generate_series(1000001, 1050000) n");
		$recorder->wait_log(qr/no room for the log/);
		ok($recorder->is_running, 'it stays');
		is($pair->source_sql(
				"SELECT confirmed_flush_lsn <= pg_current_wal_lsn() - 100000 FROM pg_replication_slots WHERE slot_name = 'small'"),
			't', 'and confirms nothing more');
		unlink $ballast;
		$small->wait_recorded;
		like($recorder->log, qr/there is room again/, 'it goes on');
		$pair->stop_ok($recorder, 'TERM', 'the recorder stops');
		is(scalar(grep { /^insert t id=10\d{5} / } $small->lines),
			50000, 'nothing is missing');
		full_at_start($small, $ballast, 'a log', qr/keeps its WAL, until there is room/);
		full_at_start(
			Penstock::Log->new($pair, slot => 'new',
				directory => "$ENV{PENSTOCK_SMALL_DISK}/new"),
			$ballast, 'a new log', qr/keeps its WAL, until there is room|there is no slot yet/);
	}
}

# Before anything was written of this start.
sub full_at_start
{
	my ($small, $ballast, $title, $hint) = @_;

	system('dd', 'if=/dev/zero', "of=$ballast", 'bs=64k', 'status=none');
	my $recorder = $small->start('--streaming=off');
	$recorder->wait_log(qr/No space left on device.*$hint/s);
	ok($recorder->is_running, "$title on a full disk waits");
	is(join(' ', glob $small->directory . '/*.new'), '', "$title: the room is left to others");
	unlink $ballast;
	$recorder->wait_log(qr/there is room again/);
	$small->wait_recorded;
	$pair->stop_ok($recorder, 'TERM', "$title is recorded");
	my @said = $recorder->log =~ /No space left on device/g;
	is(scalar(@said), 1, "$title: it is said once");
}
