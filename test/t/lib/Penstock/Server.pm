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
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(
		allows_streaming => 'logical',
		extra => [ '--encoding=UTF8', '--no-locale' ]);
	$node->append_conf('postgresql.conf', join "\n", @SETTINGS,
		library_settings(), @settings, '');
	$node->start;
	return $node;
}

# Since August 2026 servers have a list of the libraries that may decode.
sub lets_plugins_in
{
	my $settings = qx(postgres --describe-config);

	return $settings !~ /^output_plugin_libraries\t/m;
}

sub library_settings
{
	my @settings = "dynamic_library_path = '\$libdir:$ENV{PENSTOCK_LIBDIR}'";

	push @settings,
	  "output_plugin_libraries = 'pgoutput, test_decoding, penstock'"
	  unless lets_plugins_in();
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
