# The tables of a round, at random, and the publications of them.
package Rows::Schema;

use strict;
use warnings;

use Rows::Table qw(quote_ident);
use Rows::Types qw(types type_named types_ddl literal_of);

my $TABLES_MIN = 3;
my $TABLES_MAX = 6;
my $COLUMNS_MAX = 7;

# Types that schemas are full of, for keys and for others.
my %USUAL_KEY = map { $_ => 1 } qw(integer bigint text uuid);
my %USUAL = (%USUAL_KEY,
	map { $_ => 1 } ('boolean', 'numeric(10,2)', 'timestamptz', 'varchar(20)', 'jsonb'));

my @ODD_NAMES = ('select', 'Two Words', 'with"quote', 'trailing ', "it's",
	'back\\slash', 'Größe', 'percent%s', 'dollar$1', 'a.b');

# Options: name, random, features, and extensions, names of those that are
# installed.
sub new
{
	my ($class, %option) = @_;
	my $self = bless { %option, tables => [], is_root => 0 }, $class;
	my $count = $self->{random}->integer($TABLES_MIN, $TABLES_MAX);

	$self->{extensions} = [] unless $self->{features}->is_on('extensions');
	$self->{by_hand} = $self->chance('layouts', 0.4);
	push @{ $self->{tables} }, $self->new_table("t$_") for 1 .. $count;
	my $is_spread = $self->chance('nodes', 0.2);
	my $nodes = $self->{random}->integer(2, 3);
	$self->choose_policy;
	$is_spread = 0 if $self->policy;
	$self->{nodes} = $is_spread ? $nodes : 1;
	# What refers to a row need not be where that is.
	$self->choose_references unless $is_spread || $self->policy;
	$self->choose_publications;
	$self->choose_places if $is_spread;
	$self->{is_both_ways} =
	  $self->chance('both_ways', 0.15) && !$is_spread && !$self->policy
	  && $self->{by_list} && !$self->{by_hand};
	$self->choose_targets if $self->{by_hand};
	return $self;
}

sub tables { return @{ $_[0]{tables} }; }
sub published { return grep { $_->{is_published} } $_[0]->tables; }
sub nodes { return $_[0]{nodes}; }
sub is_by_list { return $_[0]{by_list}; }
sub is_by_hand { return $_[0]{by_hand}; }
sub is_root { return $_[0]{is_root}; }

# For conflicts; none: there must not be any.
sub policy { return $_[0]{policy}; }

# A value of "mood" that there was not when the types were made.
sub add_mood
{
	my ($self, $value) = @_;

	push @{ $self->{moods} }, $value;
}

# Expressions of values that a type did not have at first.
sub added_values
{
	my ($self, $type) = @_;
	my @moods = @{ $self->{moods} || [] };

	return map { "'$_'" } @moods if $type->{name} =~ /^(mood|mood_domain)$/;
	return map { "'{$_}'" } @moods if $type->{name} eq 'mood[]';
	return ();
}
sub publications { return map { $_->{name} } @{ $_[0]{publications} }; }
sub is_both_ways { return $_[0]{is_both_ways}; }

sub chance
{
	my ($self, $feature, $probability) = @_;

	return $self->{features}->chance($self->{random}, $feature, $probability);
}

# A coin without a feature.
sub often
{
	my ($self, $probability) = @_;

	return $self->{random}->draw < $probability;
}

# The SQL that makes everything, but publications, on the source; and on the
# target, where that is made by hand.
sub source_ddl
{
	my ($self) = @_;

	return join "\n", $self->prelude, $self->neighbours,
	  (map { $_->source_ddl } $self->tables),
	  map { $_->reference_ddl } $self->tables;
}

sub target_ddl
{
	my ($self) = @_;

	return join "\n", $self->prelude, $self->neighbours,
	  map { $_->target_ddl } $self->published;
}

# A subscription finds rows by the target's own replica identity.
sub native_ddl
{
	my ($self) = @_;

	return $self->source_ddl unless $self->{by_hand};
	return join "\n", $self->target_ddl, map { "$_;" }
	  map { $_->identity_ddl } grep { $_->{identity} eq 'index' } $self->published;
}

