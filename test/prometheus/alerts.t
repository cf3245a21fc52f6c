# Debian's Prometheus watches a follower through faults: the alerts of the
# package fire, and clear.  And what it is given is right: rules, dashboard,
# names.
#
# The times that an alert waits are shortened to seconds.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use IPC::Run qw(run);
use JSON::PP;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

use Penstock::Metrics;
use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;
use Penstock::Session;

my $given = "$ENV{PENSTOCK_STAGE}/prometheus";
my $directory = tempdir(CLEANUP => 1);

# ---- What is in the package ----

prints_ok(['promtool', 'check', 'rules', "$given/penstock.rules.yml"], 'the rules are valid');
prints_ok(['promtool', 'test', 'rules', "$given/penstock.rules.test.yml"],
	'and fire when they should');
my $dashboard = decode_json(slurp_file("$given/penstock.dashboard.json"));
cmp_ok(scalar @{ $dashboard->{panels} }, '>', 5, 'the dashboard is JSON, with panels');

my %served = map { $_ => 1 }
  slurp_file("$ENV{PENSTOCK_STAGE}/metrics/text.c") =~ /"(penstock_\w+)"/g;
my %used = map { s/_total$//r => 1 }
  map { slurp_file($_) =~ /\b(penstock_\w+)/g } glob "$given/penstock.*.{yml,json}";
is(join(' ', grep { !$served{$_} } sort keys %used), '', 'all metrics in them are served');

# ---- A follower, and who watches it ----

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE t (id integer PRIMARY KEY)');
$pair->clone;
my $metrics = Penstock::Metrics->new(port => free_port());
my $follower = $pair->start('follow', $metrics->option, '--heartbeat=1', '--watchdog=2');
$follower->wait_log(qr/listening at/);

my ($out, $problems) = ('', '');
my $body = ($metrics->get('/metrics'))[2];
run(['promtool', 'check', 'metrics'], '<', \$body, '>', \$out, '2>', \$problems);
is("$out$problems", '', 'the metrics are valid');

my $prometheus = Penstock::Metrics->new(port => free_port());
my $server = start_prometheus();
wait_until('the follower to be scraped', sub { query('up{job="penstock"}') eq '1' });
is(firing(), '', 'nothing is wrong');

# ---- Faults ----

$pair->target->stop('immediate');
fires_ok('PenstockTargetDown', 'a target that is down is told');
$pair->target->start;
clears_ok('PenstockTargetDown');

my $session = Penstock::Session->new($pair->target, $pair->name);
$session->run('BEGIN', 'LOCK TABLE t');
$pair->source_sql('INSERT INTO t VALUES (1)');
fires_ok('PenstockTargetStuck', 'a target that somebody locks is told');
$session->end('COMMIT');
clears_ok('PenstockTargetStuck');

$pair->source->stop('immediate');
fires_ok('PenstockNotFollowing', 'a source that is down is told');
$pair->source->start;
clears_ok('PenstockNotFollowing');

$pair->stop_ok($follower);
fires_ok('PenstockNotAnswering', 'a follower that does not run is told');
$follower = $pair->start('follow', $metrics->option, '--heartbeat=1', '--watchdog=2');
clears_ok('PenstockNotAnswering');
# That it has begun again so often is remembered for a quarter of an hour.
wait_until('nothing to be wrong', sub { firing() =~ /^(?:PenstockFailing)?$/ });
unlike(firing(), qr/Target|Following|Answering|Slot/, 'in the end nothing is wrong');
$pair->stop_ok($follower);
$server->signal('TERM');
$server->wait_exit;

done_testing();

sub prints_ok
{
	my ($command, $title) = @_;
	my $words = '';

	ok(run($command, '>&', \$words), $title) or diag($words);
}

sub free_port
{
	return IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
}

sub start_prometheus
{
	my $rules = slurp_file("$given/penstock.rules.yml");

	$rules =~ s/for: \w+/for: 2s/g;
	write_file("$directory/rules.yml", $rules);
	write_file("$directory/prometheus.yml", <<"END");
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files: ['$directory/rules.yml']
scrape_configs:
  - job_name: penstock
    static_configs:
      - targets: ['localhost:$metrics->{port}']
END
	my $started = Penstock::Process->start(
		name => 'prometheus',
		command => ['prometheus', "--config.file=$directory/prometheus.yml",
			"--storage.tsdb.path=$directory/data",
			"--web.listen-address=127.0.0.1:$prometheus->{port}"]);

	wait_until('Prometheus to be ready', sub { ($prometheus->get('/-/ready'))[0] == 200 });
	return $started;
}

sub write_file
{
	my ($path, $text) = @_;

	open my $handle, '>', $path or die "$path: $!\n";
	print $handle $text;
	close $handle;
}

sub api
{
	my ($path) = @_;
	my (undef, $head, $body) = $prometheus->get("/api/v1/$path");

	# It may be sent in parts, each with its length in a line before it.
	$body =~ s/^[0-9a-f]+\r\n(.*?)\r\n0\r\n.*/$1/s if $head =~ /chunked/i;
	return decode_json($body)->{data};
}

sub query
{
	my ($expression) = @_;
	my ($first) = @{ api('query?query=' . $expression =~ s/([^\w])/sprintf '%%%02X', ord $1/ger)
		  ->{result} };

	return $first ? $first->{value}[1] : '';
}

sub firing
{
	return join ' ', sort map { $_->{labels}{alertname} }
	  grep { $_->{state} eq 'firing' } @{ api('alerts')->{alerts} };
}

sub fires_ok
{
	my ($alert, $title) = @_;

	wait_until("$alert to fire", sub { firing() =~ /\b$alert\b/ });
	like(firing(), qr/\b$alert\b/, $title);
}

sub clears_ok
{
	my ($alert) = @_;

	wait_until("$alert to clear", sub { firing() !~ /\b$alert\b/ });
	unlike(firing(), qr/\b$alert\b/, 'and that it is over');
}
