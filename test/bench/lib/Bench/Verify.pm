# Comparing a table on two servers: penstock verify, while a follower runs,
# against pg_comparator, which compares two tables at rest.
#
# Nothing differs, which is the common case, and for both of them the case in
# which the servers do all the work.
package Bench::Verify;

use strict;
use warnings;

use Bench::Process qw(run_measured);
use Bench::Report qw(cell medians print_table ratio);

my $DATABASE = 'verify';
my $WHOLE = 'penstock';

# Rows of the table; a tenth of them if it is to be small.
my $ROWS = 5_000_000;

sub title { return 'Comparing a narrow table'; }

sub contenders
{
	return (
		{ name => $WHOLE, run => \&penstock },
		{ name => 'pg_comparator', run => \&comparator, program => 'pg_comparator' });
}

sub missing
{
	my ($contender) = @_;
	my $program = $contender->{program} or return undef;

	return (grep { -x "$_/$program" } split /:/, $ENV{PATH})
	  ? undef
	  : "$program is not installed";
}

sub rows
{
	my ($small) = @_;

	return $small ? $ROWS / 10 : $ROWS;
}

# The table on both servers, as a pipeline that is followed.
sub create
{
	my ($source, $target, $small) = @_;
	my $rows = rows($small);

	$_->sql('postgres', "CREATE DATABASE $DATABASE") for $source, $target;
	$source->sql($DATABASE,
		'CREATE TABLE narrow (id bigint PRIMARY KEY, a int NOT NULL, b int NOT NULL);'
		  . " INSERT INTO narrow SELECT n, n % 1000, hashint8(n) FROM generate_series(1, $rows) n;"
		  . ' CREATE PUBLICATION verify FOR TABLE narrow; VACUUM ANALYZE; CHECKPOINT');
	run_measured(log_file(), $ENV{PENSTOCK_BIN}, 'clone', '--name=verify', ends($source, $target));
	$target->sql($DATABASE, 'VACUUM ANALYZE; CHECKPOINT');
	$_->sql($DATABASE, 'CREATE EXTENSION pgcmp') for grep { !missing((contenders())[1]) } $source, $target;
	return;
}

sub drop
{
	my ($source, $target) = @_;

	$source->drop_slot('verify');
	$_->drop_database($DATABASE) for $source, $target;
	return;
}

sub run
{
	my ($contender, $source, $target) = @_;

	return $contender->{run}->($source, $target);
}

sub ends
{
	my ($source, $target) = @_;

	return ('--source=' . $source->conninfo($DATABASE), '--target=' . $target->conninfo($DATABASE));
}

sub log_file
{
	return "$ENV{PENSTOCK_STAGE}/verify.log";
}

sub penstock
{
	my ($source, $target) = @_;
	my $follower = Bench::Process::spawn("$ENV{PENSTOCK_STAGE}/follow.log",
		$ENV{PENSTOCK_BIN}, 'follow', '--name=verify', ends($source, $target));
	my $result = eval {
		$source->wait_until(
			"SELECT active FROM pg_replication_slots WHERE slot_name = 'verify'");
		run_measured(log_file(), $ENV{PENSTOCK_BIN}, 'verify', '--name=verify', '--quiet',
			'--tables=narrow', ends($source, $target));
	};
	my $failure = $@;

	kill 'TERM', $follower;
	waitpid $follower, 0;
	die $failure if $failure;
	return $result;
}

sub comparator
{
	my ($source, $target) = @_;
	my @source = map { "DBI:Pg:" . join ';', split / /, $_->conninfo($DATABASE) } $source, $target;

	s/user=[^;]*;// for @source;
	return run_measured(log_file(), 'pg_comparator', "--source-1=$source[0]", "--source-2=$source[1]",
		("pgsql://postgres\@/$DATABASE/narrow?id:a,b") x 2);
}

sub report
{
	my ($results, $small) = @_;
	my %wall = wall($results);
	my @rows = [ '', 's', 'rows/s', 'to penstock', 'own CPU s', 'peak MB' ];

	for my $result (grep { @{ $_->{runs} } } @$results)
	{
		my $medians = medians(@{ $result->{runs} });

		push @rows, [ $result->{name},
			cell('%.1f', $medians->{wall_s}),
			cell('%.0f', rows($small) / $medians->{wall_s}),
			ratio($medians->{wall_s}, $wall{$WHOLE}),
			cell('%.1f', $medians->{cpu_s}),
			cell('%.1f', $medians->{peak_rss_kb} / 1024) ];
	}
	print_table(@rows);
	return;
}

sub wall
{
	my ($results) = @_;

	return map { $_->{name} => medians(@{ $_->{runs} })->{wall_s} }
	  grep { @{ $_->{runs} } } @{ $results || [] };
}

# For Bench::Asked: [what, relation, limit, value].
sub asked
{
	my ($results, $small) = @_;
	my %wall = wall($results);
	my @asked;

	push @asked, [ 'verify, narrow rows/s', '>=', 500_000, rows($small) / $wall{$WHOLE} ]
	  if $wall{$WHOLE};
	push @asked, [ 'verify, seconds to pg_comparator', '<=', 1, $wall{$WHOLE} / $wall{pg_comparator} ]
	  if $wall{$WHOLE} && $wall{pg_comparator};
	return @asked;
}

1;
