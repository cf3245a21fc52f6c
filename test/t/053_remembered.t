# A pipeline remembers what it is: options that decide what arrives are those of
# its clone and of its first follower, whatever later command lines leave out.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new(publish => '');


# ---- Publications ----

$pair->source_sql(<<'END');
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY);
CREATE PUBLICATION shop FOR TABLE mark, a;
CREATE PUBLICATION more FOR TABLE b;
CREATE PUBLICATION yet_more FOR TABLE c;
END
$pair->clone('--publications=shop,more');
is(remembered($pair), 'publications=shop,more ddl=follow',
	'a clone has its publications remembered');
$pair->source_sql('INSERT INTO b SELECT generate_series(1, 5)');
$pair->follow_to_end;
is($pair->target_sql('SELECT count(*) FROM b'),
	5, 'a follower that is not told uses the publications of the clone');
is( remembered($pair),
	join(' ',
		'publications=shop,more', 'origin=any',
		'apply=' . ($ENV{PENSTOCK_APPLY} // 'batch'), 'on-conflict=stop',
		'sequences=follow large-objects=off ddl=follow'),
	'the first follower decides how it is followed');

my $log = $pair->fails_like(1,
	qr/pipeline "shop" has another --publications than is given now/,
	'other publications are refused', 'follow', '--publications=shop,yet_more');
like($log, qr/It has --publications=shop,more; given is --publications=shop,yet_more/,
	'and both values are named');
$pair->fails_like(1, qr/has another --publications/,
	'so they are for single tables',
	'table', 'resync', 'a', '--publications=shop');
$pair->follow_to_end('--publications=shop,more');
pass('the same publications are not refused');

$pair->source_sql('INSERT INTO b VALUES (6)');
$pair->run_or_die('table', 'resync', 'b', '-q');
is($pair->target_sql('SELECT count(*) FROM b'),
	6, 'penstock table knows the publications, too');

$pair->target_sql('CREATE TABLE c (id integer PRIMARY KEY)');
my ($status, $output);
($status, $output, $log) = $pair->run('follow', '--set',
	'--publications=shop,more,yet_more', '--endpos=' . $pair->source_lsn);
is($status, 0, '--set changes the publications');
like($log, qr/it is from now on: publications=shop,more,yet_more/,
	'and says so');
like($log, qr/tables that are new in it are to be added with "penstock table add"/,
	'and what that means');
$pair->target_sql('DROP TABLE c');
$pair->run_or_die('table', 'add', 'c');
$pair->source_sql('INSERT INTO c VALUES (1)');
$pair->follow_to_end;
is($pair->target_sql('SELECT count(*) FROM c'),
	1, 'the change is remembered');


# ---- How it is followed ----

$pair->fails_like(1, qr/It has --origin=any; given is --origin=none/,
	'another origin is refused', 'follow', '--origin=none');
$pair->fails_like(1, qr/It has --on-conflict=stop; given is --on-conflict=skip/,
	'another policy is refused', 'follow', '--on-conflict=skip');
$pair->follow_to_end('--set', '--on-conflict=skip',
	'--on-conflict=public.a:overwrite');
$pair->source_sql('INSERT INTO b VALUES (7); INSERT INTO a VALUES (7)');
$pair->target_sql('INSERT INTO b VALUES (7)');
$pair->follow_to_end;
is($pair->target_sql('SELECT count(*) FROM penstock.conflict'),
	1, 'policies that were set are those of later followers');
like(remembered($pair),
	qr/on-conflict=skip on-conflict="public"\."a":overwrite sequences=follow large-objects=off ddl=follow$/,
	'each rule is remembered');
$pair->follow_to_end('--set', '--on-conflict=stop');
my $other = ($ENV{PENSTOCK_APPLY} // 'batch') eq 'batch' ? 'transaction' : 'batch';
$pair->fails_like(1, qr/another --apply/, 'another way to apply is refused',
	'follow', "--apply=$other");


# ---- What shows it ----

(undef, $output) = $pair->run('status');
like($output, qr/^options    publications=shop,more,yet_more$/m,
	'status shows what is remembered');
my $state = JSON::PP->new->decode(($pair->run('status', '--json'))[1]);
is($state->{options}[0], 'publications=shop,more,yet_more',
	'status --json, too');


# ---- A pipeline of an older version ----

$pair->target_sql('DROP TABLE penstock.pipeline, penstock.version');
($status, $output, $log) = $pair->run('follow',
	'--publications=shop,more', '--endpos=' . $pair->source_lsn);
is($status, 0, 'a pipeline without a memory is followed');
like($log, qr/now has the options of pipeline "shop", for commands to come: publications=shop,more,/,
	'what it is told then is remembered, and said');
$pair->run_or_die('drop');
is($pair->target_sql("SELECT count(*) FROM pg_namespace
	WHERE nspname = 'penstock'"), 1, 'conflicts stay behind');
is($pair->target_sql("SELECT to_regclass('penstock.pipeline') IS NULL"),
	't', 'drop removes what is remembered');


# ---- A clone that is interrupted ----

my $part = $pair->with_database('part', publish => '');
$part->source_sql(<<'END');
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY);
INSERT INTO a SELECT generate_series(1, 10);
CREATE PUBLICATION part FOR TABLE mark, a, b;
END
{
	local $ENV{PENSTOCK_FAULT} = 'clone.schema_restored';
	local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN};
	$part->run('clone', '--exclude-table=b', '--no-owner');
}
$part->fails_like(1, qr/was not finished/, 'a clone is killed', 'clone');
$part->run_or_die('clone', '--resume');
is($part->target_sql("SELECT to_regclass('b') IS NULL"),
	't', 'clone --resume knows what was left out');
is($part->target_sql('SELECT count(*) FROM a'), 10, 'and copies the rest');
like(remembered($part), qr/exclude-table=b no-owner/,
	'the pipeline remembers it');

done_testing();

sub remembered
{
	my ($pair) = @_;
	my $name = $pair->name;

	return $pair->target_sql("SELECT array_to_string(options, ' ')
		FROM penstock.pipeline WHERE pipeline = '$name'");
}
