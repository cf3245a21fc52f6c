# What is no part of what a pipeline follows is left alone, whatever becomes of
# it on the source: what has left the publication, what it never had, and what
# was not to be copied.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

my $server = Penstock::Pair->new;
my $version = $server->source_sql('SHOW server_version_num');

sub follow_ok
{
	my ($pair, $title) = @_;
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);

	is($status, 0, $title) or diag $log;
	return $log;
}

my $logs = q(CREATE TABLE log (id integer, day integer) PARTITION BY RANGE (day);
	CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
	CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20);
	INSERT INTO log SELECT n, n FROM generate_series(1, 19) n);

subtest 'a partitioned table that leaves' => sub {
	my $pair = $server->with_database('leaves', publish => '');

	$pair->source_sql("$logs; CREATE PUBLICATION leaves FOR TABLE mark, log");
	$pair->clone;
	$pair->source_sql('ALTER PUBLICATION leaves DROP TABLE log');
	$pair->source_sql('DROP TABLE log_1');
	$pair->source_sql('ALTER TABLE log ADD more integer');
	follow_ok($pair, 'does not stop the follower');
	is($pair->target_sql('SELECT count(*) FROM log_1'), 9, 'the target keeps a partition that is dropped then');
	$pair->source_sql('DROP TABLE log');
	follow_ok($pair, 'nor when it is dropped');
	is($pair->target_sql('SELECT count(*) FROM log'), 19, 'it keeps all of it');
};

