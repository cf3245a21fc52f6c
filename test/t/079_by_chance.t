# What changes and moments at random have found, each as the smallest case.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Proxy;

my $pair = Penstock::Pair->new;

equal_keys();
partitions_of_the_target();
stopped_while_asking();
internal_errors();
done_testing();

# Keys that are equal and not identical, such as 1.0 and 1.00: whatever becomes of
# a row, the target has the key that the source has.
sub equal_keys
{
	my $db = $pair->with_database('equal');

	$db->source_sql('CREATE TABLE prices (amount numeric PRIMARY KEY, note text);
		CREATE TABLE alone (amount numeric PRIMARY KEY)');
	$db->clone;

	# A row that is in the way of one to insert is overwritten as a whole.
	$db->target_sql("INSERT INTO prices VALUES (1.0, 'ours'), (2.0, 'ours');
		INSERT INTO alone VALUES (1.0), (2.0)");
	$db->source_sql("INSERT INTO prices VALUES (1.00, 'theirs'), (2.0, 'theirs');
		INSERT INTO alone VALUES (1.00), (2.0)");
	$db->follow_to_end('--on-conflict=overwrite');
	is($db->target_sql('SELECT count(*) FROM penstock.conflict'),
		4, 'each of the conflicts is noted');
	$db->equal_ok('overwritten');

	# An update of one to the other, and the one in the place of the other.
	$db->source_sql($_) for (
		'UPDATE prices SET amount = 2.000 WHERE amount = 2',
		"BEGIN; DELETE FROM prices WHERE amount = 1;
		 INSERT INTO prices VALUES (1.0, 'again'); COMMIT",
		'UPDATE alone SET amount = 1.0 WHERE amount = 1');
	$db->follow_to_end;
	$db->equal_ok('changed to an equal one');
}

# Tables that have partitions on the target alone are emptied for a copy: by
# TRUNCATE, or row by row where others refer to them.
sub partitions_of_the_target
{
	my $db = $pair->with_database('parted');
	my $columns = '(id integer PRIMARY KEY, v text)';

	$db->source_sql("CREATE TABLE t $columns; CREATE TABLE parent $columns;
		CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent)");
	$db->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY)');
	$db->target_sql("CREATE TABLE $_ $columns PARTITION BY HASH (id);
		CREATE TABLE ${_}_0 PARTITION OF $_ FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE ${_}_1 PARTITION OF $_ FOR VALUES WITH (MODULUS 2, REMAINDER 1)")
	  for qw(t parent);
	$db->target_sql('CREATE TABLE child (id integer PRIMARY KEY,
		parent integer REFERENCES parent)');
	$db->source_sql("INSERT INTO $_ SELECT n, 'v' FROM generate_series(1, 100) n")
	  for qw(t parent);
	$db->source_sql('INSERT INTO child SELECT n, n FROM generate_series(1, 50) n');
	$db->clone('--data-only');
	$db->target_sql("UPDATE $_ SET v = 'other'") for qw(t parent);
	$db->run_or_die('table', 'resync', 'public.t', 'public.parent');
	$db->follow_to_end;
	$db->equal_ok('copied anew into partitions');
}

# A command has changed what is followed, and the follower is told to stop while
# it asks the target what its failure comes of: that is no other consumer.
sub stopped_while_asking
{
	my $db = $pair->with_database('asking');
	my $silent = "$ENV{TESTDATADIR}/silent";
	my $proxy = Penstock::Proxy->start($pair->target, sub {
		return -e $silent ? { reply => sub { sleep 60; return @_ } } : {};
	});

	$db->clone;
	$db->set_conninfo(target => $proxy->conninfo($db->name));
	my $follower = $db->start('follow');
	$follower->wait_log(qr/following with slot/);
	append_to_file($silent, 'who connects from here on gets no answer');
	my $sessions = sessions($db);
	$db->target_sql('UPDATE penstock.progress SET lease_token = lease_token + 1');
	$db->source_sql('INSERT INTO mark DEFAULT VALUES');
	wait_until('it to ask', sub { sessions($db) > $sessions });
	$db->stop_ok($follower, 'TERM', 'who asks a silent target');
	unlike($follower->log, qr/taken over/, 'nobody has taken over');
	$db->set_conninfo(target => undef);
	$proxy->stop;
	$db->follow_to_end;
	$db->equal_ok('when it goes on');
}

sub sessions
{
	my ($db) = @_;

	return $db->target_sql("SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'penstock'");
}

# An internal error of a server that passes is none for the follower; one that
# stays stops it, and is said.
sub internal_errors
{
	my $db = $pair->with_database('internal');

	$db->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
	$db->clone;
	$db->target_sql(<<'END');
CREATE SEQUENCE tries;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('public.tries') < 5 THEN
		RAISE 'tuple concurrently updated' USING ERRCODE = 'XX000';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER fail BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fail();
ALTER TABLE t ENABLE ALWAYS TRIGGER fail;
END
	$db->source_sql('INSERT INTO t VALUES (1)');
	$db->follow_to_end;
	cmp_ok($db->target_sql('SELECT last_value FROM tries'), '>=', 5,
		'the target has refused it, with internal errors');
	is($db->target_sql('SELECT count(*) FROM t'), 1, 'and taken it in the end');

	$db->target_sql("SELECT setval('tries', 1); ALTER SEQUENCE tries MAXVALUE 4 CYCLE");
	$db->source_sql('INSERT INTO t VALUES (2)');
	$db->fails_like(1, qr/tuple concurrently updated/,
		'one that stays stops the follower', 'follow');
}
