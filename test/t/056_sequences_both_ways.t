# Two databases that feed each other do not move each other's sequences on for
# ever: a value that the other's pipeline has set has not been given out.  The
# third, which one of the two feeds, is beyond both.

use strict;
use warnings;

use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(wait_until);
use Penstock::Process;

my $pair = Penstock::Pair->new;

$pair->both_sql('CREATE SEQUENCE counter');
$pair->target_sql('CREATE TABLE mark (number bigserial PRIMARY KEY);
	CREATE PUBLICATION shop FOR ALL TABLES');
back('clone', '--data-only')->wait_exit;
$pair->clone('--data-only', '--origin=none');
$pair->source_sql("SELECT nextval('counter') FROM generate_series(1, 100)");
my $there = $pair->start('follow', '--origin=none', '--sequence-interval=1');
my $back = back('follow', '--origin=none', '--sequence-interval=1');

$_->wait_log(qr/following with slot/) for $there, $back;
wait_until('the target to be ahead', sub { counter('target') > 100 });
my $target = counter('target');

looks(4);
is(counter('source'), 100, 'the source stays where it is');
is(counter('target'), $target, 'so does the target, beyond it');

# What is really drawn there counts here.
$pair->target_sql("SELECT nextval('counter') FROM generate_series(1, 10)");
wait_until('the source to be ahead', sub { counter('source') > counter('target') });
my $source = counter('source');
looks(4);
is(counter('source'), $source, 'and then the source stays where it is');
is(counter('target'), $target + 10, 'and the target');
$_->end('TERM') for $there, $back;

done_testing;

sub counter
{
	my ($side) = @_;

	return $pair->{$side}->safe_psql('shop', 'SELECT last_value FROM counter');
}

# So many looks of both followers: each look finds that "mark" has moved.
sub looks
{
	my ($count) = @_;

	for my $look (1 .. $count)
	{
		for my $side (qw(source target))
		{
			my $other = $side eq 'source' ? 'target' : 'source';
			my $drawn = $pair->{$side}->safe_psql('shop',
				"SELECT nextval('mark_number_seq')");

			wait_until("a look at the $side", sub {
				$pair->{$other}->safe_psql('shop', "SELECT last_value >= $drawn
					FROM penstock.sequence WHERE sequence_name = 'mark_number_seq'")
				  eq 't';
			});
		}
	}
}

# A command that goes from the pair's target to its source.
sub back
{
	my ($verb, @options) = @_;

	return Penstock::Process->start(
		name => "back_$verb",
		command => [
			$ENV{PENSTOCK_BIN}, $verb,
			'--source=' . $pair->target->connstr('shop'),
			'--target=' . $pair->source->connstr('shop'),
			'--name=shop_back', '--publications=shop', @options ]);
}
