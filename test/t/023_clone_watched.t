# What a clone says while it runs and when it is done, and what it compares.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $COLUMNS = 80;

my $pair = Penstock::Pair->new;

$pair->source_sql(<<'END');
CREATE TABLE large (id int PRIMARY KEY, a text, b text);
INSERT INTO large SELECT n, md5(n::text), repeat('x', 200)
  FROM generate_series(1, 200000) n;
CREATE FUNCTION slowly(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN IF id = 1 THEN PERFORM pg_sleep(1); END IF; RETURN id; END';
CREATE INDEX ON large (a);
CREATE INDEX large_slowly ON large (slowly(id));
CREATE TABLE "a table with a näme that is really very long, longer" (id int PRIMARY KEY);
INSERT INTO "a table with a näme that is really very long, longer" VALUES (1);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE parted (id int PRIMARY KEY, f float8, n numeric, t timestamptz)
	PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2);
INSERT INTO parted SELECT n, n / 3.0, n / 7.0, now() FROM generate_series(1, 100) n;
ANALYZE;
END

# In a log, and at the end.
my ($status, $output, $log) = $pair->run('clone', '--jobs=2', '--verify');
is($status, 0, 'a clone that is verified');
like($log, qr/comparing the tables with those on target/, 'it compares');
like($log, qr/\d+ tables have the same contents on target/, 'and says so');
unlike($log, qr/\033/, 'nothing for terminals is in a log');
my %line = map { /^(\S+) +(\d+) +([\d.]+) MB +([\d.]+) +([\d.]+)$/
	  ? ($1 => [ $2, $3, $4, $5 ]) : () } split /\n/, $output;
is($line{'public.large'}[0], 200000, 'the summary has rows');
cmp_ok($line{'public.large'}[1], '>', 40, 'and megabytes');
cmp_ok($line{'public.large'}[2], '>', 0, 'and seconds for the data');
cmp_ok($line{'public.large'}[3], '>', 0, 'and for the indexes');
is($line{'public.parted_0'}[0] + $line{'public.parted_1'}[0],
	100, 'of partitions, too');
like($output, qr/^7 tables +200103 /m, 'and of all tables together')
  or diag($output);
$pair->equal_ok('after a clone that was watched');

# On a terminal.
SKIP:
{
	skip 'script(1) is missing', 5 unless grep { -x "$_/script" } split /:/, $ENV{PATH};
	again();
	my $shown = "$PostgreSQL::Test::Utils::tmp_check/shown";
	my $command = join ' ', "stty cols $COLUMNS rows 30; exec",
	  map { "'" . s/'/'\\''/gr . "'" }
	  $pair->command('clone', '--jobs=2', '--max-rate=40MB/s');
	my $result = system('script', '--quiet', '--return', '--flush', '--command',
		$command, $shown);
	is($result >> 8, 0, 'a clone on a terminal');
	my $text = slurp_file($shown);
	utf8::decode($text);
	my @lines = grep { !/ (?:info|warning) |^Script |^\S+ {2,}/ }
	  split /[\r\n]+/, $text =~ s/\033\[\d*[A-Z]//gr;
	like($text, qr{\d+/7 tables, \d+ rows, \S+ [kM]?B, \d+ %, \S+ [kM]?B/s},
		'it shows how far the whole is');
	like($text, qr/ copy  public\.large +\d+ rows +\S+ [kM]?B +\d+ %/,
		'and how far each table is');
	like($text, qr/ build index public\.large_\w+ /, 'and the indexes');
	is(scalar(grep { length >= $COLUMNS } @lines), 0,
		"in less than $COLUMNS columns")
	  or diag(join "\n", grep { length >= $COLUMNS } @lines);
}

# For another program.
again();
my $slow = $pair->start('clone', '--max-rate=2MB');
my $running;
wait_until(
	'status to tell of a table',
	sub {
		my $status = JSON::PP->new->utf8->decode(
			($pair->run('status', '--json'))[1]);
		($running) = grep { $_->{table} eq 'large' || $_->{table} eq 'public.large' }
		  @{ ($status->{targets}[0]{clone} || {})->{running}{copying} || [] };
		return $running && $running->{rows} > 0;
	});
cmp_ok($running->{bytes}, '>', 0, 'status tells how far a table is');
my $text = ($pair->run('status'))[1];
like($text, qr/clone runs: \d+ of \d+ tables are copied, [1-9]\d* rows, about \d+ %/,
	'and people how far the whole is, unfinished tables too');
like($text, qr/^  "public"\."large": copying, [1-9]\d* rows, \d+ [kM]?B on the source$/m,
	'and each table');
my $clone = JSON::PP->new->utf8->decode(($pair->run('status', '--json'))[1])
  ->{targets}[0]{clone};
my ($large) = grep { $_->{name} eq 'large' } @{ $clone->{list} };
is($large->{state}, 'copying', 'for machines, too');
cmp_ok($clone->{rows}, '>', 0, 'with rows that are not committed yet');
cmp_ok($clone->{source_bytes_done}, '>', 0, 'and bytes');
$slow->end('KILL');
forget();

# Rows that the target does not take, or takes as something else.
again();
$pair->run_or_die('clone', '--schema-only');
$pair->target_sql(<<'END');
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id = 77 THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END$$;
CREATE TRIGGER meddle BEFORE INSERT ON large FOR EACH ROW EXECUTE FUNCTION meddle();
ALTER TABLE large ENABLE ALWAYS TRIGGER meddle;
END
$pair->fails_like(1,
	qr/target took \d+ of \d+ rows.*copying table "public"\."large"/s,
	'rows are counted on both sides', 'clone', '--data-only');
forget();
$pair->target_sql(<<'END');
TRUNCATE large, parent, child, parted, mark,
	"a table with a näme that is really very long, longer";
CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id = 77 THEN
		NEW.a = 'other';
	END IF;
	RETURN NEW;
END$$;
END
$pair->fails_like(1,
	qr/table "public"\."large" on target differs from the source.*200000 rows/s,
	'--verify compares contents', 'clone', '--data-only', '--verify');
$pair->fails_like(2, qr/--verify cannot be used with --schema-only/,
	'--verify without data', 'clone', '--schema-only', '--verify');

done_testing();

sub again
{
	$pair->recreate_target;
	$pair->source_sql('SELECT pg_drop_replication_slot(slot_name)
		FROM pg_replication_slots');
}

# Whatever a clone that failed has left to go on with.
sub forget
{
	$pair->target_sql('DROP SCHEMA IF EXISTS penstock CASCADE');
	$pair->source_sql('SELECT pg_drop_replication_slot(slot_name)
		FROM pg_replication_slots');
}