sub prelude
{
	my ($self) = @_;

	return join "\n",
	  (map { "CREATE EXTENSION $_;" } @{ $self->{extensions} }),
	  'CREATE SCHEMA "Odd Schema";', types_ddl();
}

# What is not followed, and in use.
sub neighbours
{
	my ($self) = @_;

	return () unless $self->{features}->is_on('neighbours');
	return 'CREATE UNLOGGED TABLE unlogged (n integer PRIMARY KEY);'
	  . 'CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM unlogged;';
}

sub publication_ddl
{
	my ($self) = @_;

	return join '', map { "CREATE PUBLICATION $_->{name} FOR $_->{for};\n" }
	  @{ $self->{publications} };
}


# ---- Tables ----

sub new_table
{
	my ($self, $name) = @_;
	my $random = $self->{random};
	my $is_odd = $self->chance('odd_names', 0.15);
	my $table = Rows::Table->new(
		schema => $is_odd ? 'Odd Schema' : 'public',
		name => $is_odd ? "$name " . $random->pick(@ODD_NAMES) : $name,
		columns => [],
		key => [],
		identity => 'default',
		key_kind => 'primary');

	$self->choose_key($table);
	$self->choose_columns($table);
	$self->choose_partitions($table);
	$self->choose_identity($table);
	$self->choose_more($table);
	$self->choose_constraint($table);
	return $table;
}

sub type
{
	my ($self, $is_key) = @_;
	my $feature = $is_key ? 'odd_keys' : 'odd_types';
	my %is_usual = $is_key ? %USUAL_KEY : %USUAL;
	my %has = map { $_ => 1 } @{ $self->{extensions} };
	my @known = types(
		sub {
			my ($type) = @_;

			return 0 if $type->{extension} && !$has{ $type->{extension} };
			return !$is_key || $type->{is_key};
		});
	my @usual = grep { $is_usual{ $_->{name} } } @known;

	return $self->chance($feature, $is_key ? 0.4 : 0.8)
	  ? $self->{random}->pick(@known)
	  : $self->{random}->pick(@usual);
}

sub choose_key
{
	my ($self, $table) = @_;

	return if $self->chance('keyless', 0.15);
	for my $i (1 .. $self->{random}->pick(1, 1, 1, 2, 3))
	{
		push @{ $table->{key} }, "k$i";
		push @{ $table->{columns} },
		  { name => "k$i", type => $self->type(1), is_key => 1, is_notnull => 1 };
	}
	return unless $self->chance('identity_columns', 0.15);
	my $column = $table->{columns}[0];
	my $kind = $self->{random}->pick('ALWAYS', 'BY DEFAULT');
	$column->{type} = type_named('bigint');
	$column->{as} = "GENERATED $kind AS IDENTITY";
	$column->{is_computed} = $kind eq 'ALWAYS';
	$column->{is_identity} = 1;
}

sub choose_columns
{
	my ($self, $table) = @_;
	my $random = $self->{random};

	for my $i (1 .. $random->integer(1, $COLUMNS_MAX))
	{
		my $type = $self->type(0);
		my $is_odd = $self->chance('odd_names', 0.05);

		$type = type_named('integer')
		  if $type->{of} =~ /string_agg/ && !$self->{features}->is_on('toast');
		push @{ $table->{columns} },
		  {
			name => $is_odd ? "c$i " . $random->pick(@ODD_NAMES) : "c$i",
			type => $type,
			is_notnull => $type->{is_notnull} || $self->often(0.2)
		  };
	}
	push @{ $table->{columns} },
	  {
		name => 'rid',
		type => type_named('uuid'),
		as => 'DEFAULT gen_random_uuid()',
		is_computed => 1
	  } if $self->often(0.5);
	if ($self->chance('generated', 0.2))
	{
		push @{ $table->{columns} },
		  { name => 'n', type => type_named('integer') },
		  {
			name => 'g',
			type => type_named('bigint'),
			as => 'GENERATED ALWAYS AS (n::bigint * 2) STORED',
			is_computed => 1
		  };
	}
	push @{ $table->{columns} },
	  {
		name => 'i',
		type => type_named('bigint'),
		as => 'GENERATED ALWAYS AS IDENTITY',
		is_computed => 1,
		is_identity => 1
	  } if $self->chance('identity_columns', 0.15);
	@{ $table->{columns} } = $random->shuffle(@{ $table->{columns} });
}

