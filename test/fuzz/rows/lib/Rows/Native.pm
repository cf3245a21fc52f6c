# PostgreSQL's own logical replication of the same publications, into another
# database of the target server: what it makes of the same changes.
#
# It may stop or differ for reasons of its own.  That is told, and is no fault.
package Rows::Native;

use strict;
use warnings;

use Penstock::Poll qw(pause);
use Time::HiRes qw(time);

my $CATCH_UP_S = 10;

# Options: pair; name, of the database and the subscription; publications,
# names; ddl, the tables.  It starts here, and nothing must be in them yet.
sub new
{
	my ($class, %option) = @_;
	my $self = bless { %option, subscription => "sub_$option{name}" }, $class;
	my $target = $self->{pair}->target;
	my $conninfo = $self->{pair}->source->connstr($self->{pair}->name);

	$target->safe_psql('postgres', "CREATE DATABASE $self->{name}");
	$target->safe_psql($self->{name}, $self->{ddl});
	$target->safe_psql($self->{name},
		"CREATE SUBSCRIPTION $self->{subscription} CONNECTION '"
		  . $conninfo =~ s/'/''/gr . "' PUBLICATION "
		  . join(', ', @{ $self->{publications} })
		  . ' WITH (copy_data = false, streaming = '
		  . ($self->{streaming} ? 'on' : 'off') . ')');
	return $self;
}

sub has_stopped { return $_[0]{has_stopped}; }

# What comes to this table is no matter any more.
sub forget
{
	my ($self, $name) = @_;

	$self->{forgotten}{$name} = 1;
}

sub knows
{
	my ($self, $name) = @_;

	return !$self->{forgotten}{$name};
}

sub conninfo
{
	my ($self) = @_;

	return $self->{pair}->target->connstr($self->{name});
}

sub sql
{
	my ($self, $sql) = @_;

	return $self->{pair}->target->safe_psql($self->{name}, $sql);
}

# Whether it comes to this position.
sub catches_up
{
	my ($self, $lsn) = @_;
	my $deadline = time + $CATCH_UP_S;

	return 0 if $self->{has_stopped};
	until ($self->{pair}->source_sql(
			"SELECT confirmed_flush_lsn >= '$lsn' FROM pg_replication_slots
			  WHERE slot_name = '$self->{subscription}'") eq 't')
	{
		$self->{has_stopped} = time > $deadline;
		return 0 if $self->{has_stopped};
		pause(0.1);
	}
	return 1;
}

# Both databases may be gone already.
sub drop
{
	my ($self) = @_;
	my $target = $self->{pair}->target;

	$target->psql($self->{name}, $_) for (
		"ALTER SUBSCRIPTION $self->{subscription} DISABLE",
		"ALTER SUBSCRIPTION $self->{subscription} SET (slot_name = NONE)",
		"DROP SUBSCRIPTION $self->{subscription}");
	$target->psql('postgres', "DROP DATABASE $self->{name} WITH (FORCE)");
}

1;
