# Types of columns, with values of them.
#
# Each is a hash:
#
#     name      what the others call it by
#     sql       as in CREATE TABLE
#     of        an expression that makes a value of it from an integer: # stands
#               for that
#     special   expressions of values that are at some edge
#     is_key    it may be in a key
#     literal   a literal of it from an integer, for row filters, which take
#               no casts; those of most types may not stand in one
#     wider     what the target's column may be instead: its type => how the
#               source's text becomes a value of it (see widened())
#
#     twins     two values that are equal and not identical, such as 1.0 and 1.00
package Rows::Types;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK =
  qw(types type_named types_ddl own_type_ddl extensions value_of literal_of
  widened);

# What of our own the types below are made of.
my $DDL = <<'END';
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'it''s "odd"');
CREATE DOMAIN amount AS numeric(12,3) CHECK (VALUE > -1000000000);
CREATE DOMAIN short AS varchar(12);
CREATE DOMAIN whole AS integer NOT NULL CHECK (VALUE > -1000000000);
CREATE DOMAIN mood_domain AS mood;
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE nested AS (p pair, moods mood[], at timestamptz);
CREATE TYPE floats AS RANGE (subtype = float8, subtype_diff = float8mi);
END

my @EXTENSIONS = qw(citext hstore ltree);

my $MD5 = 'md5((#)::text)';
my $LARGE = "(SELECT string_agg(md5((#)::text || i), '') "
  . 'FROM generate_series(1, 180) i)';
my $COMPRESSIBLE = "repeat('long ' || #, 1500)";