# By the first column of the key.
sub choose_partitions
{
	my ($self, $table) = @_;
	my $wanted = $self->chance('partitions', 0.3);
	my $random = $self->{random};
	my ($column) = $table->key_columns or return;
	my $by = $random->pick('HASH', 'RANGE', 'LIST');
	my $count = $random->integer(2, 3);

	return if !$wanted || $column->{is_identity};
	$by = 'HASH' unless $column->{type}{name} =~ /^(smallint|integer|whole)$/;
	# The hash of an enum is another on each server.
	return if $by eq 'HASH' && $column->{type}{of} =~ /mood/;
	return unless $column->{type}{has_hash};
	my $step = $random->integer(5, 40);
	my @bounds =
	    $by eq 'HASH'
	  ? map { "FOR VALUES WITH (MODULUS $count, REMAINDER $_)" } 0 .. $count - 1
	  : $by eq 'RANGE'
	  ? ("FOR VALUES FROM (MINVALUE) TO ($step)",
		"FOR VALUES FROM ($step) TO (" . 3 * $step . ')', 'DEFAULT')
	  : ("FOR VALUES IN (1, 3, 5, 7)", "FOR VALUES IN (2, 4, 6)", 'DEFAULT');
	my $number = 0;
	$table->{partitions} = {
		by => $by,
		column => $column->{name},
		leaves => [
			map { { name => "$table->{name}_p" . ++$number, bound => $_ } }
			  @bounds
		],
	};
}

sub choose_identity
{
	my ($self, $table) = @_;
	my $is_full = $self->chance('full', $table->key ? 0.15 : 0.7);
	my $is_index = $self->chance('index_identity', 0.2);

	if ($is_full)
	{
		$table->{identity} = 'full';
	}
	elsif (!$table->key)
	{
		$table->{identity} = 'nothing';
	}
	elsif ($is_index && !$table->{partitions})
	{
		@{$table}{qw(key_kind identity)} = qw(index index);
	}
}

sub choose_more
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my $name = $random->pick($table->columns)->{name};
	my @indexable = grep { $_->{type}{is_key} } $table->columns;

	$table->{dropped} = [
		map {
			{
				name => "gone$_",
				type => $random->pick('integer', 'text'),
				at => $random->integer(0, scalar $table->columns)
			}
		} 1 .. $random->integer(1, 2)
	] if $self->chance('dropped_columns', 0.25) && !$table->{partitions};
	return if !$self->chance('more_indexes', 0.25) || !@indexable;
	my $is_unique = $self->often(0.5) && !$table->{partitions};
	push @{ $table->{indexes} },
	  {
		kind => $is_unique ? 'UNIQUE INDEX' : 'INDEX',
		columns => quote_ident($random->pick(@indexable)->{name})
	  };
}

# One that may be against the order in which rows are written.
sub choose_constraint
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my $wanted = $self->chance('constraints', 0.25);
	my $column = $random->pick($table->columns);
	my $name = quote_ident($column->{name});
	my $type = $column->{type};
	my @kinds = (
		"UNIQUE ($name) DEFERRABLE INITIALLY DEFERRED",
		"UNIQUE ($name) DEFERRABLE",
		"EXCLUDE ($name WITH =)",
		"EXCLUDE ($name WITH =) DEFERRABLE INITIALLY DEFERRED");
	push @kinds, "EXCLUDE USING hash ($name WITH =)" if $type->{has_hash};
	@kinds = ("EXCLUDE USING gist ($name WITH &&) WHERE (lower($name) < 30)")
	  if $type->{name} eq 'int4range';
	my $kind = $random->pick(@kinds);

	return if !$wanted || !$type->{is_key} || $table->{partitions};
	push @{ $table->{constraints} }, { kind => $kind, column => $column };
}

