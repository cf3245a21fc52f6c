# Changes of rows, in tables that a database has at the moment, whatever their
# columns are.
#
#     my $rows = Ddl::Rows->new($forms);
#     my $sql = $rows->next($largest);
#
# A statement may fail, as those of Ddl::Forms may.
package Ddl::Rows;

use strict;
use warnings;

# By the letter of pg_type.typcategory; one of them is taken.
my %VALUES = (
	N => [ '%d + g', '%d', '-g', '(%d + g) / 7' ],
	S => [ q{'v%d'}, q{'w' || g}, q{''}, q{repeat(md5((%d + g)::text), 9)},
		q{(SELECT string_agg(md5((i + g)::text), '') FROM generate_series(1, 99) i)} ],
	B => [ 'true', 'g %% 2 = 0' ],
	D => [ q{'2020-01-01'}, q{timestamp '2020-01-01' + g * interval '%d s'} ],
	E => [ q{'a'}, q{'b'} ],
	A => [q{'{}'}],
	U => ['NULL'],
);

my $SMALL = 5;

# Names and values are drawn by Ddl::Forms.
sub new
{
	my ($class, $forms) = @_;

	return bless { forms => $forms }, $class;
}

# So many rows at most; dies if there is nothing to choose from.
sub next
{
	my ($self, $largest) = @_;
	my $forms = $self->{forms};
	my $table = $forms->table;
	my $kind = $forms->pick(qw(insert insert insert update update delete));

	return $self->$kind($table, $forms->random(6) ? $SMALL : $largest);
}

# Name, type and category of each column that takes a value.
sub columns
{
	my ($self, $table) = @_;

	return $self->{forms}{session}->rows(
		q{SELECT quote_ident(attname), format_type(atttypid, atttypmod),
		   typcategory
		  FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
		  WHERE attrelid = } . Ddl::Forms::literal($table) . q{::regclass
		  AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
		  AND attidentity <> 'a' ORDER BY attnum});
}

sub value
{
	my ($self, $type, $category) = @_;
	my $forms = $self->{forms};
	my $value = $forms->random(9)
	  ? $forms->pick(@{ $VALUES{$category} || ['NULL'] })
	  : 'NULL';

	return 'CAST(' . sprintf($value, $forms->random(1000)) . " AS $type)";
}

sub insert
{
	my ($self, $table, $largest) = @_;
	my $forms = $self->{forms};
	my @columns = grep { $_->[0] eq 'id' || $forms->random(4) }
	  $self->columns($table);
	my $count = 1 + $forms->random($largest);

	return "INSERT INTO $table SELECT FROM generate_series(1, $count)"
	  unless @columns;
	return "INSERT INTO $table (" . join(', ', map { $_->[0] } @columns)
	  . ') SELECT '
	  . join(', ', map { $self->value($_->[1], $_->[2]) } @columns)
	  . " FROM generate_series(1, $count) g ON CONFLICT DO NOTHING";
}

# A condition that is true for some rows.
sub some
{
	my ($self, $largest) = @_;
	my $part = $largest > $SMALL ? 2 : 7;

	return "hashtext(x::text) % $part = " . $self->{forms}->random($part);
}

sub update
{
	my ($self, $table, $largest) = @_;
	my $column = $self->{forms}->pick($self->columns($table));

	return "UPDATE $table x SET $column->[0] = y.v FROM (SELECT "
	  . $self->value($column->[1], $column->[2])
	  . ' AS v FROM generate_series(1, 1) g) y WHERE '
	  . $self->some($largest);
}

sub delete
{
	my ($self, $table, $largest) = @_;

	return "TRUNCATE $table" unless $self->{forms}->random(12);
	return "DELETE FROM $table x WHERE " . $self->some($SMALL);
}

1;
