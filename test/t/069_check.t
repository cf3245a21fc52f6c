# What "penstock check" says is what the commands then meet: nothing that it
# passes over stops them, and what it names is so.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;
my %found;


# ---- What the source refuses ----

my $new = $pair->with_database('new', publish => '');
$new->source_sql(<<'END');
CREATE TABLE keyed (id integer PRIMARY KEY);
CREATE TABLE log_a (t text);
CREATE TABLE log_b (t text);
END
%found = found($new);
like($found{publication_refuses}{message},
	qr/FOR ALL TABLES, the source refuses to update or delete rows of 2 tables without a replica identity: public\.log_a, public\.log_b$/,
	'before there is a publication, it says what one would refuse');
is($found{publication_refuses}{fix}[0],
	'ALTER TABLE public.log_a REPLICA IDENTITY FULL;', 'and what to do');
run_fixes($new, $found{publication_refuses});
%found = found($new);
ok(!$found{publication_refuses}, 'when that is done, there is nothing to say');

my $some = $pair->with_database('parts', publish => '');
$some->source_sql(<<'END');
CREATE TABLE filtered (id integer PRIMARY KEY, region text);
CREATE TABLE listed (id integer, code integer, note text);
CREATE UNIQUE INDEX ON listed (id, code);
ALTER TABLE listed ALTER id SET NOT NULL, ALTER code SET NOT NULL;
ALTER TABLE listed REPLICA IDENTITY USING INDEX listed_id_code_idx;
CREATE TABLE whole (id integer NOT NULL, region text) PARTITION BY LIST (region);
CREATE TABLE whole_a PARTITION OF whole FOR VALUES IN ('a');
ALTER TABLE whole_a ADD PRIMARY KEY (id);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE good (id integer, region text, PRIMARY KEY (id, region));
CREATE PUBLICATION parts FOR TABLE mark, filtered WHERE (region = 'eu'),
	listed (id, note), good (id, region) WHERE (region <> 'us' AND id > 0),
	whole WHERE (region = 'a') WITH (publish_via_partition_root);
INSERT INTO filtered VALUES (1, 'eu');
INSERT INTO listed VALUES (1, 1, 'x');
INSERT INTO whole VALUES (1, 'a');
INSERT INTO good VALUES (1, 'eu');
END
my @refused = grep { $_->{code} =~ /^identity_/ } findings($some);
is( join(' ', map { "$_->{code}:$_->{object}" } @refused),
	'identity_filtered:table public.filtered identity_filtered:table public.whole_a'
	  . ' identity_not_listed:table public.listed',
	'row filters and column lists that do not fit the identity are named');
for my $table (qw(filtered listed whole good))
{
	my ($status) = $some->source->psql('parts', "UPDATE $table SET id = id");

	is($status == 0 ? 'taken' : 'refused', $table eq 'good' ? 'taken' : 'refused',
		"the source does so with table $table");
}


# ---- Many of one kind ----