# One more, while the others are followed.  It is published, or can be.
sub make_table
{
	my ($self) = @_;
	my $table = $self->new_table('t' . ($self->tables + 1));

	$table->{partitions} = undef;
	$table->{is_published} = 1;
	push @{ $self->{tables} }, $table;
	return $table;
}

# Whether "penstock table add" knows which publication is meant.
sub may_add
{
	my ($self) = @_;

	return @{ $self->{publications} } == 1 && !$self->{is_both_ways};
}

sub choose_references
{
	my ($self) = @_;
	my $random = $self->{random};
	my @parents = grep {
		$_->key == 1 && $_->{key_kind} eq 'primary' && !$_->{partitions}
	} $self->tables;

	for my $table ($self->tables)
	{
		my $wanted = $self->chance('foreign_keys', 0.35);
		my $parent = $random->pick(@parents, $table);
		my $action = $random->pick('ON DELETE CASCADE ON UPDATE CASCADE',
			'ON DELETE SET NULL ON UPDATE CASCADE', 'ON DELETE CASCADE',
			'DEFERRABLE INITIALLY DEFERRED');
		my ($key) = $parent->key_columns;

		next if !$wanted || $parent == $table || !$key;
		push @{ $table->{columns} }, { name => 'parent', type => $key->{type} };
		push @{ $table->{references} },
		  { column => 'parent', table => $parent, action => $action };
		# No circles: they make no more of it.
		@parents = grep { $_ != $table } @parents;
	}
}


# ---- Conflicts ----

# Conflicts come of what is not published, or of what is done to the target.
# What they make of the target is known for simple tables, and the publication
# has no others.
sub choose_policy
{
	my ($self) = @_;
	my $random = $self->{random};
	my $has_operations = $self->chance('operations', 0.12);
	my $has_conflicts = $self->chance('conflicts', 0.12);
	my $operations = $random->pick('insert', 'insert, update', 'insert, delete',
		'insert, update, delete', 'insert, update, truncate', 'insert, truncate',
		'update, delete');
	my $policy = $random->pick('skip', 'overwrite');

	return unless $has_operations || $has_conflicts;
	$self->{operations} = $operations if $has_operations;
	$self->{policy} = $has_operations ? 'overwrite' : $policy;
	$self->{by_hand} = 0;
	push @{ $self->{tables} }, $self->new_table('t' . ($self->tables + 1))
	  until grep { is_simple($_) } $self->tables;
}

# Whatever happens to a row of it, the log has all of that row.
sub is_simple
{
	my ($table) = @_;

	return
		 $table->key
	  && $table->{identity} =~ /^(default|index)$/
	  && !$table->{partitions}
	  && !@{ $table->{constraints} }
	  && !grep({ $_->{kind} =~ /UNIQUE/ } @{ $table->{indexes} })
	  && !grep({ $_->{type}{of} =~ /string_agg/ } $table->columns)
	  && !grep({ $_->{type}{twins} } $table->key_columns);
}

# What takes part in a comparison in the place of the source's tables, from here
# on: what the target must have made of what is published.
sub shadow_ddl
{
	my ($self) = @_;

	return '' unless $self->{operations};
	$_->{is_shadowed} = 1 for $self->published;
	return join "\n", map { $_->shadow_ddl($self->{operations}) } $self->published;
}


# ---- Publications ----

