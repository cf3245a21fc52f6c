# What is passed on to somebody who is to help: all that he needs, and no
# secret.

use strict;
use warnings;

use IPC::Run qw(run);
use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY, secret text)');
$pair->source_sql("INSERT INTO t VALUES (4711, 'hidden')");
$pair->clone;
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);
$pair->set_conninfo(source => $pair->conninfo('source') . " password='s3cret word'");

my $time = '2026-11-30 05:54:22.333+00';
my $log = join "\n", (map { "$time line $_" } 1 .. 400),
  "$time ERROR: duplicate key (SQLSTATE 23505)", '  detail: Key (id)=(4711) already exists.',
  qq($time invalid input syntax: "hidden"), "$time could not connect with password=hidden",
  '    hidden too', '';
my ($report, $problems) = ('', '');
ok(run([$pair->command('report')], '<', \$log, '>', \$report, '2>', \$problems),
	'a report is made');
is($problems, '', 'and nothing else said');
like($report, qr/^penstock \d+\.\d+\.\d+, libpq \d+\.\d+$/m, 'versions of the program');
like($report, qr/^version=PostgreSQL \d+/m, 'and of servers');
like($report, qr/^slot_name=shop  plugin=penstock/m, 'the slot');
like($report, qr/^follower   running/m, 'the status');
like($report, qr/^name=wal_level  setting=logical/m, 'settings');
like($report, qr/application_name=penstock/, 'sessions');
like($report, qr/^source is given$/m, 'options');
like($report, qr/^  detail: Key \(id\)=\(\?\) already exists\.$/m, 'the log');
unlike($report, qr/ line 50$/m, 'the end of it');
like($report, qr/ line 399$/m, 'only');
unlike($report, qr/4711|hidden|s3cret/, 'there are no secrets and no rows');

$pair->target->stop('immediate');
($report, $problems) = ('', '');
ok(run([$pair->command('report')], '<', '/dev/null', '>', \$report, '2>', \$problems),
	'a report is made without a target, too');
like($report, qr/^slot_name=shop/m, 'with what there is');
like($report, qr/could not connect to target/, 'and what there is not');
unlike($report, qr/s3cret/, 'and without secrets');
$pair->target->start;
$pair->stop_ok($follower);

done_testing();
