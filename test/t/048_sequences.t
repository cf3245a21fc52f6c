# Sequences follow while the pipeline runs: those of the target are always beyond
# what the source has given out.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $pair = Penstock::Pair->new;

$pair->source_sql(<<'END');
CREATE SCHEMA "Odd one";
CREATE SEQUENCE plain;
CREATE SEQUENCE down INCREMENT BY -3 START -10;
CREATE SEQUENCE wide INCREMENT BY 10 CACHE 100;
CREATE SEQUENCE round MINVALUE 1 MAXVALUE 400 CYCLE;
CREATE SEQUENCE few AS smallint;
CREATE SEQUENCE never;
CREATE SEQUENCE "Odd one"."it's ""one""";
CREATE SEQUENCE going;
CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int);
CREATE TABLE one (id bigint PRIMARY KEY DEFAULT nextval('plain'));
CREATE TABLE two (id bigint PRIMARY KEY DEFAULT nextval('plain'));
SELECT nextval('few') FROM generate_series(1, 32000);
END
$pair->clone;

my $follower = $pair->start('follow', '--sequence-interval=1');
$follower->wait_log(qr/following with slot/);

my @ascending = ('plain', 'wide', 'always_id_seq', 'few',
	q("Odd one"."it's ""one"""));

# How far the target's is beyond the source's, in the direction of the sequence.
sub lead
{
	my ($name, $direction) = @_;
	my ($source, $target) = map {
		$pair->$_("SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END
			FROM $name") } qw(source_sql target_sql);

	return ($target - $source) * ($direction // 1);
}

sub draw
{
	my ($name, $count) = @_;

	$pair->source_sql("SELECT count(nextval('$name'))
		FROM generate_series(1, $count)");
}

# ---- All kinds ----

draw($_, 50) for 'plain', 'wide', 'down', 'round';
draw(q("Odd one"."it''s ""one"""), 50);
$pair->source_sql(<<'END');
INSERT INTO one DEFAULT VALUES;
INSERT INTO two DEFAULT VALUES;
INSERT INTO always (n) SELECT generate_series(1, 100);
END
for my $name (@ascending, 'never')
{
	wait_until("$name to be ahead", sub { lead($name) > 0 });
	pass("$name: the target's is beyond the source's");
}
wait_until('down to be ahead', sub { lead('down', -1) > 0 });
cmp_ok(lead('down', -1) % 3, '==', 0, 'a descending one stays in its steps');
cmp_ok(lead('plain'), '>=', 32, 'by no less than what a server logs in advance');
cmp_ok(lead('wide'), '>=', 1000, 'or a session caches');
is($pair->target_sql("SELECT is_called FROM few"), 't',
	'one that has few values left stays usable');
cmp_ok($pair->target_sql("SELECT nextval('few')"), '<=', 32767, 'with a value');


# ---- What may not be read, what comes and what goes ----

$pair->source_sql('DROP SEQUENCE going; CREATE SEQUENCE coming START 100');
$follower->wait_log(qr/warning sequences: sequence public\.coming is not on target/);
$pair->target_sql('CREATE SEQUENCE coming START 100');
draw('coming', 5);
wait_until('a new one to be followed', sub { lead('coming') > 0 });
pass('one that is made on both sides while it is followed is followed');
draw('plain', 5);
wait_until('plain to be ahead', sub { lead('plain') > 0 });
pass('one that was dropped keeps nobody from being followed');


# ---- It is never set back ----

$pair->target_sql("SELECT setval('plain', 1000000)");
my $rows = $pair->target_sql('SELECT count(*) FROM penstock.sequence');
draw('plain', 5);
draw('coming', 200);
wait_until('coming to be ahead', sub { lead('coming') > 0 });
is($pair->target_sql('SELECT last_value FROM plain'),
	1000000, 'one that is farther on the target stays so');
$pair->target_sql("SELECT setval('down', -1000000)");
draw('down', 5);
draw('coming', 200);
wait_until('coming to be ahead', sub { lead('coming') > 0 });
is($pair->target_sql('SELECT last_value FROM down'),
	-1000000, 'and so does a descending one');


# ---- Around and around ----

for my $turn (1 .. 12)
{
	draw('round', 60);
	my ($source, $target);
	wait_until(
		'round to be ahead',
		sub {
			($source) = $pair->source_sql('SELECT last_value FROM round');
			($target) = $pair->target_sql('SELECT last_value FROM round');
			my $ahead = ($target - $source) % 400;
			return $ahead > 0 && $ahead <= 101;
		});
}
pass('one that cycles is followed around');


# ---- Killed ----

for my $killed (qw(source follower source))
{
	draw($_, 500) for 'plain', 'coming', 'always_id_seq';
	if ($killed eq 'source')
	{
		$pair->source->stop('immediate');
		$pair->source->start;
	}
	else
	{
		$follower->end('KILL');
		$follower = $pair->start('follow', '--sequence-interval=1');
	}
	draw($_, 70) for 'plain', 'coming', 'always_id_seq';
	wait_until('all to be ahead', sub { lead('coming') > 0 && lead('always_id_seq') > 0 });
	pass("they go on when the $killed was killed");
}
$pair->stop_ok($follower);


# ---- The end of it ----

# Set, and not used yet: what comes next is beyond what is there.
$pair->source_sql("SELECT setval('never', 5000, false)");
draw('coming', 5000);
$pair->follow_to_end;
cmp_ok(lead($_), '>=', 0, "$_ is where the source's is at the end") for 'never', 'coming';

$follower = $pair->start('follow', '--sequence-interval=3600');
$follower->wait_log(qr/following with slot/);
wait_until('the first look', sub { lead('coming') > 0 });
draw('coming', 5000);
cmp_ok(lead('coming'), '<', 0, 'it is before the source');
$pair->run_or_die('fence', '--hold=1');
cmp_ok(lead('coming'), '>=', 0, 'until there is a fence');
draw('coming', 5000);
$pair->stop_ok($follower);


# ---- Roles ----

$pair->source_sql(<<'END');
CREATE ROLE reader LOGIN REPLICATION;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader;
REVOKE ALL ON SEQUENCE "few" FROM reader;
END
$pair->set_conninfo('source', $pair->source->connstr('shop') . ' user=reader');
$follower = $pair->start('follow', '--sequence-interval=1');
$follower->wait_log(qr/sequence public\.few on source: user "reader" may not read it, so it is not followed\n\s+hint: .*GRANT SELECT ON SEQUENCE public\.few TO "reader"/);
draw('coming', 5000);
wait_until('the others to be followed', sub { lead('coming') > 0 });
is(scalar(() = $follower->log =~ /sequence public\.few/g),
	1, 'one that may not be read is named, once');
$pair->stop_ok($follower);
$pair->set_conninfo('source', undef);
draw('coming', 100000);
like($pair->run_or_die('drop'), qr/^set \d+ sequences? on target/m,
	'drop brings them up a last time');
cmp_ok(lead('coming'), '>=', 0, 'to where the source is');

done_testing;