my @TYPES = (
	# Numbers.
	[ 'smallint', '(#) % 30000', [qw(-32768 32767 0)],
		key => 1, literal => '%d', wider => [qw(integer bigint numeric)] ],
	[ 'integer', '#', [qw(-2147483648 2147483647 0)],
		key => 1, literal => '%d', weight => 4, wider => [qw(bigint numeric)] ],
	[ 'bigint', '(#)::bigint * 1000003', [qw(-9223372036854775808
		9223372036854775807)],
		key => 1, literal => '%d000003', weight => 2, wider => [qw(numeric)] ],
	[ 'numeric', '(#) * 1.10',
		[qw(1.0 1.00 1 0 0.00 -0.000 1e-30 1e60 'NaN')], key => 1, literal => '%d.5',
		twins => [ '1.0', '1.00' ] ],
	[ 'numeric(10,2)', '(#) * 0.25', [qw(0 -0.01 99999999.99)],
		key => 1, literal => '%d.25', wider => ['numeric'] ],
	[ 'real', '(#) * 0.1', [qw(0 '-0' 'NaN' 'Infinity' 1e-40 3.4e38)],
		wider => ['double precision'] ],
	[ 'double precision', '(#) * 0.1',
		[qw(0 '-0' 'NaN' '-Infinity' 1e-310 0.1)], key => 1,
		twins => [ q('0'), q('-0') ] ],
	[ 'money', '(#) * 0.01', [qw(0::money '-1'::money)] ],
	[ 'boolean', '(#) % 2 = 0', [qw(true false)], key => 1, literal => 'true' ],
	[ 'oid', '(#)::bigint', [qw(0 4294967295)] ],

	# Texts.
	[ 'text', "'text ' || (#)::text",
		[ q(''), q(' '), q('it''s "odd" \\ back'), q(E'a\tb\nc\\\\N\r'),
			q('äöü€😀'), q('NULL'), q('{}'), q('a '), $COMPRESSIBLE ],
		key => 1, literal => "'text %d'", weight => 3 ],
	[ 'varchar(20)', "'varying ' || (#)::text", [ q(''), q('x   '), q('01') ],
		key => 1, literal => "'varying %d'", wider => [ 'text', 'varchar(40)' ] ],
	[ 'char(5)', "'c' || (#) % 1000", [ q(''), q('a'), q('12345') ],
		key => 1, wider => ['char(8)'] ],
	[ '"char"', 'chr(65 + (#) % 26)', [ q(''), q('~') ] ],
	[ 'name', "'name ' || #", [ q(''), q('"') ] ],
	[ 'large', $LARGE, [ $COMPRESSIBLE, $LARGE =~ s/180/900/r, q('small') ],
		sql => 'text', weight => 3 ],
	[ 'external', $LARGE, [ $COMPRESSIBLE, q('small') ],
		sql => 'text', storage => 'EXTERNAL' ],

	# Bytes.
	[ 'bytea', "decode($MD5, 'hex')",
		[ q('\x'), q('\x00'), q('\x5c78ff'), q(decode(repeat('ab', 6000), 'hex')) ],
		key => 1 ],
	[ 'bit(8)', '((#) % 256)::bit(8)', [ q(B'00000000'), q(B'11111111') ] ],
	[ 'varbit', '((#) % 65536)::bit(16)', [ q(B''), q(B'0'), q(B'00') ] ],
	[ 'uuid', "$MD5\::uuid", [q('00000000-0000-0000-0000-000000000000')],
		key => 1, literal => "'%d000000-0000-0000-0000-000000000000'", weight => 2 ],

	# Times.
	[ 'date', "date '2000-01-01' + (#) % 100000",
		[ q('infinity'), q('-infinity'), q('0044-03-15 BC') ],
		key => 1, literal => "'2000-02-%02d'", wider => ['timestamp'] ],
	[ 'time', "time '00:00' + (#) * interval '1.001 s'",
		[ q('24:00:00'), q('00:00:00.000001') ] ],
	[ 'timetz', "timetz '00:00+02' + (#) * interval '1 s'",
		[ q('10:00+00'), q('12:00+02') ] ],
	[ 'timestamp', "timestamp '2001-01-01' + (#) * interval '1.000001 h'",
		[ q('infinity'), q('4713-01-01 00:00:00 BC') ], key => 1, literal => "'2001-01-02 00:00:%02d'" ],
	[ 'timestamptz', "timestamptz '2001-01-01 00:00+00' + (#) * interval '1 h'",
		[ q('-infinity'), q('1900-01-01 00:00:00+00') ],
		key => 1, weight => 2 ],
	[ 'interval', "(#) * interval '1 h'",
		[ q('1 day'), q('24:00:00'), q('1 mon'), q('30 days'), q('-1 year') ],
		key => 1,
		twins => [ q('1 day'), q('24:00:00') ] ],

	# Structures.
	[ 'json', "json_build_object('k', #)",
		[ q('null'), q('{"a": 1, "a":2}'), q(' [1.0,  1] ') ] ],
	[ 'jsonb', "jsonb_build_object('k', #)",
		[ q('null'), q('1.0'), q('1.00'), q('{"a": {"b": [1, null]}}') ],
		weight => 2,
		twins => [ q('{"v": 1.0}'), q('{"v": 1.00}') ] ],
	[ 'integer[]', 'ARRAY[#, (#) % 7, NULL]',
		[ q('{}'), q('[0:1]={1,2}'), q('{{1,2},{3,4}}'), q('{NULL}') ],
		key => 1 ],
	[ 'text[]', "ARRAY['e' || #, NULL, '']",
		[ q('{}'), q('{"NULL",NULL,"a,b","\""}') ] ],
	[ 'int4range', 'int4range((#), (#) + 10)',
		[ q('empty'), q('(,)'), q('[5,5]') ], key => 1 ],
	[ 'tstzrange',
		"tstzrange(timestamptz '2001-01-01' + (#) * interval '1 h', NULL)",
		[ q('empty'), q('(,)') ] ],
	[ 'point', 'point((#), (#) * 0.1)', [q('(-0,0)')] ],
	[ 'tsvector', "to_tsvector('simple', 'word ' || #)", [q('')] ],
	[ 'inet', "inet '10.0.0.0' + (#)",
		[ q('10.0.0.1/8'), q('::1'), q('10.0.0.1'), q('10.0.0.1/32') ],
		key => 1, literal => "'10.0.0.%d'", wider => ['text'] ],
	[ 'cidr', "set_masklen(inet '10.0.0.0' + (#) % 65536, 32)::cidr",
		[ q('10.0.0.0/8'), q('::/0') ] ],
	[ 'macaddr', "('08:00:2b:01:02:' || lpad(to_hex((#) % 256), 2, '0'))::macaddr",
		[] ],
	[ 'pg_lsn', "'0/0'::pg_lsn + (#)", [q('FFFFFFFF/FFFFFFFF')] ],

	# Our own.
	[ 'mood', "(ARRAY['sad', 'ok', 'happy', 'it''s \"odd\"'])[1 + (#) % 4]::mood",
		[q('ok')], key => 1, wider => ['text'] ],
	[ 'mood[]', "ARRAY['sad', (ARRAY['ok', 'happy'])[1 + (#) % 2]]::mood[]",
		[ q('{}'), q('{NULL,ok}') ] ],
	[ 'mood_domain', "(ARRAY['sad', 'ok'])[1 + (#) % 2]::mood", [q('happy')] ],
	[ 'amount', '(#) * 1.5', [qw(0 0.001)], key => 1 ],
	[ 'short', "'short ' || (#) % 100000", [ q(''), q('a  ') ], key => 1 ],
	[ 'whole', '#', [qw(0 -1)], key => 1, notnull => 1 ],
	[ 'pair', "ROW(#, 'b' || #)::pair",
		[ q(ROW(NULL, NULL)), q(ROW(1, NULL)), q(ROW(NULL, '')) ], key => 1,
		twins => [ 'NULL', q(ROW(NULL, NULL)) ] ],
	[ 'pair[]', "ARRAY[ROW(#, 'b')::pair, NULL]", [q('{}')] ],
	[ 'nested',
		"ROW(ROW(#, NULL), '{sad,ok}', '2001-01-01 00:00+00')::nested",
		[ q(ROW(NULL, NULL, NULL)), q(ROW(ROW(NULL, NULL), '{}', NULL)) ] ],
	[ 'floats', 'floats((#), (#) + 0.5)', [ q('empty'), q('[0,0]') ] ],

	# Those of extensions.
	[ 'citext', "(ARRAY['Abc', 'abc', 'ABC'])[1 + (#) % 3] || (#) / 3",
		[ q(''), q('X'), q('x') ], key => 1, extension => 'citext',
		twins => [ q('Abc'), q('aBC') ] ],
	[ 'hstore', "hstore('k', (#)::text)", [ q(''), q('a=>NULL') ],
		extension => 'hstore' ],
	[ 'ltree', "('top.l' || #)::ltree", [ q(''), q('a.b.c') ],
		key => 1, extension => 'ltree' ],
);

