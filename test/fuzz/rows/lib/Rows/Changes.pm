# Changes of tables while they are followed: on both sides, in the order that
# logical replication asks for, or on the target alone.
package Rows::Changes;

use strict;
use warnings;

use Exporter qw(import);

use Penstock::Poll qw(pause);
use Rows::Table qw(quote_ident);
use Rows::Types qw(type_named own_type_ddl value_of);

our @EXPORT_OK = qw(change_both change_target add_enum_value reattach alter);

# Whoever changes a table waits for a moment, and tries again later: behind
# that wait everybody else stands.
my $LOCK_TIMEOUT = '700ms';
my $TRIES = 15;

my @BOTH = (\&add_column, \&add_column, \&drop_column, \&retype,
	\&switch_identity, \&rewrite);
my @TARGET = (\&keep_column, \&keep_column, \&retype_target, \&index_target,
	\&replace_target, \&add_and_drop, \&trigger_target, \&rewrite_target);

# Each returns a few words; nothing: there was nothing to change.
sub change_both
{
	my ($round) = @_;
	my $random = $round->random('happenings');

	return $random->pick(@BOTH)
	  ->($round, $random->pick($round->schema->published));
}

sub change_target
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $table = $random->pick($round->schema->published);

	return if $table->{partitions};
	return $random->pick(@TARGET)->($round, $table);
}

# Run it there as soon as its locks can be had; whether they could.
sub alter
{
	my ($round, $side, $sql) = @_;
	my @databases = $side eq 'source' ? $round->name : $round->target_databases;

	return @databases == grep { alter_one($round, $side, $_, $sql) } @databases;
}

sub alter_one
{
	my ($round, $side, $database, $sql) = @_;
	my $server = $round->pair->$side;
	my ($stdout, $stderr);

	for (1 .. $TRIES)
	{
		my $status = $server->psql(
			$database, "SET lock_timeout = '$LOCK_TIMEOUT'; $sql",
			stdout => \$stdout, stderr => \$stderr, on_error_stop => 1);
		return 1 if $status == 0;
		die "on the $side: $sql\n$stderr"
		  unless $stderr =~ /lock timeout|deadlock|could not serialize/;
		$round->tend_for(0.1);
	}
	$round->say("no lock on the $side for: $sql");
	return 0;
}

# The subscription's, too; it may be in the way of itself.
sub alter_targets
{
	my ($round, $sql) = @_;

	return 0 unless alter($round, 'target', $sql);
	$round->native->sql($sql) if $round->native && !$round->native->has_stopped;
	return 1;
}


# ---- On both sides ----

# What is added is there on the target first.
sub add_column
{
	my ($round, $table) = @_;
	my $type = type_named($round->random('happenings')
		  ->pick('integer', 'text', 'jsonb', 'numeric', 'pair', 'timestamptz'));
	my $name = 'a' . ++$round->{columns_added};
	my $default = $round->random('happenings')->draw < 0.5;
	my $sql = $table->alter("ADD COLUMN $name $type->{sql}"
		  . ($default ? ' DEFAULT ' . value_of($type, 7) : ''));

	return if $table->{column_list};
	return unless alter_targets($round, own_type_ddl($type) . $sql);
	alter($round, 'source', $sql) or return;
	push @{ $table->{columns} }, { name => $name, type => $type };
	return "added $name to " . $table->name;
}

# What is dropped is gone on the source first.
sub drop_column
{
	my ($round, $table) = @_;
	my @columns = grep { may_change($table, $_) && !$_->{is_notnull} } $table->columns;
	my $column = $round->random('happenings')->pick(@columns, undef);

	return if !$column || @columns < 2;
	my $sql = $table->alter('DROP COLUMN ' . quote_ident($column->{name}));
	alter($round, 'source', $sql) or return;
	@{ $table->{columns} } = grep { $_ != $column } $table->columns;
	$round->after_compare(sub { alter_targets($round, $sql) });
	return "dropped $column->{name} of " . $table->name;
}

