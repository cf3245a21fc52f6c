# Forms of schema changes, with tables, columns and the like that a database
# has, chosen at random by a generator of our own: the same for a seed on every
# machine.
#
#     my $forms = Ddl::Forms->new($seed, $session);
#     my ($name, $sql) = $forms->next;
#
# A statement may fail: whoever runs it goes on with the next.
package Ddl::Forms;

use strict;
use warnings;

my @TYPES = (
	'int', 'bigint', 'text', 'varchar(20)', 'numeric(8,2)', 'date',
	'timestamptz', 'boolean', 'int[]', 'jsonb', 'uuid', 'float8', 'mood',
	'positive', 'mood[]', '"char"', 'text COLLATE "C"');

my %FORMS;

# A form and how often it is chosen.
sub form
{
	my ($name, $weight, $code) = @_;

	$FORMS{$name} = { weight => $weight, code => $code };
}

sub names { return sort keys %FORMS; }

sub new
{
	my ($class, $seed, $session) = @_;

	return bless {
		state => $seed * 2654435761 % 2**31,
		session => $session,
		count => 0,
	}, $class;
}

sub random
{
	my ($self, $below) = @_;

	$self->{state} = ($self->{state} * 1103515245 + 12345) % 2**31;
	return ($self->{state} >> 8) % $below;
}

# Dies if there is nothing to choose from.
sub pick
{
	my ($self, @list) = @_;

	die "nothing to choose from\n" unless @list;
	return $list[ $self->random(scalar @list) ];
}

sub next
{
	my ($self) = @_;
	my @names = map { ($_) x $FORMS{$_}{weight} } names();
	my $name = $self->pick(@names);

	return ($name, $FORMS{$name}{code}->($self));
}

# A name that was not there before; now and then an odd one.
sub name
{
	my ($self, $beginning) = @_;
	my $name = $beginning . ++$self->{count};

	return $self->random(8) ? $name : qq{"$beginning ""$self->{count}"" Ä"};
}

# ---- What there is ----

sub values
{
	my ($self, $sql) = @_;

	return $self->{session}->values($sql);
}

# Relations of these kinds, qualified.
sub relations
{
	my ($self, $kinds, $condition) = @_;

	return $self->values(
		q{SELECT format('%I.%I', nspname, relname) FROM pg_class c
		  JOIN pg_namespace n ON n.oid = relnamespace
		  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
		  AND relname !~ '^mark'}
		  . " AND relkind = ANY (string_to_array('$kinds', NULL))"
		  . ($condition ? " AND $condition" : '') . ' ORDER BY c.oid');
}

sub table
{
	my ($self, $condition) = @_;

	return $self->pick($self->relations('rp', $condition));
}

sub plain_table { return $_[0]->pick($_[0]->relations('r', $_[1])); }

sub column
{
	my ($self, $table, $condition) = @_;

	return $self->pick(
		$self->values(
			"SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid ="
			  . literal($table) . '::regclass AND attnum > 0'
			  . ' AND NOT attisdropped'
			  . ($condition ? " AND $condition" : '') . ' ORDER BY attnum'));
}

# A table and one of its constraints.
sub constraint
{
	my ($self, $kinds) = @_;

	return @{ $self->pick($self->{session}->rows(
		qq{SELECT format('%I.%I', nspname, relname), quote_ident(conname)
		   FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
		   JOIN pg_namespace n ON n.oid = relnamespace
		   WHERE contype = ANY (string_to_array('$kinds', NULL))
		   AND conrelid >= 16384 AND coninhcount = 0 AND conparentid = 0
		   ORDER BY k.oid})) };
}

sub index
{
	my ($self, $condition) = @_;

	return $self->pick($self->relations('iI', 'c.oid >= 16384'
		. ($condition ? " AND $condition" : '')));
}

