# A source and a target, and the consumer between them.
#
#     my $pair = Penstock::Pair->new;
#     $pair->source_sql('CREATE TABLE …');
#     $pair->clone;
#     my $follower = $pair->start('follow');
#     $pair->source_sql('INSERT …');
#     $pair->wait_caught_up;
#     $pair->equal_ok('after an insert');
#     $pair->stop_ok($follower);
#
# Both databases have the same name, and the pipeline, its publication and its
# slot are named like it.  with_database() gives another pair on the same two
# servers.
package Penstock::Pair;

use strict;
use warnings;

use parent 'Penstock::Runner';

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Server qw(start_server quoted);

# The consumer is gone at once after INT or TERM, unless it waits for something
# that it should not wait for.  A loaded machine takes some seconds for that.
my $STOP_S = 15;

# Options: source, target: arrays of settings of that server; database; publish:
# what the publication is for ("ALL TABLES"; empty: there is none).  Table "mark"
# must be among what is published; see wait_caught_up().
sub new
{
	my ($class, %option) = @_;
	my $self = bless {
		source => start_server('source', @{ $option{source} || [] }),
		target => start_server('target', @{ $option{target} || [] }),
	}, $class;

	$self->create_databases(%option);
	return $self;
}

# The same servers, other databases; options as for new().
sub with_database
{
	my ($self, $name, %option) = @_;
	my $other = bless { %$self, conninfo => undef }, ref $self;

	$other->create_databases(%option, database => $name);
	return $other;
}

sub create_databases
{
	my ($self, %option) = @_;
	my $publish = $option{publish} // 'ALL TABLES';

	$self->{database} = $option{database} || 'shop';
	$self->{$_}->safe_psql('postgres', "CREATE DATABASE $self->{database}")
	  for qw(source target);
	$self->source_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
	$self->source_sql("CREATE PUBLICATION $self->{database} FOR $publish")
	  if $publish;
}

sub source { return $_[0]{source}; }
sub target { return $_[0]{target}; }
sub name { return $_[0]{database}; }

# Connection string of a side; a proxy may have taken its place.
sub conninfo
{
	my ($self, $side) = @_;

	return $self->{conninfo}{$side}
	  // $self->{$side}->connstr($self->{database});
}

# From here on the consumer connects in this way; undef: directly.
sub set_conninfo
{
	my ($self, $side, $conninfo) = @_;

	$self->{conninfo}{$side} = $conninfo;
}

sub source_sql
{
	my ($self, $sql) = @_;

	return $self->{source}->safe_psql($self->{database}, $sql);
}

sub target_sql
{
	my ($self, $sql) = @_;

	return $self->{target}->safe_psql($self->{database}, $sql);
}

# On both, such as what logical replication does not carry.
sub both_sql
{
	my ($self, $sql) = @_;

	$self->source_sql($sql);
	$self->target_sql($sql);
}

# An empty target database in place of the one there is.
sub recreate_target
{
	my ($self) = @_;

	$self->{target}
	  ->safe_psql('postgres', "DROP DATABASE $self->{database} WITH (FORCE)");
	$self->{target}
	  ->safe_psql('postgres', "CREATE DATABASE $self->{database}");
}


# ---- The consumer ----

# The command line of a command with both ends and, unless given, the name.
sub command
{
	my ($self, $verb, @options) = @_;

	return (
		$ENV{PENSTOCK_BIN}, $verb,
		'--source=' . $self->conninfo('source'),
		($verb eq 'tail' ? () : '--target=' . $self->conninfo('target')),
		((grep { /^--name=/ } @options) ? () : "--name=$self->{database}"),
		@options);
}

sub clone
{
	my ($self, @options) = @_;

	return $self->run_or_die('clone', @options);
}

# It stops on a signal: soon, and with exit status 0.
sub stop_ok
{
	my ($self, $process, $signal, $title) = @_;
	my $started = time;

	$signal ||= 'TERM';
	$title ||= 'the follower stops';
	my $was_running = $process->is_running;
	my $status = $process->end($signal);
	my $seconds = time - $started;
	my $ok = $was_running && $status == 0 && $seconds <= $STOP_S;
	ok($ok, "$title: on $signal, with status 0, within $STOP_S s");
	diag(
		($was_running ? '' : 'it did not run; '),
		"status $status, after ",
		sprintf('%.1f', $seconds),
		" s\n", last_lines($process->log)) unless $ok;
}

sub last_lines
{
	my ($text) = @_;
	my @lines = split /^/, $text;

	splice @lines, 0, -20 if @lines > 20;
	return join '', @lines;
}


# ---- Positions ----

