# What "penstock schema show" says of a database is what its catalogs have.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Objects qw(statements);
use Penstock::Pair;

my $json = JSON::PP->new->utf8->canonical;
my $pair = Penstock::Pair->new;
my $version_num = $pair->source_sql('SHOW server_version_num');

$pair->run_or_die('tail', '--create-slot', '--endpos=' . $pair->source_lsn);
$pair->source_sql($_) for statements($version_num);
my $end = $pair->source_lsn;
my %shown = shown();


# ---- What is told of ----

is(
	join(' ', sort keys %shown),
	join(' ',
		sort split /\n/,
		$pair->source_sql(<<'END')),
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END || ':'
		|| n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_'
	AND n.nspname <> 'information_schema'
UNION ALL SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'composite' END
		|| ':' || n.nspname || '.' || t.typname
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd') OR c.relkind = 'c') AND n.nspname !~ '^pg_'
	AND n.nspname <> 'information_schema'
UNION ALL SELECT 'schema:' || nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
END
	'it tells of all tables, sequences, types and schemas');


# ---- What is told ----

my $keyed = $shown{'table:public.keyed'};
my %constraint = map { $_->{name} => $_ } @{ $keyed->{constraints} };
my %index = map { $_->{name} => $_ } @{ $keyed->{indexes} };
is($constraint{Key}{definition}, 'PRIMARY KEY (id)', 'of a key its columns');
is($constraint{Key}{index}, $index{Key}{oid}, 'and its index');
is($index{Key}{constraint}, $constraint{Key}{oid}, 'and of that its key');
is($keyed->{replica_identity}, 'index', 'of a table its replica identity');
ok($index{Key}{replica_identity}, 'and the index that it is');
ok($index{both}{clustered}, 'and the index that it is clustered on');
is($constraint{late}{definition}, 'CHECK ((id <> 5)) NOT VALID',
	'a constraint is not valid');
ok(!$constraint{late}{validated}, 'and is not said to be');
is($constraint{system}{attnums}[0], 4294967290, 'a constraint on a system column has its number');
my $older = $shown{'table:public.older'};
my %column = map { $_->{name} => $_ } @{ $older->{columns} };
is($column{added}{missing_value}, q{it's, {"here"}}, 'what rows have that are older than a column');
is($column{corner}{missing_value}, '(1,2),(0,0)', 'of a type that has commas');
is($column{box}{missing_value}, '{(1,2),(0,0)}', 'and of its arrays');
is($column{empty}{missing_value}, '', 'an empty text is one');
ok(!exists $column{id}{missing_value}, 'and a column that was there has none');
is($column{flag}{attnum}, 7, 'columns keep their numbers');
is_deeply(
	[ map { $_->{label} // q{} } @{ $shown{'enum:depot.size'}{labels} } ],
	[ 'small', 'medium', "it's large", '' ],
	'labels are in their order');
is($shown{'table:public.whole_eu'}{bound}, q{FOR VALUES IN ('eu', NULL, 'it''s')}, 'of a partition its bound');
is($shown{'table:public.whole_eu'}{partition_key}, 'RANGE (id, region text_pattern_ops)', 'and how it is partitioned');
is($shown{'table:public.whole_eu'}{parents}[0], $shown{'table:public.whole'}{oid}, 'and what it is a part of');
is($shown{'sequence:public.serials_id_seq'}{owner_table}, $shown{'table:public.serials'}{oid}, 'of a sequence whose it is');
is_deeply($shown{'table:public.storage'}{columns}[2]{options}, [ 'n_distinct=5', 'n_distinct_inherited=-0.5' ],
	'of a column the options that somebody gave it');
is(scalar(grep { $_->{definition} =~ /^FOREIGN/ } @{ $shown{'table:depot.to_whole'}{constraints} }), 1,
	'a foreign key to a partitioned table is one');


# ---- The same as the source sends ----

my @lines = map { $json->decode($_) } split /\n/,
  $pair->run_or_die('tail', '--create-slot', '--schema-changes', "--endpos=$end");
my %sent;
for my $change (grep { $_->{operation} eq 'schema' } @lines)
{
	my $definition = $change->{defined} or next;

	$sent{ name_of($definition) } = $definition;
}
%shown = shown("--publications=shop");

# What was there before is not sent, and what is altered alone is sent alone.
for my $name (sort keys %shown)
{
	next if $name =~ /^(?:schema:public|\w+:public\.mark(?:_number_seq)?)$/;
	is($json->encode($sent{$name} // {}), $json->encode($shown{$name}),
		"$name is the same");
}
is(join(' ', grep { !$shown{$_} } sort keys %sent), '', 'nothing else is sent');


# ---- What is left out ----

ok(!(grep { /btree_gist|gbtreekey/ } keys %shown), 'nothing of an extension');
%shown = shown('--schema=depot', '--exclude-table=depot.ref*');
ok($shown{'enum:depot.size'} && $shown{'table:depot.to_whole'} && $shown{'schema:depot'},
	'a schema is chosen with what is in it');
ok(!(grep { /public|referring/ } keys %shown), 'and nothing else');
%shown = shown('--table=whole', '--table=serials');
is(join(' ', sort keys %shown),
	'sequence:public.serials_id_seq sequence:public.serials_other_seq'
	  . ' sequence:public.serials_tiny_seq table:public.serials table:public.whole'
	  . ' table:public.whole_eu table:public.whole_rest',
	'a table is chosen with its partitions and sequences');
my ($status, $stdout, $stderr) = $pair->run('schema');
is($status, 2, 'it wants a verb');
like($stderr, qr/no verb is given.*VERB is /s, 'and says which there are');

done_testing();

# By kind and name.
sub shown
{
	my ($status, $stdout, $stderr) = $pair->run('schema', @_ ? ('show', @_) : 'show');

	is($status, 0, 'it succeeds') or diag($stderr);
	my @definitions = map { $json->decode($_) } split /\n/, $stdout;
	return map { (name_of($_) => $_) } @definitions;
}

sub name_of
{
	my ($definition) = @_;

	return "$definition->{kind}:"
	  . ($definition->{schema} ? "$definition->{schema}." : '')
	  . $definition->{name};
}
