# A second pipeline, from the round's target to its source, for tables that are
# written to on both sides.  Each leaves out what came from the other.
#
# Each side has rows of its own, which the other one never touches.  So there are
# no conflicts, and both have all rows in the end.
package Rows::Back;

use strict;
use warnings;

use Penstock::Process;
use Soak::Follower;

my $ROWS = 300;
my $ROWS_LARGE = 600;
my $TRANSACTIONS = 60;

my $DDL = <<'END';
CREATE TABLE public.ways (id integer PRIMARY KEY, n integer, v text, j jsonb);
ALTER TABLE public.ways ALTER v SET STORAGE EXTERNAL;
CREATE TABLE public.ways_log (side text, n integer);
ALTER TABLE public.ways_log REPLICA IDENTITY FULL;
END

my @TABLES = qw(public.ways public.ways_log);

# The first number of a side's rows.
my %LOW = (source => 0, target => 1_000_000);

# Options: round.
sub new
{
	my ($class, %option) = @_;
	my $random = $option{round}->random('modes');
	my $mode = $random->pick([], ['--streaming=off'],
		[ '--apply=transaction', '--lanes=' . $random->integer(1, 4) ]);

	return bless { %option, mode => $mode }, $class;
}

sub publication { return $_[0]{round}->name . '_ways'; }
sub name { return $_[0]{round}->name . '_back'; }
sub ddl { return $DDL; }

sub publication_ddl
{
	my ($self) = @_;

	return 'CREATE PUBLICATION ' . $self->publication . ' FOR TABLE '
	  . join(', ', @TABLES) . ";\n";
}

# When the tables have been copied, and before anybody writes to them.
sub set_up
{
	my ($self) = @_;
	my $round = $self->{round};

	$round->pair->target_sql($self->publication_ddl);
	$round->wait_for_end($self->start('clone', '--data-only', $self->options),
		'clone back');
	$self->{follower} = Soak::Follower->new(
		pair => $self,
		options => sub { $self->options, @{ $self->{mode} } },
		on_failure => sub { $round->finding("on the way back: $_[0]") });
}

sub follower { return $_[0]{follower}; }

sub options
{
	my ($self) = @_;

	return ('--origin=none', '--publications=' . $self->publication);
}

# As a pair has it, and the other way round.
sub start
{
	my ($self, $verb, @options) = @_;
	my $pair = $self->{round}->pair;

	return Penstock::Process->start(
		name => $verb,
		command => [
			$ENV{PENSTOCK_BIN}, $verb,
			'--source=' . $pair->target->connstr($pair->name),
			'--target=' . $pair->source->connstr($pair->name),
			'--name=' . $self->name, @options ]);
}

# What is committed there is here.
sub follow_to_end
{
	my ($self, $title) = @_;
	my $round = $self->{round};
	my $lsn = $round->pair->target_sql('SELECT pg_current_wal_lsn()');

	$self->{follower}->stop;
	$round->pair->wait_for_sql('target', "SELECT count(*) = 0
		FROM pg_replication_slots WHERE slot_name = '" . $self->name . "' AND active");
	$round->wait_for_end(
		$self->start('follow', "--endpos=$lsn", $self->options, @{ $self->{mode} }),
		"$title: follow back --endpos=$lsn");
}

# Nobody writes: a copy of the one side's takes the place of the other's.
sub copy_again
{
	my ($self) = @_;
	my $round = $self->{round};

	$round->wait_for_end(
		$round->pair->start('table', 'resync', @TABLES, $round->copy_options),
		'table resync of what goes both ways');
}

# Pairs of what to read.
sub comparisons
{
	return map {
		my $columns = $_ eq 'public.ways' ? 'id, n, v, j' : 'side, n';
		[ $_, $_, $columns, $_, $columns ]
	} @TABLES;
}

# A script of a side's writer.
sub script
{
	my ($self, $side, $random) = @_;
	my $low = $LOW{$side};

	return join '', map {
		my @statements = map { statement($side, $low, $random) }
		  1 .. $random->integer(1, 4);
		my $end = $random->pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK');

		join ";\n", 'BEGIN', @statements, "$end;\n";
	} 1 .. $TRANSACTIONS;
}

sub statement
{
	my ($side, $low, $random) = @_;
	my $id = $low + $random->integer(1, $ROWS);
	my $other = $low + $random->integer(1, $ROWS);
	my $large = $low + $ROWS + 1;
	my $value = "(SELECT string_agg(md5((i + $id)::text), '') FROM generate_series(1, 150) i)";
	my $rows = "id BETWEEN $low AND $low + 900000";

	return $random->pick(
		("INSERT INTO ways VALUES ($id, 1, 'new', '{}') ON CONFLICT DO NOTHING") x 4,
		"INSERT INTO ways VALUES ($id, 1, $value) ON CONFLICT (id) DO UPDATE
			SET n = ways.n + 1",
		"UPDATE ways SET n = n + 1 WHERE id = $id",
		"UPDATE ways SET n = n + 1 WHERE $rows AND id % 7 = $id % 7",
		"UPDATE ways SET v = $value, n = NULL WHERE id = $id",
		"UPDATE ways SET id = $other WHERE id = $id
			AND NOT EXISTS (SELECT FROM ways WHERE id = $other)",
		"DELETE FROM ways WHERE id = $id",
		"INSERT INTO ways_log SELECT '$side', n % 5 FROM generate_series(1, 10) n",
		"UPDATE ways_log SET n = n + 1 WHERE side = '$side' AND n = $id % 5",
		"DELETE FROM ways_log WHERE ctid IN (SELECT ctid FROM ways_log
			WHERE side = '$side' LIMIT 4)",
		"INSERT INTO ways SELECT n, n, repeat('x', 100)
			FROM generate_series($large, $large + $ROWS_LARGE) n ON CONFLICT DO NOTHING",
		"DELETE FROM ways WHERE $rows AND id >= $large");
}

sub drop
{
	my ($self) = @_;
	my $pair = $self->{round}->pair;
	my $name = $self->name;

	$self->{follower}->stop if $self->{follower};
	$pair->target->psql('postgres',
		"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
		  WHERE slot_name = '$name'");
	$pair->wait_for_sql('target', "SELECT count(*) = 0 FROM pg_replication_slots
		WHERE slot_name = '$name' AND active");
	$pair->target->psql('postgres',
		"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
		  WHERE slot_name = '$name'");
}

1;
