# Changes that cannot be sent stop the pipeline only as long as it follows their
# table: after the table was paused, removed or copied again, the stream passes
# any position in the WAL, even where changing the table later has no effect.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);

# Transactions of some size come in pieces.
my $first = Penstock::Pair->new(
	source => ['logical_decoding_work_mem = 64kB']);
my $pair;

# An update of a table whose key is computed: of the key nothing is published.
my $TABLES = <<'END';
CREATE TABLE computed (n integer NOT NULL, note text,
	id integer GENERATED ALWAYS AS (n * 10) STORED PRIMARY KEY);
INSERT INTO computed SELECT n FROM generate_series(1, 5000) n;
CREATE TABLE other (id integer PRIMARY KEY, note text);
INSERT INTO other SELECT n FROM generate_series(1, 5000) n;
END
my $UPDATE = q(UPDATE computed SET note = 'one' WHERE n = 1);

# In pieces: the last of them has what cannot be sent.
my $LARGE_UPDATE = <<'END';
BEGIN;
UPDATE other SET note = 'large';
UPDATE computed SET note = 'all';
COMMIT;
END
my $MEND = 'ALTER TABLE computed REPLICA IDENTITY FULL';

paused();
removed();
copied_anew('small', $UPDATE);
copied_anew('large', $LARGE_UPDATE);
joined_beside();
while_followed();
done_testing();


# A pipeline of its own that has come to the update.
sub stop_at
{
	my ($database, $update) = @_;

	$pair = $first->with_database($database);
	$pair->source_sql($TABLES);
	$pair->clone;
	check_says_so() if $database eq 'paused';
	$pair->source_sql($update);
	$pair->source_sql(q(UPDATE other SET note = 'after' WHERE id = 2));
	$pair->fails_like(
		1,
		qr/an update of table public\.computed.*table resync.*table pause/s,
		"$database: it stops at the update",
		'follow', '--endpos=' . $pair->source_lsn);
	is(other(), '', "$database: nothing behind is applied");
}

sub check_says_so
{
	my ($status, $output) = $pair->run('check');

	is($status, 1, 'check finds it beforehand');
	like($output,
		qr/"computed" is generated.*ALTER TABLE public.computed REPLICA/s,
		'and says what to do');
	return;
}

sub other
{
	return $pair->target_sql('SELECT note FROM other WHERE id = 2');
}

sub paused
{
	stop_at('paused', $UPDATE);
	$pair->run_or_die('table', 'pause', 'computed');
	$pair->follow_to_end;
	is(other(), 'after', 'it goes on when the table is paused');

	# Again at every start, also when that comes before the table.
	$pair->source_sql($UPDATE);
	$pair->source_sql(q(UPDATE other SET note = 'again' WHERE id = 2));
	$pair->follow_to_end;
	is(other(), 'again', 'and at its next start');
	$pair->source_sql($MEND);
	$pair->run_or_die('table', 'resume', 'computed');
	$pair->source_sql($UPDATE);
	$pair->follow_to_end;
	$pair->equal_ok('paused and resumed');
	return;
}

sub removed
{
	stop_at('removed', $LARGE_UPDATE);
	$pair->run_or_die('table', 'remove', 'computed');
	$pair->follow_to_end;
	is(other(), 'after', 'it goes on when the table is removed');
	return;
}

sub copied_anew
{
	my ($title, $update) = @_;

	stop_at("anew_$title", $update);
	$pair->source_sql($MEND);
	$pair->run_or_die('table', 'resync', 'computed');
	$pair->source_sql(q(UPDATE computed SET note = 'later' WHERE n <= 3000));
	$pair->follow_to_end;
	is(other(), 'after', "$title: it goes on when the table is copied anew");
	$pair->equal_ok("copied anew, $title");
	return;
}

# Another table catches up with the others, from where the update is.
sub joined_beside
{
	stop_at('beside', $UPDATE);
	$pair->run_or_die('table', 'pause', 'computed');
	$pair->run_or_die('table', 'pause', '--keep', 'other');
	$pair->source_sql($UPDATE);
	$pair->source_sql(q(UPDATE other SET note = 'kept' WHERE id = 2));
	$pair->run_or_die('table', 'resume', 'other');
	$pair->follow_to_end;
	is(other(), 'kept', 'another table catches up beside it');
	return;
}

# A follower that runs is told by the commands.
sub while_followed
{
	$pair = $first->with_database('followed');
	$pair->source_sql($TABLES);
	$pair->clone;
	my $follower = $pair->start('follow');
	$pair->run_or_die('table', 'pause', 'computed');
	$pair->source_sql($_) for $UPDATE, $LARGE_UPDATE;
	$pair->wait_caught_up($follower);
	$pair->source_sql($MEND);
	$pair->run_or_die('table', 'resume', 'computed');
	$pair->source_sql($_) for $UPDATE, $LARGE_UPDATE;
	$pair->wait_caught_up($follower);
	$pair->equal_ok('paused and resumed while followed');
	$pair->stop_ok($follower);
	return;
}
