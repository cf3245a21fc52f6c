# Whatever a publication comes to publish, through its schemas or of other
# operations, is on the target, or the follower stops before it is missing.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;
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

subtest 'schemas' => sub {
	plan skip_all => 'this server publishes no schemas' if $version < 150000;
	my $pair = $server->with_database('schemas', publish => '');

	$pair->source_sql(q(CREATE SCHEMA app; CREATE TABLE app.t (id integer PRIMARY KEY); INSERT INTO app.t VALUES (1);
		CREATE SCHEMA more; CREATE TABLE more.countries (id integer PRIMARY KEY, name text);
		INSERT INTO more.countries SELECT n, 'country' FROM generate_series(1, 200) n;
		CREATE TABLE more.log (id integer PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE more.log_1 PARTITION OF more.log FOR VALUES FROM (0) TO (10);
		CREATE TABLE log_2 PARTITION OF more.log FOR VALUES FROM (10) TO (20); INSERT INTO more.log VALUES (1), (11);
		CREATE PUBLICATION schemas FOR TABLE mark, TABLES IN SCHEMA app));
	$pair->clone;
	$pair->source_sql('ALTER PUBLICATION schemas ADD TABLES IN SCHEMA more');
	my $log = follow_ok($pair, 'one that is added does not stop the follower');
	like($log, qr/"more"\."countries" was not copied to target: it is copied now/, 'its tables are copied, also one that nobody writes to');
	$pair->equal_ok('and have all their rows');
	$pair->source_sql(q(INSERT INTO more.countries VALUES (201, 'new'); INSERT INTO more.log VALUES (2), (12);
		CREATE TABLE more.log_3 PARTITION OF more.log FOR VALUES FROM (20) TO (30); INSERT INTO more.log VALUES (21)));
	follow_ok($pair, 'they are followed then');
	$pair->equal_ok('with their partitions');

	$pair->source_sql('ALTER PUBLICATION schemas DROP TABLES IN SCHEMA app; INSERT INTO app.t VALUES (2);
		ALTER PUBLICATION schemas ADD TABLES IN SCHEMA app; INSERT INTO app.t VALUES (3)');
	come_back($pair, 'app.t', 'that leaves and comes back');
	$pair->source_sql('BEGIN; ALTER PUBLICATION schemas DROP TABLES IN SCHEMA app; INSERT INTO app.t VALUES (4);
		ALTER PUBLICATION schemas ADD TABLES IN SCHEMA app; COMMIT; INSERT INTO app.t VALUES (5)');
	come_back($pair, 'app.t', 'also in one transaction');
};

# Such a pipeline knows nothing of a table that was not published.
subtest 'a schema that is added where an older version has cloned' => sub {
	plan skip_all => 'this server publishes no schemas' if $version < 150000;
	my $pair = $server->with_database('older', publish => '');

	$pair->source_sql('CREATE SCHEMA more; CREATE TABLE more.old (id integer PRIMARY KEY); INSERT INTO more.old VALUES (1);
		CREATE PUBLICATION older FOR TABLE mark');
	$pair->clone;
	my $oid = $pair->source_sql(q(SELECT 'more.old'::regclass::oid));
	$pair->target_sql("DELETE FROM penstock.definition WHERE source_oid = $oid; DELETE FROM penstock.copied WHERE source_oid = $oid");
	$pair->source_sql('ALTER PUBLICATION older ADD TABLES IN SCHEMA more');
	follow_ok($pair, 'does not stop the follower');
	$pair->equal_ok('and its tables have all their rows');
};

# A table is complete in the end, or the follower says what to do for it.
sub come_back
{
	my ($pair, $table, $title) = @_;
	my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);

	if ($status != 0)
	{
		like($log, qr/$table|"app"\."t"/, "$title: the table is named");
		$pair->run_or_die('table', 'resync', $table);
		$pair->follow_to_end;
	}
	$pair->equal_ok("$title: nothing is missing");
}

for my $publish ('TABLE mark, a, b, part', 'ALL TABLES')
{
	subtest "operations of a publication for $publish" => sub {
		my $name = $publish eq 'ALL TABLES' ? 'operations_all' : 'operations';
		my $pair = $server->with_database($name, publish => $publish eq 'ALL TABLES' ? $publish : '');

		$pair->source_sql('CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY);
			CREATE TABLE part (id integer PRIMARY KEY) PARTITION BY RANGE (id);
			CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
			INSERT INTO a SELECT generate_series(1, 10); INSERT INTO b SELECT generate_series(1, 10); INSERT INTO part SELECT generate_series(1, 10)');
		$pair->source_sql("CREATE PUBLICATION $name FOR $publish") if $publish ne 'ALL TABLES';
		$pair->clone;
		$pair->source_sql("ALTER PUBLICATION $name SET (publish = 'insert, truncate'); DELETE FROM a WHERE id < 3; INSERT INTO a VALUES (11);
			DELETE FROM part WHERE id < 4");
		my $log = follow_ok($pair, 'fewer do not stop it');
		like($log, qr/has changed publication $name/, 'and are said');
		is($pair->target_sql('SELECT count(*) FROM a'), 11, 'what is not published is not there');
		$pair->source_sql("ALTER PUBLICATION $name SET (publish = 'insert, update, delete, truncate'); INSERT INTO a VALUES (12)");
		for (1 .. 2)
		{
			($log) = $pair->fails_like(1, qr/transaction \d+, which ends at \S+, has changed which operations on table "public"\."mark", and on \d more, are published.*penstock table resync public\.mark public\.a public\.b/s,
				'more stop it', 'follow', '--endpos=' . $pair->source_lsn);
		}
		is($pair->target_sql('SELECT count(*) FROM a'), 11, 'before what comes after');
		my ($status, undef, $said) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
		my ($tables) = $said =~ /penstock table resync ([a-z_.0-9 ]+?) -/;
		$pair->run_or_die('table', 'resync', split / /, $tables);
		$pair->follow_to_end;
		$pair->equal_ok('when what is said is done, all is there');
	};
}

# What is not published in between is not sent, and nothing else shows it.
my @BETWEEN = (
	{ title => 'a table that is made, filled and attached', complete => 1,
		sql => 'CREATE TABLE part (id integer PRIMARY KEY, a text); INSERT INTO part VALUES (15, \'x\');
			ALTER TABLE root ATTACH PARTITION part FOR VALUES FROM (10) TO (20)' },
	{ title => 'a partition that is detached, changed and attached', message => qr/changed how table "public"\."root_1" is published.*penstock table resync .*root_1/s,
		resync => 'root_1', sql => 'ALTER TABLE root DETACH PARTITION root_1; UPDATE root_1 SET a = \'changed\';
			ALTER TABLE root ATTACH PARTITION root_1 FOR VALUES FROM (0) TO (10)' },
	{ title => 'operations that are not published for a while', message => qr/changed which operations on table .*penstock table resync .*listed/s,
		resync => 'mark listed root', sql => 'ALTER PUBLICATION NAME SET (publish = \'insert\'); DELETE FROM listed WHERE id < 3;
			ALTER PUBLICATION NAME SET (publish = \'insert, update, delete, truncate\')' },
	{ title => 'a table that is made where inserts are not published', complete => 1, all => 1,
		sql => 'ALTER PUBLICATION NAME SET (publish = \'delete\'); CREATE TABLE fresh (id integer PRIMARY KEY); INSERT INTO fresh VALUES (1);
			ALTER PUBLICATION NAME SET (publish = \'insert, update, delete, truncate\')', resync => 'mark listed root', message => qr/penstock table/ },
	{ title => 'a table that is made, filled and moved into a schema', complete => 1, since => 150000,
		sql => 'CREATE TABLE plain (id integer PRIMARY KEY); INSERT INTO plain VALUES (1); ALTER TABLE plain SET SCHEMA app' },
	{ title => 'a table that is made and filled before its schema is added', complete => 1, since => 150000,
		sql => 'CREATE SCHEMA more; CREATE TABLE more.plain (id integer PRIMARY KEY); INSERT INTO more.plain VALUES (1);
			ALTER PUBLICATION NAME ADD TABLES IN SCHEMA more' },
);

for my $i (0 .. $#BETWEEN)
{
	my $case = $BETWEEN[$i];

	subtest "in one transaction: $case->{title}" => sub {
		plan skip_all => 'this server publishes no schemas' if $version < ($case->{since} // 0);
		my $name = "between_$i";
		my $pair = $server->with_database($name, publish => $case->{all} ? 'ALL TABLES' : '');
		my $sql = $case->{sql} =~ s/NAME/$name/gr;

		$pair->source_sql('CREATE TABLE root (id integer PRIMARY KEY, a text) PARTITION BY RANGE (id);
			CREATE TABLE root_1 PARTITION OF root FOR VALUES FROM (0) TO (10); INSERT INTO root VALUES (1, \'one\');
			CREATE TABLE listed (id integer PRIMARY KEY); INSERT INTO listed SELECT generate_series(1, 10); CREATE SCHEMA app');
		$pair->source_sql("CREATE PUBLICATION $name FOR TABLE mark, listed, root" . ($version >= 150000 ? ', TABLES IN SCHEMA app' : '')) if !$case->{all};
		$pair->clone('--ddl=follow');
		$pair->source_sql("BEGIN; $sql; COMMIT");
		my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
		if ($case->{message})
		{
			is($status, 1, 'stops the follower');
			like($log, $case->{message}, 'which says what to do');
			$pair->run_or_die('table', 'resync', split / /, $case->{resync});
			$pair->follow_to_end;
		}
		else
		{
			is($status, 0, 'does not stop the follower') or diag $log;
		}
		$pair->equal_ok('nothing is missing');
	};
}

# Another publication that has the name for a while, with fewer tables.
for my $how ('dropped and made again', 'renamed')
{
	subtest "a publication for all tables that is $how" => sub {
		my $name = $how eq 'renamed' ? 'renamed' : 'again';
		my $pair = $server->with_database($name);
		my ($away, $back) = $how eq 'renamed' ? ("ALTER PUBLICATION $name RENAME TO other_name", 'ALTER PUBLICATION other_name RENAME TO ' . $name)
			: ("DROP PUBLICATION $name", "CREATE PUBLICATION $name FOR ALL TABLES");

		$pair->source_sql('CREATE TABLE b (id integer PRIMARY KEY); INSERT INTO b VALUES (1)');
		$pair->clone('--ddl=follow');
		$pair->source_sql($_) for $away, $back;
		$pair->source_sql('INSERT INTO b VALUES (8)');
		follow_ok($pair, 'does not stop the follower if nothing is written meanwhile');
		$pair->equal_ok('and nothing is missing');
		$pair->source_sql($_) for $away, "CREATE PUBLICATION $name FOR TABLE mark", 'INSERT INTO b VALUES (9)',
			"DROP PUBLICATION $name", $back, 'INSERT INTO b VALUES (10)';
		my ($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
		for (1 .. 3)
		{
			last if $status == 0;
			my ($table) = $log =~ /penstock table resync (\S+)/ or last;
			$pair->run_or_die('table', 'resync', $table);
			($status, undef, $log) = $pair->run('follow', '--endpos=' . $pair->source_lsn);
		}
		is($status, 0, 'after what it says, the follower goes on') or diag $log;
		$pair->equal_ok('another of its name does not make rows be missed');
	};
}

subtest 'the owner of a publication' => sub {
	my $pair = $server->with_database('owner');

	$pair->clone;
	$pair->source_sql('CREATE ROLE regress_owner; ALTER PUBLICATION owner OWNER TO regress_owner; INSERT INTO mark DEFAULT VALUES');
	my $log = follow_ok($pair, 'is nothing to what is published');
	unlike($log, qr/gets from there on what is published now/, 'nor said to be');
	$pair->equal_ok('all is there');
};

# Nothing but a clone copies rows to where the placement has them.
subtest 'a table that is added where tables are placed' => sub {
	my $pair = $server->with_database('placed', publish => '');
	my $nodes = Penstock::Nodes->new(pair => $pair, count => 2, placement => [ 'public.orders = hash(customer)', '* = all' ]);

	$pair->source_sql('CREATE TABLE orders (id integer, customer integer, PRIMARY KEY (id, customer));
		INSERT INTO orders SELECT i, i % 17 FROM generate_series(1, 100) i;
		CREATE TABLE later (id integer PRIMARY KEY); INSERT INTO later VALUES (1);
		CREATE TABLE root (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE PUBLICATION placed FOR TABLE mark, orders, root');
	$nodes->run_or_die('clone', '--ddl=follow');
	$pair->source_sql('ALTER PUBLICATION placed ADD TABLE later; INSERT INTO later VALUES (2); INSERT INTO orders VALUES (101, 5)');
	$nodes->fails_like(1, qr/"later" was not copied.*Leave it out with the line "public"\."later" = none in section \[placement\]/s,
		'stops the follower, which says how to go on', 'follow', '--endpos=' . $nodes->source_lsn);
	my @placement = ('public.later = none', 'public.orders = hash(customer)', '* = all');
	$nodes->configure(placement => \@placement);
	$nodes->run_or_die('follow', '--endpos=' . $nodes->source_lsn);
	$nodes->spread_ok('without it the others go on', orders => 'customer');
	$pair->source_sql('CREATE TABLE part (id integer PRIMARY KEY); INSERT INTO part VALUES (1);
		ALTER TABLE root ATTACH PARTITION part FOR VALUES FROM (0) TO (10); INSERT INTO orders VALUES (102, 6)');
	$nodes->fails_like(1, qr/"part" was not copied.*"public"\."part" = none/s, 'one that is attached, too', 'follow', '--endpos=' . $nodes->source_lsn);
	$nodes->configure(placement => [ 'public.part = none', @placement ]);
	$nodes->run_or_die('follow', '--endpos=' . $nodes->source_lsn);
	$nodes->spread_ok('and they go on', orders => 'customer');
	$nodes->configure(placement => [ 'public.part = all', @placement ]);
	$nodes->fails_like(1, qr/table "public"\."part" was placed otherwise/, 'what was left out is not taken for complete',
		'follow', '--endpos=' . $nodes->source_lsn);
	$nodes->configure(placement => [ 'public.part = none', 'public.later = none', 'public.orders = none', '* = all' ]);
	$nodes->fails_like(1, qr/table "public"\."orders" was placed otherwise/, 'what was copied cannot be left out',
		'follow', '--endpos=' . $nodes->source_lsn);
	$nodes->configure(placement => [ 'public.part = none', @placement ]);
	$pair->source_sql("ALTER PUBLICATION placed SET (publish = 'insert'); DELETE FROM orders WHERE id < 10;
		ALTER PUBLICATION placed SET (publish = 'insert, update, delete, truncate'); INSERT INTO orders VALUES (103, 7)");
	$nodes->fails_like(1, qr/changed which operations on table .*clone anew, to empty targets/s, 'operations that were not published', 'follow', '--endpos=' . $nodes->source_lsn);
};

done_testing();