$some->source_sql("CREATE TABLE log_$_ (t text);
	ALTER PUBLICATION parts ADD TABLE log_$_") for 1 .. 8;
my (undef, $output) = $some->run('check');
is(scalar(() = $output =~ /^  warning .*table "public"\."log_\d"/mg), 3,
	'of warnings of one kind it prints the first few');
like($output, qr/^ +and 5 more of this kind: --verbose/m, 'and how many more');
(undef, $output) = $some->run('check', '--verbose');
is(scalar(() = $output =~ /^  warning .*table "public"\."log_\d"/mg), 8,
	'with --verbose all of them');
my (undef, undef, $log) = $some->run('clone', '--dry-run');
is(scalar(() = $log =~ /replica identity/g), 1, 'clone says it once');



# ---- What a clone needs ----

# Each is said by check, by clone before it changes anything, and mended as it is
# said there.
my $shop = $pair->with_database('strict');
$shop->source_sql(<<'END');
CREATE ROLE owner_of_all;
CREATE ROLE mover LOGIN REPLICATION;
CREATE SCHEMA app AUTHORIZATION owner_of_all;
ALTER TABLE mark OWNER TO owner_of_all;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SET ROLE owner_of_all;
CREATE TABLE app.item (id serial PRIMARY KEY, name text);
INSERT INTO app.item (name) VALUES ('one'), ('two');
CREATE UNLOGGED TABLE app.scratch (id integer PRIMARY KEY);
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO mover;
RESET ROLE;
END
$shop->target->safe_psql('postgres', 'CREATE ROLE mover LOGIN');
$shop->target_sql('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
$shop->set_conninfo($_, $shop->{$_}->connstr('strict') . ' user=mover')
  for qw(source target);

my @steps = (
	[ target => 'may not create the table penstock', 'GRANT CREATE ON DATABASE strict TO mover' ],
	[ source => 'may not read .* tables', 'GRANT SELECT ON ALL TABLES IN SCHEMA app, public TO mover;
		GRANT USAGE ON SCHEMA app, public TO mover' ],
	[ source => 'may not read 2 sequences', 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA app, public TO mover' ],
	[ target => 'may not create tables on .* in schema public: mover$', 'GRANT USAGE, CREATE ON SCHEMA public TO mover' ],
	[ target => 'roles are missing on .*: owner_of_all$', 'CREATE ROLE owner_of_all; GRANT owner_of_all TO mover' ],
	[ target => 'may not create tables on .* in schema public: owner_of_all$', 'GRANT USAGE, CREATE ON SCHEMA public TO owner_of_all' ],
	[ target => 'may not set session_replication_role', 'GRANT SET ON PARAMETER session_replication_role TO mover', 'warning' ],
);
for my $step (@steps)
{
	my ($side, $words, $fix, $level) = @$step;
	my @said = grep { $_->{message} =~ /$words/m && $_->{level} eq ($level || 'error') }
	  findings($shop);

	cmp_ok(scalar @said, '>', 0, "check says: $words");
	$shop->fails_like(1, qr/$words/m, "so does clone: $words", 'clone')
	  unless $level || $words =~ /penstock/;
	is($shop->source_sql("SELECT count(*) FROM pg_replication_slots"),
		0, 'and has made nothing');
	my $sql = "${side}_sql";
	$shop->$sql($fix);
}
my @errors = grep { $_->{level} eq 'error' } findings($shop);
is(scalar @errors, 0, 'then check has no error')
  or diag(map { "$_->{message}\n" } @errors);
$shop->clone;
$shop->source_sql("INSERT INTO app.item (name) VALUES ('three')");
$shop->follow_to_end;
$shop->equal_ok('cloned and followed with those privileges');


# ---- Sequences ----

$shop->source_sql("SELECT nextval('app.item_id_seq') FROM generate_series(1, 10);
	CREATE SEQUENCE app.down INCREMENT -1; SELECT nextval('app.down');
	SELECT nextval('app.down'); CREATE SEQUENCE app.only_here;
	GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO mover");
$shop->target_sql("CREATE SEQUENCE app.down INCREMENT -1;
	SELECT setval('mark_number_seq', 1000);
	GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO mover");
my ($status, $said, $warned) = $shop->run('sequences');
is($status, 0, 'sequences are set');
like($said, qr/^set 2 sequences on target; the others were there already$/m,
	'and it says how many');
like($warned, qr/sequence app\.only_here is not on target/,
	'one that the target does not have is named');
is( $shop->target_sql("SELECT string_agg(last_value::text, ' ' ORDER BY sequencename)
	FROM pg_sequences"),
	'-2 13 1000', 'those that were behind are set, and none is set back');
$shop->source_sql('CREATE SEQUENCE app.secret');
$shop->fails_like(1, qr/may not read 1 sequence on source, such as app\.secret/,
	'one that may not be read is not left out in silence', 'sequences');



# ---- Databases of Citus ----

# It counts that the extension is there, which is not to be had here.
for my $side (qw(source target))
{
	my $citus = $pair->with_database("citus_$side");
	my $pretend = "SET allow_system_table_mods = on;
		INSERT INTO pg_extension (oid, extname, extowner, extnamespace,
			extrelocatable, extversion) VALUES (99999, 'citus', 10, 11, false, '12.1')";
	my $words = qr/has the extension citus 12\.1, which is not supported/;

	$citus->{$side}->safe_psql($citus->name, $pretend);
	ok((grep { $_->{message} =~ $words && $_->{level} eq 'error' }
			findings($citus)),
		"check refuses Citus as a $side");
	$citus->fails_like(1, $words, "so does clone: $side", 'clone');
	$citus->{$side}->safe_psql($citus->name,
		'SET allow_system_table_mods = on;
		 DELETE FROM pg_extension WHERE oid = 99999');
	$citus->clone;
	$citus->{$side}->safe_psql($citus->name, $pretend);
	$citus->fails_like(1, $words, "so does follow: $side", 'follow',
		'--endpos=' . $citus->source_lsn);
	next unless $side eq 'source';
	$citus->fails_like(1, $words, 'so does tail', 'tail',
		'--endpos=' . $citus->source_lsn);
	my $record = Penstock::Process->start(
		name => 'record',
		command => [
			$ENV{PENSTOCK_BIN}, 'record',
			'--source=' . $citus->conninfo('source'), '--name=' . $citus->name,
			"--log=$ENV{TESTDATADIR}/citus_log"
		]);
	is($record->wait_exit, 1, 'and record');
	like($record->log, $words, 'in the same words');
}

# ---- What a target lacks ----

my $less = $pair->with_database('less');
$less->source_sql('CREATE TABLE parent (id integer PRIMARY KEY);
	CREATE TABLE child (id integer PRIMARY KEY,
		p integer REFERENCES parent ON DELETE SET NULL);
	INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)');
$less->clone;
$less->source_sql(q(ALTER TABLE parent ADD n numeric(10, 2) NOT NULL DEFAULT 7.5;
	CREATE TABLE "It's New" (id integer PRIMARY KEY, v varchar(5));
	INSERT INTO "It's New" VALUES (1, 'x')));
%found = found($less);
is( $found{target_table_missing}{fix}[1],
	q(penstock table add --name=less 'public."It'\\''s New"'),
	'a table that is missing is to be copied');
is( $found{target_column_missing}{fix}[0],
	'ALTER TABLE public.parent ADD COLUMN n numeric(10,2) DEFAULT 7.5 NOT NULL;',
	'a column that is missing, with all that belongs to it');
like(join(' ', @{ $found{target_column_missing}{fix} }),
	qr/penstock table resync/, 'and what it does not give');
ok(!$found{target_foreign_action}, 'who may set foreign keys aside is content');
$less->target->safe_psql('postgres', 'CREATE ROLE plain LOGIN');
$less->target_sql('GRANT USAGE ON SCHEMA penstock TO plain;
	GRANT ALL ON ALL TABLES IN SCHEMA public, penstock TO plain');
$less->set_conninfo('target', $less->target->connstr('less') . ' user=plain');
%found = found($less);
is($found{target_foreign_action}{level}, 'error', 'who may not is told');
like($found{target_foreign_action}{message},
	qr/"child_p_fkey" of table public.child .* changes rows by itself/,
	'of the foreign key');
is( join(' ', @{ $found{target_foreign_action}{fix} }[0, 2]),
	'GRANT SET ON PARAMETER session_replication_role TO plain; '
	  . 'ALTER TABLE public.child DROP CONSTRAINT child_p_fkey;',
	'and what can be done');

done_testing();

sub findings
{
	my ($of, @options) = @_;
	my (undef, $stdout) = $of->run('check', '--json', @options);

	return @{ JSON::PP->new->decode($stdout) };
}

# By their codes; of several the last.
sub found
{
	my ($of, @options) = @_;

	return map { $_->{code} => $_ } findings($of, @options);
}

sub run_fixes
{
	my ($of, $finding) = @_;

	$of->source_sql($_) for grep { !/^--/ } @{ $finding->{fix} };
}
