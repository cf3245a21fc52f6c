# A session that stays, and goes on after a statement that fails: in a
# transaction only that statement is undone.
package Ddl::Session;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Utils;

# Between the values of a row.
my $SEPARATOR = "\x1f";

sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { in => '', out => '', count => 0 }, $class;

	$self->{psql} = IPC::Run::start(
		[
			'psql', '-XAtq', '-F', $SEPARATOR, '-v', 'ON_ERROR_ROLLBACK=on',
			'-d', $node->connstr($database)
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>&1');
	return $self;
}

# What psql prints of it.
sub run
{
	my ($self, $sql) = @_;
	my $mark = 'done ' . ++$self->{count};
	my $timeout = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);

	$self->{out} = '';
	$self->{in} .= "$sql;\n\\echo $mark\n";
	while ($self->{out} !~ s/^$mark\n//m)
	{
		die "session ended at \"$sql\":\n$self->{out}"
		  unless $self->{psql}->pumpable;
		$self->{psql}->pump;
		$timeout->check;
	}
	return $self->{out};
}

# The error, or nothing.
sub error
{
	my ($self, $sql) = @_;

	return $self->run($sql) =~ /^((?:ERROR|FATAL):.*)/ms ? $1 : undef;
}

# A list of rows, each an array.
sub rows
{
	my ($self, $sql) = @_;
	my $out = $self->run($sql);

	die "\"$sql\" failed:\n$out" if $out =~ /^ERROR:/m;
	return map { [ split /$SEPARATOR/, $_, -1 ] } split /\n/, $out;
}

# The first value of each row.
sub values
{
	my ($self, $sql) = @_;

	return map { $_->[0] } $self->rows($sql);
}

sub end
{
	my ($self) = @_;

	return unless $self->{psql};
	$self->{in} .= "\\q\n";
	$self->{psql}->finish;
	$self->{psql} = undef;
}

sub DESTROY { $_[0]{psql}->kill_kill if $_[0]{psql}; }

1;
