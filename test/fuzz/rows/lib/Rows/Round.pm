# One round: a database with tables at random, copied and followed while writers
# are at work and things happen, and compared in between.
#
#     my $round = Rows::Round->new(seed => 1, servers => $pair,
#         features => Rows::Features->new);
#     my @findings = $round->run;
#
# What the target must have is asked of the source: its rows under the
# publications' filters, those of their columns, as the target has them.
package Rows::Round;

use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use IPC::Run ();
use PostgreSQL::Test::Utils qw(slurp_file);
use Time::HiRes qw(time);

use Penstock::Poll qw(pause wait_until);
use Penstock::Process;
use Rows::Back;
use Rows::Conflicts qw(settle_conflicts);
use Rows::Events qw(happen);
use Rows::Native;
use Rows::Schema;
use Rows::Spread;
use Rows::Types qw(extensions);
use Rows::Writers;
use Soak::Follower;
use Soak::Network;
use Soak::Random;

my $PHASES = 3;
my $WRITERS_MAX = 4;
my $TRANSACTIONS = 60;
my $EVENTS_MAX = 4;

# Points that a clone passes.
my @CLONE_CRASH_POINTS = map { "clone.$_" } qw(slot_created listed schema_begun
  schema_restored before_mark after_mark built before_progress after_progress);

# What takes longer than this will never be done.
my $REACH_S = 60;
my $WRITERS_S = 60;

my $KILLED = 128 + 9;
my $ROWS_PRINTED = 8;
my $LOG_LINES = 25;

# Ways of the consumer; the others are chosen at each start.
my @LANES = (1, 1, 2, 4, 16);

# Options: seed; servers, a Penstock::Pair; features; phases; steps, so many
# transactions of each writer in each phase; results, a directory for what is
# worth to be kept; spoil, a function that damages the target before the last
# comparison.
sub new
{
	my ($class, %option) = @_;
	my $seed = $option{seed};
	my $self = bless {
		steps => $TRANSACTIONS,
		phases => $PHASES,
		%option,
		name => "r$seed",
		findings => [],
		notes => [],
		started => time,
		scripts => 0,
		aside => {},
	}, $class;

	# What is drawn for the one does not change the others.
	$self->{random}{$_} = Soak::Random->new($seed * 7 + length $_)
	  for qw(modes schema writers happenings);
	return $self;
}

sub name { return $_[0]{name}; }
sub pair { return $_[0]{pair}; }
sub schema { return $_[0]{schema}; }
sub writers { return $_[0]{writers}; }
sub features { return $_[0]{features}; }
sub follower { return $_[0]{follower}; }
sub followers
{
	my ($self) = @_;

	return grep { $_ } $self->{follower}, $self->{back} && $self->{back}->follower;
}

sub native { return $_[0]{native}; }
sub random { return $_[0]{random}{ $_[1] }; }
sub notes { return @{ $_[0]{notes} }; }
sub directory { return $_[0]{directory}; }

# What is wrong, a text each; none: all is well.
sub run
{
	my ($self) = @_;

	eval {
		$self->set_up;
		$self->copy;
		$self->phase($_) for 1 .. $self->{phases};
		$self->say($self->work);
		1;
	} or $self->went_wrong($@);
	$self->look_for_crashes;
	$self->keep if @{ $self->{findings} } || $ENV{PENSTOCK_KEEP};
	$self->tear_down;
	return @{ $self->{findings} };
}

sub finding
{
	my ($self, $text) = @_;

	push @{ $self->{findings} }, $text;
}