# No key, no part of another thing.
sub may_change
{
	my ($table, $column) = @_;
	my $name = quote_ident($column->{name});

	return !$column->{is_key} && !$column->{as} && !$column->{is_moved}
	  && !$table->{column_list} && !$table->{indexes}[0]
	  && !$table->{constraints}[0]
	  && $column->{name} !~ /^(n|parent|rid)$/
	  && ($table->{filter} // '') !~ /\Q$name\E/;
}

sub retype
{
	my ($round, $table) = @_;
	my ($column) = grep {
		may_change($table, $_) && $_->{type}{name} eq 'integer'
		  && !$_->{target_sql} && !$_->{our_sql}
	} $table->columns;

	return unless $column;
	my $sql = $table->alter('ALTER ' . quote_ident($column->{name}) . ' TYPE bigint');
	return unless alter_targets($round, $sql);
	# A target that has it already is none the worse.
	alter($round, 'source', $sql) or return;
	$column->{type} = type_named('bigint');
	return "retyped $column->{name} of " . $table->name;
}

# On the source, which alone has a say in it.
sub switch_identity
{
	my ($round, $table) = @_;

	return if !$table->key || $table->{key_kind} ne 'primary';
	return if $table->{column_list} || $table->{partitions};
	return if defined $table->{filter};
	my $identity = $table->{identity} eq 'full' ? 'default' : 'full';
	return if $identity eq 'full' && !$round->features->is_on('full');
	alter($round, 'source', $table->alter("REPLICA IDENTITY $identity")) or return;
	$table->{identity} = $identity;
	return "identity of " . $table->name . " is $identity";
}

sub rewrite
{
	my ($round, $table) = @_;

	alter($round, 'source', 'VACUUM FULL ' . $table->name) or return;
	return 'rewrote ' . $table->name;
}

# A value that there was not is there on the target first.
sub add_enum_value
{
	my ($round) = @_;
	my $value = 'new' . ++$round->{moods_added};
	my $where =
	  $round->random('happenings')->pick('', " BEFORE 'ok'", " AFTER 'sad'");
	my $sql = "ALTER TYPE mood ADD VALUE IF NOT EXISTS '$value'$where";

	# The target has it where a table has a column of it.
	return unless alter_targets($round, "DO \$\$ BEGIN
		IF to_regtype('mood') IS NOT NULL THEN $sql; END IF; END \$\$");
	alter($round, 'source', $sql) or return;
	$round->schema->add_mood($value);
	return $value;
}

# A partition leaves and comes back, and nobody sees it away.
sub reattach
{
	my ($round) = @_;
	my $random = $round->random('happenings');
	my $side = $random->pick('source', 'target');
	my @tables = grep {
		$_->{partitions} && !($side eq 'target' && $_->{target}{is_whole})
	} $round->schema->published;
	my $table = $random->pick(@tables, undef) or return;
	my $leaf = $random->pick(
		grep { $side eq 'source' || !$_->{is_moved} } @{ $table->{partitions}{leaves} });
	my ($name, $leaf_name) = ($table->name, $table->leaf_name($leaf));

	alter($round, $side, "BEGIN; ALTER TABLE $name DETACH PARTITION $leaf_name;
		ALTER TABLE $name ATTACH PARTITION $leaf_name $leaf->{bound}; COMMIT")
	  or return;
	return "$leaf_name on the $side";
}


# ---- On the target alone ----

# One more column, with something of its own for each row: that stays with the
# row as long as that is there.
sub keep_column
{
	my ($round, $table) = @_;

	return unless $table->keeps_rows($round->schema->is_root);
	return if $round->schema->nodes > 1;
	return if $table->{kept};
	my $name = $table->name;
	my $list = "kept_$table->{name}" =~ s/\W/_/gr;
	alter($round, 'target',
		"BEGIN; SET LOCAL session_replication_role = replica;
		 ALTER TABLE $name ADD COLUMN kept text DEFAULT 'new';
		 UPDATE $name SET kept = 'kept ' || rid;
		 CREATE TABLE public.$list AS SELECT rid FROM $name; COMMIT") or return;
	$table->{kept} = $list;
	return "a column to keep in $name";
}

sub retype_target
{
	my ($round, $table) = @_;
	my @columns = grep { may_change($table, $_) && @{ $_->{type}{wider} } }
	  $table->columns;
	my $column = $round->random('happenings')->pick(@columns, undef) or return;
	my $type = $round->random('happenings')->pick(@{ $column->{type}{wider} });

	# It is one of these where it was widened already.
	return if $column->{target_sql} || $column->{our_sql};
	alter($round, 'target', $table->alter('ALTER ' . quote_ident($column->{name})
		. " TYPE $type")) or return;
	$column->{our_sql} = $type;
	return "$column->{name} of " . $table->name . " is $type on the target";
}

sub index_target
{
	my ($round, $table) = @_;
	my $index = 'fuzz_' . ++$round->{indexes_added};
	my ($column) = grep { $_->{type}{is_key} && !$_->{is_moved} } $table->columns;

	return unless $column;
	alter($round, 'target', "CREATE INDEX $index ON " . $table->name . ' ('
		. quote_ident($column->{name}) . ')') or return;
	return 'an index on ' . $table->name;
}

# Another table by that name, with the same rows.
sub replace_target
{
	my ($round, $table) = @_;
	my $name = $table->name;

	return if grep { ($_->{as} // '') =~ /GENERATED/ } $table->columns;
	return if $round->schema->is_referenced($table) || @{ $table->{references} };
	alter($round, 'target',
		"BEGIN; LOCK TABLE $name; CREATE TABLE public.other (LIKE $name INCLUDING ALL);
		 INSERT INTO public.other SELECT * FROM $name; DROP TABLE $name;
		 ALTER TABLE public.other SET SCHEMA " . quote_ident($table->{schema})
		. '; ALTER TABLE ' . quote_ident($table->{schema}) . '.other RENAME TO '
		. quote_ident($table->{name}) . '; COMMIT') or return;
	return "$name is another table";
}

sub add_and_drop
{
	my ($round, $table) = @_;
	my $name = $table->name;

	alter($round, 'target', "ALTER TABLE $name ADD COLUMN passing integer;
		ALTER TABLE $name DROP COLUMN passing") or return;
	return "a column that passed in $name";
}

# It does not fire for what is applied, or else every row would be refused.
sub trigger_target
{
	my ($round, $table) = @_;
	my $trigger = 'fuzz_' . ++$round->{triggers_added};

	alter($round, 'target', "CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger
		LANGUAGE plpgsql AS 'BEGIN RAISE ''fired''; END';
		CREATE TRIGGER $trigger BEFORE INSERT OR UPDATE OR DELETE ON "
		. $table->name . ' FOR EACH ROW EXECUTE FUNCTION public.refuse()') or return;
	return 'a trigger on ' . $table->name;
}

sub rewrite_target
{
	my ($round, $table) = @_;

	alter($round, 'target', 'VACUUM FULL ' . $table->name) or return;
	return 'rewrote ' . $table->name . ' on the target';
}

1;
