# A database that changes at random for a few transactions, and another one that
# follows it.
package Ddl::Round;

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Ddl::Databases;
use Ddl::Forms;

my $STEPS = 6;

# Statements of a transaction.
my $LONGEST = 24;

my @SETUP = (
	'CREATE SCHEMA s1',
	q{CREATE TYPE mood AS ENUM ('a', 'b')},
	'CREATE DOMAIN positive AS int CHECK (value > 0)',
	'CREATE TYPE pair AS (x int, y text)',
	q{CREATE TABLE t1 (id bigint PRIMARY KEY, a int, b text DEFAULT 'b')},
	q{INSERT INTO t1 VALUES (1, 1, 'one'), (2, NULL, 'two')},
	'CREATE TABLE t2 (id bigint PRIMARY KEY, t1 bigint REFERENCES t1, m mood)',
	'INSERT INTO t2 VALUES (1, 1, NULL), (2, 2, NULL)',
	'CREATE TABLE h1 (id bigint, a int); CREATE TABLE h2 (b text) INHERITS (h1)',
	'INSERT INTO h1 VALUES (1, 1); INSERT INTO h2 VALUES (2, 2, NULL)',
	'CREATE TABLE p1 (id bigint NOT NULL, k int, v text) PARTITION BY RANGE (id)',
	'CREATE TABLE p1a PARTITION OF p1 FOR VALUES FROM (0) TO (1000)',
	'INSERT INTO p1 VALUES (1, 1, NULL), (2, 2, NULL)',
	'CREATE TABLE tp OF pair',
	'CREATE SEQUENCE q1',
	'CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler',
);

my %done;

# Statements that make what a round begins with.
sub setup { return @SETUP; }

# Whether nothing was found.
sub test
{
	my ($node, $seed, $steps) = @_;
	my $started = time;
	my $databases = Ddl::Databases->new($node, "seed$seed", @SETUP);
	my $forms = Ddl::Forms->new($seed, $databases->session);
	my $good = 1;

	for my $step (1 .. $steps || $STEPS)
	{
		my @done = transaction($forms, $databases->session);
		my @findings = @done ? $databases->follow : ();

		next unless @findings;
		fail("seed $seed, transaction $step");
		diag($_) for @findings, 'made:', (map { "    $_" } @done),
		  'followed by:', (map { "    $_->{sql}" } $databases->statements),
		  "to repeat: make fuzz-ddl SEED=$seed ROUNDS=1";
		$good = 0;
		last;
	}
	pass(sprintf 'seed %d, %.1f s', $seed, time - $started) if $good;
	$databases->drop;
	return $good;
}

# The statements that were made and committed.
sub transaction
{
	my ($forms, $session) = @_;
	my @done;

	$session->run('BEGIN');
	for (1 .. 1 + int $forms->random($LONGEST))
	{
		my ($name, $sql) = eval { $forms->next } or next;

		$session->run('SAVEPOINT form');
		if ($session->error($sql))
		{
			$session->run('ROLLBACK TO form');
			next;
		}
		push @done, $sql;
		$done{$name}++;
	}
	return $session->error('COMMIT') ? () : @done;
}

sub summary
{
	my $count = 0;

	$count += $_ for values %done;
	return keys(%done) . " forms, $count statements; never: "
	  . (join(' ', grep { !$done{$_} } Ddl::Forms::names()) || 'none');
}

1;