# Types of these kinds.
sub type
{
	my ($self, $kinds) = @_;

	return $self->pick($self->values(
		qq{SELECT format('%I.%I', nspname, typname) FROM pg_type t
		   JOIN pg_namespace n ON n.oid = typnamespace
		   WHERE typtype = ANY (string_to_array('$kinds', NULL))
		   AND t.oid >= 16384 AND (typrelid = 0 OR EXISTS (SELECT FROM pg_class
		    WHERE oid = typrelid AND relkind = 'c')) ORDER BY t.oid}));
}

sub schema
{
	my ($self) = @_;

	return $self->pick($self->values(
		q{SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
		  AND nspname <> 'information_schema' ORDER BY oid}));
}

sub literal
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	return "'$text'";
}

# A new name in a schema.
sub qualified
{
	my ($self, $beginning) = @_;

	return ($self->random(4) ? 'public' : $self->schema) . '.'
	  . $self->name($beginning);
}

# A default of the column's type.
sub default
{
	my ($self, $type) = @_;
	my %default = (
		int => [ '7', '-1', '(1 + 2)' ],
		bigint => ['12345678901'],
		text => [ "'x'", "'it''s'", "lower('A')", 'current_user' ],
		'varchar(20)' => [ "'v'", "'a\\b'" ],
		'numeric(8,2)' => [ '1.5', '0' ],
		date => [ "'2020-01-02'", 'current_date' ],
		timestamptz => [ 'now()', "'2020-01-02 03:04:05+00'" ],
		boolean => [ 'true', 'false' ],
		'int[]' => ["'{1,2}'"],
		jsonb => [q{'{"a": [1, "b"]}'}],
		uuid => ["'00000000-0000-0000-0000-000000000001'"],
		float8 => [ '0.5', "'NaN'" ],
		mood => ["'a'"],
		positive => ['4'],
		'mood[]' => ["'{a,b}'"],
		'"char"' => ["'c'"],
	);

	return $self->pick(@{ $default{$type} || ['NULL'] });
}

sub column_definition
{
	my ($self) = @_;
	my $type = $self->pick(@TYPES);

	return $self->name('c') . " $type"
	  . ($self->random(3) ? '' : ' DEFAULT ' . $self->default($type));
}

# ---- Tables ----

