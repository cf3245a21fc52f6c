# What commands end with, and what they say that is to be run: exit statuses of
# what was stopped, misuse, and printed commands that do as they stand what they
# are said to do.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Advice;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;

my $DONE = 0;
my $FAILED = 1;
my $MISUSED = 2;

my $pair = Penstock::Pair->new;


# ---- Misuse ----

for my $case (
	[ 'unrecognized verb', 'table', 'frob', 'a' ],
	[ 'unrecognized verb "resink"\nDid you mean "resync"', 'table', 'resink', 'a' ],
	[ 'no table is given', 'table', 'add' ],
	[ 'expected is "penstock config check"', 'config', 'frob' ],
	[ 'no source is given', 'follow', '--target=dbname=x' ],
	[ 'no source is given', 'check' ],
	[ 'no target is given', 'clone', '--source=dbname=x' ],
	[ 'unrecognized command "flolow"\nDid you mean "follow"', 'flolow' ],
	[ 'unrecognized command "xyzzy"\nTry', 'xyzzy' ],
	[ 'unrecognized option "--publcations=a"\nDid you mean "--publications"',
		'clone', '--publcations=a' ],
	[ 'no command is given' ])
{
	my ($message, @words) = @$case;
	my ($status, $output) = bare(@words);

	is($status, $MISUSED, "penstock @words: misused");
	like($output, qr/$message/, 'and what is wrong with it is said');
	like($output, qr/^Try "penstock .*--help" for more information\.$/m,
		'and where to read on');
}
my ($status, $output) = bare('help');
is($status, $DONE, 'penstock help');
like($output, qr/^  clone /m, 'lists the commands');
($status, $output) = bare('help', 'follow');
is($status, $DONE, 'penstock help COMMAND');
like($output, qr/--endpos/, 'lists its options');
is((bare('help', 'flolow'))[0], $MISUSED, 'penstock help of what is none');


# ---- What was stopped ----

# A copy that takes its time.
$pair->source_sql(q(CREATE TABLE held (id integer PRIMARY KEY, filler text);
	INSERT INTO held SELECT n, repeat('x', 1000) FROM generate_series(1, 500) n));
for my $signal ('INT', 'TERM')
{
	my $clone = $pair->start('clone', '--max-rate=1kB/s',
		$signal eq 'INT' ? () : '--restart');
	$clone->wait_log(qr/copying \d+ tables?/);
	is($clone->end($signal), $FAILED, "clone that is stopped by $signal has failed");
	like($clone->log, qr/penstock clone --resume --name=shop/,
		'and says how to go on');
	advice_ok($clone->log, 'clone --resume', 'a clone that was stopped')
	  if $signal eq 'TERM';
}
my $beyond = $pair->source_sql("SELECT pg_current_wal_lsn() + 1000000000");
my $follower = $pair->start('follow', "--endpos=$beyond");
$follower->wait_log(qr/following with slot/);
is($follower->end('TERM'), $FAILED,
	'follow that is stopped before --endpos has failed');
like($follower->log, qr/stopped before LSN \S+ was reached/, 'and says so');
$follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
$pair->stop_ok($follower, 'TERM', 'follow without --endpos is done');

# Where it waits for a server.
$pair->target->stop;
$follower = $pair->start('follow');
$follower->wait_log(qr/trying again/);
$pair->stop_ok($follower, 'TERM', 'also while it waits');
$follower = $pair->start('follow', "--endpos=$beyond");
$follower->wait_log(qr/trying again/);
is($follower->end('TERM'), $FAILED, 'but not before --endpos');
$pair->target->start;

# HUP is no request to stop where there is no terminal.
$follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
$follower->signal('HUP');
$follower->wait_log(qr/the configuration was read again/);
$pair->source_sql('INSERT INTO held VALUES (1002)');
$pair->wait_caught_up($follower);
$pair->stop_ok($follower);


# ---- Printed commands ----

# Names and connection strings come from the command line here, with characters
# that mean something to a shell.
my $odd = $pair->with_database('odd', publish => '');
$odd->source_sql(q(
	CREATE TABLE a (id integer PRIMARY KEY);
	CREATE TABLE "Mine, ""yours""" (id integer PRIMARY KEY);
	CREATE PUBLICATION "or $HOME" FOR TABLE mark, a, "Mine, ""yours""";
	CREATE PUBLICATION more FOR TABLE mark));
my @publications = q(--publications="or $HOME",more);
$odd->set_conninfo('target', $odd->conninfo('target') . " options='-c work_mem=1MB'");

my $log = ($odd->run('follow', @publications))[2];
advice_ok($log, 'clone', 'what a follower without a slot says');
$log = ($odd->run('clone', @publications))[2];
advice_ok($log, 'drop', 'what a clone says that is in the way of another');
$log = ($odd->run('clone', @publications, '--data-only'))[2];
my ($follow) = grep { /^penstock follow/ } Penstock::Advice::commands($log);
ok($follow, 'a clone says how to follow');
$odd->source_sql('INSERT INTO a SELECT generate_series(1, 3)');
($status, $output) = Penstock::Advice::run(
	"$follow --endpos=" . $odd->source_lsn);
