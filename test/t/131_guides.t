# The guides of the documentation are run as written, but for the names of the
# servers.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Process;

my $pair = Penstock::Pair->new(database => 'first');
my %guides = guides();

# ---- Tables out of a monolith ----

databases('shop', 'orders');
sql(source => 'shop', <<'SQL');
CREATE TABLE customer (id int PRIMARY KEY, name text);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customer);
CREATE TABLE order_line (orders bigint REFERENCES orders, line int, item text, PRIMARY KEY (orders, line));
CREATE VIEW best_customers AS SELECT customer, count(*) FROM orders GROUP BY 1;
INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 100) n;
INSERT INTO orders (customer) SELECT 1 + n % 100 FROM generate_series(1, 20000) n;
INSERT INTO order_line SELECT 1 + n / 3, n % 3, 'item ' || n FROM generate_series(0, 59999) n;
SQL
my $run = run_guide('Tables out of a monolith', 'shop', 'orders');
is($run->{status}, 0, 'tables out of a monolith') or diag($run->{text}, $run->{log});
like($run->{text}, qr/^note: .*best_customers/m, 'a view that stays is named');
is(() = $run->{text} =~ /^the writes go to .*database "orders"/mg, 2, 'the writes have gone there twice');
is(() = $run->{text} =~ /^the writes go to .*database "shop"/mg, 1, 'and back once');
is(sql(target => 'orders', 'SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_line)'),
	'20000|60000', 'all rows are there');
is(sql(target => 'orders', "SELECT nextval('orders_id_seq') > 20000"), 't', 'and the sequence');
is(sql(source => 'shop', "SELECT to_regclass('orders') IS NULL AND to_regclass('customer') IS NOT NULL"),
	't', 'the old place has the other one');
nothing_left_ok('shop', 'orders');

# ---- A whole database ----

databases('whole', 'whole');
sql(source => 'whole', <<'SQL');
CREATE TABLE customer (id int PRIMARY KEY, name text);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customer);
INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 100) n;
INSERT INTO orders (customer) SELECT 1 + n % 100 FROM generate_series(1, 20000) n;
SQL
$run = run_guide('A whole database to a newer version', 'whole', 'whole');
is($run->{status}, 0, 'a whole database') or diag($run->{text}, $run->{log});
is(() = $run->{text} =~ /^the writes go to target/mg, 1, 'the writes have gone there');
is(sql(target => 'whole', 'SELECT count(*) FROM orders JOIN customer c ON c.id = customer'), 20000,
	'all rows are there');
nothing_left_ok('whole', 'whole');
done_testing();

# The scripts of the guides, by their titles.
sub guides
{
	my ($text, %found, $title);

	open my $file, '<', "$ENV{PENSTOCK_STAGE}/doc/guides.md" or die "could not open the guides: $!\n";
	while (my $line = readline $file)
	{
		$title = $1 if $line =~ /^## (.*)/;
		$text = '' if $line =~ /^```sh/;
		next unless defined $text;
		$text .= $line unless $line =~ /^```/;
		if ($line =~ /^```$/)
		{
			$found{$title} .= $text unless $text =~ /^export PENSTOCK_SOURCE/;
			$text = undef;
		}
	}
	return %found;
}

sub databases
{
	my ($source, $target) = @_;

	$pair->source->safe_psql('postgres', "CREATE DATABASE $source");
	$pair->target->safe_psql('postgres', "CREATE DATABASE $target");
}

sub sql
{
	my ($side, $database, $sql) = @_;

	return $pair->$side->safe_psql($database, $sql);
}

sub run_guide
{
	my ($title, $source, $target) = @_;
	my $file = "$ENV{TESTDATADIR}/$source.sh";
	my $script = $guides{$title} or die "there is no guide \"$title\"\n";

	open my $handle, '>', $file or die "could not create \"$file\": $!\n";
	print $handle "set -e\npenstock() { \"\$PENSTOCK_BIN\" \"\$\@\"; }\n", $script;
	close $handle or die "could not write \"$file\": $!\n";
	local $ENV{PENSTOCK_SOURCE} = $pair->source->connstr($source);
	local $ENV{PENSTOCK_TARGET} = $pair->target->connstr($target);
	local $ENV{PENSTOCK_NAME} = $target eq 'whole' ? 'shop' : $target;
	my $process = Penstock::Process->start(name => $source, command => [ 'bash', $file ]);

	return { status => $process->wait_exit, text => $process->output, log => $process->log };
}

sub nothing_left_ok
{
	my ($source, $target) = @_;

	is($pair->source->safe_psql($source, q(SELECT count(*) FROM pg_replication_slots
		WHERE database = current_database())), 0, "no slot is left in $source at the source");
	is($pair->target->safe_psql($target, q(SELECT count(*) FROM pg_replication_slots
		WHERE database = current_database())), 0, "nor in $target at the target");
}