subtest 'a partition that leaves' => sub {
	my $pair = $server->with_database('part_leaves', publish => '');

	$pair->source_sql("$logs; CREATE PUBLICATION part_leaves FOR TABLE mark, log_1, log_2");
	$pair->clone;
	$pair->source_sql('ALTER PUBLICATION part_leaves DROP TABLE log_1; DROP TABLE log_1; INSERT INTO log VALUES (20, 15)');
	$pair->source_sql('ALTER TABLE log ADD more integer; INSERT INTO log VALUES (21, 15, 1);
		CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM (20) TO (30); INSERT INTO log VALUES (22, 25)');
	follow_ok($pair, 'does not stop the follower');
	is($pair->target_sql('SELECT count(*) FROM log_1'), 9, 'the target keeps it');
	is($pair->target_sql('SELECT count(*), sum(more) FROM log_2'), '12|1', 'and follows the other, with what its table is');
	is($pair->target_sql(q(SELECT to_regclass('log_3'))), '', 'a new one is not made');
};

subtest 'a table of the same name that the target has' => sub {
	my $pair = $server->with_database('own', publish => 'TABLE mark');

	$pair->source_sql($logs);
	$pair->clone;
	$pair->target_sql('CREATE TABLE log (id integer) PARTITION BY RANGE (id);
		CREATE TABLE its_own PARTITION OF log DEFAULT; INSERT INTO log VALUES (1)');
	$pair->source_sql('DROP TABLE log');
	follow_ok($pair, 'is not in the way');
	is($pair->target_sql('SELECT count(*) FROM log'), 1, 'and stays');
};

subtest 'schemas that leave' => sub {
	plan skip_all => 'this server publishes no schemas' if $version < 150000;
	my $pair = $server->with_database('schemas', publish => '');

	$pair->source_sql('CREATE SCHEMA s; CREATE TABLE s.t (id integer PRIMARY KEY); INSERT INTO s.t VALUES (1);
		CREATE TABLE s.log (id integer) PARTITION BY RANGE (id); CREATE TABLE log_1 PARTITION OF s.log DEFAULT;
		INSERT INTO s.log VALUES (1); CREATE PUBLICATION schemas FOR TABLE mark, TABLES IN SCHEMA s');
	$pair->clone;
	$pair->source_sql('ALTER PUBLICATION schemas DROP TABLES IN SCHEMA s; INSERT INTO s.t VALUES (2); DROP TABLE s.t; DROP TABLE log_1');
	my $log = follow_ok($pair, 'do not stop the follower');
	like($log, qr/table "s"\."t" is not published any more/, 'which says what has left');
	is($pair->target_sql('SELECT count(*) FROM s.t'), 1, 'the target keeps the table');
	is($pair->target_sql('SELECT count(*) FROM log_1'), 1, 'and a partition in another schema');
	$pair->source_sql('DROP SCHEMA s CASCADE');
	follow_ok($pair, 'nor does it stop that the schema is dropped');
	is($pair->target_sql('SELECT count(*) FROM s.t'), 1, 'the target still keeps it');
};

# What exists beside what is published, and was not copied.
subtest 'what was never published' => sub {
	my $pair = $server->with_database('beside', publish => '');
	my $same = sub { is($pair->target_sql($_[0]), $pair->source_sql($_[0]), $_[1]) };

	$pair->source_sql(qq($logs; CREATE UNLOGGED TABLE cache (id integer);
		CREATE SCHEMA elsewhere; CREATE TYPE elsewhere.e AS ENUM ('e');
		CREATE TYPE unused AS ENUM ('a'); CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
		CREATE TYPE pair AS (a integer, b unused); CREATE SEQUENCE lone;
		CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE used (id integer PRIMARY KEY, m mood, p integer);
		CREATE PUBLICATION beside FOR TABLE mark, used));
	$pair->clone;
	$pair->source_sql($_) for (
		'CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM (20) TO (30)',
		'CREATE TABLE log_4 (id integer, day integer)', 'ALTER TABLE log ATTACH PARTITION log_4 FOR VALUES FROM (30) TO (40)',
		'ALTER TABLE log DETACH PARTITION log_1',
		'ALTER TABLE log ADD more integer', 'CREATE INDEX ON log (day)',
		'ALTER TABLE cache ADD more integer', 'ALTER TABLE cache SET LOGGED', 'CREATE UNLOGGED TABLE another (id serial)',
		q(ALTER TYPE unused ADD VALUE 'x'), 'ALTER TYPE unused RENAME TO not_used',
		'ALTER DOMAIN positive SET NOT NULL', 'ALTER TYPE pair ADD ATTRIBUTE c integer',
		'ALTER SEQUENCE lone INCREMENT 2', 'ALTER SEQUENCE lone RENAME TO alone',
		'ALTER SCHEMA elsewhere RENAME TO y', q(ALTER TYPE y.e ADD VALUE 'f'), 'CREATE SCHEMA z', 'DROP SCHEMA y CASCADE',
		q(CREATE TYPE newer AS ENUM ('n')), q(ALTER TYPE newer ADD VALUE 'm'), 'CREATE SEQUENCE fresh',
		q(ALTER TYPE mood ADD VALUE 'sad'), q(INSERT INTO used VALUES (1, 'sad', 1)));
	my $log = follow_ok($pair, 'does not stop the follower');
	for my $name (qw(log log_3 cache another lone alone fresh))
	{
		is($pair->target_sql("SELECT to_regclass('$name')"), '', "$name is not made");
	}
	is($pair->target_sql(q(SELECT to_regnamespace('z'))), '', 'nor is a schema');
	like($log, qr/has changed table "public"\."log", which is left out/, 'that is said');
	like($log, qr/has changed enum type "public"\."not_used", which is left out/, 'of types as well');
	$same->('SELECT * FROM used', 'what is used by something is followed');

	# Until something that is followed needs it.
	$pair->source_sql($_) for (
		q(ALTER TABLE used ADD n newer DEFAULT 'm', ADD o not_used[], ADD p2 positive DEFAULT 3, ADD q pair,
			ADD r bigint DEFAULT nextval('alone')),
		q(INSERT INTO used VALUES (2, 'fine', 2, 'n', '{a,x}', 1, (1, 'x', 3), 4)), q(ALTER TYPE newer ADD VALUE 'o'),
		q(INSERT INTO used (id, n) VALUES (3, 'o')));
	follow_ok($pair, 'what a table needs then is made');
	$same->('SELECT id, m, p, n, o, p2, q FROM used ORDER BY id', 'and the table is followed');
	$pair->source_sql($_) for ('ALTER TABLE used DROP n, DROP o, DROP q', 'DROP TYPE newer', 'DROP TYPE pair', 'DROP TYPE not_used',
		q(CREATE TYPE newer AS ENUM ('other')), 'ALTER TABLE used ADD n newer', q(INSERT INTO used (id, n) VALUES (4, 'other')));
	follow_ok($pair, 'what was made once is dropped as well');
	$same->('SELECT id, n FROM used ORDER BY id', 'so that its name can be used again');
};

subtest 'a schema that uses what is elsewhere' => sub {
	plan skip_all => 'this server publishes no schemas' if $version < 150000;
	my $pair = $server->with_database('app', publish => '');

	$pair->source_sql(q(CREATE SCHEMA app; CREATE SCHEMA types; CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN types.d AS mood;
		CREATE UNLOGGED TABLE app.cache (id integer PRIMARY KEY); INSERT INTO app.cache VALUES (1);
		CREATE PUBLICATION app FOR TABLE mark, TABLES IN SCHEMA app));
	$pair->clone;
	$pair->source_sql(q(CREATE TABLE app.t (id integer PRIMARY KEY, m mood, d types.d)));
	$pair->source_sql(q(ALTER TYPE mood ADD VALUE 'b'));
	$pair->source_sql(q(INSERT INTO app.t VALUES (1, 'b', 'a')));
	$pair->source_sql('ALTER TABLE app.cache SET LOGGED; INSERT INTO app.cache VALUES (2)');
	follow_ok($pair, 'a new table of it is made');
	$pair->equal_ok('with what it needs');
};

subtest 'a partitioned table that had no partitions' => sub {
	my $pair = $server->with_database('without', publish => '');

	$pair->source_sql('CREATE TABLE log (id integer, day integer) PARTITION BY RANGE (day);
		CREATE PUBLICATION without FOR TABLE mark, log');
	$pair->clone;
	$pair->source_sql('CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10)');
	$pair->source_sql('INSERT INTO log VALUES (1, 1)');
	follow_ok($pair, 'is followed from its first one on');
	is($pair->target_sql('SELECT count(*) FROM log'), 1, 'with its rows');
};

subtest 'tables that are chosen' => sub {
	my $pair = $server->with_database('chosen');

	$pair->source_sql(qq($logs; CREATE TYPE mood AS ENUM ('a'); CREATE TYPE other AS ENUM ('a');
		CREATE TABLE t (id integer PRIMARY KEY, m mood); CREATE TABLE u (id integer)));
	$pair->clone('--ddl=follow', '--table=t', '--table=mark');
	$pair->source_sql($_) for (q(ALTER TYPE mood ADD VALUE 'z'), q(ALTER TYPE other ADD VALUE 'z'),
		q(INSERT INTO t VALUES (1, 'z')), 'ALTER TABLE log ADD more integer', 'DROP TABLE log');
	follow_ok($pair, 'follow with their types');
	is($pair->target_sql('SELECT m FROM t'), 'z', 'all values are there');

	$pair = $server->with_database('excluded');
	$pair->source_sql(qq($logs; CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id integer PRIMARY KEY, m mood)));
	$pair->clone('--ddl=follow', '--exclude-table=log');
	$pair->source_sql($_) for ('ALTER TABLE log ADD more integer', 'ALTER TABLE log ADD again integer', 'CREATE INDEX ON log (day)',
		'CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM (20) TO (30)', q(ALTER TYPE mood ADD VALUE 'z'),
		q(INSERT INTO t VALUES (1, 'z')), q(CREATE TYPE fresh AS ENUM ('f')), 'CREATE TABLE v (id integer PRIMARY KEY, f fresh)',
		q(INSERT INTO v VALUES (1, 'f')));
	follow_ok($pair, 'all but one that is excluded');
	is($pair->target_sql(q(SELECT to_regclass('log') IS NULL AND to_regclass('log_3') IS NULL)), 't', 'is not made later, nor a new partition');
	is($pair->target_sql('SELECT m FROM t'), 'z', 'the others are followed');
	is($pair->target_sql('SELECT f FROM v'), 'f', 'so are new ones');
};

done_testing();
