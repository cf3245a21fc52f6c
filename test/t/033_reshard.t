# From two nodes to three: a pipeline for each of the two, into the same three,
# while they are written to, and nodes and follower are killed.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Server qw(start_server);
use Penstock::Shards;

my $ROWS = 3000;
my $LARGE = "repeat(md5(random()::text), 100)";

my $old = start_server('source');
my $new = start_server('target');
my $shards = Penstock::Shards->new(
	sources => { map { $_ => [ $old, "shard_$_" ] } qw(a b) },
	nodes => { map { $_ => [ $new, "node_$_" ] } qw(x y z) },
	placement => [
		'public.sale = hash(customer)', 'public.beat = only y', '* = all from a' ]);
my $BEAT = "INSERT INTO beat (shard) VALUES (current_database())";

$shards->sources_sql("CREATE PUBLICATION shop FOR ALL TABLES;
	CREATE TABLE sale (id bigserial, customer int, note text, large text);
	ALTER TABLE sale ADD PRIMARY KEY (id, customer),
		ALTER large SET STORAGE EXTERNAL;
	CREATE TABLE price (code int PRIMARY KEY, value int);
	CREATE TABLE beat (shard text, n serial, PRIMARY KEY (shard, n));
	INSERT INTO price SELECT n, n FROM generate_series(1, 100) n");
# What a shard has never been mixed with what the other has.
$shards->source_sql('b', 'ALTER SEQUENCE sale_id_seq START 1000001 RESTART');
$shards->sources_sql("INSERT INTO sale (customer, note, large)
	SELECT n, 'first', CASE WHEN n % 10 = 0 THEN $LARGE END
	  FROM generate_series(1, $ROWS) n");

refuse_what_cannot_be();

# A key that is there twice is found when it is copied, and told.
$shards->sources_sql("INSERT INTO sale VALUES (-1, -1)");
refuse_for('clone', 1, qr/Key \(id, customer\)=\(-1, -1\) is duplicated/,
	'a key that two sources have');
refuse_for('clone', 1, qr/was not finished.*penstock clone --restart/s,
	'to begin again');
$shards->sources_sql("DELETE FROM sale WHERE id = -1");

my @writers = map { start_writer($_) } $shards->source_names;
my ($status, $output) = $shards->run('config check');
like($output, qr/pipeline "shop", sources "a", "b", 3 targets, 3 rules/,
	'config check says what it sees');
($status, $output) = $shards->run('check');
like($output, qr/^source "a":\n.*^source "b":\n/ms, 'check looks at each source');

# Tables of which the sources, as nodes of a pipeline, have parts.
$shards->sources_sql(q(CREATE SCHEMA penstock; CREATE TABLE penstock.node (places jsonb);
	INSERT INTO penstock.node VALUES ('{"\"public\".\"price\"": "hash(code)"}')));
($status, $output) = $shards->run('check');
is($status, 1, 'a table of which each source has a part is found');
is(scalar(() = $output =~ /^  error +table\s"public"\."price"\sis\sspread\sover\sseveral/mg), 2,
	'by check, on each') or diag($output);
$shards->sources_sql('DROP SCHEMA penstock CASCADE');

my $follower = $shards->start('clone', '--restart', '--follow');
$follower->wait_log(qr/source "$_": following with slot "shop_$_"/) for qw(a b);
is( join(' ', map { $shards->node_sql('x',
			"SELECT count(*) FROM penstock.$_") } qw(progress node)),
	'2 2', 'a node knows of a pipeline for each source');
ok($shards->node_sql('z', "SELECT last_value FROM sale_id_seq") > 1000000,
	'sequences stand where they have come farthest');

like($follower->log,
	qr/source "b": tables that are on every target are followed from source "a" only/,
	'it says where reference tables come from');
$shards->source_sql('a', 'UPDATE price SET value = 0 WHERE code <= 10');
$shards->source_sql('b', 'UPDATE price SET value = -1 WHERE code <= 10');
wait_for_writers(500);
$follower->end('KILL');
wait_for_writers(500);
$follower = $shards->start('follow');
wait_for_writers(500);
$new->stop('immediate');
$new->start;
wait_for_writers(500);

# What is printed while it runs.
($status, $output) = $shards->run('status', '--json');
my @objects = map { JSON::PP->new->decode($_) } split /\n/, $output;
is(join(' ', map { $_->{pipeline} } @objects), 'shop_a shop_b',
	'status has an object for each source');
($status, $output) = $shards->run('status', '--json', '--from=b');
is(JSON::PP->new->decode($output)->{pipeline}, 'shop_b', 'or for one');

end_writers();
$shards->wait_caught_up($follower, $BEAT);
$shards->gathered_ok('two to three', sale => 'customer');
$shards->merged_ok('two to three', 'price', $_, 'a') for $shards->node_names;
$shards->merged_ok('two to three', 'beat', 'y', 'a', 'b');

# One that fails ends all.
$shards->source_sql('a', 'TRUNCATE sale');
is($follower->wait_exit, 1, 'a failure of one source ends all');
like($follower->log,
	qr/source "a": TRUNCATE of table "public"."sale" on one source cannot be followed/,
	'TRUNCATE is not followed: it would take the other rows, too');
like($follower->log, qr/following source "a" has failed: all were ended/,
	'the source is named');

$shards->run_or_die('drop');
is($old->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots'),
	0, 'drop removes all slots');
is($shards->node_sql('x', "SELECT to_regnamespace('penstock')"),
	'', 'and all progress');
done_testing();

# Before anything is written anywhere.
sub refuse_what_cannot_be
{
	my %sources = %{ $shards->{sources} };

	refuse(2, qr/shop\.ini:\d+: sources "a" and "c" have the same address/,
		'one source twice', sources => { %sources, c => $sources{a} });
	refuse(2, qr/several sources need a section \[placement\]/,
		'no placement', leave_out => qr/\[placement\].*/s);
	refuse(2, qr/directory\(COLUMN\) cannot be used with several sources/,
		'a directory',
		placement => [ '* = directory(id)' ],
		text => "[directory]\ntable = public.price\nkey = code\nnode = value\n");
	refuse_for('follow', 2, qr/--endpos is a position of one source/,
		'a position of all sources', '--endpos=1/0');
	refuse_for('tail', 2, qr/has several sources.*--from=a/s,
		'one stream of all sources');
	refuse_for('fence', 2, qr/has several sources.*--from=a/s,
		'one position of all sources');
	refuse_for('clone', 1, qr/a clone of several sources cannot be resumed/,
		'going on with a copy', '--resume');

	$shards->source_sql('b', 'ALTER TABLE sale RENAME note TO remark');
	refuse(1, qr/column "note" of table "public"\."sale" is not there, or not published, on source "b"/,
		'other columns');
	$shards->source_sql('b', 'ALTER TABLE sale RENAME remark TO note');
	$shards->source_sql('b', 'ALTER TABLE beat RENAME TO beats');
	refuse(1, qr/table "public"\."beat" is published by source "a", and not by source "b"/,
		'a table that only one has');
	$shards->source_sql('b', 'ALTER TABLE beats RENAME TO beat');
	$shards->sources_sql("CREATE TYPE size AS ENUM ('small', 'large');
		CREATE TABLE shirt (sizes size[] PRIMARY KEY)");
	refuse(1, qr/column "sizes", by which table "public"\."shirt" is placed, has a type with another hash on every server/,
		'a key that is hashed otherwise everywhere',
		placement => [ 'public.shirt = hash(sizes)', '* = all from a' ]);
	$shards->sources_sql('DROP TABLE shirt');

	is($old->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots')
		  . join(',', map { $shards->node_sql($_, "SELECT to_regnamespace('penstock'),
			to_regclass('sale')") } $shards->node_names),
		'0|,|,|', 'nothing was written');
}

# Refused by clone, with another file.
sub refuse
{
	my ($status, $pattern, $title, %option) = @_;
	my %kept = %$shards;

	$shards->configure(%option);
	refuse_for('clone', $status, $pattern, $title);
	%$shards = %kept;
	$shards->configure;
}

sub refuse_for
{
	my ($verb, $status, $pattern, $title, @options) = @_;

	$shards->fails_like($status, $pattern, "$verb refuses $title", $verb,
		@options);
}

# Inserts, updates, deletes, and rows that change their key.
sub start_writer
{
	my ($name) = @_;
	my ($server, $database) = @{ $shards->{sources}{$name} };
	my $first = $name eq 'a' ? 0 : 1000000;
	my $script = "$ENV{TESTDATADIR}/writer_$name.sql";

	open my $handle, '>', $script or die "could not create \"$script\": $!\n";
	print $handle "\\set id $first + random(1, $ROWS)
		\\set other $first + random(1, $ROWS)
		BEGIN;
		INSERT INTO sale (customer, note) VALUES (random() * 10000, 'new');
		UPDATE sale SET note = note || 'x' WHERE id = :id;
		UPDATE sale SET customer = customer + 1, large = CASE WHEN id % 3 = 0
			THEN $LARGE ELSE large END WHERE id = :other;
		END;
		DELETE FROM sale WHERE id = :id + $ROWS;
		$BEAT;
		\\sleep 2 ms\n";
	close $handle or die "could not write \"$script\": $!\n";
	return Penstock::Process->start(
		name => "writer_$name",
		command => [ 'pgbench', '--no-vacuum', '--time=3600', '--file', $script,
			$server->connstr($database) ]);
}

# Until each has written so many times more.
sub wait_for_writers
{
	my ($times) = @_;
	my @names = $shards->source_names;
	my %before = map { $_ => beats($_) } @names;

	wait_until("$times transactions",
		sub {
			die "a writer has ended:\n" . $_->log
			  for grep { !$_->is_running } @writers;
			return !grep { beats($_) < $before{$_} + $times } @names;
		});
}

sub end_writers
{
	for my $writer (@writers)
	{
		die "a writer has ended:\n" . $writer->log unless $writer->is_running;
		$writer->end('INT');
	}
	wait_until(
		'the sessions of the writers to end',
		sub {
			$old->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity
				WHERE application_name = 'pgbench'") eq '0';
		});
}

sub beats
{
	return $shards->source_sql($_[0], 'SELECT last_value FROM beat_n_seq');
}
