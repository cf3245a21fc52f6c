# Placements that cannot be: refused before anything starts, with file, line and
# reason, or with the statement that fixes it.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Nodes;

my @GOOD = (
	'public.item = hash(customer)', 'public.price* = all', '* = none');

my $nodes = Penstock::Nodes->new(count => 3, placement => \@GOOD);
my $pair = $nodes->pair;
$pair->source_sql('
	CREATE TABLE item (id int, customer int, note text, PRIMARY KEY (id, customer));
	CREATE TABLE price (code text PRIMARY KEY, value int);
	INSERT INTO item SELECT n, n % 7, md5(n::text) FROM generate_series(1, 100) n;
	INSERT INTO price VALUES (1, 1)');

# The file itself.
wrong_file(qr/shop\.ini:\d+: "public\.item" is placed twice: line \d+ does/,
	'a table in two lines', @GOOD, 'public.item = all');
wrong_file(qr/shop\.ini:\d+: invalid placement "hash"/,
	'a hash of nothing', 'public.item = hash');
wrong_file(qr/shop\.ini:\d+: there is no target "d"/,
	'a target that is not there', 'public.item = only d');
# The file and the source: said by check, and clone refuses to begin.
wrong_placement(
	qr/no line of \[placement\] is for table "public"\."mark"/,
	'a table that no line places', undef,
	'public.item = hash(customer)', 'public.price = all');
wrong_placement(
	qr/column "buyer", by which line \d+ places table "public"\."item", does not exist/,
	'a column that is not there', undef, 'public.item = hash(buyer)', '* = all');
wrong_placement(
	qr/column "note", by which table "public"\."item" is placed, is not in its replica identity/,
	'a column that is not in the replica identity',
	'ALTER TABLE "public"."item" REPLICA IDENTITY FULL;',
	'public.item = hash(note)', '* = all');
$pair->source_sql('CREATE TABLE spot (at point, id int PRIMARY KEY);
	ALTER TABLE spot REPLICA IDENTITY FULL');
wrong_placement(
	qr/column "at", by which table "public"\."spot" is placed, cannot be hashed/,
	'a column without a hash', undef, 'public.spot = hash(at)', '* = all');

# What is only a risk, or of no use, is a warning.
$nodes->configure(placement => [ @GOOD, 'public.nothing = all' ]);
my $findings = findings();
is(finding($findings, 'placement')->{level},
	'warning', 'check warns of rows that move without their large values');
is( finding($findings, 'placement')->{fix},
	'ALTER TABLE "public"."item" REPLICA IDENTITY FULL;',
	'and names the statement that fixes it');
like(finding($findings, 'placement_unused')->{message},
	qr/is for no published table/, 'check warns of a line that is for no table');
is($nodes->node_sql('a', "SELECT to_regclass('item')"),
	'', 'nothing was written so far');

# Rows that refer to such as are on other nodes.
$pair->source_sql('CREATE TABLE part (id int PRIMARY KEY);
	CREATE TABLE whole (id int PRIMARY KEY, part int REFERENCES part)');
$nodes->configure(placement => [ @GOOD[0 .. $#GOOD - 1],
		'public.part = hash(id)', '* = all' ]);
$nodes->fails_like(1, qr/foreign key "whole_part_fkey" of table "public"."whole" cannot be fulfilled/,
	'a foreign key to rows that are on other nodes', 'clone');
like(finding(findings(), 'placement_foreign_key')->{message},
	qr/whole_part_fkey.*on nodes where those of table "public"."part"/,
	'check names it, too');
$pair->source_sql('DROP TABLE whole, part');

# One database under two names.
$nodes->configure(placement => \@GOOD);
rewrite_target('c', $nodes->conninfo('b') . ' connect_timeout=7');
$nodes->fails_like(1, qr/target "b" and target "c" are the same database/,
	'two names of one database are refused', 'clone');

# A node that has rows already.
$nodes->configure(placement => \@GOOD);
$nodes->run_or_die('clone', '--schema-only');
$nodes->node_sql('b', 'INSERT INTO item VALUES (1, 1)');
$nodes->fails_like(1, qr/"public"\."item" .*on target "b"|target "b".*has rows/s,
	'a node that has rows is refused', 'clone', '--data-only');
$nodes->node_sql('b', 'TRUNCATE item');
$nodes->run_or_die('clone', '--data-only');
$nodes->spread_ok('after the clone', item => 'customer');

# The nodes know what they were loaded as; they are opened side by side, and the
# first that refuses is named.
$nodes->configure(count => 2);
refuse_follow(
	qr/target "[ab]" was loaded with another number of nodes.*It was loaded as remainder ([01]) of 3 nodes; now it is remainder \g{-1} of 2 nodes/s,
	'another number of nodes');
$nodes->configure(count => 3);
rewrite_target('a', $nodes->conninfo('b'));
rewrite_target('b', $nodes->conninfo('a'));
refuse_follow(qr/was loaded with another number of nodes, or as another/,
	'nodes that have changed places');
$nodes->configure(
	placement => [ 'public.item = hash(id)', 'public.price = all', '* = none' ]);
refuse_follow(
	qr/table "public"\."item" was placed otherwise.*by "hash\("customer"\)"; now it is by "hash\("id"\)"/s,
	'another placement of a table');
$nodes->pair->set_conninfo('target', $nodes->conninfo('a'));
$pair->fails_like(1, qr/was loaded with a placement/,
	'a follower without the placement', 'follow');
$nodes->configure(placement => \@GOOD);

# A table that comes while it is followed.
my $follower = $nodes->start('follow');
$pair->source_sql('INSERT INTO item VALUES (1000, 5)');
$pair->wait_caught_up($follower);
$nodes->configure(placement =>
	  [ 'public.item = hash(customer)', 'public.price* = all', 'public.mark = none',
		'public.spot = none' ]);
$pair->stop_ok($follower);
$follower = $nodes->start('follow');
$follower->wait_log(qr/following with slot/);
$pair->source_sql('CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)');
is($follower->wait_exit, 1, 'a follower stops at a table that is not placed');
like($follower->log, qr/table "public"\."late" is not placed/, 'and names it');
$nodes->configure(placement =>
	  [ 'public.item = hash(customer)', 'public.price* = all', '* = none' ]);
$nodes->follow_to_end;
$nodes->spread_ok('when it is placed', item => 'customer');

done_testing();

sub wrong_file
{
	my ($pattern, $title, @placement) = @_;

	$nodes->configure(placement => \@placement);
	$nodes->fails_like(2, $pattern, "config check finds $title",
		'config check');
}

sub wrong_placement
{
	my ($pattern, $title, $fix, @placement) = @_;

	$nodes->configure(placement => \@placement);
	my $finding = finding(findings(), 'placement');
	is($finding->{level}, 'error', "check finds $title");
	like($finding->{message}, $pattern, 'and says what it is');
	is($finding->{fix}, $fix, 'and how to fix it') if $fix;
	$nodes->fails_like(1, $pattern, 'clone refuses it', 'clone');
	is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
		0, 'and has made no slot');
}

sub findings
{
	my ($status, $output) = $nodes->run('check', '--json');

	return JSON::PP->new->decode($output);
}

sub finding
{
	my ($findings, $code) = @_;
	my $list = ref $findings eq 'ARRAY' ? $findings : $findings->{findings};
	my ($finding) = grep { $_->{code} eq $code } @$list;

	return {} unless $finding;
	return { %$finding, fix => join "\n", @{ $finding->{fix} || [] } };
}

sub refuse_follow
{
	my ($pattern, $title) = @_;

	$nodes->fails_like(1, $pattern, "$title: refused", 'follow');
}

# Give a target of the file another address.
sub rewrite_target
{
	my ($name, $conninfo) = @_;
	my $file = $nodes->file;

	open my $in, '<', $file or die "could not open \"$file\": $!\n";
	my $text = do { local $/; <$in> };
	close $in;
	$text =~ s/(\[target $name\]\nconninfo = )[^\n]*/$1$conninfo/;
	open my $out, '>', $file or die "could not create \"$file\": $!\n";
	print $out $text;
	close $out or die "could not write \"$file\": $!\n";
}
