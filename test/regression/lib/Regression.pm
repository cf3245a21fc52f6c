# PostgreSQL's own regression tests, run on the source of a pair.
package Regression;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use Test::More;

use Penstock::Poll qw(pause);
use Penstock::Process;

our @EXPORT_OK = qw(start_tests wait_for failed_tests copy_roles);

# What no target could take, and what there is instead: a file, and texts.
my @EDITS = (
	# The input function of pg_node_tree refuses all values.
	[ 'create_table', qr/(?<=as_select1 AS SELECT \* FROM pg_class WHERE relkind = 'r')/,
		' AND NOT relispartition' ],
	# A function in an index is run on a target with a search_path of its own, and
	# by another role.
	[ 'privileges', qr/^\s+ASSERT current_user = 'regress_sro_user',\n.*\n/m, '' ],
	[ 'vacuum', qr/(?<=FROM )do_analyze\(\)/, 'public.do_analyze()' ]);

# Starts them, in the pair's database; the tests named are left out.  Returns a
# Penstock::Process, which has an end when they have.
sub start_tests
{
	my ($pair, @without) = @_;
	my $tests = "$ENV{PENSTOCK_STAGE}/tests";
	my $output = File::Temp::tempdir(CLEANUP => 1);
	my $schedule = "$output/schedule";

	mkdir "$output/$_" for qw(testtablespace results sql expected);
	write_schedule("$tests/parallel_schedule", $schedule, @without);
	edit("$tests/sql/$_->[0].sql", @$_[ 1, 2 ]) for @EDITS;
	return Penstock::Process->start(
		name => 'pg_regress',
		command => [
			$ENV{PG_REGRESS},
			"--inputdir=$tests", "--dlpath=$tests", "--outputdir=$output",
			'--bindir=', "--schedule=$schedule",
			'--max-concurrent-tests=20', '--use-existing',
			'--dbname=' . $pair->name,
			'--host=' . $pair->source->host,
			'--port=' . $pair->source->port
		]);
}

sub edit
{
	my ($file, $what, $instead) = @_;

	open my $in, '<', $file or die "$file: $!\n";
	my $sql = do { local $/; <$in> };
	$sql =~ s/$what/$instead/g;
	open my $out, '>', $file or die "$file: $!\n";
	print $out $sql;
	close $out or die "$file: $!\n";
}

# TESTS=… keeps those tests alone, which takes those that they need.
sub write_schedule
{
	my ($from, $to, @without) = @_;
	my %only = map { $_ => 1 } split ' ', $ENV{TESTS} // '';

	open my $in, '<', $from or die "$from: $!\n";
	open my $out, '>', $to or die "$to: $!\n";
	while (my $line = <$in>)
	{
		$line =~ s/\b$_\b *// for @without;
		$line =~ s/(?<= )(\w+)\s*/$only{$1} ? "$1 " : ''/ge if %only;
		chomp $line;
		print $out "$line\n" unless $line =~ /^test: *$/;
	}
	close $in;
	close $out or die "$to: $!\n";
}

# Until they have ended; they take longer than other waits may.
sub wait_for
{
	my ($process) = @_;

	pause(0.3) while $process->is_running;
}

# Once they have ended.  What they set for the database is taken back.
sub failed_tests
{
	my ($pair, $process) = @_;
	my ($failed) = $process->output =~ /(\d+) of \d+ tests failed/;

	$pair->source->safe_psql('postgres',
		'ALTER DATABASE ' . $pair->name . ' RESET ALL');
	return $failed // 0;
}

# Roles are the cluster's, and not copied with a database.
sub copy_roles
{
	my ($pair) = @_;
	my ($roles, $said);

	IPC::Run::run(
		[
			'pg_dumpall', '--roles-only', '--no-role-passwords',
			'--dbname=' . $pair->source->connstr('postgres')
		],
		'>', \$roles, '2>', \$said)
	  or die "pg_dumpall failed: $said";
	$roles =~ s/^\\(?:un)?restrict .*\n//mg;
	# One of them is there already.
	$pair->target->psql('postgres', $roles, on_error_stop => 0);
}

1;
