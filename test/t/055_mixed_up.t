# Databases that are mixed up: source and target swapped or the same, another
# target, another database of the server, what is exported beside a file.  What
# is refused is refused before anything is advised that would do harm.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;

my $FAILED = 1;
my $MISUSED = 2;
my $HARM = qr/TRUNCATE|[Dd]rop what|penstock drop|penstock clone/;

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE item (id integer PRIMARY KEY);
	INSERT INTO item SELECT generate_series(1, 10)');
my ($source, $target) = map { $pair->conninfo($_) } qw(source target);


# ---- One database twice, and two that are swapped ----

for my $case (
	[ 'clone' ], [ 'clone', '--data-only' ], [ 'clone', '--schema-only' ],
	[ 'drop' ], [ 'table', 'add', 'item' ])
{
	refused($source, $source, qr/source and target.* are the same database/, @$case);
}
refused($target, $source, qr/source and target look swapped/, @$_)
  for ([ 'clone' ], [ 'clone', '--data-only' ]);
$pair->clone;
refused($source, $source, qr/are the same database/, 'fence');
refused($target, $source,
	qr/look swapped.*The pipeline of that name goes from the target to the source/s, @$_)
  for ([ 'clone' ], [ 'clone', '--data-only' ], [ 'drop' ],
	[ 'table', 'add', 'item' ]);
is($pair->source_sql('SELECT count(*) FROM item'), 10, 'nothing was touched');


# ---- Another target ----

$pair->target->safe_psql('postgres', 'CREATE DATABASE wrong');
my $wrong = $pair->target->connstr('wrong');
refused($source, $wrong, qr/target "wrong@.*" does not know pipeline "shop"/, 'drop');
is(slots('shop'), 1, 'the slot that feeds another target stays');
$pair->set_conninfo('target', $wrong);
$pair->run_or_die('drop', '--force');
is(slots('shop'), 0, 'unless it is forced');
$pair->set_conninfo('target', undef);
$pair->run_or_die('drop');
$pair->recreate_target;

# While a clone is at work.
$pair->source_sql("CREATE TABLE wide AS SELECT n, repeat('x', 1000) t
	FROM generate_series(1, 300) n");
$pair->source_sql('ALTER TABLE wide ADD PRIMARY KEY (n)');
my $clone = $pair->start('clone', '--max-rate=1kB/s');
$clone->wait_log(qr/copying \d+ tables?/);
refused($source, $wrong, qr/a clone of pipeline "shop" is running/, 'drop', '--force');
refused($source, $target, qr/a clone of pipeline "shop" to target is running.*has PID \d+/s,
	'clone', $_) for ('--resume', '--restart', '--jobs=1');
ok($clone->is_running, 'the clone at work is not disturbed');
$pair->source_sql("SELECT pg_drop_replication_slot('shop')");
$clone->end('KILL');
my ($status, undef, $log) = $pair->run('clone', '--resume');
is($status, $FAILED, 'a clone whose slot is gone cannot go on');
$pair->run_or_die('clone', '--restart', '--max-rate=10MB/s');
$pair->equal_ok('one that was killed is not waited for');
$pair->run_or_die('drop');
$pair->recreate_target;

# The slot goes while it is at work: it must not end as if all were well.  Its
# sessions have another name than others know.
$pair->set_conninfo($_, $pair->conninfo($_) . ' application_name=mine')
  for qw(source target);
$clone = $pair->start('clone', '--max-rate=100kB/s');
$clone->wait_log(qr/copying \d+ tables?/);
$pair->set_conninfo($_, undef) for qw(source target);
refused($source, $target, qr/a clone of pipeline "shop" to target.* is running/, 'drop');
$pair->source_sql("SELECT pg_drop_replication_slot('shop')");
is($clone->wait_exit, $FAILED, 'a clone whose slot is dropped fails');
like($clone->log, qr/slot "shop" of the unfinished clone was dropped meanwhile/,
	'and says why');
$pair->run('clone', '--restart');
$pair->run_or_die('drop');
$pair->recreate_target;


# ---- Another database of the server ----

my $other = $pair->with_database('other', publish => '');
$other->source_sql('CREATE PUBLICATION shop FOR TABLE mark');
$pair->clone;
$log = $other->fails_like($FAILED,
	qr/slot "shop" belongs to another database/,
	"another database's pipeline has the name", 'clone', '--name=shop');
unlike($log, $HARM, 'and is not offered to be removed');
like($log, qr/--name/, 'but to choose another name');

# The same pipeline's name, from another source to the same target.
$pair->source_sql("SELECT pg_drop_replication_slot('shop')");
$pair->target_sql("UPDATE penstock.progress SET source_system_identifier = '1'");
refused($source, $target, qr/already ends at target.*Its source is another server/s,
	'clone');
$pair->target_sql('DELETE FROM penstock.progress');
$pair->recreate_target;


# ---- What is exported beside a file ----

my $file = "$ENV{TESTDATADIR}/mixed.ini";
append_to_file($file, "[penstock]\nname = shop\n[source]\nconninfo = $source\n"
	  . "[target a]\nconninfo = $target\n[placement]\n* = only a\n");
for my $case (
	[ 'PENSTOCK_SOURCE', $other->conninfo('source'), 'another source' ],
	[ 'PENSTOCK_TARGET', $wrong, 'other targets' ],
	[ 'PENSTOCK_NAME', 'other', 'another name' ],
	[ 'PENSTOCK_NAME', 'shop_old', 'another name' ])
{
	my ($variable, $value, $what) = @$case;
	my ($status, $log) = with_environment({ $variable => $value },
		'clone', "--config=$file", '--dry-run');

	is($status, $MISUSED, "$variable beside a file that says something else");
	like($log, qr/$variable is set, and "[^"]*" has $what/, 'is refused');
}
is((with_environment({ PENSTOCK_SOURCE => $source, PENSTOCK_NAME => 'shop' },
	'clone', "--config=$file", '--dry-run'))[0], 0, 'the same twice is no matter');

done_testing();


# A command with these ends fails, with that message and no advice that does harm.
sub refused
{
	my ($from, $to, $pattern, @command) = @_;
	my ($status, $log) = with_environment(
		{ PENSTOCK_SOURCE => $from, PENSTOCK_TARGET => $to, PENSTOCK_NAME => 'shop' },
		@command);

	is($status, $FAILED, "@command: refused");
	like($log, $pattern, "@command: why");
	unlike($log =~ s/"penstock drop --force[^"]*"//r, $HARM,
		"@command: nothing is advised that does harm");
}

sub with_environment
{
	my ($environment, @command) = @_;
	my $process = Penstock::Process->start(
		name => $command[0],
		command => [ $ENV{PENSTOCK_BIN}, @command ],
		environment => {
			PENSTOCK_SOURCE => '', PENSTOCK_TARGET => '', PENSTOCK_NAME => '',
			%$environment });
	my $status = $process->wait_exit;

	print map { "# $_\n" } split /\n/, $process->log;
	return ($status, $process->output . $process->log);
}

sub slots
{
	my ($name) = @_;

	return $pair->source_sql(
		"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$name'");
}
