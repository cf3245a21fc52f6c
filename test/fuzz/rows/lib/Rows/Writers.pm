# What writers do to the tables of a round: scripts for psql, at random.
#
# Scripts do not know which rows there are.  Keys come from a small pool, so
# that most statements hit something, and some fail: the transaction, or the
# statement, is undone then, as with any application.
package Rows::Writers;

use strict;
use warnings;

use Rows::Table qw(quote_ident);
use Rows::Types qw(value_of);

# Integers that keys are made of; large transactions use those behind it.
my $POOL = 60;
my $POOL_LARGE = 20_000;

# Of them in a transaction that is at the same rows again and again.
my $HOT_KEYS = 2;

my $LARGE_ROWS = 1500;
my $STATEMENTS_MAX = 6;
my $SOME = 12;

# Waits for somebody else's lock end with an error, and so does this.
my $SETTINGS = <<'END';
SET lock_timeout = '400ms'; SET deadlock_timeout = '100ms';
SET timezone = 'America/St_Johns'; SET datestyle = 'German';
SET extra_float_digits = -3; SET bytea_output = 'escape';
END

# Options: random, features, schema, directory for files of COPY.
sub new
{
	my ($class, %option) = @_;

	return bless { %option, prepared => 0, copied => 0 }, $class;
}

sub chance
{
	my ($self, $feature, $probability) = @_;

	return $self->{features}->chance($self->{random}, $feature, $probability);
}

sub often
{
	my ($self, $probability) = @_;

	return $self->{random}->draw < $probability;
}

# The first rows.
sub initial
{
	my ($self) = @_;

	return join '', map { "$_;\n" } map {
		my $table = $_;
		map { $self->insert($table) } 1 .. 6
	} $self->{schema}->tables;
}

# A script of so many transactions.
sub script
{
	my ($self, $transactions) = @_;
	my $script = $SETTINGS;

	$script .= "\\set ON_ERROR_ROLLBACK on\n" if $self->often(0.5);
	$script .= "CREATE TEMPORARY TABLE scratch (n integer, filler text);\n"
	  if $self->{features}->is_on('neighbours');
	$script .= $self->transaction for 1 .. $transactions;
	return $script;
}

