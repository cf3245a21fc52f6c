# PostgreSQL's own regression tests are run on a source whose schema changes are
# followed meanwhile: nothing in them is made for us, and every statement that
# there is comes in some form.  At the end the target has the same rows, and the
# same schema as far as it is followed.
#
# What is not followed is done by hand, as far as tables need it: the source notes
# statements about functions, base types and the like in a table, and where its
# rows arrive they are run.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Penstock::Pair;
use Penstock::Poll qw(pause);
use Regression qw(start_tests failed_tests copy_roles);

# The first stores what is no text of the database's encoding.  The second has
# foreign tables that inherit from tables: the server takes no ALTER COLUMN ...
# TYPE ... USING there.
my @WITHOUT = ('encoding', 'foreign_data');

# Parts of pg_dump's output that are followed.
my @FOLLOWED = (
	'SCHEMA', 'TABLE', 'SEQUENCE', 'SEQUENCE OWNED BY', 'TYPE', 'DOMAIN',
	'DEFAULT', 'CONSTRAINT', 'CHECK CONSTRAINT', 'FK CONSTRAINT', 'INDEX',
	'INDEX ATTACH', 'TABLE ATTACH', 'ROW SECURITY');

my @SERVER = (
	'max_prepared_transactions = 4',
	'max_locks_per_transaction = 256');

my $pair = Penstock::Pair->new(
	database => 'regression',
	source => \@SERVER,
	target => \@SERVER);
my $hand = read_file("$FindBin::RealBin/by_hand_target.sql");
my @logs;

$pair->source_sql(read_file("$FindBin::RealBin/by_hand_source.sql"));
$pair->clone('--ddl=follow');
$pair->target_sql($hand);

my $tests = start_tests($pair, @WITHOUT);
my $follower = follow_until(sub { !$tests->is_running });

note('regression tests that failed, of this server: ',
	failed_tests($pair, $tests));
$follower = follow_until(is_caught_up($follower), $follower);
$pair->stop_ok($follower);
push @logs, $follower->log;

$pair->equal_ok('followed', '--exclude=by_hand.done');
schemas_equal_ok();
said_ok();
done_testing();

sub read_file
{
	my ($file) = @_;

	open my $handle, '<', $file or die "$file: $!\n";
	local $/;
	return <$handle>;
}

# Follow until something is true; where it stops for want of what is not
# followed, that is made, and it goes on.
sub follow_until
{
	my ($condition, $process) = @_;

	$process ||= $pair->start('follow');
	until ($condition->($process))
	{
		if (!$process->is_running)
		{
			push @logs, $process->log;
			help($process->log);
			$process = $pair->start('follow');
		}
		pause(0.3);
	}
	return $process;
}

# A condition: that the target has what the source has now.
sub is_caught_up
{
	my $lsn = $pair->source_sql(
		'INSERT INTO mark DEFAULT VALUES; SELECT pg_current_wal_insert_lsn()');

	return sub {
		return $pair->source_sql("SELECT confirmed_flush_lsn >= '$lsn'
			FROM pg_replication_slots WHERE slot_name = 'regression'") eq 't';
	};
}

# What the transaction needs that could not be applied; dies if there is nothing
# left to do for it.
my %helped;

sub help
{
	my ($log) = @_;
	my ($xid) = $log =~ /.*\btransaction (\d+)/s;
	my ($reason) = $log =~ /^(\S+ \S+ error .*)/ms;
	my $todo = defined $xid
	  ? $pair->source_sql("SELECT coalesce(json_agg(s ORDER BY s.number), '[]')
		FROM by_hand.said s WHERE s.xid = '$xid'")
	  : '[]';

	die "it stops, and nothing helps:\n$reason\n"
	  if !defined $xid || $helped{"$xid"}++ || $todo eq '[]';
	note("helping with transaction $xid: $todo");
	$pair->target_sql("SELECT by_hand.run_all(\$todo\$$todo\$todo\$::json)");
}

# What pg_dump says of both sides, part by part.
sub schemas_equal_ok
{
	my ($source, $target) = map { dumped($_) } qw(source target);
	my %is_followed = map { $_ => 1 } @FOLLOWED;
	my @differ;

	for my $entry (sort keys %{ { %$source, %$target } })
	{
		my ($type) = $entry =~ /Type: ([^;]*);/;
		my ($is, $is_to_be) = ($target->{$entry} // '', $source->{$entry} // '');

		next if !$is_followed{$type} || $is eq $is_to_be;
		push @differ, "$entry\n-- source:\n$is_to_be-- target:\n$is";
	}
	is(scalar @differ, 0, 'the schemas are equal');
	diag($_) for @differ;
}

# By name, type and schema, what there is to be done.
sub dumped
{
	my ($side) = @_;
	my ($text, $said, %parts);

	IPC::Run::run(
		[
			'pg_dump', '--schema-only', '--no-sync', '--no-tablespaces',
			'--exclude-schema=penstock', '--exclude-schema=by_hand',
			'--no-publications', $pair->{$side}->connstr($pair->name)
		],
		'>', \$text, '2>', \$said)
	  or die "pg_dump failed: $said";
	my ($head, @rest) = split /^-- (Name: .*; Owner: .*)\n--\n/m, $text;
	while (my ($name, $body) = splice @rest, 0, 2)
	{
		$name =~ s/; Owner: .*//;
		$body =~ s/^--\n//mg;
		$body =~ s/^ALTER \S+ \S+ OWNER TO .*\n//mg;
		$parts{$name} .= sorted($body);
	}
	return \%parts;
}

# The lines of a statement in an order that does not depend on that of columns.
sub sorted
{
	my ($text) = @_;

	$text =~ s/,$//mg;
	return join "\n", (sort grep { /\S/ } split /\n/, $text), '';
}

# Each object that is not followed, and not on the target, was named.
sub said_ok
{
	my ($source, $target) = map { dumped($_) } qw(source target);
	my $log = join '', @logs;
	my @unsaid;

	for my $entry (sort keys %$source)
	{
		my ($name, $type) = $entry =~ /^Name: (.*); Type: ([^;]*);/;
		next if exists $target->{$entry} || $type eq 'EVENT TRIGGER' || grep { $_ eq $type } @FOLLOWED;
		my ($word) = $name =~ /([^ .]+?)(?:\(.*)?$/;
		push @unsaid, $entry unless $log =~ /has changed .*\Q$word\E/;
	}
	is(scalar @unsaid, 0, 'all that is not followed was said');
	diag($_) for @unsaid;
}
