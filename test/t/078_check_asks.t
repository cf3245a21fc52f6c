# What commands refuse at their start, "penstock check" finds before that.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;

sub findings
{
	my ($db, @options) = @_;
	my (undef, $output) = $db->run('check', '--json', @options);

	return @{ JSON::PP->new->utf8->decode($output) };
}

sub errors
{
	return grep { $_->{level} eq 'error' } findings(@_);
}

# ---- Policies for tables that are not there ----

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
for my $table (qw(public.typo public."T"))
{
	my ($found) = errors($pair, "--on-conflict=$table:skip");

	is($found && $found->{code}, 'on_conflict', "check finds a policy for $table");
	$pair->fails_like(1, qr/--on-conflict names table/, "clone refuses it: $table",
		'clone', "--on-conflict=$table:skip");
}
is(scalar(errors($pair, '--on-conflict=public.t:skip')), 0, 'one that is right is taken');
$pair->clone('--on-conflict=public.t:skip');
$pair->follow_to_end;
is(scalar(errors($pair)), 0, 'a policy that is remembered is no error');
$pair->fails_like(1, qr/--on-conflict names table "public"\."typo", which is not on the source/,
	'nor does table take one', 'table', 'resync',
	'--on-conflict=public.typo:skip', 'public.t');
$pair->source_sql('ALTER PUBLICATION shop OWNER TO CURRENT_USER;
	CREATE TABLE later (id integer PRIMARY KEY)');
$pair->run_or_die('table', 'add', '--on-conflict=public.later:skip', 'public.later');
$pair->source_sql('DROP TABLE t');
is((grep { $_->{code} eq 'on_conflict' } findings($pair)), 0,
	'a table that is gone since is no error');

# ---- Foreign keys that act, before they are on the target ----

my $acts = $pair->with_database('acts');
$acts->source_sql('CREATE TABLE parent (id integer PRIMARY KEY);
	CREATE TABLE child (id integer PRIMARY KEY,
		p integer REFERENCES parent ON DELETE CASCADE);
	INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)');
$acts->target->safe_psql('postgres', 'CREATE ROLE plain LOGIN;
	GRANT CREATE ON DATABASE acts TO plain');
$acts->target_sql('GRANT ALL ON SCHEMA public TO plain');
my $full = $acts->conninfo('target');
$acts->set_conninfo(target => "$full user=plain");
my ($found) = grep { $_->{code} eq 'target_foreign_action' }
  errors($acts, '--no-owner', '--no-privileges');
like($found->{message} || '', qr/^foreign key "child_p_fkey" of table public\.child on the source changes rows by itself/,
	'check names a foreign key that a follower will refuse');
my ($drop) = grep { /^ALTER TABLE/ }
  map { split /\n/ } ref $found->{fix} ? @{ $found->{fix} } : $found->{fix};
$acts->clone('--no-owner', '--no-privileges');
$acts->fails_like(1, qr/foreign key "child_p_fkey".*session_replication_role/s,
	'follow refuses it', 'follow', '--endpos=' . $acts->source_lsn);
$acts->target_sql($drop);
$acts->source_sql('DELETE FROM parent');
$acts->follow_to_end;
$acts->equal_ok('after what check said to do');
$acts->set_conninfo(target => undef);

# The same of a foreign key that a partitioned table has, and whose partitions
# are what is published.
my $parts = $pair->with_database('parts');
$parts->source_sql('CREATE TABLE parent (id integer PRIMARY KEY);
	CREATE TABLE child (id integer PRIMARY KEY,
		p integer REFERENCES parent ON DELETE CASCADE) PARTITION BY RANGE (id);
	CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (1) TO (10);
	INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)');
$parts->target->safe_psql('postgres', 'GRANT CREATE ON DATABASE parts TO plain');
$parts->target_sql('GRANT ALL ON SCHEMA public TO plain');
$full = $parts->conninfo('target');
$parts->set_conninfo(target => "$full user=plain");
my @found = grep { $_->{code} eq 'target_foreign_action' }
  errors($parts, '--no-owner', '--no-privileges');
is(scalar(@found), 1, 'check finds it once');
like($found[0]{message} || '', qr/^foreign key "child_p_fkey" of table public\.child on the source/,
	'and names the one that can be dropped');
$parts->clone('--no-owner', '--no-privileges');
$parts->fails_like(1, qr/foreign key "child_p_fkey" of table (?:public\.)?child .*session_replication_role/s,
	'follow refuses it there, too', 'follow', '--endpos=' . $parts->source_lsn);
@found = grep { $_->{code} eq 'target_foreign_action' } errors($parts);
is(scalar(@found), 1, 'check finds it once on the target');
$parts->target_sql('ALTER TABLE child DROP CONSTRAINT child_p_fkey');
$parts->source_sql('DELETE FROM parent');
$parts->follow_to_end;
$parts->equal_ok('without it what was cascaded is applied');
$parts->set_conninfo(target => undef);

# ---- Several targets ----

# With what the guide says that roles need, and no more.
my $two = $pair->with_database('two');
$two->target->safe_psql('postgres', 'CREATE DATABASE two_b OWNER plain;
	GRANT CREATE ON DATABASE two TO plain');
$two->target_sql('GRANT ALL ON SCHEMA public TO plain');
$two->source->safe_psql('postgres', 'CREATE ROLE repl LOGIN REPLICATION');
$two->source_sql('GRANT SELECT ON ALL TABLES IN SCHEMA public TO repl;
	GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO repl');
$two->set_conninfo(source => $two->conninfo('source') . ' user=repl');
$two->set_conninfo(target => $two->conninfo('target') . ' user=plain');
my @second = ('--target=' . $two->target->connstr('two_b') . ' user=plain');
is(scalar(errors($two, @second, '--no-owner', '--no-privileges')), 0,
	'two targets: check finds nothing in the way');
$two->run_or_die('clone', @second, '--no-owner', '--no-privileges');
$two->equal_ok('and clone nothing that stops it');
$two->fails_like(1, qr/are the same database/, 'one target under two names', 'clone',
	'--target=' . $two->conninfo('target') . ' application_name=x', '--name=again',
	'--publications=two');

# ---- Languages ----

my $bare = $pair->with_database('bare');
$bare->target_sql('DROP EXTENSION plpgsql');
($found) = grep { $_->{code} eq 'plpgsql' } errors($bare);
is($found && (ref $found->{fix} ? $found->{fix}[0] : $found->{fix}),
	'CREATE EXTENSION plpgsql;', 'a target without plpgsql is an error');
$bare->target_sql('CREATE EXTENSION plpgsql; CREATE ROLE weak LOGIN;
	REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC');
$bare->set_conninfo(target => $bare->target->connstr('bare') . ' user=weak');
($found) = grep { $_->{code} eq 'plpgsql' } errors($bare);
like($found->{message} || '', qr/role "weak" may not use the language plpgsql/,
	'and so is a role that may not use it');

# ---- What the target has is not in the source's history ----

# It is beyond the source's position: another history is in 057_history.t.
my $past = $pair->with_database('past');
$past->clone;
$past->target_sql("UPDATE penstock.progress SET end_lsn = end_lsn + 1000000000");
($found) = grep { $_->{code} eq 'history' } errors($past);
like($found->{message} || '', qr/has changes that are not in the source's history: The target is at/,
	'check says that a target is beyond the source');
my ($status, $output) = $past->run('status', '--json');
my ($target) = @{ JSON::PP->new->utf8->decode($output)->{targets} };
is($status, 1, 'status is not in order');
is($target->{error}, "has changes that are not in the source's history",
	'and says why');
is($target->{lag_bytes}, undef, 'no lag of 0 is told');
like($target->{detail}, qr/the source's WAL ends at/, 'but where both are');

# Who may not replicate cannot ask for timelines, and sees as much.
$past->source->safe_psql('postgres', 'CREATE ROLE looker LOGIN IN ROLE pg_monitor');
$past->set_conninfo(source => $past->source->connstr('past') . ' user=looker');
($status, $output) = $past->run('status');
like($output, qr/  has changes that are not in the source's history$/m,
	'a role that may not replicate is told, too');

done_testing();
