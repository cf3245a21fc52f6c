# A table of a round: what it is like on the source, and on the target.
#
# Both know it by the same name.  Columns are hashes:
#
#     name, type    the type is one of Rows::Types
#     is_key        it is in the key
#     is_notnull    NOT NULL
#     as            what stands behind the type in CREATE TABLE: an expression
#                   of generated ones, an identity, a default
#     is_computed   no statement may write it
#     target_sql    the type on the target, if it is another one there
#     our_sql       the same, where that is so on our target only
#     is_moved       the target does not have it
package Rows::Table;

use strict;
use warnings;

use Exporter qw(import);

use Rows::Types qw(value_of widened);

our @EXPORT_OK = qw(quote_ident);

sub quote_ident
{
	my ($name) = @_;

	return $name if $name =~ /^[a-z_][a-z0-9_]*$/;
	return '"' . $name =~ s/"/""/gr . '"';
}

# Options: schema, name, columns; key, names of columns, may be empty;
# key_kind, "primary" or "index"; identity, "default", "full", "index" or
# "nothing".  More are set by who makes it:
#
#     partitions    { by, column, leaves: [ { name, bound; is_moved, if the
#                   target does not have it } … ] }
#     dropped       columns that were there once
#     references    [ { column, table, action } … ]
#     indexes       SQL of each, ON and what follows it left out
#     constraints   [ { kind, its SQL; column } … ]
#     is_published, filter, column_list    as the publications have it
#     target        { columns in their order, extra, indexes; is_whole, if it
#                   has no partitions there; parts, if it has some alone }
#     place         where on several nodes: { only => node } or { hash =>
#                   names of columns }; none: everywhere
#     kept          a table on the target of rows that have something to keep
#     is_shadowed   the source has a table of what the target must have
sub new
{
	my ($class, %option) = @_;

	return bless {
		dropped => [],
		references => [],
		indexes => [],
		constraints => [],
		%option,
	}, $class;
}

sub name
{
	my ($self) = @_;

	return join '.', map { quote_ident($_) } @{$self}{qw(schema name)};
}

sub columns { return @{ $_[0]{columns} }; }
sub key { return @{ $_[0]{key} }; }

sub column
{
	my ($self, $name) = @_;
	my ($column) = grep { $_->{name} eq $name } $self->columns;

	return $column || die "table $self->{name} has no column \"$name\"\n";
}

sub key_columns
{
	my ($self) = @_;

	return map { $self->column($_) } $self->key;
}

# Those that statements may write.
sub writable
{
	my ($self) = @_;

	return grep { !$_->{is_computed} } $self->columns;
}

# Those that statements may set to a new number, and to nothing else.
sub renewable
{
	my ($self) = @_;

	return grep { $_->{is_identity} && $_->{is_computed} } $self->columns;
}

# Whether the source takes updates and deletes of it.
sub is_changeable
{
	my ($self) = @_;

	return !$self->{is_published} || $self->{identity} ne 'nothing';
}

# Whether a subscription loses its updates and deletes, and says nothing.  With
# REPLICA IDENTITY FULL and no key that the subscriber has, it looks for a row by
# all columns that the subscriber has; for those that the publisher does not have,
# it looks for NULL.
sub is_lost_on_subscriber
{
	my ($self) = @_;

	return $self->{identity} eq 'full'
	  && !($self->key && $self->{key_kind} eq 'primary')
	  && @{ $self->{target}{extra} || [] };
}

# Names of tables whose rows are sent as theirs.
sub leaves
{
	my ($self) = @_;

	return () unless $self->{partitions};
	return map { $self->leaf_name($_) } @{ $self->{partitions}{leaves} };
}

sub leaf_name
{
	my ($self, $leaf) = @_;

	return join '.', map { quote_ident($_) } $self->{schema}, $leaf->{name};
}


# Whether a row on the target stays the same row while it is the same on the
# source, which "rid" tells.
sub keeps_rows
{
	my ($self, $is_root) = @_;

	return 0 unless grep { $_->{name} eq 'rid' } $self->compared;
	return !defined $self->{filter} && (!$self->{partitions} || $is_root);
}

# How many of those rows have lost what they had.
sub lost_sql
{
	my ($self) = @_;

	return 'SELECT count(*) FROM ' . $self->name
	  . " t JOIN public.$self->{kept} USING (rid)"
	  . " WHERE kept IS DISTINCT FROM 'kept ' || rid";
}


# ---- Making it ----