sub choose_publications
{
	my ($self) = @_;
	my $name = $self->{name};
	my $random = $self->{random};
	my $by_list = $self->chance('table_list', 0.7);
	my $is_root = $self->chance('via_root', 0.5);
	my @with = (
		$is_root ? 'publish_via_partition_root' : (),
		$self->{operations} ? "publish = '$self->{operations}'" : ());
	my $with = @with ? ' WITH (' . join(', ', @with) . ')' : '';

	$by_list ||= $self->policy;
	$self->{is_root} = $is_root;
	$self->{by_list} = $by_list;
	if (!$by_list)
	{
		$_->{is_published} = 1 for $self->tables;
		$self->{publications} =
		  [ { name => $name, for => "ALL TABLES$with" } ];
		return;
	}
	$self->choose_published($_) for $self->tables;
	my @published = $self->published;
	my $second = $self->chance('two_publications', 0.25) && @published > 1;
	my @first = map { $self->publication_item($_) } @published;
	my @second = $second ? splice(@first, int @first / 2) : ();
	# One of them is in both.
	push @second, $first[0] if @second;
	$self->{publications} = [ { name => $name, for => "TABLE "
			  . join(', ', @first) . $with } ];
	push @{ $self->{publications} },
	  { name => "${name}_2", for => 'TABLE ' . join(', ', @second) . $with }
	  if @second;
}

sub choose_published
{
	my ($self, $table) = @_;

	$table->{is_published} = !$self->chance('neighbours', 0.1)
	  || $self->tables == grep { !$_->{is_published} } $self->tables;
	if ($self->policy)
	{
		$table->{is_published} = is_simple($table);
		return;
	}
	$self->choose_column_list($table) if $self->chance('column_lists', 0.2);
	$self->choose_filter($table) if $self->chance('filters', 0.3);
}

sub choose_column_list
{
	my ($self, $table) = @_;

	return if $table->{identity} eq 'full' || !$table->key;
	return if $table->{partitions} && !$self->{is_root};
	my (@listed, @others);
	for my $column ($table->columns)
	{
		my $is_listed = $self->often(0.6) || $column->{type}{is_notnull};

		$is_listed = 0 if $column->{name} eq 'g';
		push @{ $column->{is_key} || $is_listed ? \@listed : \@others }, $column;
	}
	$table->{column_list} = [ map { $_->{name} } @listed ];
	# The target's have nothing in there.
	$_->{is_notnull} = 0 for @others;
}

# Another filter and another list in the place of those it has.  The target has
# no more columns than before.
sub choose_anew
{
	my ($self, $table) = @_;
	my $has_list = $self->often(0.5);
	my $has_filter = $self->often(0.7);
	my @listed = grep {
		my $is_listed = $self->often(0.6);
		$_->{is_key} || $_->{is_notnull} || $is_listed
	} grep { !$_->{is_moved} && $_->{name} ne 'g' } $table->columns;

	@{$table}{qw(filter column_list)} = (undef, undef);
	$table->{column_list} = [ map { $_->{name} } @listed ]
	  if $has_list && $table->key && $table->{identity} ne 'full'
	  || grep { $_->{is_moved} } $table->columns;
	$self->choose_filter($table) if $has_filter;
}

# Only of what the old row has, too, and where no row is referred to.  A large
# value that an update leaves as it is, is not in the log: a row that comes into
# the filter without it is refused.
sub choose_filter
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my @columns = grep {
		defined $_->{type}{literal} && $_->{name} ne 'g'
	} $table->{identity} eq 'full' ? $table->columns : $table->key_columns;
	my %has = map { $_ => 1 }
	  @{ $table->{column_list} || [ map { $_->{name} } $table->columns ] };
	@columns = grep { $has{ $_->{name} } } @columns;
	return if !@columns || $self->is_referenced($table);
	return if $table->{identity} ne 'full'
	  && grep { $_->{type}{of} =~ /string_agg/ } $table->columns;
	return if $table->{partitions} && !$self->{is_root};
	$table->{filter} = $self->filter_of($random->pick(@columns));
}

sub filter_of
{
	my ($self, $column) = @_;
	my $random = $self->{random};
	my $name = quote_ident($column->{name});
	my $type = $column->{type};
	my $number = $random->integer(10, 28);
	my $literal = literal_of($type, $number);
	my @filters =
	  ("$name > $literal", "$name <> $literal", "$name IS NOT NULL");

	push @filters, "$name % 3 <> 0", "$name % 2 = 0 OR $name > $number"
	  if $type->{name} =~ /^(smallint|integer|bigint)$/;
	push @filters, "length($name) > 6" if $type->{name} =~ /^(text|varchar)/;
	return '(' . $random->pick(@filters) . ')';
}