# Of one table alone, at a few rows from that number on.
sub some
{
	my ($self, $table, $low) = @_;

	local $self->{hot} = { table => $table, low => $low // 1 };
	return join '', map {
		($self->{random}->pick($self->insert($table), $self->insert($table),
			$table->is_changeable ? $self->update($table) : ())) . ";\n"
	} 1 .. $SOME;
}

sub transaction
{
	my ($self) = @_;
	my $is_large = $self->chance('large', 0.06);
	my $is_prepared = $self->chance('two_phase', 0.05);
	my $is_single = $self->often(0.25);
	my $is_undone = $self->often(0.06);
	my $is_hot = $self->often(0.3);

	return $self->statement($is_large) . ";\n" if $is_single;
	# The same few rows of one table again and again.
	local $self->{hot} = $is_hot
	  && { table => $self->{random}->pick($self->{schema}->tables),
		low => $self->{random}->integer(1, $POOL - $HOT_KEYS) };
	my $end = $is_prepared ? $self->two_phase : $is_undone ? 'ROLLBACK' : 'COMMIT';
	return join ";\n", 'BEGIN',
	  (map { $self->step($is_large) }
		  1 .. $self->{random}->integer(1, $STATEMENTS_MAX)),
	  $end, '';
}

# What was not prepared, as it failed before, is nothing to commit.
sub two_phase
{
	my ($self) = @_;
	my $name = "'$self->{schema}{name}_" . ++$self->{prepared} . "'";
	my $end = $self->{random}->pick('COMMIT', 'COMMIT', 'ROLLBACK');

	return join ";\n", "PREPARE TRANSACTION $name",
	  (map { $self->statement(0) } 1 .. $self->{random}->pick(0, 1, 3)),
	  "$end PREPARED $name";
}

sub step
{
	my ($self, $is_large) = @_;
	my $has_savepoint = $self->chance('savepoints', 0.2);

	return $self->statement($is_large) unless $has_savepoint;
	return join ";\n", 'SAVEPOINT s',
	  (map { $self->statement($is_large) } 1 .. $self->{random}->integer(1, 2)),
	  $self->{random}->pick('RELEASE s', 'ROLLBACK TO s', 'ROLLBACK TO s',
		"SAVEPOINT r;\n" . $self->statement($is_large) . ";\nROLLBACK TO s");
}

sub statement
{
	my ($self, $is_large) = @_;
	my $random = $self->{random};
	my $is_message = $self->chance('messages', 0.02);
	my $is_truncate = $self->chance('truncates', 0.02);
	my $is_beside = $self->chance('neighbours', 0.04);
	my @tables = $self->{schema}->tables;
	my $table = $random->pick(@tables);

	$table = $self->{hot}{table} if $self->{hot};
	return $self->message if $is_message;
	return $self->truncate(@tables) if $is_truncate;
	return $self->beside if $is_beside;
	return $self->many($table) if $is_large && $self->often(0.5);
	return $self->insert($table)
	  if !$table->is_changeable || $self->often(0.35);
	return $self->update($table) if $self->often(0.65);
	return $self->delete_rows($table);
}

sub message
{
	my ($self) = @_;
	my $is_transactional = $self->{random}->pick('true', 'false');

	return "SELECT pg_logical_emit_message($is_transactional, 'fuzz', 'beside')";
}

sub truncate
{
	my ($self, @tables) = @_;
	my @some = ($self->{random}->shuffle(@tables))[ 0 .. $self->{random}->integer(0, 1) ];
	my $how = $self->{random}->pick('', ' CASCADE', ' CASCADE');

	$how = " RESTART IDENTITY$how" if $self->often(0.2);
	return 'TRUNCATE ' . join(', ', map { $_->name } grep { $_ } @some) . $how;
}

sub beside
{
	my ($self) = @_;

	return $self->{random}->pick(
		"INSERT INTO scratch SELECT n, 'x' FROM generate_series(1, 50) n",
		'UPDATE scratch SET n = n + 1', 'DELETE FROM scratch',
		'INSERT INTO unlogged VALUES (1) ON CONFLICT DO NOTHING',
		'UPDATE unlogged SET n = n + 1', 'TRUNCATE unlogged',
		'CREATE TEMPORARY TABLE short ON COMMIT DROP AS SELECT 1 AS n',
		'REFRESH MATERIALIZED VIEW seen');
}


# ---- Values ----

sub number
{
	my ($self) = @_;

	my $low = $self->{hot} ? $self->{hot}{low} : 1;
	my $high = $self->{hot} ? $low + $HOT_KEYS : $POOL;
	return $self->{random}->integer($low, $high);
}

sub key_value
{
	my ($self, $column) = @_;

	return $self->some_value($column->{type}, 0.08);
}

sub value
{
	my ($self, $column) = @_;
	my $is_null = $self->often(0.12);

	return 'DEFAULT' if $column->{is_identity} && $self->often(0.6);
	return $self->key_value($column) if $column->{is_key};
	return 'NULL' if $is_null && !$column->{is_notnull};
	return $self->some_value($column->{type}, 0.3);
}

# Values that are rather special than not with this probability.
sub some_value
{
	my ($self, $type, $probability) = @_;
	my $number = $self->number;
	my $is_special = $self->chance('equal_values', $probability);
	my @special = (@{ $type->{special} }, $self->{schema}->added_values($type));
	my $special = $self->{random}->pick(@special, undef);

	# A large one is large for whoever reads the script, too: no more than its
	# expression is in there.
	return value_of({ %$type, of => $special }, $number)
	  if $is_special && defined $special;
	return value_of($type, $number);
}

sub row
{
	my ($self, @columns) = @_;

	return '(' . join(', ', map { $self->value($_) } @columns) . ')';
}

sub names
{
	my (@columns) = @_;

	return join ', ', map { quote_ident($_->{name}) } @columns;
}


# ---- Statements ----

sub insert
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my @columns = $table->writable;
	my $count = $random->pick(1, 1, 1, 2, 5, 15);
	my $is_copy = $self->chance('copies', 0.08);
	my $has_conflict = $self->chance('on_conflict', 0.4);

	my ($column) = $random->shuffle(grep { $_->{type}{twins} } @columns);
	my $has_twins = $self->chance('equal_values', 0.3);

	return 'INSERT INTO ' . $table->name . ' DEFAULT VALUES' unless @columns;
	return $self->twins($table, $column, @columns)
	  if $has_twins && $column && !$table->key;
	return $self->again($table) if !$table->key && $self->often(0.1);
	return $self->copy($table, $random->integer(1, 40)) if $is_copy;
	my $sql =
	    'INSERT INTO ' . $table->name . ' (' . names(@columns) . ') VALUES '
	  . join(', ', map { $self->row(@columns) } 1 .. $count);
	return $sql . ($has_conflict ? $self->on_conflict($table) : '');
}

# Two rows that are equal and not identical.
sub twins
{
	my ($self, $table, $column, @columns) = @_;
	my @values = map { $self->value($_) } @columns;
	my ($at) = grep { $columns[$_] == $column } 0 .. $#columns;
	my @rows;

	for my $twin (@{ $column->{type}{twins} })
	{
		next if $twin eq 'NULL' && $column->{is_notnull};
		$values[$at] = "CAST($twin AS $column->{type}{sql})";
		push @rows, '(' . join(', ', @values) . ')';
	}
	return 'INSERT INTO ' . $table->name . ' (' . names(@columns) . ') VALUES '
	  . join(', ', $self->{random}->shuffle(@rows));
}

# Rows that are alike.
sub again
{
	my ($self, $table) = @_;
	my $names = names($table->writable);

	return 'INSERT INTO ' . $table->name . " ($names) SELECT $names FROM "
	  . $table->name . ' AS t'
	  . $self->some_rows($self->{random}->integer(20, 60)) . ' LIMIT 50';
}

