# What the ledger says of a row that was in the way of an insert, by whichever
# index, and of rules for tables that are not there.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $FAILED = 1;
my $pair = Penstock::Pair->new;

rows_in_the_way();
inherited();
no_nulls();
unsettled();
older_ledger();
rules();
bad_bytes();
done_testing();

sub follow_with
{
	my ($db, @options) = @_;
	my ($status, undef, $log) = $db->run('follow', '--set',
		'--endpos=' . $db->source_lsn, @options);

	return wantarray ? ($status, $log) : $status;
}

# Which index it was, and the row: each as the index itself compares.
sub rows_in_the_way
{
	my $db = $pair->with_database('in_the_way');

	$db->source_sql(<<'END');
CREATE TABLE u (id int PRIMARY KEY, code int UNIQUE, mail text, live bool,
	during int4range, pair_a int, pair_b text, n int,
	"Odd Name" varchar(20), EXCLUDE USING gist (during WITH &&));
CREATE UNIQUE INDEX mail_low ON u (lower(mail));
CREATE UNIQUE INDEX live_n ON u (n) WHERE live;
CREATE UNIQUE INDEX two ON u (pair_a, pair_b COLLATE "C");
CREATE UNIQUE INDEX "an odd 'one" ON u ("Odd Name") INCLUDE (id);
CREATE UNIQUE INDEX nulls ON u (n, pair_a) NULLS NOT DISTINCT WHERE code < 0;
END
	$db->clone;
	$db->target_sql(<<'END');
ALTER TABLE u ADD note text DEFAULT 'x';
CREATE UNIQUE INDEX with_note ON u (note) WHERE id > 900;
INSERT INTO u (id, code) VALUES (1, 10);
INSERT INTO u (id, mail) VALUES (2, 'Me@There');
INSERT INTO u (id, n, live) VALUES (3, 7, true), (103, 8, false);
INSERT INTO u (id, pair_a, pair_b) VALUES (4, 1, 'a');
INSERT INTO u (id, "Odd Name") VALUES (5, 'odd');
INSERT INTO u (id, during) VALUES (6, '[1,5)');
INSERT INTO u (id, code) VALUES (7, -1);
INSERT INTO u (id) VALUES (8), (901);
END
	$db->source_sql("INSERT INTO u $_")
	  for '(id, code) VALUES (201, 10)',
	  "(id, mail) VALUES (202, 'mE\@tHERE')",
	  '(id, n, live) VALUES (203, 7, true)',
	  '(id, n, live) VALUES (303, 8, true), (304, 7, false)',
	  "(id, pair_a, pair_b) VALUES (204, 1, 'a')",
	  "(id, \"Odd Name\") VALUES (205, 'odd')",
	  "(id, during) VALUES (206, '[4,9)')",
	  '(id, code) VALUES (207, -2)',
	  '(id) VALUES (8)',
	  '(id) VALUES (902)';
	is(follow_with($db, '--on-conflict=skip'), 0, 'the follower goes on');
	my $said = join "\n", '201|u_code_key|1', '202|mail_low|2',
	  '203|live_n|3', '204|two|4', "205|an odd 'one|5", '206|u_during_excl|6',
	  '207|nulls|7', '8|u_pkey|8', '902||';
	is( $db->target_sql(
			"SELECT source_new->>'id', target_index, target_row->>'id'
				FROM penstock.conflict ORDER BY id"),
		$said,
		'each conflict has the index and the row');
	is($db->target_sql('SELECT count(*) FROM u WHERE id IN (303, 304)'),
		2, 'what is in nobody\'s way is written');
}

# Rows of a table that inherits from another are not that one's, and so are
# neither in the way nor overwritten.
sub inherited
{
	my $db = $pair->with_database('inherited');

	$db->source_sql(<<'END');
CREATE TABLE p (id int PRIMARY KEY, v text, code int UNIQUE);
CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p);
CREATE TABLE ip (id int PRIMARY KEY, v text,
	n int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE ic (PRIMARY KEY (id)) INHERITS (ip);
INSERT INTO c VALUES (1, 'child'), (2, 'child');
INSERT INTO ic VALUES (1, 'child', 100);
END
	$db->clone;
	$db->target_sql(q(INSERT INTO p VALUES (1, 'local', 4), (9, 'local', 5);
		INSERT INTO ip VALUES (1, 'local')));
	$db->source_sql(q(INSERT INTO p VALUES (1, 'x');
		INSERT INTO ip VALUES (1, 'x')));
	is(follow_with($db, '--on-conflict=overwrite'), 0, 'the follower overwrites');
	my $rows = "SELECT '%s', id, v FROM ONLY %s WHERE id < 3 ORDER BY id";
	my @rows = map { $db->target_sql(sprintf $rows, $_, $_) } qw(p c ip ic);
	is_deeply(\@rows, [ 'p|1|x', "c|1|child\nc|2|child", 'ip|1|x', 'ic|1|child' ],
		'the row of the parent alone');

	$db->source_sql(q(INSERT INTO p VALUES (2, 'x', 5)));
	is(follow_with($db, '--on-conflict=skip'), 0, 'the follower goes on');
	is( $db->target_sql("SELECT target_index, target_row->>'id'
			FROM penstock.conflict WHERE policy = 'skip'"),
		'p_code_key|9',
		'a row of the child is not what is in the way');
}

# A row of nulls is not null to an index.
sub no_nulls
{
	my $db = $pair->with_database('no_nulls');

	$db->source_sql(<<'END');
CREATE TYPE two AS (a int, b int);
CREATE TABLE n (id int PRIMARY KEY, t two, code int);
CREATE UNIQUE INDEX by_a_row ON n (t) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX by_code ON n (code);
END
	$db->clone;
	$db->target_sql('INSERT INTO n VALUES (1, NULL, 10)');
	$db->source_sql('INSERT INTO n VALUES (2, ROW (NULL, NULL), 10)');
	is(follow_with($db, '--on-conflict=skip'), 0, 'the follower goes on');
	is($db->target_sql('SELECT target_index FROM penstock.conflict'),
		'by_code', 'by the index that it is in');
}

# Overwriting by key cannot make room in another index.
sub unsettled
{
	my $db = $pair->with_database('unsettled');

	$db->source_sql('CREATE TABLE u (id int PRIMARY KEY, code int UNIQUE)');
	$db->clone;
	$db->target_sql('INSERT INTO u VALUES (1, 10)');
	$db->source_sql('INSERT INTO u VALUES (2, 10)');
	my ($status, $log) = follow_with($db, '--on-conflict=overwrite');
	is($status, $FAILED, 'a row that cannot be overwritten stops it');
	like($log, qr/must be unique, by index "u_code_key"/, 'it says which index');
}

# The ledger of an older version gets the column.
sub older_ledger
{
	my $db = $pair->with_database('older');

	$db->source_sql('CREATE TABLE u (id int PRIMARY KEY, v text)');
	$db->clone;
	is(follow_with($db, '--on-conflict=skip'), 0, 'a ledger is made');
	$db->target_sql('DROP TABLE penstock.version;
		ALTER TABLE penstock.conflict DROP COLUMN target_index;
		INSERT INTO u VALUES (1, \'ours\')');
	$db->source_sql("INSERT INTO u VALUES (1, 'theirs')");
	is(follow_with($db), 0, 'an older one does');
	is( $db->target_sql(
			"SELECT target_index, target_row->>'v' FROM penstock.conflict"),
		'u_pkey|ours', 'and says as much');
}

sub rules
{
	my $db = $pair->with_database('rules');

	$db->source_sql('CREATE TABLE u (id int PRIMARY KEY);
		CREATE TABLE "My Logs" (id int PRIMARY KEY)');
	$db->fails_like($FAILED, qr/names table "public"\."typo", which is not/,
		'a clone refuses it', 'clone', '--on-conflict=public.typo:skip');
	$db->clone;
	my ($status, $log) = follow_with($db, '--on-conflict=public."My Logs":skip');
	is($status, 0, 'a rule for a table that is there');
	for my $name ('no.such', 'public.my_logs', 'public."U"')
	{
		$db->fails_like($FAILED,
			qr/--on-conflict names table "\w+"\."\w+", which is not published.*as in SQL/s,
			"a rule for $name", 'follow', '--set',
			'--endpos=' . $db->source_lsn, "--on-conflict=$name:skip");
	}
	is($db->target_sql("SELECT options::text LIKE '%such%'
			FROM penstock.pipeline WHERE pipeline = 'rules'"),
		'f', 'nothing of it is remembered');
	$db->source_sql('DROP TABLE "My Logs"');
	is(follow_with($db, '--on-conflict=public."My Logs":skip'),
		0, 'a rule that is remembered does not stop when its table goes');

	# A conflict in a table that is gone by the time that it is met.
	$db->source_sql('INSERT INTO u VALUES (1)');
	is(follow_with($db), 0, 'the follower goes on');
	$db->target_sql('DELETE FROM u');
	$db->source_sql('UPDATE u SET id = 2');
	$db->source_sql('DROP TABLE u');
	($status, $log) = follow_with($db);
	is($status, $FAILED, 'a conflict in a table that the source has dropped');
	is(follow_with($db, '--on-conflict=public.u:skip'),
		0, 'it can be skipped as long as the target has the table');
	is( $db->target_sql(
			"SELECT table_name, source_new->>'id' FROM penstock.conflict"),
		'u|2',
		'and is noted');
	($status) = $db->run('check', '--on-conflict=public.u:overwrite');
	is($status, 0, 'check takes a rule for it, too');
}

# Bytes that are no text are not what a policy is about: it does not promise to
# note the row, and says what gets past it.
sub bad_bytes
{
	my $db = $pair->with_database('bytes');

	$db->source_sql('CREATE TABLE keyless (n int, v text);
		CREATE TABLE other (id int PRIMARY KEY);
		ALTER TABLE keyless REPLICA IDENTITY FULL;
		CREATE CAST (bytea AS text) WITHOUT FUNCTION');
	$db->clone;
	$db->source_sql(q(INSERT INTO keyless VALUES (1, '\xc3'::bytea::text)));
	$db->source_sql('INSERT INTO other VALUES (1)');
	for my $policy (qw(stop skip overwrite))
	{
		my ($status, $log) = follow_with($db, "--on-conflict=$policy");

		is($status, $FAILED, "bytes that are no text stop it: $policy");
		like($log, qr/invalid byte sequence.*The table has no key/s, "it says so: $policy");
		unlike($log, qr/notes the row/, "and promises nothing: $policy");
		like($log, qr/Run "penstock table pause public\.keyless .*"penstock table resume public\.keyless /s,
			"but says what to do: $policy");
	}
	$db->run_or_die('table', 'pause', 'keyless');
	is(follow_with($db), 0, 'which gets past it');
	is($db->target_sql('SELECT count(*) FROM other'), 1, 'for the other tables');
	$db->source_sql("UPDATE keyless SET v = 'text'");
	$db->run_or_die('table', 'resume', 'keyless');
	is(follow_with($db), 0, 'the table is followed again');
	is($db->target_sql('SELECT * FROM keyless'), '1|text', 'with the row');
}
