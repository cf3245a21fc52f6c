# The steps of consumer/doc/runbooks.md that a machine can take: a conflict, a
# slot that is lost, a password that is changed.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

use Penstock::Pair;

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE accounts (id integer PRIMARY KEY, balance integer)');
$pair->source_sql('INSERT INTO accounts SELECT i, 100 FROM generate_series(1, 10) i');
$pair->clone;

conflict();
password();
slot_lost();
done_testing();

# It has stopped, and goes on as is decided.
sub conflict
{
	$pair->target_sql('DELETE FROM accounts WHERE id = 3');
	$pair->source_sql('UPDATE accounts SET balance = 50 WHERE id = 3');
	$pair->fails_like(1, qr/accounts/, 'a conflict stops it', 'follow',
		'--endpos=' . $pair->source_lsn);
	# The row as the source had it before: it goes on with the same change.
	$pair->target_sql('INSERT INTO accounts VALUES (3, 100)');
	$pair->follow_to_end;
	$pair->equal_ok('the row was made right by hand');

	$pair->target_sql('DELETE FROM accounts WHERE id = 4');
	$pair->source_sql('UPDATE accounts SET balance = 50 WHERE id = 4');
	$pair->follow_to_end('--set', '--on-conflict=public.accounts:overwrite');
	$pair->equal_ok('the source counts');
	is(($pair->run('verify', '--tables=public.accounts'))[0], 0, 'and verify finds it so');
	cmp_ok($pair->target_sql('SELECT count(*) FROM penstock.conflict'), '>', 0,
		'the conflict is kept');
	return;
}

# Sessions go on with the old one until they end.
sub password
{
	my $passfile = tempdir(CLEANUP => 1) . '/shop.pgpass';
	my $conninfo = $pair->conninfo('target') . ' user=repl';

	$pair->target->safe_psql('postgres', "CREATE ROLE repl LOGIN SUPERUSER PASSWORD 'old'");
	write_file($pair->target->data_dir . '/pg_hba.conf',
		"local all repl scram-sha-256\nlocal all all trust\n");
	$pair->target->reload;
	write_passwords($passfile, 'old');
	$pair->set_conninfo(target => $conninfo);
	local $ENV{PGPASSFILE} = $passfile;
	my $follower = $pair->start('follow');
	$follower->wait_log(qr/following with slot/);

	$pair->target->safe_psql('postgres', "ALTER ROLE repl PASSWORD 'new'");
	$pair->source_sql('INSERT INTO accounts VALUES (20, 1)');
	$pair->wait_caught_up;
	pass('sessions go on');
	write_passwords($passfile, 'new');
	$pair->stop_ok($follower);
	$follower = $pair->start('follow');
	$follower->wait_log(qr/following with slot/);
	$pair->source_sql('INSERT INTO accounts VALUES (21, 1)');
	$pair->wait_caught_up;
	is(($pair->run('status'))[0], 0, 'the new password counts');
	$pair->stop_ok($follower);
	$pair->set_conninfo(target => undef);
	return;
}

# Somebody has dropped it.
sub slot_lost
{
	$pair->source_sql("SELECT pg_drop_replication_slot('shop')");
	$pair->source_sql('INSERT INTO accounts VALUES (30, 1)');
	my ($status, $output) = $pair->run('status');
	is($status, 1, 'status is not in order');
	like($output, qr/^slot .*does not exist/m, 'and says why');
	is(($pair->run('drop'))[0], 0, 'what is left is removed');
	$pair->recreate_target;
	$pair->clone;
	$pair->source_sql('INSERT INTO accounts VALUES (31, 1)');
	$pair->follow_to_end;
	$pair->equal_ok('it was copied anew');
	return;
}

sub write_file
{
	my ($path, $text) = @_;

	open my $handle, '>', $path or die "$path: $!\n";
	print $handle $text;
	close $handle;
	return;
}

sub write_passwords
{
	my ($path, $password) = @_;

	write_file($path, "*:*:*:repl:$password\n");
	chmod 0600, $path;
	return;
}
