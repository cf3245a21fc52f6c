# Two databases with the same schema, the one of which follows the other by the
# statements of consumer/ddl/diff.
#
#     my $databases = Ddl::Databases->new($node, 'name', 'CREATE TABLE …');
#     $databases->session->run('ALTER TABLE …');
#     my @findings = $databases->follow;
package Ddl::Databases;

use strict;
use warnings;

use IPC::Run;
use JSON::PP ();

use Ddl::Dump qw(dump_schema differences);
use Ddl::Session;

sub new
{
	my ($class, $node, $name, @setup) = @_;
	my $self = bless {
		node => $node,
		name => $name,
		place => $ENV{TMPDIR} || '/tmp',
		statements => [],
	}, $class;

	$node->safe_psql('postgres', "CREATE DATABASE ${name}_source");
	my $session = Ddl::Session->new($node, "${name}_source");
	for my $sql (@setup)
	{
		my $error = $session->error($sql);
		die "\"$sql\" failed: $error" if $error;
	}
	$session->end;
	$node->safe_psql('postgres',
		"CREATE DATABASE ${name}_target TEMPLATE ${name}_source");
	$self->{$_} = Ddl::Session->new($node, "${name}_$_") for qw(source target);
	$self->{target}->run('SET search_path = pg_catalog');
	$self->{target}->run('SET session_replication_role = replica');
	$self->{target}->run('SET client_min_messages = warning');
	$self->read_source('before');
	$self->{files} = { $self->files };
	return $self;
}

# Of the source.
sub session { return $_[0]{source}; }

# The statements of the last step, as they are in the plan.
sub statements { return @{ $_[0]{statements} }; }

sub conninfo
{
	my ($self, $side) = @_;

	return $self->{node}->connstr("$self->{name}_$side");
}

sub file
{
	my ($self, $moment) = @_;

	return "$self->{place}/$self->{name}.$moment";
}

sub tool
{
	my ($self, @arguments) = @_;
	my ($out, $err);

	IPC::Run::run([ "$ENV{PENSTOCK_STAGE}/tools/ddl_statements", @arguments ],
		'>', \$out, '2>', \$err)
	  or die "refused: $err\n";
	return $out;
}

sub read_source
{
	my ($self, $moment) = @_;

	open my $file, '>', $self->file($moment) or die "$!\n";
	print $file $self->tool('read', $self->conninfo('source'));
	close $file or die "$!\n";
}

# By OID, what file the rows of each table are in.
sub files
{
	my ($self) = @_;

	return map { $_->[0] => $_->[1] } $self->{source}->rows(
		q{SELECT c.oid, relfilenode FROM pg_class c
		  JOIN pg_namespace n ON n.oid = relnamespace
		  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname !~ '^pg_'
		  AND nspname <> 'information_schema' ORDER BY c.oid});
}

# Brings the target to where the source is.  What is wrong then: a list.
sub follow
{
	my ($self) = @_;
	my @findings = eval { $self->try_to_follow };

	return $@ ? $@ : @findings;
}

sub try_to_follow
{
	my ($self) = @_;
	my %files = $self->files;
	my %old = %{ $self->{files} };
	my @rewritten = sort { $a <=> $b }
	  grep { $old{$_} && $old{$_} != $files{$_} } keys %files;
	my @filled = grep { !$old{$_} || $old{$_} != $files{$_} } keys %files;
	my ($version) = $self->{source}->values('SHOW server_version_num');

	$self->read_source('after');
	# Bytes are left as they are.
	$self->{statements} = [ map { JSON::PP->new->decode($_) } split /\n/,
		$self->tool('diff', $self->file('before'), $self->file('after'),
			$version, @rewritten) ];
	rename $self->file('after'), $self->file('before') or die "$!\n";
	$self->{files} = \%files;
	$self->apply;
	$self->fill($_) for sort { $a <=> $b } @filled;
	return ($self->schema_differences, $self->row_differences);
}

sub apply
{
	my ($self) = @_;
	my @first = grep { $_->{commits_first} } $self->statements;
	my @rest = grep { !$_->{commits_first} } $self->statements;
	my @later = map { $_->{concurrent_sql} || () } @rest;

	$self->apply_one($_->{sql}) for @first;
	$self->apply_one('BEGIN');
	$self->apply_one($_->{sql}) for grep { !$_->{concurrent_sql} } @rest;
	$self->apply_one('COMMIT');
	$self->apply_one($_) for @later;
}

sub apply_one
{
	my ($self, $sql) = @_;

	# Bytes, as they are in the plan.
	utf8::downgrade($sql);
	my $error = $self->{target}->error($sql);

	return unless $error;
	$self->{target}->run('ROLLBACK');
	die "the target refuses: $sql\n$error\n";
}

# Rows of a table that is new, or was written anew.
sub fill
{
	my ($self, $oid) = @_;
	my ($name) = $self->{source}->values(
		qq{SELECT format('%I.%I', nspname, relname) FROM pg_class c
		   JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = $oid});
	my $columns = join ', ', $self->{source}->values(
		qq{SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $oid
		   AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
		   ORDER BY attnum});

	return unless $columns;
	$self->apply_one("DELETE FROM ONLY $name");
	IPC::Run::run(
		$self->copy('source', "COPY (SELECT $columns FROM ONLY $name) TO STDOUT"),
		'|',
		$self->copy(
			'target', 'SET session_replication_role = replica',
			"COPY $name ($columns) FROM STDIN"))
	  or die "rows of $name cannot be copied\n";
}

# Arguments of IPC::Run.
sub copy
{
	my ($self, $side, @statements) = @_;

	return [ 'psql', '-Xqd', $self->conninfo($side), map { ('-c', $_) }
		  @statements ];
}

sub schema_differences
{
	my ($self) = @_;

	return differences([ dump_schema($self->conninfo('source')) ],
		[ dump_schema($self->conninfo('target')) ]);
}

sub row_differences
{
	my ($self) = @_;
	my @tables = $self->{source}->rows(
		q{SELECT format('%I.%I', nspname, relname),
		   (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname)
		    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
		    AND NOT attisdropped)
		  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		  WHERE relkind = 'r' AND relpersistence = 'p' AND nspname !~ '^pg_'
		  AND nspname <> 'information_schema' ORDER BY 1});
	my @findings;

	for my $table (grep { $_->[1] ne '' } @tables)
	{
		my $sql = "SELECT ROW($table->[1])::text FROM ONLY $table->[0] ORDER BY 1";
		my ($source, $target) = map { $self->{$_}->run($sql) }
		  qw(source target);

		push @findings, "rows of $table->[0] ($table->[1]):\n$source"
		  . "on the target:\n$target"
		  if $source ne $target;
	}
	return @findings;
}

sub drop
{
	my ($self) = @_;

	$self->{$_}->end for qw(source target);
	$self->{node}->safe_psql('postgres', "DROP DATABASE $self->{name}_$_")
	  for qw(source target);
	unlink $self->file('before');
}

1;