form create_table => 5, sub {
	my ($self) = @_;

	return 'CREATE ' . ($self->random(8) ? '' : 'UNLOGGED ') . 'TABLE '
	  . $self->qualified('t') . ' (id bigint'
	  . $self->pick('', ' PRIMARY KEY', ' NOT NULL',
		' GENERATED ALWAYS AS IDENTITY', ' UNIQUE', ' DEFAULT 5')
	  . join('', map { ', ' . $self->column_definition } 1 .. $self->random(4))
	  . ($self->random(4) ? '' : ', CHECK (id > 0)') . ')'
	  . ($self->random(6) ? '' : ' WITH (fillfactor = 50)');
};
form create_serial => 1, sub {
	my ($self) = @_;

	return 'CREATE TABLE ' . $self->qualified('t') . ' (id serial PRIMARY KEY)';
};
form create_as => 1, sub {
	my ($self) = @_;

	return 'CREATE TABLE ' . $self->qualified('t') . ' AS SELECT * FROM '
	  . $self->table;
};
form create_like => 2, sub {
	my ($self) = @_;

	return 'CREATE TABLE ' . $self->qualified('l') . ' (LIKE ' . $self->table
	  . ' INCLUDING ALL)';
};
form create_inherits => 2, sub {
	my ($self) = @_;

	return 'CREATE TABLE ' . $self->qualified('h') . ' ('
	  . $self->pick('', 'a int', $self->column_definition,
		'id bigint DEFAULT 9')
	  . ') INHERITS (' . $self->plain_table('NOT relispartition') . ')';
};
form create_of => 1, sub {
	my ($self) = @_;

	return 'CREATE TABLE ' . $self->qualified('o') . ' OF ' . $self->type('c');
};
form drop_table => 3, sub {
	my ($self) = @_;

	return 'DROP TABLE ' . $self->table . $self->pick('', ' CASCADE');
};
form rename_table => 2, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' RENAME TO ' . $self->name('r');
};
form swap_tables => 2, sub {
	my ($self) = @_;
	my ($a, $b) = ($self->table, $self->table);
	my ($spare, $other) = ($self->name('x'), $self->name('y'));
	my %part = map { $_ => [ split_name($_) ] } $a, $b;

	die "the same\n" if $a eq $b || $part{$a}[0] ne $part{$b}[0];
	return "ALTER TABLE $a RENAME TO $spare;"
	  . " ALTER TABLE $b RENAME TO $part{$a}[1];"
	  . " ALTER TABLE $part{$a}[0].$spare RENAME TO $part{$b}[1]";
};
form drop_and_create => 1, sub {
	my ($self) = @_;
	my $table = $self->plain_table;

	return "DROP TABLE $table; CREATE TABLE $table (id bigint PRIMARY KEY, "
	  . $self->column_definition . ')';
};
form set_schema => 2, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' SET SCHEMA ' . $self->schema;
};
form options => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->plain_table . ' '
	  . $self->pick('SET (fillfactor = 70)', 'RESET (fillfactor)',
		'SET (autovacuum_enabled = off, fillfactor = 40)');
};
form persistence => 1, sub {
	my ($self) = @_;

	# The rows of a partitioned table are compared as a whole.
	return 'ALTER TABLE ' . $self->plain_table('NOT relispartition') . ' SET '
	  . $self->pick('LOGGED', 'UNLOGGED', 'LOGGED');
};
form row_security => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' '
	  . $self->pick('ENABLE', 'DISABLE', 'FORCE', 'NO FORCE')
	  . ' ROW LEVEL SECURITY';
};
form identity => 2, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' REPLICA IDENTITY '
	  . $self->pick('FULL', 'NOTHING', 'DEFAULT');
};
form identity_index => 2, sub {
	my ($self) = @_;
	my ($table, $index) = @{ $self->pick($self->{session}->rows(
		q{SELECT format('%I.%I', nspname, c.relname), quote_ident(i.relname)
		  FROM pg_index x JOIN pg_class c ON c.oid = indrelid
		  JOIN pg_class i ON i.oid = indexrelid
		  JOIN pg_namespace n ON n.oid = c.relnamespace
		  WHERE indrelid >= 16384 AND indisunique AND nspname !~ '^pg_'
		  ORDER BY i.oid})) };

	return "ALTER TABLE $table "
	  . $self->pick("REPLICA IDENTITY USING INDEX $index",
		"CLUSTER ON $index", 'SET WITHOUT CLUSTER');
};
form access_method => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->plain_table . ' SET ACCESS METHOD '
	  . $self->pick('heap', 'heap2');
};
form of_type => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->plain_table('reloftype <> 0') . ' NOT OF';
};

# ---- Columns ----