sub source_ddl
{
	my ($self) = @_;
	my @columns = map { $self->column_sql($_, $_->{type}{sql}) } $self->columns;

	# Those that are gone stand among the others.
	splice @columns, $_->{at}, 0, "$_->{name} $_->{type}"
	  for @{ $self->{dropped} };
	return join ";\n", $self->create_table($self->{partitions}, @columns),
	  (map { $self->alter("DROP COLUMN $_->{name}") } @{ $self->{dropped} }),
	  $self->key_ddl,
	  $self->partition_ddl($self->{partitions}),
	  $self->storage_ddl,
	  $self->identity_ddl,
	  (map { $self->index_ddl($_) } @{ $self->{indexes} }),
	  $self->constraint_ddl, '';
}

# Where it is made by hand, the target's is as "target" says.
sub target_ddl
{
	my ($self) = @_;
	my $target = $self->{target};
	my @columns = map { $self->column_sql($_, $_->{target_sql} || $_->{type}{sql}) }
	  grep { !$_->{is_moved} } @{ $target->{columns} };

	push @columns, @{ $target->{extra} };
	my $partitions =
	  $target->{is_whole} ? undef : $target->{parts} || $self->{partitions};
	return join ";\n", $self->create_table($partitions, @columns),
	  $self->key_ddl,
	  $self->partition_ddl($partitions),
	  $self->storage_ddl,
	  (map { $self->index_ddl($_) } @{ $target->{indexes} }),
	  ($target->{parts} ? () : $self->constraint_ddl), '';
}

sub alter
{
	my ($self, $what) = @_;

	return 'ALTER TABLE ' . $self->name . " $what";
}

sub create_table
{
	my ($self, $partitions, @columns) = @_;
	my $sql =
	  'CREATE TABLE ' . $self->name . " (\n\t" . join(",\n\t", @columns) . ')';

	return $sql unless $partitions;
	return "$sql PARTITION BY $partitions->{by} ("
	  . quote_ident($partitions->{column}) . ')';
}

sub column_sql
{
	my ($self, $column, $type) = @_;

	return join ' ', quote_ident($column->{name}), $type,
	  $column->{as} || (), ($column->{is_notnull} ? 'NOT NULL' : ());
}

sub key_list
{
	my ($self) = @_;

	return join ', ', map { quote_ident($_) } $self->key;
}

sub key_ddl
{
	my ($self) = @_;

	return () unless $self->key;
	return $self->alter('ADD PRIMARY KEY (' . $self->key_list . ')')
	  if $self->{key_kind} eq 'primary';
	return 'CREATE UNIQUE INDEX ' . quote_ident($self->key_index) . ' ON '
	  . $self->name . ' (' . $self->key_list . ')';
}

sub key_index
{
	my ($self) = @_;

	return "$self->{name}_key";
}

sub identity_ddl
{
	my ($self) = @_;
	my $identity = $self->{identity};

	return () if $identity eq 'default';
	# Partitions have their own.
	my $what = uc $identity;
	$what = 'USING INDEX ' . quote_ident($self->key_index)
	  if $identity eq 'index';
	return map { "ALTER TABLE $_ REPLICA IDENTITY $what" } $self->name,
	  ($identity eq 'full' ? $self->leaves : ());
}

sub partition_ddl
{
	my ($self, $partitions) = @_;

	return () unless $partitions;
	return map {
		'CREATE TABLE ' . $self->leaf_name($_) . ' PARTITION OF ' . $self->name
		  . " $_->{bound}"
	} @{ $partitions->{leaves} };
}

# Behind all tables.
sub reference_ddl
{
	my ($self) = @_;

	return map {
		$self->alter('ADD FOREIGN KEY (' . quote_ident($_->{column})
			  . ') REFERENCES ' . $_->{table}->name . " $_->{action}")
		  . ';'
	} @{ $self->{references} };
}

sub storage_ddl
{
	my ($self) = @_;

	return map {
		$self->alter('ALTER ' . quote_ident($_->{name})
			  . " SET STORAGE $_->{type}{storage}")
	} grep { $_->{type}{storage} && !$_->{is_moved} } $self->columns;
}

sub constraint_ddl
{
	my ($self) = @_;

	return map { $self->alter("ADD $_->{kind}") }
	  grep { !$_->{column}{is_moved} } @{ $self->{constraints} };
}

sub index_ddl
{
	my ($self, $index) = @_;

	return "CREATE $index->{kind} ON " . $self->name . " ($index->{columns})";
}


# ---- What the target must have ----

