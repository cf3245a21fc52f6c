# What tail confirms is what its reader has taken; and what it refuses before it
# opens a stream.

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Penstock::Pair;
use Penstock::Process;

my $FAILED = 1;
my $ROWS = 10;
my $pair = Penstock::Pair->new;

misspelt();
$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
$pair->run_or_die('tail', '--name=audit', '--publications=shop',
	'--create-slot', '--endpos=' . $pair->source_lsn);
my $first = 1;
reader('head -n 3', 'a reader that has had enough', 3);
reader('sleep 1', 'a reader that reads nothing', 0);
reader('head -c 1', 'a reader of half a line', 0);
reader('dd bs=64k count=1 status=none', 'a reader of one block', 1);
reader('cat', 'a reader of all', $ROWS);
$pair->source_sql('INSERT INTO t VALUES (0)');
is(join(',', numbers(tail())), '0', 'what a reader of all has is confirmed');
done_testing();

sub slots
{
	return $pair->source_sql('SELECT count(*) FROM pg_replication_slots');
}

sub misspelt
{
	for my $options ([], [ '--create-slot', '--name=audit' ])
	{
		$pair->fails_like($FAILED,
			qr/publication "nosuch" does not exist on the source.*CREATE PUBLICATION/s,
			"a publication that is not there (@$options)",
			'tail', '--publications=shop,nosuch', @$options);
	}
	is(slots(), 0, 'and no slot is made for it');
}

sub arguments
{
	return ('tail', '--name=audit', '--publications=shop', '--create-slot',
		'--endpos=' . $pair->source_lsn);
}

sub tail
{
	return $pair->run_or_die(arguments());
}

# The rows that lines which are whole tell of.
sub numbers
{
	my ($text) = @_;

	return map { decode_json($_)->{new}{id} } $text =~ /(.*)\n/g;
}

# What a reader did not print comes again.
sub reader
{
	my ($command, $title, $at_least) = @_;
	my $last = $first + $ROWS - 1;

	$pair->source_sql("INSERT INTO t VALUES ($_)") for $first .. $last;
	my $tail = join ' ', map { "'" . s/'/'\\''/gr . "'" }
	  $pair->command(arguments());
	my $shell = Penstock::Process->start(
		name => 'pipe',
		command => [ 'bash', '-c', "$tail | $command" ]);
	is($shell->wait_exit, 0, "$title: it ends");
	my @printed = numbers($shell->output);
	my @again = numbers(tail());
	my %seen = map { $_ => 1 } @printed, @again;

	cmp_ok(scalar @printed, '>=', $at_least, "$title: it has its lines");
	is(join(',', grep { !$seen{$_} } $first .. $last),
		'', "$title: no line is lost");
	is(scalar @again, $command eq 'cat' ? 0 : $ROWS,
		"$title: what is confirmed")
	  if $command =~ /cat|sleep/;
	$first = $last + 1;
}