form add_column => 5, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' ADD COLUMN '
	  . $self->column_definition;
};
form add_column_not_null => 2, sub {
	my ($self) = @_;
	my $type = $self->pick(@TYPES);

	return 'ALTER TABLE ' . $self->table . ' ADD COLUMN ' . $self->name('c')
	  . " $type NOT NULL DEFAULT " . $self->default($type);
};
form add_column_volatile => 2, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' ADD COLUMN ' . $self->name('c')
	  . ' '
	  . $self->pick('float8 DEFAULT random()', 'serial',
		'uuid NOT NULL DEFAULT gen_random_uuid()',
		'int GENERATED ALWAYS AS IDENTITY',
		'bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT 3)');
};
form add_column_generated => 2, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD COLUMN " . $self->name('g')
	  . ' bigint GENERATED ALWAYS AS ('
	  . $self->column($table, 'atttypid IN (20, 23)') . ' * 2) STORED';
};
form add_column_virtual => 1, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD COLUMN " . $self->name('g')
	  . ' bigint GENERATED ALWAYS AS ('
	  . $self->column($table, 'atttypid IN (20, 23)') . ' * 2) VIRTUAL';
};
form add_same_name => 1, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD COLUMN " . $self->pick('a', 'b', 'k')
	  . ' ' . $self->pick(@TYPES);
};
# ONLY may leave CHECKs of children that the source calls inherited, from nobody:
# pg_dump does not dump them.
form drop_column => 4, sub {
	my ($self) = @_;
	my $table = $self->table;
	my $column = $self->column($table);
	my $only = $self->random(5) ? '' : 'ONLY ';

	die "inherited\n" if $only && $self->values(
		"SELECT 1 FROM pg_inherits JOIN pg_constraint ON conrelid = inhrelid
		  AND contype = 'c' AND coninhcount > 0
		  WHERE inhparent = '$table'::regclass LIMIT 1");
	return "ALTER TABLE $only$table DROP COLUMN $column"
	  . $self->pick('', ' CASCADE');
};
form rename_column => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table RENAME " . $self->column($table) . ' TO '
	  . $self->name('k');
};
form swap_columns => 2, sub {
	my ($self) = @_;
	my $table = $self->table;
	my ($a, $b) = ($self->column($table), $self->column($table));
	my $spare = $self->name('s');

	die "the same\n" if $a eq $b;
	return "ALTER TABLE $table RENAME $a TO $spare;"
	  . " ALTER TABLE $table RENAME $b TO $a;"
	  . " ALTER TABLE $table RENAME $spare TO $b";
};
form drop_and_add => 2, sub {
	my ($self) = @_;
	my $table = $self->table;
	my $column = $self->column($table);

	return "ALTER TABLE $table DROP COLUMN $column CASCADE;"
	  . " ALTER TABLE $table ADD COLUMN $column " . $self->pick(@TYPES);
};
form alter_type => 3, sub {
	my ($self) = @_;
	my $table = $self->table;
	my $column = $self->column($table);
	my $type = $self->pick('text', 'bigint', 'numeric', 'varchar',
		'varchar(50)', 'int', 'mood', 'text COLLATE "C"', 'timestamp');
	my ($plain) = $type =~ /^(\S+)/;

	return "ALTER TABLE $table ALTER $column DROP DEFAULT, "
	  . "ALTER $column TYPE $type USING $column\::text::$plain";
};
form alter_type_plain => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER " . $self->column($table) . ' TYPE '
	  . $self->pick('text', 'bigint', 'numeric', 'varchar', 'timestamptz');
};
form set_default => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return 'ALTER TABLE ' . $self->pick('', '', 'ONLY ') . "$table ALTER "
	  . $self->column($table) . ' SET DEFAULT '
	  . $self->pick('1', "'a'", 'now()', "nextval('q1')");
};
form drop_default => 2, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER " . $self->column($table)
	  . ' DROP DEFAULT';
};
form not_null => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER " . $self->column($table) . ' '
	  . $self->pick('SET', 'DROP') . ' NOT NULL';
};
form column_identity => 2, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER "
	  . $self->column($table, 'atttypid IN (20, 23)') . ' '
	  . $self->pick('ADD GENERATED BY DEFAULT AS IDENTITY',
		'DROP IDENTITY IF EXISTS', 'SET GENERATED ALWAYS',
		'SET INCREMENT 7', 'DROP DEFAULT');
};
form drop_expression => 1, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER "
	  . $self->column($table, "attgenerated <> ''") . ' DROP EXPRESSION';
};
form set_expression => 1, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER "
	  . $self->column($table, "attgenerated <> ''")
	  . ' SET EXPRESSION AS ('
	  . $self->column($table, "atttypid IN (20, 23) AND attgenerated = ''")
	  . ' * 3)';
};
form column_settings => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ALTER " . $self->column($table) . ' '
	  . $self->pick('SET STATISTICS 100', 'SET STATISTICS -1',
		'SET STORAGE EXTERNAL', 'SET STORAGE MAIN', 'SET STORAGE EXTENDED',
		'SET COMPRESSION pglz', 'SET COMPRESSION default',
		'SET (n_distinct = 5)', 'RESET (n_distinct)');
};