sub source_lsn
{
	my ($self) = @_;

	return $self->source_sql('SELECT pg_current_wal_lsn()');
}

sub confirmed_lsn
{
	my ($self) = @_;

	return $self->source_sql(
		"SELECT confirmed_flush_lsn FROM pg_replication_slots
		  WHERE slot_name = '$self->{database}'");
}

# Wait until all that is committed on the source now is durable on the target;
# dies if the follower, where it is given, ends.
#
# The log goes on for reasons of the server's own, and positions at which there
# is nothing to apply are noted at leisure.  So there is made to be something, and
# waited for the end of that.
sub wait_caught_up
{
	my ($self, $follower) = @_;
	my $lsn = $self->source_sql(
		'INSERT INTO mark DEFAULT VALUES; SELECT pg_current_wal_insert_lsn()');

	wait_until(
		"position $lsn to be confirmed",
		sub {
			die "the follower has ended:\n" . last_lines($follower->log)
			  if $follower && !$follower->is_running;
			return $self->source_sql(
				"SELECT confirmed_flush_lsn >= '$lsn'
				   FROM pg_replication_slots
				  WHERE slot_name = '$self->{database}'") eq 't';
		});
}

# The end of the source transaction that the target has.
sub progress_lsn
{
	my ($self) = @_;

	return $self->target_sql("SELECT end_lsn FROM penstock.progress
		WHERE pipeline = '$self->{database}'");
}

# Wait until a query on one side says "t".
sub wait_for_sql
{
	my ($self, $side, $query) = @_;

	wait_until("\"$query\" on the $side",
		sub { $self->{$side}->safe_psql($self->{database}, $query) eq 't' });
}


# ---- Contents ----

# Options are those of test/compare.
sub equal_ok
{
	my ($self, $title, @options) = @_;
	my ($stdout, $stderr);
	my $equal = IPC::Run::run(
		[
			"$ENV{PENSTOCK_STAGE}/test/compare", '--quiet', @options,
			map { $self->{$_}->connstr($self->{database}) } qw(source target)
		],
		'>', \$stdout, '2>', \$stderr);

	ok($equal, "$title: source and target are equal");
	diag($stdout, $stderr) unless $equal;
	return $equal;
}

# A text of all that is in the target database: what did not change it left
# this as it was.  Whose lease the progress is, is not part of it.  A follower
# sets sequences whenever their time has come, also one that is then refused:
# "but_sequences" leaves them out.
sub target_contents
{
	my ($self, %option) = @_;
	my ($stdout, $stderr);
	my $conninfo = $self->{target}->connstr($self->{database});

	IPC::Run::run(
		[
			'pg_dump', '--no-sync', '--exclude-table-data=penstock.progress',
			'--exclude-table=penstock.follower',
			# A schema change comes before what is refused.
			'--exclude-table-data=penstock.definition',
			$option{but_sequences}
			? '--exclude-table-data=penstock.sequence'
			: (),
			$conninfo
		],
		'>', \$stdout, '2>', \$stderr)
	  or die "pg_dump failed: $stderr";
	# Newer versions put a key there that is another each time.
	$stdout =~ s/^\\(?:un)?restrict .*\n//mg;
	$stdout =~ s/^SELECT pg_catalog\.setval\(.*\n//mg if $option{but_sequences};
	return $stdout unless $stdout =~ /^CREATE TABLE penstock\.progress /m;
	return $stdout
	  . $self->target_sql(
		'SELECT pipeline, source_system_identifier, end_lsn, transactions, rows
		   FROM penstock.progress ORDER BY 1');
}


# ---- Writers ----

# pgbench tables with their data.
sub pgbench_init
{
	my ($self, $scale) = @_;

	system_or_bail('pgbench', '--initialize', '--quiet', "--scale=$scale",
		$self->{source}->connstr($self->{database}));
}

# pgbench in the background, until it is ended; options are pgbench's.
sub start_pgbench
{
	my ($self, @options) = @_;

	return Penstock::Process->start(
		name => 'pgbench',
		command => [
			'pgbench', '--no-vacuum', '--jobs=1', '--time=3600', @options,
			$self->{source}->connstr($self->{database})
		]);
}

# End a writer, which must not have failed until then.
sub end_pgbench
{
	my ($self, $process) = @_;

	die "pgbench has failed:\n" . $process->log unless $process->is_running;
	$process->end('INT');
	wait_until(
		'the sessions of pgbench to end',
		sub {
			$self->source_sql("SELECT count(*) FROM pg_stat_activity
				WHERE application_name = 'pgbench'") eq '0';
		});
}

1;
