# The schema penstock on a target has a version.  Commands that write bring an
# older one up to date; those that only read take it as it is; a newer one is
# refused by all.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Nodes;
use Penstock::Pair;

my $VERSION = 12;

# The tables of version 1, which were made one by one, and had fewer columns.
my $AS_VERSION_1 = <<'END';
DROP TABLE penstock.version, penstock.postponed_key, penstock.follower,
	penstock.fence, penstock.moved, penstock.node, penstock.table_state,
	penstock.definition, penstock.sequence, penstock.index_build, penstock.repair,
	penstock.switch, penstock.verified, penstock.placed_column;
ALTER TABLE penstock.conflict DROP COLUMN target_index;
ALTER TABLE penstock.copy_run DROP COLUMN source_timeline;
ALTER TABLE penstock.progress DROP CONSTRAINT progress_pkey, DROP COLUMN moves,
	DROP COLUMN place, ADD PRIMARY KEY (pipeline);
END

my $pair = Penstock::Pair->new;

is(version(), undef, 'a target without a pipeline has nothing of ours');
$pair->source_sql("SELECT pg_create_logical_replication_slot('shop', 'penstock')");
$pair->fails_like(1, qr/has no progress of pipeline/,
	'a follower does not make the schema', 'follow', '--endpos=0/1');
is(version(), undef, 'so there is still nothing');
$pair->source_sql("SELECT pg_drop_replication_slot('shop')");

$pair->source_sql('CREATE TABLE rows (id integer PRIMARY KEY, v text)');
$pair->clone;
is(version(), $VERSION, 'a clone makes the tables of this version');
my $made = tables();


# ---- Older ----

$pair->target_sql($AS_VERSION_1);
isnt(tables(), $made, 'a schema of an older version');
is(version(), undef, 'has no version');
my ($status, $output) = $pair->run('status');
unlike($output, qr/ERROR|does not exist/, 'is good enough for status');
is(version(), undef, 'which leaves it as it is');
($status, $output) = $pair->run('check');
unlike($output, qr/does not exist/, 'and for check');
is(version(), undef, 'which leaves it as it is as well');

$pair->source_sql("INSERT INTO rows VALUES (1, 'one')");
$pair->follow_to_end;
is(version(), $VERSION, 'a follower brings it up to date');
is(tables(), $made, 'to the tables that a clone makes');
is($pair->target_sql('SELECT v FROM rows'), 'one', 'and follows');

$pair->target_sql($AS_VERSION_1);
$pair->run_or_die('table', 'pause', 'rows');
is(tables(), $made, 'so does a command on a table');
$pair->run_or_die('table', 'resume', 'rows');

# A role that may use the tables, and has not made them.
$pair->target_sql($AS_VERSION_1);
$pair->target->safe_psql('postgres',
	'CREATE ROLE applier LOGIN; CREATE ROLE "The Watch" LOGIN');
$pair->target_sql(<<'END');
GRANT USAGE ON SCHEMA penstock TO applier, "The Watch";
GRANT ALL ON ALL TABLES IN SCHEMA penstock TO applier;
GRANT SELECT ON ALL TABLES IN SCHEMA penstock TO "The Watch";
GRANT ALL ON rows, mark TO applier;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO applier;
END
as('applier');
(undef, $output) = $pair->run('check');
like($output, qr/error +role "applier" may not bring schema penstock up to date.*GRANT postgres TO applier;/s,
	'check tells one who may not do it');
$pair->fails_like(1,
	qr/has to own the tables.*bringing schema "penstock" on target from version 1 to version $VERSION/s,
	'so does follow', 'follow', '--endpos=' . $pair->source_lsn);
as(q('The Watch'));
(undef, $output) = $pair->run('status');
like($output, qr/durable/, 'who may only read sees the status');
unlike($output, qr/may not|denied/, 'as nothing else is needed for it');
as();
$pair->follow_to_end;
is(tables(), $made, 'and the owner does it');

# Nobody but the owner has a right on the tables that are new.
as(q('The Watch'));
(undef, $output) = $pair->run('status');
like($output, qr/role "The Watch" may not read table penstock\.version on/,
	'then status names what the role lacks');
as('applier');
$pair->fails_like(1,
	qr/role applier may not read table penstock\.version on target.*GRANT SELECT ON ALL TABLES IN SCHEMA penstock TO applier; .* UPDATE and DELETE as well/s,
	'and follow what fixes it', 'follow', '--endpos=' . $pair->source_lsn);