# ---- Constraints and indexes ----

form check => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD CONSTRAINT " . $self->name('k')
	  . ' CHECK (' . $self->column($table) . ' IS NULL OR true)'
	  . $self->pick('', '', ' NOT VALID', ' NO INHERIT', ' NOT ENFORCED');
};
form named_not_null => 1, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD CONSTRAINT " . $self->name('n')
	  . ' NOT NULL ' . $self->column($table)
	  . $self->pick('', '', ' NOT VALID', ' NO INHERIT');
};
form alter_constraint => 1, sub {
	my ($self) = @_;
	my ($table, $name) = $self->constraint('cfn');

	return "ALTER TABLE $table ALTER CONSTRAINT $name "
	  . $self->pick('ENFORCED', 'NOT ENFORCED', 'INHERIT', 'NO INHERIT');
};
form unique => 2, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD CONSTRAINT " . $self->name('u')
	  . ' UNIQUE (' . $self->column($table, "attname = 'id'") . ', '
	  . $self->column($table, "attname <> 'id'") . ')'
	  . $self->pick('', '', ' DEFERRABLE', ' WITH (fillfactor = 60)');
};
form primary_key => 2, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD PRIMARY KEY ("
	  . $self->column($table, "attname = 'id'") . ')';
};
form exclude => 1, sub {
	my ($self) = @_;
	my $table = $self->plain_table;

	return "ALTER TABLE $table ADD CONSTRAINT " . $self->name('e')
	  . ' EXCLUDE (' . $self->column($table) . ' WITH =) WHERE (false)';
};
form foreign_key => 3, sub {
	my ($self) = @_;
	my $table = $self->table;

	return "ALTER TABLE $table ADD COLUMN " . $self->name('f')
	  . ' bigint REFERENCES ' . $self->table
	  . $self->pick('', ' ON DELETE CASCADE', ' DEFERRABLE INITIALLY DEFERRED');
};
form foreign_key_not_valid => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->plain_table . ' ADD FOREIGN KEY (id)'
	  . ' REFERENCES ' . $self->table . ' NOT VALID';
};
form alter_foreign_key => 1, sub {
	my ($self) = @_;
	my ($table, $name) = $self->constraint('f');

	return "ALTER TABLE $table ALTER CONSTRAINT $name "
	  . $self->pick('DEFERRABLE', 'NOT DEFERRABLE', 'INITIALLY DEFERRED');
};
form validate => 1, sub {
	my ($self) = @_;
	my ($table, $name) = $self->constraint('cf');

	return "ALTER TABLE $table VALIDATE CONSTRAINT $name";
};
form rename_constraint => 2, sub {
	my ($self) = @_;
	my ($table, $name) = $self->constraint('cfpux');

	return "ALTER TABLE $table RENAME CONSTRAINT $name TO " . $self->name('n');
};
form drop_constraint => 2, sub {
	my ($self) = @_;
	my ($table, $name) = $self->constraint('cfpux');

	return "ALTER TABLE $table DROP CONSTRAINT $name"
	  . $self->pick('', ' CASCADE');
};
form create_index => 4, sub {
	my ($self) = @_;
	my $table = $self->table;

	return 'CREATE INDEX ' . $self->name('i') . ' ON '
	  . ($self->random(8) ? '' : 'ONLY ') . "$table ("
	  . $self->column($table) . $self->pick('', ' DESC', ' NULLS FIRST') . ')'
	  . $self->pick('', '', ' WHERE true', ' WITH (fillfactor = 80)');
};
form create_index_expression => 1, sub {
	my ($self) = @_;
	my $table = $self->table;

	return 'CREATE INDEX ' . $self->name('i') . " ON $table (("
	  . $self->column($table) . ' IS NULL), '
	  . $self->column($table) . ')';
};
form unique_index => 2, sub {
	my ($self) = @_;
	my $table = $self->table;

	return 'CREATE UNIQUE INDEX ' . $self->name('i') . " ON $table ("
	  . $self->column($table, "attname = 'id'") . ', '
	  . $self->column($table) . ')';
};
form using_index => 2, sub {
	my ($self) = @_;
	my ($table, $index) = @{ $self->pick($self->{session}->rows(
		q{SELECT format('%I.%I', nspname, c.relname), quote_ident(i.relname)
		  FROM pg_index x JOIN pg_class c ON c.oid = indrelid
		  JOIN pg_class i ON i.oid = indexrelid
		  JOIN pg_namespace n ON n.oid = c.relnamespace
		  WHERE indrelid >= 16384 AND indisunique AND nspname !~ '^pg_'
		  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid)
		  ORDER BY i.oid})) };

	return "ALTER TABLE $table ADD CONSTRAINT " . $self->name('n')
	  . $self->pick(' UNIQUE', ' PRIMARY KEY') . " USING INDEX $index";
};
form rename_index => 2, sub {
	my ($self) = @_;

	return 'ALTER INDEX ' . $self->index . ' RENAME TO ' . $self->name('j');
};
form index_options => 1, sub {
	my ($self) = @_;

	return 'ALTER INDEX ' . $self->index . ' '
	  . $self->pick('SET (fillfactor = 66)', 'RESET (fillfactor)');
};
form drop_index => 2, sub {
	my ($self) = @_;

	return 'DROP INDEX ' . $self->index;
};
form reindex => 1, sub {
	my ($self) = @_;

	return 'REINDEX INDEX ' . $self->index;
};

