# Copying a database as a whole: penstock clone against pgcopydb, and against
# pg_dump and pg_restore; and its rows alone against plain COPY.
#
# The database is what clones have trouble with: a large table, one with
# several indexes, one with many columns, one with large values.  In the part
# "tables" it is many small tables instead, and nothing else.  Each run starts
# with an empty database on the target.
package Bench::Clone;

use strict;
use warnings;

use File::Path qw(remove_tree);
use Time::HiRes qw(time);

use Bench::Process qw(run_measured);
use Bench::Report qw(cell medians print_table ratio);

my $JOBS = 2;
my $DATABASE = 'clone';

# What is compared with what.
my $WHOLE = 'penstock';
my $ROWS = 'penstock, rows alone';

# Tables of the part "tables"; a tenth of them if it is to be small.
my $TABLES = 12_000;

sub title
{
	my ($part) = @_;

	return $part eq 'tables' ? 'Copying many tables' : 'Copying a database';
}

# Rows alone are a matter of the large tables.
sub contenders
{
	my ($part) = @_;

	return grep { $part ne 'tables' || !$_->{rows} } (
		{ name => $WHOLE, run => \&penstock },
		{ name => 'pgcopydb', run => \&pgcopydb, program => 'pgcopydb' },
		{ name => 'pg_dump, pg_restore', run => \&dump_restore },
		{ name => $ROWS, run => \&penstock_rows, rows => 1 },
		{ name => 'two COPY pipes', run => \&pipes, rows => 1 });
}

sub missing
{
	my ($contender) = @_;
	my $program = $contender->{program} or return undef;

	return (grep { -x "$_/$program" } split /:/, $ENV{PATH})
	  ? undef
	  : "$program is not installed";
}

# The source's database; a tenth of it if it is to be small.
sub create
{
	my ($part, $source, $small) = @_;
	my $share = $small ? 10 : 1;

	$source->sql('postgres', "CREATE DATABASE $DATABASE");
	if ($part eq 'tables')
	{
		$source->sql($DATABASE, many_tables($TABLES / $share));
	}
	else
	{
		$source->command('pgbench', '--initialize', '--quiet',
			'--scale=' . 50 / $share, $source->conninfo($DATABASE));
		$source->sql($DATABASE,
			setup(1_000_000 / $share, 200_000 / $share, 20_000 / $share));
	}
	$source->sql($DATABASE, 'VACUUM ANALYZE; CHECKPOINT;'
		  . ' CREATE PUBLICATION bench FOR ALL TABLES');
}

sub setup
{
	my ($indexed, $broad, $large) = @_;
	my @types = (
		[ 'int', 'r + %d' ],
		[ 'text', q('v' || (r + %d) %% 1000) ],
		[ 'numeric', '(r + %d) * 1.5' ],
		[ 'date', q(date '2020-01-01' + (r + %d) %% 1000) ]);
	my @columns = map { "c$_ $types[$_ % 4][0]" } 1 .. 119;
	my @values = map { sprintf $types[ $_ % 4 ][1], $_ } 1 .. 119;

	return 'CREATE TABLE indexed (id bigint PRIMARY KEY, a int NOT NULL,'
	  . ' b text NOT NULL, c timestamptz NOT NULL);'
	  . ' INSERT INTO indexed SELECT r, hashint8(r), md5(r::text),'
	  . " timestamptz '2020-01-01 00:00+00' + r * interval '1 s'"
	  . " FROM generate_series(1, $indexed) r;"
	  . ' CREATE INDEX ON indexed (a); CREATE INDEX ON indexed (b);'
	  . ' CREATE INDEX ON indexed (c, a);'
	  . ' CREATE TABLE broad (id int PRIMARY KEY, '
	  . join(', ', @columns)
	  . '); INSERT INTO broad SELECT r, '
	  . join(', ', @values)
	  . " FROM generate_series(1, $broad) r;"
	  . ' CREATE TABLE large (id int PRIMARY KEY, body text NOT NULL);'
	  . ' ALTER TABLE large ALTER body SET STORAGE EXTERNAL;'
	  . ' INSERT INTO large SELECT r, repeat(md5(r::text), 640)'
	  . " FROM generate_series(1, $large) r;";
}

# Committed now and then: the table of locks has an end.
sub many_tables
{
	my ($count) = @_;

	return join "\n", 'BEGIN;', map({
		"CREATE TABLE t$_ (id int PRIMARY KEY, v text);"
		  . " CREATE INDEX ON t$_ (v); INSERT INTO t$_ VALUES (1, 'a');"
		  . ($_ % 100 == 0 ? ' COMMIT; BEGIN;' : '')
	} 1 .. $count), 'COMMIT;';
}

# One run of a contender; with `check` the copy is compared.
sub run
{
	my ($contender, $source, $target, $check) = @_;

	$target->drop_database($DATABASE);
	$target->sql('postgres', "CREATE DATABASE $DATABASE");
	create_tables($source, $target) if $contender->{rows};
	$_->sql('postgres', 'CHECKPOINT') for $source, $target;
	my $result = $contender->{run}->($source, $target);
	compare($source, $target) if $check;
	$source->drop_slot('bench');
	return $result;
}

# Tables without indexes, for what copies rows alone.
sub create_tables
{
	my ($source, $target) = @_;
	my $file = "$ENV{PENSTOCK_STAGE}/tables.sql";

	$source->command('pg_dump', '--section=pre-data', '--no-publications',
		"--file=$file", $source->conninfo($DATABASE));
	$target->command('psql', '--quiet', '--no-psqlrc', "--file=$file",
		$target->conninfo($DATABASE));
}