# What says nothing new is left out: the SQL of a statement that failed.
sub went_wrong
{
	my ($self, $error) = @_;

	$self->finding('it did not go through: ' . $error =~ s/\nwhile running.*//sr)
	  unless @{ $self->{findings} };
}

sub say
{
	my ($self, $text) = @_;
	my $line = sprintf '%.1f s: %s', time - $self->{started}, $text;

	push @{ $self->{notes} }, $line;
	Test::More::note("$self->{name}: $line") if $ENV{PENSTOCK_VERBOSE};
}

sub chance
{
	my ($self, $feature, $probability, $stream) = @_;

	return $self->{features}
	  ->chance($self->random($stream || 'happenings'), $feature, $probability);
}


# ---- Before the first change ----

sub set_up
{
	my ($self) = @_;
	my $servers = $self->{servers};

	$self->{directory} = PostgreSQL::Test::Utils::tempdir($self->{name});
	chmod 0777, $self->{directory};
	$self->{log_at}{$_} = -s $servers->{$_}->logfile for qw(source target);
	$self->{pair} = $servers->with_database($self->{name}, publish => '');
	$self->{pair}->source_sql("DROP TABLE mark;
		ALTER DATABASE $self->{name} SET log_statement = 'all'");
	$self->make_network if $self->chance('cuts', 0.2, 'modes');
	$self->{schema} = Rows::Schema->new(
		name => $self->{name},
		random => $self->random('schema'),
		features => $self->{features},
		extensions => [ $self->installed_extensions ]);
	$self->{back} = Rows::Back->new(round => $self)
	  if $self->{schema}->is_both_ways;
	$self->choose_mode;
	$self->make_source;
	$self->make_native if $self->chance('native', 1, 'modes');
	$self->{writers} = Rows::Writers->new(
		random => $self->random('writers'),
		features => $self->{features},
		schema => $self->{schema},
		directory => $self->{directory});
	$self->write_script('initial', $self->{writers}->initial);
	$self->psql('initial')->wait_exit;
	$self->{pair} = Rows::Spread->new(
		pair => $self->{pair},
		schema => $self->{schema},
		directory => $self->{directory},
		network => $self->network('target')) if $self->{schema}->nodes > 1;
	return unless $self->{schema}->is_by_hand;
	$self->{pair}->target->safe_psql($_, $self->{schema}->target_ddl)
	  for $self->target_databases;
}

# One, or one for each node.
sub target_databases
{
	my ($self) = @_;

	return $self->{pair}->node_databases if $self->{schema}->nodes > 1;
	return ($self->{name});
}

# On the way to each server is one who can cut it.
sub make_network
{
	my ($self) = @_;

	for my $side (qw(source target))
	{
		my $network = Soak::Network->new($self->{servers}->$side);

		$self->{network}{$side} = $network;
		$self->{pair}->set_conninfo($side, $network->conninfo($self->{name}));
	}
	$self->say('connections can be cut');
}

# Not defined: nothing is on the way.
sub network { return $_[0]{network} && $_[0]{network}{ $_[1] }; }

sub installed_extensions
{
	my ($self) = @_;

	return grep {
		$self->{pair}->source_sql(
			"SELECT count(*) FROM pg_available_extensions WHERE name = '$_'")
	} extensions();
}

sub choose_mode
{
	my ($self) = @_;
	my $random = $self->random('modes');
	my $is_single = $self->chance('modes', 0.6, 'modes');
	my $lanes = $random->pick(@LANES);
	my $streaming = $random->pick('on', 'off');

	my $back = $self->{back};

	$self->{mode} = ["--publications=" . join ',', $self->{schema}->publications,
		$back ? $back->publication : () ];
	push @{ $self->{mode} }, '--origin=none' if $back;
	push @{ $self->{mode} }, '--apply=transaction', "--lanes=$lanes" if $is_single;
	push @{ $self->{mode} }, "--streaming=$streaming"
	  if $self->{features}->is_on('modes');
	push @{ $self->{mode} }, '--on-conflict=' . $self->{schema}->policy
	  if $self->{schema}->policy;
	$self->say("mode: @{ $self->{mode} }"
		  . ($self->{schema}->is_by_hand ? ', target made by hand' : '')
		  . ($self->{schema}->nodes > 1
			? ', ' . $self->{schema}->nodes . ' nodes' : '')
		  . ($self->{schema}{operations}
			? ", publish = '$self->{schema}{operations}'" : ''));
}

# Those that may be others each time.
sub options
{
	my ($self) = @_;
	my $random = $self->random('modes');
	my @options = (
		'--compression=' . $random->pick('none', 'none', 'zstd'),
		'--memory=' . $random->pick('4MB', '4MB', '32MB'));

	return @{ $self->{mode} } unless $self->{features}->is_on('modes');
	return (@{ $self->{mode} }, @options);
}

# Of "clone" and "table", which know fewer of them.
sub copy_options
{
	my ($self) = @_;

	return grep { !/^--(apply|lanes|streaming|on-conflict)/ } $self->options;
}

sub check_options
{
	my ($self) = @_;

	return grep { /^--publications/ } @{ $self->{mode} };
}

sub make_source
{
	my ($self) = @_;
	my $schema = $self->{schema};
	my $ddl = $schema->source_ddl . "\n" . $schema->publication_ddl;

	$ddl .= $self->{back}->ddl . $self->{back}->publication_ddl if $self->{back};

	$self->keep_text('schema.sql', $ddl);
	$self->keep_text('target.sql', $schema->target_ddl)
	  if $schema->is_by_hand;
	$self->{pair}->source_sql($ddl);
}

sub make_native
{
	my ($self) = @_;
	my $schema = $self->{schema};

	$self->{native} = Rows::Native->new(
		pair => $self->{pair},
		name => "n_$self->{name}",
		publications => [ $schema->publications ],
		streaming => $self->random('modes')->draw < 0.5,
		ddl => $schema->native_ddl);
	$self->{native}->forget($_->name)
	  for grep { $_->is_lost_on_subscriber } $schema->published;
}


# ---- Copying ----

sub copy
{
	my ($self) = @_;
	my $is_busy = $self->chance('clone_busy', 0.7) && !$self->{schema}->policy;
	my $is_killed =
	  $self->chance('clone_killed', 0.25) && $self->{schema}->nodes == 1;
	my @options = ($self->copy_options,
		'--jobs=' . $self->random('happenings')->integer(1, 3),
		($self->{schema}->is_by_hand ? '--data-only' : ()));

	# What it knows nothing against has to be possible, and the other way round.
	$self->wait_for_end(
		$self->{pair}->start('check', $self->check_options), 'check')
	  unless $self->{schema}->is_by_hand;
	$self->{pair}->source_sql($self->{schema}->shadow_ddl);
	$self->start_writers(0) if $is_busy;
	my $clone = $is_killed ? $self->killed_clone(@options)
	  : $self->{pair}->start('clone', @options);
	$self->wait_for_end($clone, 'clone') if $clone;
	$self->wait_writers if $is_busy;
	$self->say('copied');
	$self->{pair}->source_sql($self->{schema}->places_ddl)
	  if $self->{schema}->nodes > 1;
	$self->{back}->set_up if $self->{back};
	$self->start_follower;
	$self->compare('after clone') if $is_busy;
}

# One that goes on with what another one began; none: that was done.
sub killed_clone
{
	my ($self, @options) = @_;
	my $random = $self->random('happenings');
	my $crashes = $self->chance('clone_crashes', 0.5) && $ENV{PENSTOCK_FAULTS_BIN};
	my $point = $random->pick(@CLONE_CRASH_POINTS);
	my $seconds = $random->between(0.1, 1.5);

	local $ENV{PENSTOCK_BIN} = $ENV{PENSTOCK_FAULTS_BIN} if $crashes;
	local $ENV{PENSTOCK_FAULT} = $point if $crashes;
	my $clone = $self->{pair}->start('clone', @options);
	if ($crashes)
	{
		$self->say("clone at $point: status " . $clone->wait_exit);
	}
	else
	{
		pause($seconds);
		$clone->end('KILL');
		$self->say('clone is killed');
	}
	local $ENV{PENSTOCK_FAULT};
	return $self->resume(@options);
}

# Go on with a clone that was killed; returns what does that.  It may have been
# complete, or not have begun.
sub resume
{
	my ($self, @options) = @_;

	$self->wait_for_free_slot;
	my ($status, undef, $log) =
	  $self->{pair}->run('clone', '--resume', '--dry-run', @options);
	return if $log =~ /It is complete/;
	my @resume = $log =~ /there is no unfinished clone/ ? () : '--resume';
	return $self->{pair}->start('clone', @resume, @options);
}

sub start_follower
{
	my ($self) = @_;

	$self->{follower} = Soak::Follower->new(
		pair => $self->{pair},
		options => sub { $self->options },
		on_failure => sub {
			$self->finding($_[0]);
			die "what comes after a failure says little\n";
		});
	$self->{follower}->start;
}


# ---- Writers ----

sub phase
{
	my ($self, $number) = @_;
	my $random = $self->random('happenings');

	$self->{follower}->start;
	$self->{back}->follower->start if $self->{back};
	$self->start_writers($number);
	for (1 .. $random->integer(0, $EVENTS_MAX))
	{
		$self->tend_for($random->between(0.05, 0.6));
		happen($self);
	}
	$self->wait_writers;
	$self->compare("phase $number");
}

sub start_writers
{
	my ($self, $phase) = @_;
	my $random = $self->random('writers');
	my $count = $random->integer(1, $WRITERS_MAX);

	for my $writer (1 .. $count)
	{
		my $name = "writer_${phase}_$writer";

		$self->write_script($name, $self->{writers}->script($self->{steps}));
		push @{ $self->{running} }, $self->psql($name);
	}
	return unless $self->{back} && $phase > 0;
	for my $side (qw(source target))
	{
		my $name = "writer_${phase}_$side";

		$self->write_script($name, $self->{back}->script($side, $random));
		push @{ $self->{running} }, $self->psql($name, $side);
	}
}

# A few statements on one table, to their end; from some number on, unless that
# is left out.
sub run_writer
{
	my ($self, $name, $table, $low) = @_;

	$self->write_script($name, $self->{writers}->some($table, $low));
	$self->psql($name)->wait_exit;
}

sub write_script
{
	my ($self, $name, $sql) = @_;

	$self->keep_text("$name.sql", $sql);
}

sub keep_text
{
	my ($self, $name, $text) = @_;

	open my $file, '>', "$self->{directory}/$name"
	  or die "could not create \"$self->{directory}/$name\": $!\n";
	print $file $text;
	close $file or die "could not write \"$self->{directory}/$name\": $!\n";
}

sub psql
{
	my ($self, $name, $side) = @_;

	$side ||= 'source';
	return Penstock::Process->start(
		name => "psql_$name",
		command => [
			'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only',
			"--file=$self->{directory}/$name.sql",
			$self->{pair}->$side->connstr($self->{name})
		]);
}

# Until the writers have come to their ends; those of a server that was crashed
# did before.
sub wait_writers
{
	my ($self) = @_;
	my $deadline = time + $WRITERS_S;

	while (my ($process) = grep { $_->is_running } @{ $self->{running} })
	{
		$process->end('KILL') if time > $deadline;
		$self->tend_for(0.1);
	}
	$self->{said} .= $_->log for @{ $self->{running} };
	$self->{running} = [];
	$self->end_prepared;
}

sub end_prepared
{
	my ($self) = @_;
	my @names = split /\n/,
	  $self->{pair}->source_sql("SELECT gid FROM pg_prepared_xacts
		WHERE database = current_database()");

	$self->{pair}->source_sql("COMMIT PREPARED '$_'") for @names;
}

sub tend_for
{
	my ($self, $seconds) = @_;

	pause($seconds);
	$_->tend for $self->followers;
}


# ---- Comparing ----

sub compare
{
	my ($self, $title) = @_;
	my $pair = $self->{pair};

	$self->{follower}->stop;
	$self->wait_for_free_slot;
	$self->{back}->follow_to_end($title) if $self->{back};
	$self->follow_to_end($title);
	settle_conflicts($self) if $self->{schema}->policy;
	my $lsn = $pair->source_lsn;
	$self->{spoil}->($pair)
	  if $self->{spoil} && $title eq "phase $self->{phases}";
	my $caught_up = $self->{native} && $self->{native}->catches_up($lsn);
	my $number = 0;
	my $differences = join '',
	  (map { $self->differences($pair->target->connstr($_), node => $number++) }
		  $self->target_databases),
	  $self->lost_rows;
	my $natives = $caught_up
	  && $self->differences($self->{native}->conninfo);
	$self->say("$title: the subscription has stopped: " . $self->native_error)
	  if $self->{native} && !$caught_up;
	$self->say("$title: the subscription differs:\n$natives")
	  if $natives && $natives ne $differences;
	$self->say("$title: compared");
	return $self->settle unless $differences;
	$self->finding("$title: rows differ\n$differences"
		  . (
			!$caught_up ? ''
			: $natives eq $differences ? "the subscription has the same\n"
			: "the subscription has something else\n"));
	die "what comes after a failure says little\n";
}

sub follow_to_end
{
	my ($self, $title) = @_;
	my $lsn = $self->{pair}->source_lsn;

	$self->wait_for_end(
		$self->{pair}->start('follow', "--endpos=$lsn", $self->options),
		"$title: follow --endpos=$lsn");
}

# Why the subscription does not go on, as far as the server told.
sub native_error
{
	my ($self) = @_;
	my @lines = grep { /\]  x\d+ (ERROR|CONTEXT)/ } split /\n/,
	  $self->server_log('target');

	return join ' ', map { s/^.*?(ERROR|CONTEXT)/$1/r }
	  @lines[ grep { $_ >= 0 } $#lines - 1 .. $#lines ];
}

sub settle
{
	my ($self) = @_;
	my @functions = @{ $self->{afterwards} || [] };

	$self->{back}->copy_again
	  if $self->{back} && $self->random('happenings')->draw < 0.3;
	$self->{afterwards} = [];
	$_->() for @functions;
}

# Empty if the target has what it must.  Option: node, the number of a target
# of ours.
sub differences
{
	my ($self, $conninfo, %option) = @_;
	my $schema = $self->{schema};
	my $is_ours = defined $option{node};
	my @tables = grep {
		$is_ours ? !$self->{aside}{ $_->name } : $self->{native}->knows($_->name)
	} $schema->published;
	my @pairs = map {
		$_->comparisons(
			%option,
			is_ours => $is_ours,
			is_root => $schema->is_root,
			nodes => $schema->nodes,
			policy => $schema->policy)
	} @tables;
	push @pairs, $self->{back}->comparisons if $self->{back} && $is_ours;
	my ($stdout, $stderr);

	return '' unless @pairs;
	$self->keep_text('pairs', join '', map { join("\t", @$_) . "\n" } @pairs);
	IPC::Run::run(
		[
			"$ENV{PENSTOCK_STAGE}/test/compare", '--quiet',
			"--pairs=$self->{directory}/pairs", "--rows=$ROWS_PRINTED",
			$self->{pair}->source->connstr($self->{name}), $conninfo
		],
		'>', \$stdout, '2>', \$stderr)
	  and return '';
	return join("\n", map { shortened($_) } split /\n/, $stdout . $stderr) . "\n";
}

# Of large values the beginning is enough.
sub shortened
{
	my ($line) = @_;

	$line =~ s/(\S{60})\S{60,}/$1.../g;
	$line =~ s/((?:long \d+){3})(?:long \d+)+/$1.../g;
	return length $line > 400 ? substr($line, 0, 400) . '...' : $line;
}

# Rows that lost what the target alone has in them.
sub lost_rows
{
	my ($self) = @_;
	my $lost = '';

	for my $table (grep { ($_->{kept} // 'none') ne 'none' }
		$self->{schema}->published)
	{
		my $count = $self->{pair}->target_sql($table->lost_sql);

		$lost .= $table->name . ": $count rows lost what only the target has\n"
		  if $count;
	}
	return $lost;
}

# When the target has been compared next, and nobody writes.
sub after_compare
{
	my ($self, $function) = @_;

	push @{ $self->{afterwards} }, $function;
}

# A consumer that was killed may hold it until the source notices.
sub wait_for_free_slot
{
	my ($self) = @_;

	wait_until(
		'the slot to be free',
		sub {
			return $self->{pair}->source_sql(
				"SELECT count(*) FROM pg_replication_slots
				  WHERE slot_name = '$self->{name}' AND active") eq '0';
		});
}

# It ends in time, and with exit status 0.
sub wait_for_end
{
	my ($self, $process, $title) = @_;
	my $deadline = time + $REACH_S;

	until (!$process->is_running)
	{
		if (time > $deadline)
		{
			$process->signal('USR1');
			pause(0.5);
			$process->end('KILL');
			$self->finding("$title: not done in $REACH_S s\n"
				  . last_lines($process->log));
			die "what comes after a failure says little\n";
		}
		pause(0.05);
	}
	return if $process->wait_exit == 0;
	$self->finding("$title: exit status " . $process->wait_exit . "\n"
		  . last_lines($process->output . $process->log));
	die "what comes after a failure says little\n";
}

sub last_lines
{
	my ($text) = @_;
	my @lines = split /^/, $text;

	splice @lines, 0, -$LOG_LINES if @lines > $LOG_LINES;
	return join '', @lines;
}


# ---- Afterwards ----

# How much there was to do: a round in which all statements fail tests nothing.
sub work
{
	my ($self) = @_;
	my $errors = () = ($self->{said} || '') =~ /ERROR:  (?!current transaction)/g;

	return $self->{pair}->source_sql(
		"SELECT format('%s transactions, %s undone; %s rows inserted, %s updated,'
					   ' %s deleted; $errors errors', xact_commit, xact_rollback,
					   tup_inserted, tup_updated, tup_deleted)
		   FROM pg_stat_database WHERE datname = current_database()");
}

# What no server and no program may say.
sub look_for_crashes
{
	my ($self) = @_;

	for my $side (qw(source target))
	{
		my @lines = grep { /TRAP:|PANIC:|was terminated by signal (?!9)/ }
		  split /\n/, $self->server_log($side);

		$self->finding("the $side has crashed:\n" . join "\n", @lines) if @lines;
	}
}

sub server_log
{
	my ($self, $side) = @_;

	return slurp_file($self->{servers}{$side}->logfile, $self->{log_at}{$side});
}

sub consumer_logs
{
	my ($self) = @_;
	my $place = $PostgreSQL::Test::Utils::log_path;

	return grep { (stat)[9] >= int $self->{started} }
	  glob "$place/*_{check,clone,follow,table,psql_*}.{log,out}";
}

# What one needs to see what happened, in the results.
sub keep
{
	my ($self) = @_;
	my $kept = "$self->{results}/$self->{name}";

	make_path($kept);
	$self->keep_text('findings',
		join "\n", @{ $self->{notes} }, @{ $self->{findings} });
	$self->keep_text("$_.server.log", $self->server_log($_))
	  for qw(source target);
	system('cp', (grep { !m{/copied_} } glob "$self->{directory}/*"),
		$self->consumer_logs, $kept) == 0
	  or Test::More::diag("could not keep what happened in $kept");
}

sub tear_down
{
	my ($self) = @_;
	my $pair = $self->{pair};

	eval {
		$_->end('KILL') for grep { $_->is_running } @{ $self->{running} || [] };
		$self->{follower}->stop if $self->{follower};
		$self->{back}->drop if $self->{back};
		1;
	};
	eval {
		$self->{native}->drop if $self->{native};
		$self->end_prepared;
		$pair->source->psql('postgres',
			"SELECT pg_terminate_backend(active_pid)
			   FROM pg_replication_slots WHERE database = '$self->{name}'");
		wait_until('slots to be free', sub {
			$pair->source->safe_psql('postgres',
				"SELECT count(pg_drop_replication_slot(slot_name))
				   FROM pg_replication_slots
				  WHERE database = '$self->{name}' AND NOT active");
			$pair->source->safe_psql('postgres',
				"SELECT count(*) FROM pg_replication_slots
				  WHERE database = '$self->{name}'") eq '0';
		});
		$pair->source->psql('postgres', "DROP DATABASE $self->{name} WITH (FORCE)");
		$pair->target->psql('postgres', "DROP DATABASE $_ WITH (FORCE)")
		  for $self->target_databases;
		1;
	} or Test::More::diag("$self->{name}: could not clean up: $@");
	$self->drop_origins;
	$_->stop for values %{ $self->{network} || {} };
	unlink $self->consumer_logs;
	remove_tree($self->{directory});
}

# Origins belong to no database, and there is room for a few only.
sub drop_origins
{
	my ($self) = @_;

	$self->{pair}->$_->psql('postgres',
		"SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin
		  WHERE roname LIKE '%$self->{name}%'") for qw(source target);
}

1;
