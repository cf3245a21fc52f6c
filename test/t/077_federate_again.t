# A coordinator is brought to what is configured, however often, and by a role
# that needs passwords; what is not the pipeline's is left alone.

use strict;
use warnings;

use Test::More;

use Penstock::Nodes;

my @placement = (
	'public.account = hash(aid)', 'public.place = directory(tenant)',
	'public.audit = only c', '* = all');
my $nodes = Penstock::Nodes->new(
	count => 3,
	placement => [@placement],
	extra => [ "\n[directory]", 'table = public.tenant', 'key = id',
		'node = node', 'default = a' ]);
my $pair = $nodes->pair;
my $target = $pair->target;

# Whoever reads the nodes has a password, and is asked for it.
$target->safe_psql('postgres', <<'SQL');
SET password_encryption = 'scram-sha-256';
CREATE ROLE reader LOGIN PASSWORD 'se''cret\';
CREATE ROLE front LOGIN;
SQL
my $hba = $target->data_dir . '/pg_hba.conf';
my $old_hba = PostgreSQL::Test::Utils::slurp_file($hba);

open my $handle, '>', $hba or die "could not open \"$hba\": $!\n";
print $handle "local all reader scram-sha-256\nhost all reader all scram-sha-256\n",
  $old_hba;
close $handle;
$target->reload;