my %by_name;

for (@TYPES)
{
	my ($name, $of, $special, %more) = @$_;

	$by_name{$name} = {
		name => $name,
		sql => $more{sql} || $name,
		of => $of,
		special => $special,
		is_key => $more{key},
		literal => $more{literal},
		is_notnull => $more{notnull},
		storage => $more{storage},
		wider => $more{wider} || [],
		weight => $more{weight} || 1,
		extension => $more{extension},
		twins => $more{twins},
		has_hash => $name ne 'ltree',
	};
}

# As often in the list as it should be taken.
sub types
{
	my ($is_wanted) = @_;

	return map { ($_) x $_->{weight} }
	  grep { $is_wanted->($_) } map { $by_name{ $_->[0] } } @TYPES;
}

sub type_named
{
	my ($name) = @_;

	return $by_name{$name} || die "there is no type \"$name\"\n";
}

sub types_ddl { return $DDL; }

# What makes a type of ours where a copy has left it out, as no table had a column
# of it; empty for the server's own.
sub own_type_ddl
{
	my ($type) = @_;
	my ($create) = $DDL =~ /^(CREATE (?:TYPE|DOMAIN) \Q$type->{name}\E .*)$/m
	  or return '';

	return "DO \$own\$ BEGIN IF to_regtype('$type->{name}') IS NULL THEN $create"
	  . ' END IF; END $own$; ';
}

sub extensions { return @EXTENSIONS; }

# An expression of this type from one that is an integer.
sub value_of
{
	my ($type, $integer) = @_;

	return "CAST(" . $type->{of} =~ s/#/$integer/gr . " AS $type->{sql})";
}

# A literal of this type for a number from 10 to 28.
sub literal_of
{
	my ($type, $number) = @_;

	return sprintf $type->{literal}, $number;
}

# What the target must have in a column of another type: what reading the
# value's text makes of it.
sub widened
{
	my ($column, $type) = @_;

	return "CASE WHEN num_nulls($column) = 0"
	  . " THEN CAST(format('%s', $column) AS $type) END";
}

1;
