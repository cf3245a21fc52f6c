# What a round may contain, each with a name by which it can be left out.
#
#     my $features = Rows::Features->new(only => [qw(filters kills)]);
#     if ($features->chance($random, 'filters', 0.5)) …
#
# A draw is made whether the feature is there or not.  So a seed without some
# features has the rest of that seed as it was, as far as that goes.
package Rows::Features;

use strict;
use warnings;

my %FEATURES = (
	# The schema.
	keyless => 'tables without a key',
	full => 'REPLICA IDENTITY FULL',
	index_identity => 'REPLICA IDENTITY USING INDEX',
	odd_names => 'names that have to be quoted',
	extensions => 'types of extensions, if they are installed',
	odd_keys => 'keys of any type but the usual ones',
	odd_types => 'columns of any type but the usual ones',
	equal_values => 'values that are equal and not identical',
	toast => 'large values',
	generated => 'generated columns',
	identity_columns => 'identity columns',
	partitions => 'partitioned tables',
	foreign_keys => 'foreign keys',
	more_indexes => 'indexes beside the key, also unique ones',
	constraints => 'deferred unique constraints, exclusion constraints',
	dropped_columns => 'columns that were dropped before',
	neighbours => 'unlogged, temporary and unpublished tables that are in use',
	layouts => 'tables that are made otherwise on the target',

	# The publications.
	filters => 'row filters',
	column_lists => 'column lists',
	via_root => 'publish_via_partition_root',
	table_list => 'publications of single tables',
	two_publications => 'two publications that overlap',
	operations => 'publications of some operations only',

	# Where to.
	nodes => 'several nodes, over which tables are spread',
	both_ways => 'a second pipeline in the other direction',

	# What writers do.
	truncates => 'TRUNCATE',
	key_updates => 'updates of keys',
	savepoints => 'savepoints, some of them rolled back',
	large => 'large transactions',
	copies => 'COPY',
	on_conflict => 'ON CONFLICT',
	two_phase => 'PREPARE TRANSACTION',
	messages => 'logical decoding messages',

	# What is done meanwhile.
	modes => 'ways to apply but the default',
	clone_killed => 'clone, killed and resumed',
	clone_crashes => 'clone, dead at one of its crash points and resumed',
	clone_busy => 'writers during clone',
	kills => 'the consumer killed',
	crash_points => 'the consumer dead at one of its crash points',
	command_crashes => 'penstock table dead at one of its crash points',
	restarts => 'the consumer ended and started again',
	source_crashes => 'immediate restarts of the source',
	target_crashes => 'immediate restarts of the target',
	backends_killed => 'server processes of the consumer terminated',
	backends_crash => 'server processes of the consumer dead, and the server with them',
	cuts => 'connections of the consumer cut',
	stalls => 'server processes of the consumer that stand still',
	fences => 'penstock fence',
	table_commands => 'penstock table',
	new_tables => 'tables that are made meanwhile, and taken in',
	new_partitions => 'partitions that are made meanwhile, and taken in',
	publication_changes => 'row filters and column lists that change',
	truncates_paused => 'TRUNCATE of tables some of which are paused',
	ddl => 'changes of tables, on both sides',
	reattach => 'partitions detached and attached',
	enum_values => 'ALTER TYPE ... ADD VALUE',
	target_ddl => 'changes of tables on the target alone',
	conflicts => 'rows changed on the target, and policies for conflicts',

	native => 'a subscription of PostgreSQL beside it',
);

sub names { return sort keys %FEATURES; }
sub description { return $FEATURES{ $_[1] }; }

# Options: only, without: arrays of names.
sub new
{
	my ($class, %option) = @_;
	my %is_on = map { $_ => !$option{only} } keys %FEATURES;
	my $self = bless { is_on => \%is_on }, $class;

	for my $name (@{ $option{only} || [] }, @{ $option{without} || [] })
	{
		die "there is no feature \"$name\"\n" unless $FEATURES{$name};
	}
	$is_on{$_} = 1 for @{ $option{only} || [] };
	$is_on{$_} = 0 for @{ $option{without} || [] };
	return $self;
}

sub is_on
{
	my ($self, $name) = @_;

	return $self->{is_on}{$name} // die "there is no feature \"$name\"\n";
}

sub chance
{
	my ($self, $random, $name, $probability) = @_;
	my $draw = $random->draw;

	return $self->is_on($name) && $draw < $probability;
}

1;