$pair->source_sql(<<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE account (aid int PRIMARY KEY, mood mood, balance int);
CREATE TABLE place (tenant int, n int, PRIMARY KEY (tenant, n));
CREATE TABLE audit (id int PRIMARY KEY, note text);
CREATE TABLE tenant (id int PRIMARY KEY, node text);
INSERT INTO tenant VALUES (1, 'a'), (2, 'b');
INSERT INTO account SELECT n, 'sad', n FROM generate_series(1, 300) n;
INSERT INTO place SELECT 1 + n % 2, n FROM generate_series(1, 100) n;
INSERT INTO audit SELECT n, 'note' FROM generate_series(1, 10) n;
SQL
$nodes->run_or_die('clone');
for my $name ($nodes->names)
{
	$nodes->node_sql($name, 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
		GRANT SELECT ON ALL TABLES IN SCHEMA penstock TO reader;
		GRANT USAGE ON SCHEMA penstock TO reader;
		ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader');
}
$target->safe_psql('postgres', 'CREATE DATABASE coordinator');
coordinator('CREATE EXTENSION postgres_fdw;
	GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO front;
	GRANT CREATE ON DATABASE coordinator TO front;
	GRANT CREATE ON SCHEMA public TO front');

sub coordinator
{
	my ($sql, $user) = @_;

	return $target->safe_psql('coordinator', $sql,
		$user ? (extra_params => [ '-U', $user ]) : ());
}

# Every row once, as the role that applied sees it.
sub answers_ok
{
	my ($title) = @_;

	for my $table (qw(account place audit tenant))
	{
		my $sql = "SELECT count(*), sum(hashtext(t::text)) FROM $table t";

		is(coordinator($sql, 'front'), $pair->source_sql($sql),
			"$title: all of $table");
	}
}

# Apply, and give what it said.
sub apply
{
	my @options = @_;
	my ($status, $output, $log) = $nodes->run('federate', '--apply',
		'--coordinator=' . $target->connstr('coordinator') . ' user=front',
		@options);

	is($status, 0, 'federate --apply ends with 0');
	unlike($output . $log, qr/se'+cret/, 'no password is said');
	return $log;
}

sub options_of
{
	my ($server) = @_;

	return coordinator("SELECT array_to_string(srvoptions, ' ')
		FROM pg_foreign_server WHERE srvname = '$server'");
}

sub to_nodes
{
	my ($options, @names) = @_;

	for my $name (@names ? @names : $nodes->names)
	{
		$nodes->set_conninfo($name, $target->connstr("node_$name") . " $options");
	}
}

my $coordinator = '--coordinator=' . $target->connstr('coordinator') . ' user=front';

# ---- Passwords ----

my $log = $nodes->fails_like(1,
	qr/password is required.*Non-superusers must provide a password.*needs a password that the node asks for.*reading node "a" through the coordinator, where nothing was changed/s,
	'without passwords nothing would work, so nothing is changed', 'federate',
	'--apply', $coordinator);
is(coordinator('SELECT count(*) FROM pg_foreign_server'), 0, 'nothing is there');

my $passfile = "$ENV{TESTDATADIR}/passfile";

open $handle, '>', $passfile or die "could not create \"$passfile\": $!\n";
print $handle "*:*:*:reader:se'cret\\\\\n";
close $handle;
chmod 0600, $passfile;
to_nodes("user=reader passfile='$passfile'");

my ($status, $script, $talk) = $nodes->run('federate');
unlike($script . $talk, qr/se'+cret/, 'what is printed has no password');
like($talk, qr/passwords are not printed: --apply sets them/, 'that is said');
unlike($script, qr/^DO\b/m, 'the statements need no procedural language');
$log = apply();
like($log, qr/created server "shop_a"/, 'what was done is said');
like($log, qr/created 5 tables/, 'tables are counted');
answers_ok('with a passfile');

# ---- Again ----

$log = apply();
like($log, qr/the coordinator has 5 tables over 3 nodes, as before/,
	'a second time there is nothing to do');
unlike($log, qr/created|altered|dropped|set the/, 'and nothing is done');
is($nodes->run_or_die('federate', $coordinator), '',
	'named without --apply, what is to be done is printed: nothing');

# ---- What changes ----

# A password.
$target->safe_psql('postgres', "ALTER ROLE reader PASSWORD 'se''cret 2'");
to_nodes(q(user=reader password='se\'cret 2'));
coordinator(<<'SQL');
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql
	AS $$ BEGIN RAISE 'not now'; END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('ALTER USER MAPPING')
	EXECUTE FUNCTION refuse();
SQL
$log = $nodes->fails_like(1, qr/not now.*running "ALTER USER MAPPING …".*nothing was changed/s,
	'who cannot set a password says so', 'federate', '--apply', $coordinator);
unlike($log, qr/se'+cret/, 'without it');
coordinator('DROP EVENT TRIGGER refuse; DROP FUNCTION refuse()');
$log = apply();
like($log, qr/set the password for server "shop_b"/, 'a password is set anew');
answers_ok('another password');

# An address.
my $port = $target->port;
$target->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
$target->restart;
$nodes->set_conninfo('b', "host=localhost port=$port dbname=node_b user=reader password='se\\'cret 2'");
$log = apply();
like($log, qr/altered server "shop_b": host$/m, 'another host');
like(options_of('shop_b'), qr/host=localhost\b/, 'is on the coordinator');
unlike(options_of('shop_b'), qr/hostaddr/, 'by its name, whatever address it has today');
coordinator("ALTER SERVER shop_b OPTIONS (SET fetch_size '77')");
apply();
like(options_of('shop_b'), qr/fetch_size=77/, 'what somebody has set stays');
answers_ok('another host');

# Tables and columns; a view on the table is no obstacle to more of them.
coordinator('CREATE VIEW mine AS SELECT aid, balance FROM account', 'front');
for my $sql ('CREATE TABLE more (id int PRIMARY KEY)',
	'ALTER TABLE account ADD note text NOT NULL DEFAULT $$x$$',
	'ALTER TABLE place ADD remark varchar(10)',
	"ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'happy'")
{
	$nodes->node_sql($_, $sql) for $nodes->names;
	$pair->source_sql($sql);
}
$log = apply();
like($log, qr/altered columns of "public"\."account"/, 'a column was added');
like($log, qr/created 1 table$/m, 'a table was added');
is(coordinator("SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum"),
	'sad, so-so, happy', 'a label was added');
is(coordinator('SELECT count(*), min(note) FROM account', 'front'), '300|x',
	'the column can be read');
answers_ok('more columns');
for my $sql ('ALTER TABLE account DROP note, ALTER mood TYPE text',
	'ALTER TABLE place DROP remark')
{
	$nodes->node_sql($_, $sql) for $nodes->names;
	$pair->source_sql($sql);
}
$log = apply();
like($log, qr/dropped and made anew "public"\."place"/, 'a view is made anew');
answers_ok('fewer columns');
apply();

# A column that gets another name is the last one where the table was, but not
# where it is made anew.
for my $sql ('ALTER TABLE place ADD one text DEFAULT $$1$$, ADD two text DEFAULT $$2$$',
	'ALTER TABLE place RENAME one TO first')
{
	$nodes->node_sql($_, $sql) for $nodes->names;
	$pair->source_sql($sql);
	apply();
}
answers_ok('a column with another name');
$log = apply();
like($log, qr/as before/, 'is brought there once');
coordinator('DROP VIEW place; DROP FOREIGN TABLE place_1', 'front');
apply();
answers_ok('and with a part that is made anew');

# ---- What is not ours ----

coordinator('CREATE TABLE stranger (id int)');
for my $sql ('CREATE TABLE stranger (id int PRIMARY KEY)')
{
	$nodes->node_sql($_, $sql) for $nodes->names;
	$pair->source_sql($sql);
}
$nodes->fails_like(1, qr/"public"\."stranger" is on the coordinator already, and not a table of pipeline "shop"/,
	'a table of somebody else', 'federate', '--apply', $coordinator);
coordinator('DROP TABLE stranger;
	CREATE TABLE stranger (id int, theirs int) PARTITION BY HASH (id);
	GRANT ALL ON stranger TO front');
$nodes->configure(placement => [ 'public.stranger = hash(id)', @placement ]);
$nodes->fails_like(1, qr/"public"\."stranger" is on the coordinator already, and not a table of pipeline "shop"/,
	'a table of somebody else that has no partitions', 'federate', $coordinator);
coordinator('DROP TABLE stranger');

# A part of another table is ours, but not the table.
for my $sql ('CREATE TABLE account_0 (aid int PRIMARY KEY, mood text, balance int)')
{
	$nodes->node_sql($_, $sql) for $nodes->names;
	$pair->source_sql($sql);
}
for my $rule ('all', 'hash(aid)', 'directory(aid)')
{
	$nodes->configure(placement => [ "public.account_0 = $rule", @placement ]);
	$nodes->fails_like(1, qr/"public"\."account_0" is on the coordinator already.*part of another table/s,
		"a table that has a part's name, placed by $rule", 'federate', $coordinator);
}
$target->safe_psql('postgres', 'CREATE DATABASE empty');
$nodes->fails_like(1, qr/"account_0" already exists.*parts of a table have its name.*nothing was changed/s,
	'on an empty coordinator, too', 'federate', '--apply',
	'--coordinator=' . $target->connstr('empty'));
for my $table ('account_0', 'stranger')
{
	$nodes->node_sql($_, "DROP TABLE $table") for $nodes->names;
	$pair->source_sql("DROP TABLE $table");
}
$nodes->configure(placement => [@placement]);
coordinator('ALTER SERVER shop_a VERSION $$other$$');
$nodes->fails_like(1, qr/server "shop_a" is on the coordinator already, and not known to be of pipeline "shop"/,
	'a server of somebody else', 'federate', '--apply', $coordinator);
coordinator("ALTER SERVER shop_a VERSION 'penstock pipeline shop'");
apply();

# ---- A node is gone ----

coordinator('CREATE FOREIGN TABLE kept (id int) SERVER shop_c
	OPTIONS (schema_name $$public$$, table_name $$audit$$)', 'front');
$nodes->configure(count => 2, placement => [
	'public.account = hash(aid)', 'public.place = directory(tenant)', '* = all' ]);
my @apply = ('federate', '--apply', $coordinator);
($status, undef, $log) = $nodes->run(@apply);
like($log, qr/kept server "shop_c", whose node is gone, for table public\.kept/,
	'a server that somebody uses stays');
coordinator('DROP FOREIGN TABLE kept', 'front');
($status, undef, $log) = $nodes->run(@apply);
like($log, qr/dropped server "shop_c", whose node is gone/, 'then it goes');
is(coordinator('SELECT count(*) FROM pg_inherits WHERE inhparent = $$account$$::regclass'),
	2, 'the table has two partitions');
is(coordinator("SELECT count(*) FROM pg_foreign_table WHERE ftrelid IN (
	SELECT oid FROM pg_class WHERE relname LIKE 'place%')"), 2,
	'and the view reads two tables');
coordinator('SELECT * FROM mine', 'front');
pass('a view on a table whose nodes have changed is there');
($status, undef, $log) = $nodes->run(@apply);
like($log, qr/over 2 nodes, as before/, 'and nothing is left to do');

# Placed in other ways, there and back.
for my $placement ([ 'public.account = all', 'public.place = hash(n)' ],
	[ 'public.account = directory(aid)', 'public.place = all' ],
	[ 'public.account = hash(aid)', 'public.place = directory(tenant)' ])
{
	coordinator('DROP VIEW IF EXISTS mine');
	$nodes->configure(placement => [ @$placement, '* = all' ]);
	apply();
	$log = apply();
	like($log, qr/as before/, "placed as @$placement");
}

done_testing();
