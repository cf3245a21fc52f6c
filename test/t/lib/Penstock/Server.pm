# A server of a test: PostgreSQL's own test server with our plugin, on a socket
# in a directory of its own.
package Penstock::Server;

use strict;
use warnings;

use Exporter qw(import);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT_OK = qw(start_server lets_plugins_in quoted);

# Tests are about what servers do, not about how fast their disks are.  Those
# about durability set fsync and the like themselves.
my @SETTINGS = (
	'shared_buffers = 64MB',
	'max_connections = 40',
	'max_wal_size = 2GB',
	'max_replication_slots = 20',
	'max_wal_senders = 20',
	'fsync = off',
	'log_statement = none',
	'log_min_messages = warning',
	"timezone = 'Asia/Kathmandu'",
);

# Settings in @settings win over those above.
sub start_server
{
	my ($name, @settings) = @_;
	my $place = place_of($name);
	my $node = PostgreSQL::Test::Cluster->new($name,
		$place ? (install_path => $place) : ());

	$node->init(
		allows_streaming => 'logical',
		extra => [ '--encoding=UTF8', '--no-locale' ]);
	$node->append_conf('postgresql.conf', join "\n", @SETTINGS,
		library_settings($place), @settings, '');
	$node->start;
	return $node;
}

# Where test/versions has programs (in bin) and the plugin (in lib) of other
# versions than this machine's; undef: there is nothing of the kind.
sub place_of
{
	my ($name) = @_;

	return $ENV{ $name eq 'target' ? 'PENSTOCK_TARGET_SERVER' :
		  'PENSTOCK_SOURCE_SERVER' };
}

# Since August 2026 servers have a list of the libraries that may decode.
sub lets_plugins_in
{
	my ($place) = @_;
	my $program = $place ? "$place/bin/postgres" : 'postgres';
	my $settings = qx('$program' --describe-config);

	return $settings !~ /^output_plugin_libraries\t/m;
}

sub library_settings
{
	my ($place) = @_;
	my $libraries = $place ? "$place/lib" : $ENV{PENSTOCK_LIBDIR};
	my @settings = "dynamic_library_path = '\$libdir:$libraries'";

	push @settings,
	  "output_plugin_libraries = 'pgoutput, test_decoding, penstock'"
	  unless lets_plugins_in($place);
	return @settings;
}

# A value of a connection string.
sub quoted
{
	my ($value) = @_;

	$value =~ s/([\\'])/\\$1/g;
	return "'$value'";
}

1;