sub on_conflict
{
	my ($self, $table) = @_;
	my @others = grep { !$_->{is_key} } $table->writable;
	my $is_nothing = $self->often(0.5);

	return ' ON CONFLICT DO NOTHING'
	  if $is_nothing || !$table->key || !@others || !$table->is_changeable;
	my $column = $self->{random}->pick(@others);
	my $name = quote_ident($column->{name});
	return ' ON CONFLICT (' . $table->key_list . ") DO UPDATE SET $name = "
	  . $self->{random}->pick("EXCLUDED.$name", $self->value($column));
}

# Rows with keys behind those of single statements.
sub series
{
	my ($self, $table, $count) = @_;
	my $from = $self->{random}->integer($POOL, $POOL_LARGE);
	my @columns = grep { !$_->{is_identity} } $table->writable;

	return 'SELECT ' . join(', ', map {
		my $expression = value_of($_->{type}, 'i');

		!$_->{is_key} && !$_->{is_notnull} && $self->often(0.3)
		  ? "CASE WHEN i % 7 <> 0 THEN $expression END"
		  : $expression;
	} @columns)
	  . " FROM generate_series($from, $from + $count) i";
}

sub series_names
{
	my ($self, $table) = @_;

	return names(grep { !$_->{is_identity} } $table->writable);
}

sub copy
{
	my ($self, $table, $count) = @_;
	my $file = "$self->{directory}/copied_" . ++$self->{copied};

	return 'COPY (' . $self->series($table, $count) . ") TO '$file';\nCOPY "
	  . $table->name . ' (' . $self->series_names($table) . ") FROM '$file'";
}

sub many
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my $count = $random->integer($LARGE_ROWS / 10, $LARGE_ROWS);
	my $is_copy = $self->chance('copies', 0.3);
	my $part = $random->integer(2, 5);
	my @columns = grep { !$_->{is_key} } $table->writable;

	return $self->copy($table, $count) if $is_copy;
	return 'INSERT INTO ' . $table->name . ' (' . $self->series_names($table)
	  . ') ' . $self->series($table, $count) . ' ON CONFLICT DO NOTHING'
	  if $self->often(0.5) || !@columns || !$table->is_changeable;
	return 'DELETE FROM ' . $table->name . ' AS t' . $self->some_rows($part)
	  if $self->often(0.4);
	return 'UPDATE ' . $table->name . ' AS t SET '
	  . $self->assignment($random->pick(@columns)) . $self->some_rows($part);
}

sub update
{
	my ($self, $table) = @_;
	my $random = $self->{random};
	my @keys = grep { $_->{is_key} } $table->writable;
	my @others = grep { !$_->{is_key} } $table->writable;
	my $keeps_keys = $self->{schema}->policy;
	my $is_of_key = $self->chance('key_updates', 0.25) && !$keeps_keys;
	my @renewable = grep { !($_->{is_key} && $keeps_keys) } $table->renewable;
	my @set;

	return $self->swap($table, $random->pick(@keys))
	  if $is_of_key && @keys && $self->often(0.25);
	push @set, $random->pick(@keys) if $is_of_key && @keys;
	push @set, ($random->shuffle(@others))[ 0 .. $random->pick(0, 0, 1, 2) ]
	  if !@set || $self->often(0.4);
	push @set, $random->pick(@renewable) if @renewable && $self->often(0.3);
	@set = grep { defined } @set;
	return $self->insert($table) unless @set;
	return 'UPDATE ' . $table->name . ' AS t SET '
	  . join(', ', map { $self->assignment($_) } @set)
	  . $self->which_rows($table);
}

sub assignment
{
	my ($self, $column) = @_;
	my $name = quote_ident($column->{name});
	my $is_same = $self->often(0.08);

	return "$name = DEFAULT" if $column->{is_computed};
	return "$name = $name" if $is_same;
	return "$name = " . $self->value($column);
}

# Two rows change places by way of a third.
sub swap
{
	my ($self, $table, $column) = @_;
	my $name = quote_ident($column->{name});
	my ($one, $other, $aside) =
	  map { value_of($column->{type}, $_) } $self->number, $self->number, 9999;

	return join ";\n", map {
		'UPDATE ' . $table->name . " SET $name = $_->[1] WHERE $name = $_->[0]"
	} [ $one, $aside ], [ $other, $one ], [ $aside, $other ];
}

sub delete_rows
{
	my ($self, $table) = @_;

	return 'DELETE FROM ' . $table->name . ' AS t' . $self->which_rows($table);
}

sub which_rows
{
	my ($self, $table) = @_;
	my @keys = $table->key_columns;
	my $by_key = $self->often(0.8);

	return $self->some_rows($self->{random}->integer(5, 40))
	  unless $by_key && @keys;
	my $column = $keys[0];
	return ' WHERE ' . quote_ident($column->{name}) . ' = '
	  . $self->key_value($column);
}

# One in so many, whatever their types are.
sub some_rows
{
	my ($self, $part) = @_;

	return " WHERE abs(hashtext(t::text) % $part) = "
	  . $self->{random}->integer(0, $part - 1);
}

1;
