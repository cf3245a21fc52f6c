# A session with a server that stays, for transactions that stay open.
#
#     my $session = Penstock::Session->new($node, $database);
#     $session->run('BEGIN', 'UPDATE …');
#     $session->end('COMMIT');
package Penstock::Session;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Utils;

sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { in => '', out => '', count => 0 }, $class;

	$self->{psql} = IPC::Run::start(
		[
			'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
			$node->connstr($database)
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>&1');
	return $self;
}

# One statement after the other; dies if one fails.
sub run
{
	my ($self, @statements) = @_;

	for my $sql (@statements)
	{
		my $mark = 'done ' . ++$self->{count};
		my $timeout = IPC::Run::timeout(
			$PostgreSQL::Test::Utils::timeout_default);

		$self->{out} = '';
		$self->{in} .= "$sql;\n\\echo $mark\n";
		while ($self->{out} !~ /^$mark$/m)
		{
			die "session ended at \"$sql\":\n$self->{out}"
			  unless $self->{psql}->pumpable;
			$self->{psql}->pump;
			$timeout->check;
		}
	}
}

# The last ones; the session ends with them.
sub end
{
	my ($self, @statements) = @_;

	$self->run(@statements);
	$self->{in} .= "\\q\n";
	$self->{psql}->finish;
	$self->{psql} = undef;
}

# The session ends as it is.
sub abandon
{
	my ($self) = @_;

	$self->{psql}->kill_kill if $self->{psql};
	$self->{psql} = undef;
}

sub DESTROY { $_[0]->abandon; }

1;