# ---- Partitions and children ----

form create_partitioned => 2, sub {
	my ($self) = @_;
	my $name = $self->name('p');
	my $first = $self->name('q');

	return "CREATE TABLE $name (id bigint NOT NULL, k int DEFAULT 3, v text"
	  . $self->pick('', ', PRIMARY KEY (id)', ', CHECK (k > 0)')
	  . ') PARTITION BY RANGE (id);'
	  . " CREATE TABLE $first PARTITION OF $name FOR VALUES FROM (0) TO (1000);"
	  . $self->pick('', " INSERT INTO $name VALUES (1), (2)");
};
form create_partition => 2, sub {
	my ($self) = @_;
	my $from = 1000 * (1 + $self->random(1000));

	return 'CREATE TABLE ' . $self->qualified('q') . ' PARTITION OF '
	  . $self->pick($self->relations('p'))
	  . " FOR VALUES FROM ($from) TO (" . ($from + 1000) . ')'
	  . $self->pick('', '', ' PARTITION BY RANGE (id)');
};
form attach_new => 2, sub {
	my ($self) = @_;
	my $from = 1000 * (1 + $self->random(1000));
	my $parent = $self->pick($self->relations('p'));
	my $name = $self->name('q');

	return "CREATE TABLE $name (LIKE $parent INCLUDING "
	  . $self->pick('ALL', 'DEFAULTS INCLUDING CONSTRAINTS') . ');'
	  . " ALTER TABLE $parent ATTACH PARTITION $name"
	  . " FOR VALUES FROM ($from) TO (" . ($from + 1000) . ')';
};