is($status, $DONE, 'that runs as it stands') or diag($output);
is($odd->target_sql('SELECT count(*) FROM a'), 3, 'and applies');
$odd->run_or_die('table', 'pause', 'public."Mine, ""yours"""');
$log = ($odd->run('table', 'add', 'public."Mine, ""yours"""'))[2];
advice_ok($log, 'table resume', 'a table with an odd name');
like($odd->run_or_die('check'), qr/0 errors/, 'check finds no error then');

# What a table's rows are in the way of.
$odd->target_sql('CREATE TABLE late (id integer PRIMARY KEY);
	INSERT INTO late VALUES (7)');
$odd->source_sql('CREATE TABLE late (id integer PRIMARY KEY);
	INSERT INTO late VALUES (1); ALTER PUBLICATION more ADD TABLE late');
$log = ($odd->run('table', 'add', 'public.late'))[2];
advice_ok($log, 'table resync', 'a table that has rows');
is($odd->target_sql('SELECT * FROM late'), 1, 'which are replaced');

# A slot that feeds a target that is gone.
my $other = $odd->conninfo('target') =~ s/odd/postgres/r;
$log = Penstock::Process->start(
	name => 'drop',
	command => [
		$ENV{PENSTOCK_BIN}, 'drop', '--name=odd', "--target=$other",
		'--source=' . $odd->conninfo('source') ]);
is($log->wait_exit, $FAILED, 'drop with another target');
advice_ok($log->log, 'drop --force', 'a slot whose target is gone');
is($odd->source_sql("SELECT count(*) FROM pg_replication_slots
		WHERE slot_name = 'odd'"), 0, 'the slot is removed');
$odd->run_or_die('drop');
$odd->recreate_target;

# A clone whose slot is gone, and one of many tables without a key.
$odd->source_sql('CREATE TABLE no_key_1 (n integer); CREATE TABLE no_key_2 (n integer);
	ALTER PUBLICATION more ADD TABLE no_key_1, no_key_2;
	INSERT INTO a SELECT generate_series(10, 20000)');
my $broken = $odd->start('clone', @publications, '--max-rate=1kB/s');
$broken->wait_log(qr/copying \d+ tables?/);
is($broken->end('TERM'), $FAILED, 'a clone that is stopped');
my ($check) =
  grep { /^penstock check --verbose/ } Penstock::Advice::commands($broken->log);
like((Penstock::Advice::run($check // 'penstock none'))[1],
	qr/no_key_1.*no_key_2/s, 'tables without a key: the command lists them');
$odd->source_sql("SELECT pg_drop_replication_slot('odd')");
$log = ($odd->run('clone', @publications, '--resume'))[2];
advice_ok($log, 'clone --restart', 'a clone whose slot is gone');

# A schema change that is not made.
$odd->run_or_die('follow', '--set', '--ddl=stop', '--endpos=' . $odd->source_lsn);
$odd->source_sql('ALTER TABLE a ADD note text; INSERT INTO a VALUES (-1, 1)');
$log = ($odd->run('follow', '--endpos=' . $odd->source_lsn))[2];
my ($set) = grep { /^penstock follow --set/ } Penstock::Advice::commands($log);
ok($set, 'a schema change that stops it: there is a command to run') or diag($log);
($status, $output) = Penstock::Advice::run("$set --endpos=" . $odd->source_lsn);
is($status, $DONE, 'it runs as it stands') or diag($output);
is($odd->target_sql('SELECT note FROM a WHERE id = -1'), 1, 'and makes the change');

# A password is not printed.
my $conninfo = $odd->conninfo('target');
$odd->set_conninfo('target', "$conninfo password=secret");
$log = join '', ($odd->run('clone', @publications))[ 1, 2 ];
unlike($log, qr/secret/, 'no password is printed');
like($log, qr/penstock drop/, 'but the rest');

done_testing();


# Runs the program with nothing of ours in the environment.
sub bare
{
	my @words = @_;
	my $process = Penstock::Process->start(
		name => 'bare',
		command => [ $ENV{PENSTOCK_BIN}, @words ],
		environment => {
			PENSTOCK_SOURCE => '', PENSTOCK_TARGET => '', PENSTOCK_NAME => '',
			PENSTOCK_CONFIG => '' });
	my $status = $process->wait_exit;

	return ($status, $process->output . $process->log);
}

# A text has a command that begins so, and it runs as it stands.
sub advice_ok
{
	my ($text, $beginning, $title) = @_;
	my ($command) =
	  grep { /^penstock $beginning\b/ } Penstock::Advice::commands($text);

	ok($command, "$title: there is a command to run") or diag($text);
	my ($status, $output) = Penstock::Advice::run($command // 'penstock none');
	is($status, $DONE, "$title: it runs as it stands") or diag($output);
}
