# A TCP proxy before a server, which breaks connections in ways that are chosen.
#
#     my $proxy = Penstock::Proxy->start($node, sub {
#         my ($number) = @_;                  # of the connection, from 1
#         return { reply_bytes => 5000 };     # what is done to it
#     });
#     $pair->set_conninfo('source', $proxy->conninfo($database));
#
# What can be done to a connection:
#
#     request_bytes => N    cut it when N bytes went to the server
#     reply_bytes => N      cut it when N bytes came back
#     reply => sub {        called with each message of the server: its type,
#         my ($type, $body) = @_;   one character, and what comes behind its
#         …                         length
#     }
#
# The function returns what is passed on instead, as type and body; nothing:
# the message is dropped; a single 'CUT': the connection ends there.  Functions
# run in the proxy's processes: what they change does not change in the test.
#
# To cut is to close both sides at once, whatever is under way.
package Penstock::Proxy;

use strict;
use warnings;

use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use PostgreSQL::Test::Cluster;
use Socket qw(SOCK_STREAM SOMAXCONN);

use Penstock::Poll qw(wait_until);
use Penstock::Server qw(quoted);

my $CHUNK_BYTES = 64 * 1024;

# More is not read from one side before the other has taken some.
my $BUFFER_BYTES_MAX = 1024 * 1024;

my %started;

sub start
{
	my ($class, $node, $rule, %option) = @_;
	my $self = bless {
		path => $node->host . '/.s.PGSQL.' . $node->port,
		rule => $rule || sub { return {} },
		# Not one of those that the system gives to whoever connects: between
		# stop() and restart() it would give ours to somebody.
		port => $option{port} || PostgreSQL::Test::Cluster::get_free_port(),
	}, $class;

	# Here, so that it can be connected to when we return.
	$self->{listener} = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		LocalPort => $self->{port},
		Listen => SOMAXCONN,
		ReuseAddr => 1) or die "could not listen: $!\n";
	$self->launch;
	return $self;
}

# The same place, another rule.  Connections that are open are cut.
sub restart
{
	my ($self, $rule) = @_;

	$self->stop;
	$self->{rule} = $rule || sub { return {} };
	$self->{listener} = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		LocalPort => $self->{port},
		Listen => SOMAXCONN,
		ReuseAddr => 1) or die "could not listen: $!\n";
	$self->launch;
}

sub conninfo
{
	my ($self, $database) = @_;

	# The first bytes of encryption would be no messages.
	return "host=127.0.0.1 port=$self->{port} dbname=" . quoted($database)
	  . ' sslmode=disable gssencmode=disable user='
	  . quoted(scalar getpwuid $>);
}

sub stop
{
	my ($self) = @_;

	return unless $self->{pid};
	local ($?, $!);
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
	delete $started{ $self->{pid} };
	$self->{pid} = undef;
}

sub DESTROY
{
	my ($self) = @_;

	$self->stop if $self->{pid} && $started{ $self->{pid} };
}

END
{
	local $?;
	kill 'TERM', keys %started;
	waitpid $_, 0 for keys %started;
}


# ---- The process that accepts ----

sub launch
{
	my ($self) = @_;

	$self->{pid} = fork() // die "could not fork: $!\n";
	if ($self->{pid} == 0)
	{
		%started = ();
		eval { $self->accept_all };
		print STDERR "proxy: $@" if $@;
		POSIX::_exit(0);
	}
	$started{ $self->{pid} } = 1;
	$self->{listener}->close;
}

sub accept_all
{
	my ($self) = @_;
	my $parent = getppid;
	my $select = IO::Select->new($self->{listener});
	my $number = 0;
	my %children;

	local $SIG{TERM} = sub
	{
		kill 'KILL', keys %children;
		waitpid $_, 0 for keys %children;
		POSIX::_exit(0);
	};
	# Whoever is killed takes us along.
	while (getppid == $parent)
	{
		while ((my $ended = waitpid(-1, WNOHANG)) > 0)
		{
			delete $children{$ended};
		}
		next unless $select->can_read(0.2);
		my $client = $self->{listener}->accept or next;
		$number++;
		my $child = fork() // die "could not fork: $!\n";
		if ($child == 0)
		{
			$SIG{TERM} = 'DEFAULT';
			eval { relay($client, $self->{path}, $self->{rule}->($number)) };
			print STDERR "proxy: $@" if $@;
			POSIX::_exit(0);
		}
		$children{$child} = 1;
		$client->close;
	}
	kill 'KILL', keys %children;
}


# ---- The process that has one connection ----

sub relay
{
	my ($client, $path, $rule) = @_;
	my $parent = getppid;
	# A server that is not there is a connection that is cut.
	my $server = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path)
	  or return;
	my @ways = (
		{
			from => $client,
			to => $server,
			left => $rule->{request_bytes},
			buffer => '',
		},
		{
			from => $server,
			to => $client,
			left => $rule->{reply_bytes},
			buffer => '',
			unparsed => '',
			reply => $rule->{reply},
		});

	$_->blocking(0) for $client, $server;
	while (getppid == $parent)
	{
		my ($reading, $writing) = (IO::Select->new, IO::Select->new);

		for my $way (@ways)
		{
			$reading->add($way->{from})
			  if !$way->{ended} && length $way->{buffer} < $BUFFER_BYTES_MAX;
			$writing->add($way->{to}) if length $way->{buffer};
			return if $way->{ended} && !length $way->{buffer};
		}
		my ($readable, $writable) =
		  IO::Select::select($reading, $writing, undef, 0.2);
		for my $way (@ways)
		{
			take($way) if grep { $_ == $way->{from} } @{ $readable || [] };
			give($way) if grep { $_ == $way->{to} } @{ $writable || [] };
		}
	}
}

sub take
{
	my ($way) = @_;
	my $bytes;
	my $got = sysread $way->{from}, $bytes, $CHUNK_BYTES;

	if (!defined $got)
	{
		return if $! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR;
		$got = 0;
	}
	if ($got == 0)
	{
		$way->{ended} = 1;
		return;
	}
	return if $way->{ended};
	$bytes = rewritten($way, $bytes) if $way->{reply};
	if (defined $way->{left} && length $bytes >= $way->{left})
	{
		$bytes = substr $bytes, 0, $way->{left};
		$way->{ended} = 1;
	}
	$way->{left} -= length $bytes if defined $way->{left};
	$way->{buffer} .= $bytes;
}

# The messages that are complete, as the rule wants them.
sub rewritten
{
	my ($way, $bytes) = @_;
	my $result = '';

	$way->{unparsed} .= $bytes;
	while (length $way->{unparsed} >= 5)
	{
		my ($type, $length) = unpack 'a N', $way->{unparsed};

		last if length $way->{unparsed} < 1 + $length;
		my $body = substr $way->{unparsed}, 5, $length - 4;
		substr($way->{unparsed}, 0, 1 + $length) = '';
		my @message = $way->{reply}->($type, $body);
		if (@message == 1)
		{
			$way->{ended} = 1;
			last;
		}
		$result .= pack('a N', $message[0], 4 + length $message[1])
		  . $message[1]
		  if @message;
	}
	return $result;
}

sub give
{
	my ($way) = @_;
	my $put = syswrite $way->{to}, $way->{buffer};

	if (defined $put)
	{
		substr($way->{buffer}, 0, $put) = '';
	}
	elsif ($! != EAGAIN && $! != EWOULDBLOCK && $! != EINTR)
	{
		$way->{buffer} = '';
		$way->{ended} = 1;
	}
}

1;