# A partition, its parent and its bound.
sub partition
{
	my ($self) = @_;

	return @{ $self->pick($self->{session}->rows(
		q{SELECT format('%I.%I', n.nspname, c.relname),
		   format('%I.%I', m.nspname, p.relname),
		   pg_get_expr(c.relpartbound, c.oid)
		  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
		  JOIN pg_class p ON p.oid = inhparent
		  JOIN pg_namespace n ON n.oid = c.relnamespace
		  JOIN pg_namespace m ON m.oid = p.relnamespace
		  WHERE c.relispartition AND c.relkind IN ('r', 'p') ORDER BY c.oid})) };
}
form detach => 2, sub {
	my ($self) = @_;
	my ($child, $parent) = $self->partition;

	return "ALTER TABLE $parent DETACH PARTITION $child";
};
form attach_again => 1, sub {
	my ($self) = @_;
	my ($child, $parent, $bound) = $self->partition;

	return "ALTER TABLE $parent DETACH PARTITION $child;"
	  . " ALTER TABLE $parent ATTACH PARTITION $child $bound";
};
form attach_index => 1, sub {
	my ($self) = @_;
	my ($parent, $child) = @{ $self->pick($self->{session}->rows(
		q{SELECT format('%I.%I', n.nspname, p.relname),
		   format('%I.%I', m.nspname, c.relname)
		  FROM pg_index px JOIN pg_class p ON p.oid = px.indexrelid
		  JOIN pg_namespace n ON n.oid = p.relnamespace
		  JOIN pg_inherits ON inhparent = px.indrelid
		  JOIN pg_index cx ON cx.indrelid = inhrelid
		  JOIN pg_class c ON c.oid = cx.indexrelid
		  JOIN pg_namespace m ON m.oid = c.relnamespace
		  WHERE p.relkind = 'I' AND NOT c.relispartition
		  ORDER BY p.oid, c.oid})) };

	return "ALTER INDEX $parent ATTACH PARTITION $child";
};
form inherit => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->plain_table . ' INHERIT '
	  . $self->plain_table;
};
form no_inherit => 1, sub {
	my ($self) = @_;
	my ($child, $parent) = @{ $self->pick($self->{session}->rows(
		q{SELECT format('%I.%I', n.nspname, c.relname),
		   format('%I.%I', m.nspname, p.relname)
		  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
		  JOIN pg_class p ON p.oid = inhparent
		  JOIN pg_namespace n ON n.oid = c.relnamespace
		  JOIN pg_namespace m ON m.oid = p.relnamespace
		  WHERE NOT c.relispartition AND c.relkind = 'r' ORDER BY c.oid})) };

	return "ALTER TABLE $child NO INHERIT $parent"
	  . $self->pick('', "; ALTER TABLE $child INHERIT $parent");
};

# ---- Schemas, types, sequences ----

