# The state of a pipeline in a terminal of 80 columns, again and again.

use strict;
use warnings;
use utf8;

use File::Temp qw(tempdir);
use IPC::Run qw(start finish);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

my $pair = Penstock::Pair->new;
my $shown = tempdir(CLEANUP => 1) . '/shown';

$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
$pair->clone;
my $follower = $pair->start('follow');

my ($status, undef, $problem) = $pair->run('status', '--watch');
is($status, 2, 'without a terminal it is refused');
like($problem, qr/standard output is none/, 'and that is said');

$ENV{LC_ALL} = 'C.UTF-8';
my $keys = '';
my $watch = start(['python3', "$ENV{PENSTOCK_STAGE}/test/t/lib/terminal.py", $shown,
	$ENV{PENSTOCK_BIN}, 'status', '--watch', '--name=' . $pair->name,
	'--source=' . $pair->conninfo('source'), '--target=' . $pair->conninfo('target')],
	'<', \$keys, '>&', \my $said);

shows_ok(qr/^in order .* q: quit$/m, 'the state is shown');
like(screen(), qr/^pipeline   shop\n/m, 'with its name');
like(screen(), qr/^  lag     .* max /m, 'and a graph');
$pair->source_sql('INSERT INTO t SELECT generate_series(1, 1000)');
shows_ok(qr/^  rows\/s .*[▂-█].*  max \d{2,}$/m, 'rows that are applied are in it');

# A table that is out is named, whatever it is called.
is(($pair->run('table', 'pause', 't'))[0], 0, 'a table is paused');
shows_ok(qr/^tables that are not followed on/m, 'it is shown');
like(screen(), qr/"t": paused/, 'with its name');
is(($pair->run('table', 'resume', 't'))[0], 0, 'and goes on');

$pair->target->stop('immediate');
shows_ok(qr/^NOT IN ORDER/m, 'a target that is down is shown');
$pair->target->start;
shows_ok(qr/^in order/m, 'and that it is back');
$pair->stop_ok($follower);
shows_ok(qr/^follower   not running/m, 'and that nobody follows');

unlike(screen(), qr/beyond the edge/, 'nothing is wider than 80 columns');
$keys = 'q';
ok(finish($watch), 'q ends it, with status 0');

done_testing();

sub screen
{
	my $text = -e $shown ? slurp_file($shown) : '';

	utf8::decode($text);
	return $text;
}

sub shows_ok
{
	my ($wanted, $title) = @_;

	wait_until($title, sub { $watch->pump_nb; screen() =~ $wanted });
	like(screen(), $wanted, $title);
}
