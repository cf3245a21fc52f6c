# What a follower serves by HTTP, read through its socket.
#
#     my $metrics = Penstock::Metrics->new;
#     my $follower = $pair->start('follow', $metrics->option);
#     wait_until('…', sub { $metrics->value('penstock_target_up') });
#
# value() takes labels, too: value('penstock_lag_bytes', position => 'applied').

package Penstock::Metrics;

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;

# Options: port, of this machine; else it is a socket in a directory.
sub new
{
	my ($class, %options) = @_;
	my $self = bless { %options }, $class;

	$self->{path} = tempdir(CLEANUP => 1) . '/http' unless $self->{port};
	return $self;
}

sub option
{
	my ($self) = @_;

	return '--metrics-listen=' . ($self->{port} // "unix:$self->{path}");
}

sub connected
{
	my ($self) = @_;

	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port})
	  if $self->{port};
	return IO::Socket::UNIX->new(Peer => $self->{path});
}

# Status, headers and body of the answer; status 0: nobody listens.  Options:
# method, and headers, a hash.
sub get
{
	my ($self, $path, %options) = @_;
	my %headers = (Host => 'localhost', Connection => 'close', %{ $options{headers} // {} });
	my $method = $options{method} // 'GET';
	my $socket = $self->connected or return (0, '', '');

	print $socket "$method $path HTTP/1.1\r\n",
	  (map { defined $headers{$_} ? "$_: $headers{$_}\r\n" : () } sort keys %headers), "\r\n";
	$socket->flush;
	local $/;
	my ($head, $body) = split /\r\n\r\n/, <$socket> // '', 2;
	my ($status) = ($head // '') =~ m{^HTTP/1\.\d (\d+)};
	return ($status // 0, $head // '', $body // '');
}

# All samples: a list of [name, {labels}, value].
sub samples
{
	my ($self) = @_;
	my (undef, undef, $body) = $self->get('/metrics');
	my @samples;

	for (split /\n/, $body)
	{
		my ($name, $labels, $value) = /^(\w+)(?:\{(.*)\})? (\S+)$/ or next;

		push @samples, [$name, { $labels =~ /(\w+)="((?:[^"\\]|\\.)*)"/g }, $value];
	}
	return @samples;
}

# The values of the samples with that name and these labels.
sub values_of
{
	my ($self, $name, %labels) = @_;

	return map { $_->[2] } grep {
		my $sample = $_;
		$sample->[0] eq $name
		  && !grep { ($sample->[1]{$_} // '') ne $labels{$_} } keys %labels
	} $self->samples;
}

# The first of them; undef: there is none.
sub value
{
	return (values_of(@_))[0];
}

1;