# Pairs of what to read on both sides: [ name, from, columns, from, columns ].
# Without "is_root", rows of partitions are the partitions' own.  What was done
# to the target alone is no matter for others than ours.  Of several nodes,
# "node" says which, and "nodes" of how many; "policy" is that of conflicts.
sub comparisons
{
	my ($self, %option) = @_;
	my $is_root = $option{is_root};
	my $is_ours = $option{is_ours};
	my (@source, @target);

	for my $column (sort { $a->{name} cmp $b->{name} } $self->compared)
	{
		my $name = quote_ident($column->{name});

		my $type = $column->{target_sql} || $is_ours && $column->{our_sql};

		push @source, $type ? widened($name, $type) : $name;
		push @target, $name;
	}
	for my $extra (@{ $self->{target}{extra} || [] })
	{
		my ($name, $type, $value) = $extra =~ /^(\S+) (.+) DEFAULT (.+)$/;

		push @source, "CAST($value AS $type)";
		push @target, $name;
	}
	my @where = ($self->{filter} // (), $is_ours ? $self->place_filter(%option) : ());
	my $where = @where ? ' WHERE ' . join(' AND ', @where) : '';
	my $target_where = '';

	# Under this policy such rows stay as they were made.
	$where = $target_where = $self->not_noted
	  if $is_ours && $self->{is_noted} && $option{policy} eq 'skip';
	return [
		$self->name, $self->shadow_name, join(', ', @source),
		$self->name, join(', ', @target)
	] if $self->{is_shadowed};
	my @names = $is_root || !$self->{partitions} ? $self->name : $self->leaves;
	return map {
		[ $_, "$_$where", join(', ', @source), "$_$target_where", join(', ', @target) ]
	} @names;
}

sub not_noted
{
	my ($self) = @_;
	my $keys = join ', ', map { quote_ident($_) } $self->key;

	return " t WHERE NOT EXISTS (SELECT FROM (SELECT $keys FROM "
	  . $self->noted_name . ') n WHERE '
	  . join(' AND ', map { "n.$_ = t.$_" } map { quote_ident($_) } $self->key) . ')';
}

# Rows whose keys were changed on the target by somebody else.
sub noted_name { return $_[0]->name_beside('noted'); }

sub name_beside
{
	my ($self, $what) = @_;

	return "public.${what}_" . lc $self->{name} =~ s/\W/_/gr;
}

sub name_literals
{
	my ($self) = @_;

	return join ', ', map { "'" . s/'/''/gr . "'" } @{$self}{qw(schema name)};
}

# A column that a statement may set to what it is, in each row: one of the key's,
# if there is any.
sub touched_column
{
	my ($self) = @_;
	my ($column) = sort { !!$b->{is_key} <=> !!$a->{is_key} } $self->writable;

	return quote_ident($column->{name});
}


# ---- What it must become by what is published ----

sub shadow_name { return $_[0]->name_beside('shadow'); }

# A table that triggers make what overwriting makes of the target.
sub shadow_ddl
{
	my ($self, $operations) = @_;
	my ($name, $shadow) = ($self->name, $self->shadow_name);
	my %same = map {
		my $row = $_;
		$row => join ' AND ', map { "s.$_ = $row.$_" } map { quote_ident($_) } $self->key
	} qw(OLD NEW);
	my ($truncate) = $operations =~ /(truncate)/;
	my $rows = join ' OR ', grep { $_ ne 'truncate' } split /, /, $operations;

	return <<"END" . ($truncate ? <<"END" : '');
CREATE TABLE $shadow AS TABLE $name;
ALTER TABLE $shadow ADD PRIMARY KEY (@{[ $self->key_list ]});
CREATE FUNCTION $shadow() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		DELETE FROM $shadow;
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN DELETE FROM $shadow s WHERE $same{OLD}; END IF;
	IF TG_OP <> 'DELETE' THEN
		DELETE FROM $shadow s WHERE $same{NEW};
		INSERT INTO $shadow SELECT NEW.*;
	END IF;
	RETURN NULL;
END \$\$;
CREATE TRIGGER shadow AFTER $rows ON $name
	FOR EACH ROW EXECUTE FUNCTION $shadow();
END
CREATE TRIGGER shadow_of_all AFTER TRUNCATE ON $name
	EXECUTE FUNCTION $shadow();
END
}

sub place_filter
{
	my ($self, %option) = @_;
	my $place = $self->{place} or return ();

	return $place->{only} eq chr(ord('a') + $option{node}) ? 'true' : 'false'
	  if $place->{only};
	return "satisfies_hash_partition('" . $self->place_name
	  . "'::regclass, $option{nodes}, $option{node}, "
	  . join(', ', map { quote_ident($_) } @{ $place->{hash} }) . ')';
}

sub place_name
{
	my ($self) = @_;

	return $self->name_beside('placed');
}

# The columns that are sent, or computed alike on both sides.
sub compared
{
	my ($self) = @_;
	my $list = $self->{column_list} or return $self->columns;
	my %is_listed = map { $_ => 1 } @$list;

	return grep { $is_listed{ $_->{name} } } $self->columns;
}

1;