$pair->target_sql('GRANT SELECT ON ALL TABLES IN SCHEMA penstock TO "The Watch";
	GRANT ALL ON ALL TABLES IN SCHEMA penstock TO applier');
$pair->run_or_die('follow', '--endpos=' . $pair->source_lsn);
as(q('The Watch'));
(undef, $output) = $pair->run('status');
unlike($output, qr/may not|denied/, 'after that both can do without the owner');
as();


# ---- Newer ----

my $newer = $VERSION + 1;
$pair->target_sql("UPDATE penstock.version SET version = $newer");
my $refusal =
  qr/schema "penstock" on target( "[^"]*")? is of version $newer, and this program's is $VERSION.*Use that program/s;
for my $words (
	[ 'follow', '--endpos=' . $pair->source_lsn ], ['fence'],
	[ 'table', 'pause', 'rows' ], ['drop'], ['clone'])
{
	$pair->fails_like(1, $refusal, "a newer version is refused: @$words",
		@$words);
}
($status, $output) = $pair->run('status');
is($status, 1, 'status fails as well');
like($output, qr/is of version $newer, and this program's is $VERSION/,
	'and says why');
is(version(), $newer, 'and left as it is');
$pair->target_sql("UPDATE penstock.version SET version = $VERSION");


# ---- The end ----

$pair->target_sql(<<'END');
INSERT INTO penstock.conflict (pipeline, xid, commit_lsn, schema_name,
	table_name, operation, policy)
VALUES ('other', 1, '0/1', 'public', 'rows', 'insert', 'skip');
END
$pair->run_or_die('drop');
is($pair->target_sql(q(SELECT string_agg(relname, ' ' ORDER BY relname)
	FROM pg_class WHERE relnamespace = 'penstock'::regnamespace
	AND relkind = 'r')), 'conflict version',
	'noted conflicts outlive the pipeline, with the version of their table');
$pair->target_sql('TRUNCATE rows');
$pair->clone('--data-only');
is(tables(), $made, 'a clone adds the other tables to them');
$pair->target_sql('TRUNCATE penstock.conflict');
$pair->run_or_die('drop');
is($pair->target_sql(q(SELECT to_regnamespace('penstock') IS NULL)),
	't', 'without them nothing is left');


# ---- A pipeline with a placement ----

my $nodes = Penstock::Nodes->new(count => 2, pair => $pair->with_database('placed'),
	placement => [ 'public.rows = hash(id)', 'public.mark = all' ]);
$pair = $nodes->pair;
$pair->source_sql('CREATE TABLE rows (id integer PRIMARY KEY, v text);
	INSERT INTO rows SELECT n FROM generate_series(1, 20) n');
$nodes->run_or_die('clone');
my $NODE_COLUMNS = q(SELECT count(*) FROM pg_attribute WHERE attrelid = 'penstock.node'::regclass
	AND attname = 'columns' AND NOT attisdropped);
$nodes->node_sql($_, q(ALTER TABLE penstock.node ADD columns jsonb NOT NULL DEFAULT '{}';
	DROP TABLE penstock.placed_column; UPDATE penstock.version SET version = 10)) for $nodes->names;
$pair->source_sql('INSERT INTO rows SELECT n FROM generate_series(21, 40) n');
$nodes->run_or_die('follow', '--endpos=' . $pair->source_lsn);
my @counts = map { $nodes->node_sql($_, 'SELECT count(*) FROM rows') } $nodes->names;
is($counts[0] + $counts[1], 40, 'nodes are brought up to date as well');
for my $node ($nodes->names)
{
	is($nodes->node_sql($node, $NODE_COLUMNS), 0, "node $node has not what version 10 had noted");
	is($nodes->node_sql($node, 'SELECT attnum FROM penstock.placed_column'), 1,
		'but the column of the first row that came');
}

done_testing();

# From here on the target is reached by that role; none: as usual.
sub as
{
	my ($role) = @_;

	$pair->set_conninfo('target',
		defined $role ? $pair->target->connstr($pair->name) . " user=$role" : undef);
	return;
}

# The version that the schema says it has; undef: it says nothing.
sub version
{
	return undef
	  if $pair->target_sql(q(SELECT to_regclass('penstock.version') IS NULL)) eq 't';
	return $pair->target_sql('SELECT version FROM penstock.version');
}

# The tables and their columns, in any order.
sub tables
{
	return $pair->target_sql(<<'END');
SELECT string_agg(format('%s.%s %s', c.relname, a.attname, a.atttypid::regtype),
	', ' ORDER BY c.relname, a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'penstock'::regnamespace AND c.relkind = 'r'
AND a.attnum > 0 AND NOT a.attisdropped
END
}
