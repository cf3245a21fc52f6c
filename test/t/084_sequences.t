# Sequences follow while the pipeline runs: those of the target are always beyond
# what the source has given out.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Session;

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

$pair->stop_ok($follower);
done_testing;