sub compare
{
	my ($source, $target) = @_;

	$target->command("$ENV{PENSTOCK_STAGE}/test/compare", '--quiet',
		map { $_->conninfo($DATABASE) } $source, $target);
}


# ---- The contenders ----

sub log_file
{
	return "$ENV{PENSTOCK_STAGE}/clone.log";
}

sub penstock
{
	my ($source, $target, @options) = @_;

	return run_measured(log_file(),
		$ENV{PENSTOCK_BIN}, 'clone', '--name=bench', "--jobs=$JOBS", @options,
		'--source=' . $source->conninfo($DATABASE),
		'--target=' . $target->conninfo($DATABASE));
}

# From the line that it begins to copy to the line that it has copied.
sub penstock_rows
{
	my ($source, $target) = @_;
	my $result = penstock($source, $target, '--data-only');
	my %time;

	open my $log, '<', log_file() or die "could not open the log: $!\n";
	while (<$log>)
	{
		next unless /^\S+ (\d+):(\d+):(\d+\.\d+) info clone: (cop\w+) \d+ tables/;
		$time{$4} = $1 * 3600 + $2 * 60 + $3;
	}
	close $log;
	die "its log does not say when it copied\n"
	  unless defined $time{copying} && defined $time{copied};
	$result->{wall_s} = $time{copied} - $time{copying};
	$result->{wall_s} += 24 * 3600 if $result->{wall_s} < 0;
	return $result;
}

sub pgcopydb
{
	my ($source, $target) = @_;
	my $directory = "$ENV{PENSTOCK_STAGE}/pgcopydb";

	remove_tree($directory);
	return run_measured(log_file(), 'pgcopydb', 'clone',
		"--table-jobs=$JOBS", "--index-jobs=$JOBS", "--dir=$directory",
		'--not-consistent', '--source', $source->conninfo($DATABASE),
		'--target', $target->conninfo($DATABASE));
}

sub dump_restore
{
	my ($source, $target) = @_;
	my $directory = "$ENV{PENSTOCK_STAGE}/dump";
	my @conninfo = map { $_->conninfo($DATABASE) } $source, $target;

	remove_tree($directory);
	return run_measured(log_file(), 'sh', '-ec',
		"pg_dump --format=directory --jobs=$JOBS --file='$directory'"
		  . " --no-publications '$conninfo[0]';"
		  . " pg_restore --jobs=$JOBS --dbname='$conninfo[1]' '$directory'");
}

# Each pipe takes the largest table that is left.
sub pipes
{
	my ($source, $target) = @_;
	my @tables = $source->sql($DATABASE,
		q(SELECT oid::regclass FROM pg_class WHERE relkind = 'r')
		  . q( AND relnamespace = 'public'::regnamespace)
		  . ' ORDER BY pg_table_size(oid) DESC');
	my @conninfo = map { $_->conninfo($DATABASE) } $source, $target;
	my $copy =
	    "psql -Xqc 'COPY {} TO STDOUT (FORMAT binary)' '$conninfo[0]'"
	  . " | psql -Xqc 'COPY {} FROM STDIN (FORMAT binary)' '$conninfo[1]'";

	return run_measured(log_file(), 'sh', '-c',
		'script=$1; shift; printf "%s\n" "$@"'
		  . " | xargs -P $JOBS" . ' -I {} sh -c "$script"',
		'pipes', $copy, @tables);
}


# ---- What comes out ----

sub report
{
	my ($results) = @_;
	my %wall = map { $_->{name} => medians(@{ $_->{runs} })->{wall_s} }
	  grep { @{ $_->{runs} } } @$results;
	my @rows = [ '', 's', 'to penstock', 'own CPU s', 'peak MB' ];

	for my $result (grep { @{ $_->{runs} } } @$results)
	{
		my $medians = medians(@{ $result->{runs} });
		my $base = $result->{name} =~ /rows alone|pipes/ ? $ROWS : $WHOLE;
		push @rows,
		  [ $result->{name},
			cell('%.1f', $medians->{wall_s}),
			ratio($medians->{wall_s}, $wall{$base}),
			cell('%.1f', $medians->{cpu_s}),
			cell('%.1f', $medians->{peak_rss_kb} / 1024) ];
	}
	print_table(@rows);
	return;
}

# Seconds of each contender.
sub wall
{
	my ($results) = @_;

	return map { $_->{name} => medians(@{ $_->{runs} })->{wall_s} }
	  grep { @{ $_->{runs} } } @{ $results || [] };
}

# For Bench::Asked: [what, relation, limit, value], of the part "tables".
sub asked_of_tables
{
	my %wall = wall(@_);

	return () unless $wall{$WHOLE} && $wall{'pg_dump, pg_restore'};
	return [ 'clone of many tables, seconds to pg_dump and pg_restore', '<=', 2,
		$wall{$WHOLE} / $wall{'pg_dump, pg_restore'} ];
}

# The same of the part "clone".
sub asked
{
	my %wall = wall(@_);

	return map {
		[ $_->[0], '<=', $_->[1], $wall{ $_->[2] } / $wall{ $_->[3] } ]
	  } grep { $wall{ $_->[2] } && $wall{ $_->[3] } } (
		[ 'clone, seconds to pgcopydb', 1, $WHOLE, 'pgcopydb' ],
		[ 'clone, seconds to pg_dump and pg_restore', 1, $WHOLE,
			'pg_dump, pg_restore' ],
		[ 'clone, rows alone, seconds to two pipes', 1.15, $ROWS,
			'two COPY pipes' ]);
}

1;
