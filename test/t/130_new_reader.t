# Somebody goes by the documentation, with roles that have the rights it names
# and no others: what commands then say is the whole of what is missing.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

my $FAILED = 1;

my $pair = Penstock::Pair->new;
my $source = $pair->conninfo('source');
my $target = $pair->conninfo('target');

sub error_objects
{
	my (undef, $output) = $pair->run('check', '--json');

	return join ' ', map { ($_->{server} =~ /^(\w+)/)[0] . ":$_->{code}" }
	  grep { $_->{level} eq 'error' && $_->{code} eq 'unreachable' }
	  @{ JSON::PP->new->utf8->decode($output) };
}

# ---- Roles that nobody has created ----

$pair->set_conninfo(source => "$source user=repl");
$pair->set_conninfo(target => "$target user=repl");
is(error_objects(), 'source:unreachable target:unreachable',
	'check tells of both servers, though the role exists on neither');

# ---- The rights of the documentation ----

$pair->source_sql(<<'END');
CREATE ROLE shop_owner;
CREATE ROLE repl LOGIN REPLICATION;
CREATE TABLE customer (id serial PRIMARY KEY, name text);
CREATE TABLE audit (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO audit (what) VALUES (new.name); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE customer OWNER TO shop_owner;
ALTER TABLE mark OWNER TO shop_owner;
ALTER TABLE audit OWNER TO shop_owner;
ALTER FUNCTION note() OWNER TO shop_owner;
INSERT INTO customer (name) SELECT 'customer ' || g FROM generate_series(1, 100) g;
GRANT USAGE ON SCHEMA public TO repl;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO repl;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO repl;
GRANT USAGE, CREATE ON SCHEMA public TO shop_owner;
END
$pair->target_sql(<<'END');
CREATE ROLE shop_owner;
CREATE ROLE repl LOGIN;
GRANT CREATE ON DATABASE shop TO repl;
GRANT USAGE, CREATE ON SCHEMA public TO repl;
GRANT shop_owner TO repl;
GRANT USAGE, CREATE ON SCHEMA public TO shop_owner;
END
my $has_parameters = $pair->target->pg_version >= 15;
$pair->target_sql($has_parameters
	? 'GRANT SET ON PARAMETER session_replication_role TO repl'
	: 'ALTER ROLE repl SUPERUSER');
$pair->clone;
is(($pair->run('verify'))[0], 0,
	'what the documentation has granted on the target is no difference');

# ---- The way back ----

$pair->run_or_die('follow', '--endpos=' . $pair->source_lsn);
$pair->source_sql('GRANT shop_owner TO repl');
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
my $log = $pair->fails_like($FAILED, qr/the way back needs more than what there is/,
	'switch refuses roles by which the way back would not be right',
	'switch', '--dry-run');
like($log, qr/source: role "repl" may not use replication origins/, 'origins');
like($log, qr/source: role "repl" may not create schema "penstock"/, 'the place of notes');
like($log, qr/source: role "repl" may not set session_replication_role, and the way back would fire trigger note of table public\.customer a second time/,
	'triggers that would fire twice');
like($log, qr/target: role "repl" may not replicate/, 'a role without REPLICATION')
  if $has_parameters;
my ($on_source, $on_target) =
  $log =~ /Run on source: (.*?;)  (?:Run on target: (.*;)  )?Or switch/;
$pair->source->safe_psql('shop', $on_source);
$pair->target->safe_psql('shop', $on_target) if $on_target;
like($pair->run_or_die('switch', '--dry-run'), qr/all is ready/,
	'the statements that it prints are all that it takes');
$pair->run_or_die('switch');
isnt($follower->wait_exit, 0, 'the follower ends');
$pair->target_sql("INSERT INTO customer (name) VALUES ('new place')");
my $back = $pair->start('follow', '--back');
$back->wait_log(qr/following with slot/);
like(($pair->run('verify', '--back'))[1],
	qr/table "public"\."audit" on target: equal, 101 rows/, 'the way back fires no trigger twice');
$pair->stop_ok($back);

# ---- Sequences that cannot be read ----

my $later = $pair->with_database('later');
my $reader = $later->conninfo('source') . ' user=repl';
$later->source_sql('CREATE TABLE t (id serial PRIMARY KEY)');
$later->clone;
$later->source_sql('GRANT SELECT ON ALL TABLES IN SCHEMA public TO repl;
	INSERT INTO t SELECT FROM generate_series(1, 100)');
$later->set_conninfo(source => $reader);
$later->fails_like($FAILED, qr/sequence public\.t_id_seq on source: user "repl" may not read it.*GRANT SELECT ON SEQUENCE public\.t_id_seq TO "repl"/s,
	'the end is not reached while a sequence would hand out what is there',
	'follow', '--endpos=' . $later->source_lsn);
like(($later->run('verify'))[1], qr/table "public"\."t" on target: equal, 100 rows/,
	'verify follows up to its fence all the same');
$later->source_sql('GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO repl');
$later->follow_to_end;
cmp_ok($later->target_sql("SELECT nextval('t_id_seq')"), '>', 100,
	'then the sequence goes on beyond the source');

# ---- Stopped while it starts ----

my $session = Penstock::Session->new($later->target, 'later');
$session->run('BEGIN', 'LOCK TABLE penstock.pipeline IN ACCESS EXCLUSIVE MODE');
my $starting = $later->start('follow');
wait_until('the follower to wait while it starts', sub {
	$later->target_sql("SELECT count(*) FROM pg_stat_activity
		WHERE application_name LIKE 'penstock%' AND wait_event_type = 'Lock'") > 0;
});
$starting->signal('TERM');
is($starting->wait_exit, 0, 'a follower that is stopped while it starts has not failed');
$session->end('ROLLBACK');

# ---- Removed again ----

$later->run_or_die('drop');
is($later->source_sql("SELECT count(*) FROM pg_replication_slots
		WHERE slot_name = 'later'"), 0, 'drop removes the slot');
is($later->target_sql("SELECT to_regnamespace('penstock')"),
	'', 'and all that was noted');
$later->fails_like($FAILED, qr/penstock clone/, 'there is nothing to follow then',
	'follow');

resharded();
done_testing;


# ---- From N nodes to M ----

# The example of doc/nodes.md.
sub resharded
{
	my $file = "$ENV{TESTDATADIR}/reshard.ini";
	my @shards = map { [ $_, $pair->source, "shard_$_" ] } qw(a b);
	my @nodes = map { [ $_, $pair->target, "node_$_" ] } qw(x y z);

	make_shard(@$_) for @shards;
	make_node(@$_) for @nodes;
	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle "[penstock]\nname = reshard\n\n",
	  (map { section('source', @$_) } @shards),
	  (map { section('target', @$_) } @nodes), <<'END';
[placement]
public.orders = hash(customer)
public.order_* = hash(customer)
public.audit = only x
* = all from a
END
	close $handle or die "could not write \"$file\": $!\n";
	is(by_file($file, 'check')->wait_exit, 0, 'check finds no error in the example');
	my $follower = by_file($file, 'clone', '--follow');
	$follower->wait_log(qr/source "$_": following with slot "reshard_$_"/) for qw(a b);
	is(by_file($file, 'status')->wait_exit, 0, 'status of what is followed');
	$_->[1]->safe_psql($_->[2], "UPDATE orders SET note = 'moved' WHERE id % 2 = 0;
		INSERT INTO audit VALUES (current_database(), 2)") for @shards;
	$pair->source->safe_psql('shard_a', 'UPDATE price SET value = value + 1');
	wait_until('all rows to be there', sub {
		gathered(\@nodes, 'orders', "note = 'moved'") == 100
		  && gathered(\@nodes, 'audit') == 4
		  && gathered(\@nodes, 'price', 'value = code + 1') == 30;
	});
	is(gathered(\@nodes, 'orders'), 200, 'each order is on one node');
	is(gathered(\@nodes, 'order_line'), 400, 'and so is each of its lines');
	is($pair->target->safe_psql('node_x', 'SELECT count(*) FROM audit'),
		4, 'what is for one node is there, from both');
	is($follower->end('TERM'), 0, 'the follower stops');
	is(by_file($file, 'drop')->wait_exit, 0, 'drop');
	is($pair->source->safe_psql('postgres', "SELECT count(*)
			FROM pg_replication_slots WHERE slot_name LIKE 'reshard%'"),
		0, 'removes the slots of both');
	is($pair->target->safe_psql($_->[2], "SELECT to_regnamespace('penstock')"),
		'', "and what $_->[0] has noted") for @nodes;
}

sub section
{
	my ($kind, $name, $server, $database) = @_;

	return "[$kind $name]\nconninfo = " . $server->connstr($database)
	  . " user=repl\n\n";
}

sub make_shard
{
	my ($name, $server, $database) = @_;
	my $first = $name eq 'a' ? 1 : 1001;
	my $last = $first + 99;

	$server->safe_psql('postgres', "CREATE DATABASE $database");
	$server->safe_psql($database, <<"END");
CREATE TABLE orders (id integer, customer integer, note text,
	PRIMARY KEY (id, customer));
CREATE TABLE order_line (id integer, customer integer, n integer,
	PRIMARY KEY (id, customer, n));
CREATE TABLE audit (shard text, n integer, PRIMARY KEY (shard, n));
CREATE TABLE price (code integer PRIMARY KEY, value integer);
INSERT INTO orders SELECT i, i % 7, 'first' FROM generate_series($first, $last) i;
INSERT INTO order_line SELECT id, customer, n FROM orders, generate_series(1, 2) n;
INSERT INTO audit VALUES (current_database(), 1);
INSERT INTO price SELECT i, i FROM generate_series(1, 10) i;
GRANT USAGE ON SCHEMA public TO repl;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO repl;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO repl;
CREATE PUBLICATION reshard FOR ALL TABLES;
END
	$server->safe_psql($database, "ALTER TABLE $_ OWNER TO shop_owner")
	  for qw(orders order_line audit price);
}

sub make_node
{
	my ($name, $server, $database) = @_;

	$server->safe_psql('postgres', "CREATE DATABASE $database");
	$server->safe_psql($database, "GRANT CREATE ON DATABASE $database TO repl;
		GRANT USAGE, CREATE ON SCHEMA public TO repl;
		GRANT USAGE, CREATE ON SCHEMA public TO shop_owner");
}

sub by_file
{
	my ($file, $verb, @options) = @_;

	return Penstock::Process->start(
		name => $verb,
		command => [ $ENV{PENSTOCK_BIN}, $verb, "--config=$file", @options ]);
}

# Number of a table's rows on all nodes.
sub gathered
{
	my ($nodes, $table, $condition) = @_;
	my $count = 0;

	$count += $_->[1]->safe_psql($_->[2], "SELECT count(*) FROM $table"
		. ($condition ? " WHERE $condition" : '')) for @$nodes;
	return $count;
}
