# Slot, source and progress have to belong together, at every start: what was
# lost or changed hands in between is refused, with what happened and what to do.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

# Both sides are altered by hand.
$ENV{PENSTOCK_DDL} = 'off';

my $pair = Penstock::Pair->new;
$pair->source_sql('CREATE TABLE t (id int PRIMARY KEY)');
$pair->clone;
$pair->source_sql('INSERT INTO t VALUES (1)');
$pair->follow_to_end;
my $older = $pair->progress_lsn;
$pair->source_sql('INSERT INTO t VALUES (2)');
$pair->follow_to_end;
$pair->equal_ok('before anything happens');

# The target comes back as it was some time ago.
my $now = $pair->progress_lsn;
$pair->target_sql("DELETE FROM t WHERE id = 2;
	UPDATE penstock.progress SET end_lsn = '$older'");
refused(qr/slot "shop" is ahead of target: changes are missing there/,
	qr/restored from a backup/, 'a target restored from an older backup');
$pair->target_sql("INSERT INTO t VALUES (2);
	UPDATE penstock.progress SET end_lsn = '$now'");
$pair->follow_to_end;
$pair->equal_ok('when the target is as it was left');

# Somebody else read from the slot.
$pair->source_sql('INSERT INTO t VALUES (3)');
$pair->source_sql(
	q(SELECT pg_replication_slot_advance('shop', pg_current_wal_lsn())));
refused(qr/slot "shop" is ahead of target/, qr/read or advanced by another program/,
	'a slot that was advanced');

# The slot is gone.
$pair->source_sql(q(SELECT pg_drop_replication_slot('shop')));
refused(qr/replication slot "shop" does not exist/, qr/penstock clone/,
	'a slot that is gone');

# The slot was made anew: it starts behind what is missing.
$pair->source_sql(
	q(SELECT pg_create_logical_replication_slot('shop', 'penstock')));
refused(qr/slot "shop" is ahead of target/, qr/penstock drop/,
	'a slot that was made anew');

# Another server is in the source's place.
my $progress = q(UPDATE penstock.progress SET source_system_identifier);
$pair->target_sql("$progress = '1' || source_system_identifier");
refused(qr/was copied from another server than the source/,
	qr/copied from, or copy it again/, 'another source');

$pair->target_sql("$progress = substr(source_system_identifier, 2)");

# And what the messages advise is a way out.
$pair->run_or_die('drop');
$pair->recreate_target;
$pair->clone;
$pair->source_sql('INSERT INTO t VALUES (4)');
$pair->follow_to_end;
$pair->equal_ok('copied again');

# A publication that was not there for a while.
$pair->source_sql('DROP PUBLICATION shop');
$pair->source_sql('INSERT INTO t VALUES (5)');
$pair->source_sql('CREATE PUBLICATION shop FOR ALL TABLES');
$pair->source_sql('INSERT INTO t VALUES (6)');
refused(qr/publication "shop" does not exist/, qr/--skip-missing-publications/,
	'a publication that was dropped and made again');
$pair->follow_to_end('--skip-missing-publications');
is($pair->target_sql('SELECT count(*) FROM t WHERE id IN (5, 6)'), 1,
	'what was changed while it was there is applied');
$pair->run_or_die('table', 'resync', 'public.t');
$pair->follow_to_end;
$pair->equal_ok('what was changed meanwhile is copied');

done_testing();

sub refused
{
	my ($message, $hint, $title) = @_;
	my $before = $pair->target_contents(but_sequences => 1);
	my ($status, undef, $log) =
	  $pair->run('follow', '--endpos=' . $pair->source_lsn);

	isnt($status, 0, "$title is refused");
	like($log, $message, "$title: it says what is wrong");
	like($log, $hint, "$title: it says what can be done");
	is($pair->target_contents(but_sequences => 1), $before, "$title: nothing is written");
}
