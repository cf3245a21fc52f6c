# The migrations of a web application are followed while it is in use, without a
# hand on the target: at the end both have the same rows and the same schema.
#
# PENSTOCK_MIGRATIONS=all for the whole year; by default it is two months.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Migrations;
use Penstock::Pair;

my @migrations = Penstock::Migrations::all();
my $per_month = @migrations / 12;
my $count = $ENV{PENSTOCK_MIGRATIONS} // 2 * $per_month;

splice @migrations, $count unless $count eq 'all';

my $pair = Penstock::Pair->new(database => 'year');
$pair->source_sql(Penstock::Migrations::schema());
$pair->clone;
my $follower = $pair->start('follow');
$follower->wait_log(qr/following with slot/);

my $script = "$PostgreSQL::Test::Utils::tmp_check/writers.sql";
append_to_file($script, Penstock::Migrations::writers());
my $writers = $pair->start_pgbench('--client=3', '--rate=60', "--file=$script");
$pair->wait_for_sql('source', 'SELECT count(*) > 5010 FROM app.orders');

# Migrations are tried again where they cannot have their locks, as their tools do.
for my $migration (@migrations)
{
	my ($name, @transactions) = @$migration;

	migrate($name, $_) for @transactions;
}
$pair->wait_caught_up($follower);
ok($writers->is_running, 'the application ran all the while') or diag($writers->log);
$pair->end_pgbench($writers);
$pair->wait_caught_up($follower);
$pair->stop_ok($follower);
$pair->follow_to_end;
note(scalar(@migrations) . ' migrations');
$pair->equal_ok('rows');
my ($status, $output, $log) = $pair->run('schema', 'diff');
is($status, 0, 'the schemas are equal') or diag($output, $log);
is($pair->target_sql('SELECT count(*) FROM penstock.conflict'), 0, 'there was no conflict');
done_testing();

sub migrate
{
	my ($name, $sql) = @_;

	for (1 .. 20)
	{
		my ($status, undef, $stderr) =
		  $pair->source->psql('year', "SET lock_timeout = '1s';\n$sql", on_error_stop => 1);

		return if $status == 0;
		die "$name: $sql:\n$stderr" unless $stderr =~ /lock timeout|deadlock detected/;
		drop_invalid($1) if $sql =~ /CREATE (?:UNIQUE )?INDEX CONCURRENTLY (\w+)/;
	}
	die "$name: no lock for \"$sql\"\n";
}

sub drop_invalid
{
	my ($index) = @_;

	$pair->source_sql("DROP INDEX IF EXISTS app.$index");
}
