# Partitions by the hash of an enum have other rows on every server, because the
# hash is made of OIDs.  Through their root they are copied and followed; each by
# itself they are refused, with the statement that fixes it.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $FAILED = 1;

my $pair = Penstock::Pair->new;
# The target's types get other OIDs.
$pair->target_sql('CREATE TYPE early AS ENUM (' . join(', ', map { "'e$_'" } 1 .. 50)
	  . '); DROP TYPE early');
$pair->source_sql(q(
	CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
	CREATE DOMAIN mood_domain AS mood;
	CREATE TABLE t (id int, m mood, d mood_domain, v int, PRIMARY KEY (id, m))
		PARTITION BY RANGE (id);
	CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (50)
		PARTITION BY HASH (m);
	CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (50) TO (MAXVALUE);
	CREATE TABLE by_text (k text PRIMARY KEY) PARTITION BY HASH (k);
	CREATE TABLE by_text_0 PARTITION OF by_text
		FOR VALUES WITH (MODULUS 1, REMAINDER 0);
	INSERT INTO by_text VALUES ('one');
));
$pair->source_sql("CREATE TABLE t_low_$_ PARTITION OF t_low
	FOR VALUES WITH (MODULUS 4, REMAINDER $_)") for 0 .. 3;
$pair->source_sql(q(INSERT INTO t SELECT n, chr(97 + n % 8)::mood, 'a', n
	FROM generate_series(1, 100) n));

my $fix = qr/ALTER PUBLICATION "shop" SET \(publish_via_partition_root = true\)/;
my $names = qr/These are published each by itself: (public\.)?t_low_0, (public\.)?t_low_1, (public\.)?t_low_2, (public\.)?t_low_3\./;
my $log = $pair->fails_like($FAILED, qr/partitions of table (public\.)?t have other rows/,
	'clone refuses partitions by themselves', 'clone');
like($log, $fix, 'clone says what fixes it');
like($log, $names, 'clone names them, and not the others');
my ($status, $output) = $pair->run('check');
like($output, qr/have other rows on every server/, 'check finds it too');
is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'), 0,
	'nothing was begun');

$pair->source_sql('ALTER PUBLICATION shop SET (publish_via_partition_root = true)');
$pair->clone;
$pair->equal_ok('copied through the root');
$pair->source_sql(q(
	INSERT INTO t SELECT n, chr(97 - n % 8)::mood, 'b', n FROM generate_series(-100, 0) n;
	UPDATE t SET v = v + 1, m = 'a' WHERE id % 3 = 0;
	UPDATE t SET id = id + 200 WHERE id % 7 = 0;
	DELETE FROM t WHERE id % 5 = 0;
	INSERT INTO by_text VALUES ('two')));
$pair->follow_to_end;
$pair->equal_ok('followed through the root');
isnt($pair->target_sql('SELECT count(*) FROM t_low_0'), '', 'there are partitions');

# A target that has made its own.
my $own = $pair->with_database('own');
$own->both_sql(q(
	CREATE TYPE mood AS ENUM ('a', 'b');
	CREATE TABLE t (m mood[] PRIMARY KEY) PARTITION BY HASH (m);
	CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE TABLE IF NOT EXISTS mark (number bigserial PRIMARY KEY)));
$own->fails_like($FAILED, qr/partitions of table (public\.)?t have other rows/,
	'so does one with --data-only', 'clone', '--data-only');
$own->target_sql('DROP TABLE t; CREATE TABLE t_0 (m mood[] PRIMARY KEY);
	CREATE TABLE t_1 (m mood[] PRIMARY KEY)');
$own->source_sql(q(INSERT INTO t VALUES ('{a}'), ('{b}'), ('{a,b}'), ('{b,a}')));
$own->clone('--data-only');
$own->equal_ok('ordinary tables take them', '--table=public.mark');

done_testing();