form create_schema => 1, sub {
	my ($self) = @_;

	return 'CREATE SCHEMA ' . $self->name('s');
};
form rename_schema => 1, sub {
	my ($self) = @_;

	return 'ALTER SCHEMA '
	  . $self->pick(grep { $_ ne 'public' } map { $self->schema } 1 .. 5)
	  . ' RENAME TO ' . $self->name('s');
};
form drop_schema => 1, sub {
	my ($self) = @_;

	return 'DROP SCHEMA '
	  . $self->pick(grep { $_ ne 'public' } map { $self->schema } 1 .. 5)
	  . $self->pick('', '', '', ' CASCADE');
};
form create_enum => 1, sub {
	my ($self) = @_;
	my $name = $self->qualified('e');

	return "CREATE TYPE $name AS ENUM ('a', 'b'); CREATE TABLE "
	  . $self->name('t') . " (e $name DEFAULT 'a', f $name\[])";
};
form add_label => 2, sub {
	my ($self) = @_;

	return 'ALTER TYPE ' . $self->type('e') . ' ADD VALUE '
	  . literal($self->name('v')) . $self->pick('', " BEFORE 'a'", " AFTER 'a'");
};
form rename_label => 1, sub {
	my ($self) = @_;

	return 'ALTER TYPE ' . $self->type('e') . " RENAME VALUE 'b' TO "
	  . $self->pick("'b2'", literal($self->name('w')));
};
form rename_type => 1, sub {
	my ($self) = @_;
	my $type = $self->type('edc');

	die "used by forms\n" if $type =~ /\.(mood|positive|pair)$/;
	return "ALTER TYPE $type "
	  . ($self->random(2)
		? 'RENAME TO ' . $self->name('y')
		: 'SET SCHEMA ' . $self->schema);
};
form use_type => 2, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' ADD COLUMN ' . $self->name('c')
	  . ' ' . $self->type('edc') . $self->pick('', '[]');
};
form drop_type => 1, sub {
	my ($self) = @_;
	my $type = $self->type('edc');

	die "used by forms\n" if $type =~ /\.(mood|positive|pair)$/;
	return "DROP TYPE $type" . $self->pick('', ' CASCADE');
};
form create_domain => 1, sub {
	my ($self) = @_;

	return 'CREATE DOMAIN ' . $self->qualified('d') . ' AS '
	  . $self->pick(@TYPES) . $self->pick('', ' CHECK (value IS NOT NULL)');
};
form alter_domain => 2, sub {
	my ($self) = @_;

	return 'ALTER DOMAIN ' . $self->type('d') . ' '
	  . $self->pick('SET NOT NULL', 'DROP NOT NULL', 'SET DEFAULT NULL',
		'DROP DEFAULT',
		'ADD CONSTRAINT ' . $self->name('k') . ' CHECK (value IS NULL OR true)',
		'ADD CHECK (true) NOT VALID');
};
form drop_domain_check => 1, sub {
	my ($self) = @_;
	my ($domain, $name) = @{ $self->pick($self->{session}->rows(
		q{SELECT format('%I.%I', nspname, typname), quote_ident(conname)
		  FROM pg_constraint k JOIN pg_type t ON t.oid = contypid
		  JOIN pg_namespace n ON n.oid = typnamespace WHERE t.oid >= 16384
		  ORDER BY k.oid})) };

	return "ALTER DOMAIN $domain "
	  . $self->pick("DROP CONSTRAINT $name",
		"RENAME CONSTRAINT $name TO " . $self->name('n'));
};
form create_composite => 1, sub {
	my ($self) = @_;

	return 'CREATE TYPE ' . $self->qualified('o') . ' AS (x int, y '
	  . $self->pick(@TYPES) . ', z ' . $self->type('edc') . ')';
};
form alter_composite => 2, sub {
	my ($self) = @_;
	my $type = $self->type('c');

	return "ALTER TYPE $type "
	  . $self->pick('ADD ATTRIBUTE ' . $self->name('w') . ' int',
		'RENAME ATTRIBUTE x TO ' . $self->name('w'),
		'DROP ATTRIBUTE y', 'ALTER ATTRIBUTE x TYPE bigint',
		'ADD ATTRIBUTE y text')
	  . ' CASCADE';
};
form create_sequence => 1, sub {
	my ($self) = @_;

	return 'CREATE ' . $self->pick('', '', 'UNLOGGED ') . 'SEQUENCE '
	  . $self->qualified('q') . ' AS ' . $self->pick('int', 'bigint')
	  . $self->pick('', ' INCREMENT -2', ' CACHE 5 CYCLE MINVALUE 3');
};
form alter_sequence => 2, sub {
	my ($self) = @_;

	return 'ALTER SEQUENCE ' . $self->pick($self->relations('S')) . ' '
	  . $self->pick('INCREMENT 4', 'CACHE 3', 'CYCLE', 'NO CYCLE', 'START 9',
		'MAXVALUE 1000', 'OWNED BY NONE', 'AS bigint', 'SET UNLOGGED',
		'SET LOGGED', 'RENAME TO ' . $self->name('z'));
};
form own_sequence => 1, sub {
	my ($self) = @_;
	my $table = $self->plain_table;

	return 'ALTER SEQUENCE ' . $self->pick($self->relations('S'))
	  . " OWNED BY $table." . $self->column($table);
};
form drop_sequence => 1, sub {
	my ($self) = @_;

	return 'DROP SEQUENCE '
	  . $self->pick(grep { $_ ne 'public.q1' } $self->relations('S'))
	  . $self->pick('', ' CASCADE');
};
form use_sequence => 1, sub {
	my ($self) = @_;

	return 'ALTER TABLE ' . $self->table . ' ADD COLUMN ' . $self->name('c')
	  . ' bigint DEFAULT nextval('
	  . literal($self->pick($self->relations('S'))) . ')';
};

# "schema"."name" in its parts, which may be quoted.
sub split_name
{
	my ($name) = @_;

	$name =~ /^("(?:[^"]|"")*"|[^".]+)\.(.*)$/ or die "no name: $name\n";
	return ($1, $2);
}

1;
