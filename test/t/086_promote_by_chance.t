# 64 sessions insert, and the source is killed at a moment that nobody chose.  The
# target is promoted: nothing that it inserts has a key that is there, nor one that
# the source has committed, whether that has arrived or not.
#
# PENSTOCK_ROUNDS=100 for the real thing; PENSTOCK_SEED repeats a run, as far as
# moments can be repeated.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(pause);

my $ROUNDS = $ENV{PENSTOCK_ROUNDS} // 3;
my $SESSIONS = 64;
my $seed = $ENV{PENSTOCK_SEED} // int rand 2**31;
srand $seed;
note("seed $seed: PENSTOCK_SEED=$seed chooses the same moments");

my $pair = Penstock::Pair->new(
	source => [ 'max_connections = 100' ],
	target => [ 'max_connections = 100' ]);
$pair->source_sql(<<'END');
CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text);
CREATE SEQUENCE shared CACHE 20;
CREATE TABLE one (id bigint PRIMARY KEY DEFAULT nextval('shared'), who text);
CREATE TABLE two (id bigint PRIMARY KEY DEFAULT nextval('shared'), who text);
CREATE SEQUENCE down INCREMENT -3;
CREATE TABLE below (id int PRIMARY KEY DEFAULT nextval('down'), who text);
END
my @tables = ('always', 'one', 'two', 'below');
my $script = "$PostgreSQL::Test::Utils::tmp_check/insert.sql";
append_to_file($script, join '',
	map { "INSERT INTO $_ (who) VALUES (:who);\n" } @tables);

for my $round (1 .. $ROUNDS)
{
	$pair->clone('-q');
	my $follower = $pair->start('follow', '--sequence-interval=1');
	$follower->wait_log(qr/following with slot/);
	my $writers = $pair->start_pgbench("--client=$SESSIONS", '--rate=200',
		"--file=$script", q(--define=who='source'));
	# As from this look on nothing is taken from the time before the writers.
	$pair->wait_for_sql('target', "SELECT count(*) > 100 FROM always");
	pause(rand 3);
	$pair->source->stop('immediate');
	$writers->end('KILL');

	# It may still run, wait for the source, or be gone.
	$follower->end('KILL') if $round % 3 == 0;
	$pair->run_or_die('promote');
	my $said = insert_on_target();
	is($said, '', "round $round: no duplicate key on the target");

	$pair->source->start;
	$follower->end('KILL') if $follower->is_running;
	is(common_keys(), 0,
		"round $round: and none that the source has committed");
	begin_anew();
}
done_testing;

# What is said against it.
sub insert_on_target
{
	my ($stdout, $stderr);

	my $good = IPC::Run::run(
		[
			'pgbench', '--no-vacuum',
			'--client=8', '--transactions=200', "--file=$script",
			q(--define=who='target'), $pair->target->connstr('shop')
		],
		'>', \$stdout, '2>', \$stderr);
	return $good ? '' : $stderr;
}

sub common_keys
{
	my $count = 0;

	for my $table (@tables)
	{
		my $keys = $pair->target_sql(
			"SELECT coalesce(array_agg(id), '{}') FROM $table WHERE who = 'target'");
		$count += $pair->source_sql(
			"SELECT count(*) FROM $table WHERE id = ANY ('$keys')");
	}
	return $count;
}

sub begin_anew
{
	$pair->recreate_target;
	$pair->run('drop', '--force');
	$pair->source_sql("TRUNCATE " . join(', ', @tables));
}
