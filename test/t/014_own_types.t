# Base types that users made, with and without functions for a binary form: of
# fixed width and not, passed by value and not, obeying settings and not.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

# Name, whose functions they are, and the binary form's.
my %type = (
	word => ['text', 'in', 'out'],
	sent_word => ['text', 'in', 'out', 'recv', 'send'],
	small => ['int4', 'in', 'out'],
	sent_small => ['int4', 'in', 'out', 'recv', 'send'],
	moment => ['timestamptz', '_in', '_out'],
	ratio => ['float8', 'in', 'out', 'recv', 'send'],
	token => ['uuid', '_in', '_out', '_recv', '_send']);

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE SCHEMA own');
$pair->source_sql(create_type($_, @{ $type{$_} })) for sort keys %type;
$pair->both_sql("ALTER DATABASE shop SET $_")
  for "datestyle = 'SQL, DMY'", 'extra_float_digits = -10',
  "timezone = 'Asia/Kathmandu'";
$pair->source_sql(<<'END');
CREATE TYPE own.pair AS (w own.word, m own.moment[]);
CREATE DOMAIN own.any_word AS own.sent_word
	CHECK (value::text <> 'never');
CREATE TABLE kept (id int PRIMARY KEY, w own.word, sw own.sent_word,
	s own.small, ss own.sent_small, m own.moment, r own.ratio, t own.token,
	p own.pair, d own.any_word, aw own.word[], ass own.sent_small[],
	am own.moment[], ar own.ratio[]);
CREATE TABLE keyless (LIKE kept);
ALTER TABLE keyless REPLICA IDENTITY FULL;
CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO kept SELECT n, ('w "' || n)::own.word, ('\' || n)::own.sent_word,
		n::text::own.small, (-n)::text::own.sent_small,
		('2026-10-25 00:00:00.000001+00'::timestamptz + n * interval '1h')::text
			::own.moment,
		(1 / n::float8)::text::own.ratio,
		md5(n::text)::own.token,
		format('("a,%s",{infinity})', n)::own.pair,
		('d' || n)::own.any_word, ARRAY[n::text, NULL, '{}', '']::own.word[],
		ARRAY[n::text]::own.sent_small[], '{}', '{NaN,-0,1e-300}'
	FROM generate_series(first, last) n;
	INSERT INTO kept (id) VALUES (1000 + first);
$$;
SELECT fill(1, 20);
INSERT INTO keyless SELECT * FROM kept;
INSERT INTO keyless SELECT * FROM kept WHERE id <= 3;
END

$pair->clone;
$pair->equal_ok('own base types, copied');

my $follower = $pair->start('follow');
$pair->source_sql('SELECT fill(21, 60)');
$pair->source_sql('INSERT INTO keyless SELECT * FROM kept WHERE id > 20');
$pair->source_sql(q(UPDATE kept SET w = 'new', ss = '7', ar = '{2}', m = '-infinity'
	WHERE id % 3 = 0));
$pair->source_sql(q(UPDATE keyless SET sw = 'new', r = '0.1', t = NULL
	WHERE id % 4 = 1));
$pair->source_sql('DELETE FROM keyless WHERE id % 5 = 0');
$pair->source_sql(
	q(DELETE FROM keyless WHERE ctid = (SELECT min(ctid) FROM keyless WHERE id = 2)));
$pair->wait_caught_up($follower);
$pair->equal_ok('own base types, followed');
is($pair->target_sql('SELECT count(*) FROM keyless WHERE id = 2'),
	1, 'of two rows that are alike one is deleted');
$pair->stop_ok($follower);

done_testing();

sub create_type
{
	my ($name, $like, @functions) = @_;
	my @roles = ('input', 'output', 'receive', 'send');
	my @arguments = ('cstring', "own.$name", 'internal', "own.$name");
	my @results = ("own.$name", 'cstring', "own.$name", 'bytea');
	my $sql = "SET client_min_messages = error; CREATE TYPE own.$name;\n";
	my $options = '';

	for my $i (0 .. $#functions)
	{
		$sql .= "CREATE FUNCTION own.${name}_$roles[$i]($arguments[$i])"
		  . " RETURNS $results[$i] LANGUAGE internal IMMUTABLE STRICT"
		  . " AS '$like$functions[$i]';\n";
		$options .= "$roles[$i] = own.${name}_$roles[$i], ";
	}
	$sql .= "CREATE TYPE own.$name (${options}LIKE = pg_catalog.$like);\n";
	# Other types are made into it by way of its text.
	$sql .= "CREATE CAST (text AS own.$name) WITH INOUT AS ASSIGNMENT;\n";
	return $sql;
}