sub publication_item
{
	my ($self, $table) = @_;
	my $sql = $table->name;

	$sql .= ' (' . join(', ', map { quote_ident($_) }
		@{ $table->{column_list} }) . ')' if $table->{column_list};
	$sql .= " WHERE $table->{filter}" if defined $table->{filter};
	return $sql;
}


# ---- Several nodes ----

# By columns of the key.  Tables that have no place are everywhere.
sub choose_places
{
	my ($self) = @_;
	my $random = $self->{random};

	for my $table (grep { !$_->{partitions} || $self->{is_root} } $self->tables)
	{
		my @columns = grep { $_->{type}{has_hash} } $table->key_columns;
		my $only = $random->pick('', '', 'a', 'b');
		my $count = $random->integer(1, scalar(@columns) || 1);

		if ($only)
		{
			$table->{place} = { only => $only };
		}
		elsif (@columns)
		{
			my @key = ($random->shuffle(@columns))[ 0 .. $count - 1 ];
			$table->{place} = { hash => [ map { $_->{name} } @key ] };
		}
	}
}

# What a place by hash is computed with on the source: tables that never have
# a row.
sub places_ddl
{
	my ($self) = @_;

	return join '', map {
		my $columns = join ', ', map { quote_ident($_) } @{ $_->{place}{hash} };

		'CREATE UNLOGGED TABLE ' . $_->place_name . ' (LIKE ' . $_->name
		  . ") PARTITION BY HASH ($columns);\n";
	} grep { $_->{place} && $_->{place}{hash} } $self->published;
}


# ---- The target, by hand ----

sub choose_targets
{
	my ($self) = @_;

	$self->choose_target($_) for $self->published;
}

sub choose_target
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my $number = 0;
	my %is_sent = map { $_->{name} => 1 } $table->compared;

	for my $column ($table->columns)
	{
		my @wider = @{ $column->{type}{wider} };
		my $is_widened = $self->often(0.3);
		my $wider = $random->pick(@wider, undef);

		$column->{is_moved} = !$is_sent{ $column->{name} };
		$column->{target_sql} = $wider
		  if $is_widened && !$table->{partitions} && !$column->{as};
	}
	$table->{target} = {
		columns => [ $random->shuffle($table->columns) ],
		extra => [],
		indexes => [],
		is_whole => $self->{is_root} && $table->{partitions} && $self->often(0.4),
	};
	$self->choose_parts($table) if $self->chance('partitions', 0.2);
	push @{ $table->{target}{extra} },
	  $random->pick("extra text DEFAULT 'extra'", 'extra integer DEFAULT 17',
		"extra timestamptz DEFAULT '2001-01-01 00:00+00'")
	  if $self->often(0.4);
	push @{ $table->{target}{indexes} }, { kind => 'INDEX', columns =>
		$table->key_list } if $table->key && $self->often(0.2);
}

# Partitions where the source has none.
sub choose_parts
{
	my ($self, $table) = @_;
	my ($column) = $table->key_columns or return;

	return if $table->{partitions} || $column->{is_identity};
	return unless $column->{type}{has_hash};
	# Its hash could be another one on other servers, but there is no other.
	$table->{target}{parts} = {
		by => 'HASH',
		column => $column->{name},
		leaves => [
			map {
				{
					name => "$table->{name}_part$_",
					bound => "FOR VALUES WITH (MODULUS 2, REMAINDER $_)"
				}
			} 0 .. 1
		],
	};
}

sub is_referenced
{
	my ($self, $table) = @_;

	return scalar grep { $_->{table} == $table }
	  map { @{ $_->{references} } } $self->tables;
}

# It is in one list of a publication, which can be written anew.
sub may_remove
{
	my ($self, $table) = @_;

	return $self->{by_list} && @{ $self->{publications} } == 1
	  && !$table->{column_list} && !defined $table->{filter}
	  && $self->published > 1
	  && !$self->is_referenced($table) && !@{ $table->{references} };
}

1;
