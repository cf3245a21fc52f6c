# Schema changes that a target of an older version cannot take: the follower stops
# before them, and names what it is.
#
# test/versions runs this on servers of two versions; with one there is nothing to
# do.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;

# What is there when the clone is made.
my $BEFORE = <<'END';
CREATE TABLE t (a integer PRIMARY KEY, b integer NOT NULL, c text,
	g integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE other (id integer PRIMARY KEY, a integer);
INSERT INTO t VALUES (1, 1, 'one');
END

# The first version that knows it, a schema change, and what the message has.
my @CHANGES = (
	[ 140000, 'ALTER TABLE t ALTER c SET COMPRESSION pglz', qr/COMPRESSION/ ],
	[ 150000, 'ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (b)', qr/NULLS NOT DISTINCT/ ],
	[ 150000, 'CREATE UNIQUE INDEX ix ON t (b) NULLS NOT DISTINCT', qr/NULLS NOT DISTINCT/ ],
	[ 150000, 'CREATE UNLOGGED SEQUENCE numbers', qr/UNLOGGED/ ],
	[ 150000, 'ALTER TABLE other ADD FOREIGN KEY (id, a) REFERENCES t (a, b)
			ON DELETE SET NULL (a)', qr/ON DELETE SET NULL \(column\)/,
		'ALTER TABLE t ADD UNIQUE (a, b)' ],
	[ 170000, 'ALTER TABLE t ALTER g SET EXPRESSION AS (a * 3)', qr/SET EXPRESSION/ ],
	[ 180000, 'ALTER TABLE t ADD v integer GENERATED ALWAYS AS (a * 2) VIRTUAL',
		qr/virtual generated columns/ ],
	[ 180000, 'CREATE TABLE computed (a integer PRIMARY KEY, v integer GENERATED ALWAYS AS (a * 2))',
		qr/virtual generated columns/ ],
	[ 180000, 'ALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED', qr/NOT ENFORCED/ ],
	[ 180000, 'ALTER TABLE other ADD FOREIGN KEY (a) REFERENCES t NOT ENFORCED', qr/NOT ENFORCED/ ],
	[ 180000, 'CREATE TABLE booked (room int4range, at daterange,
			PRIMARY KEY (room, at WITHOUT OVERLAPS))', qr/WITHOUT OVERLAPS/ ],
	[ 180000, 'ALTER TABLE t ADD CONSTRAINT present NOT NULL c NO INHERIT', qr/NOT NULL NO INHERIT/ ],
	[ 180000, 'ALTER TABLE t ADD CONSTRAINT present NOT NULL c NOT VALID', qr/NOT NULL NOT VALID/ ],
);

my $server = Penstock::Pair->new;
my ($source, $target) =
  map { $server->$_->safe_psql('postgres', 'SHOW server_version_num') } qw(source target);
my $number = 0;

for my $change (@CHANGES)
{
	my ($since, $sql, $message, $first) = @$change;

	next if $source < $since || $target >= $since;
	stops_ok($sql, $message, $first // '', int($since / 10000));
}
plan(skip_all => "what PostgreSQL $source has, $target has as well") unless $number;
done_testing();

sub stops_ok
{
	my ($sql, $message, $first, $major) = @_;
	my $pair = $server->with_database('versions_' . ++$number);

	$pair->source_sql($BEFORE . $first);
	$pair->clone('--ddl=follow');
	$pair->source_sql("INSERT INTO mark DEFAULT VALUES; $sql");
	$pair->source_sql('INSERT INTO mark DEFAULT VALUES');
	my $log = $pair->fails_like(1, qr/error .*$message/, $sql,
		'follow', '--endpos=' . $pair->source_lsn);
	like($log, qr/PostgreSQL has it since $major\./, 'it says since when it exists');
	like($log, qr/transaction \d+, which ends at/, 'and which transaction has it');
	is($pair->target_sql('SELECT count(*) FROM mark'), '1',
		'the target has what came before, and nothing else');
	return;
}
