# A database in which three sessions change the schema and rows at random, and a
# follower, which is killed now and then, as the servers are.
#
#     my $round = Ddl::Followed->new($pair, seed => 7, mode => 'lanes');
#     my @findings = $round->test;
package Ddl::Followed;

use strict;
use warnings;

use IPC::Run;
use Test::More;
use Time::HiRes qw(time);

use Ddl::Dump qw(dump_schema differences);
use Ddl::Forms;
use Ddl::Round;
use Ddl::Rows;
use Ddl::Session;

my $SESSIONS = 3;

# Statements that a round makes.
my $STEPS = 900;

# One of so many statements ...
my $CHECK = 150;
my $KILL = 60;
my $CRASH = 300;

# A follower that was killed stays away now and then, for at most so many
# statements: it then decodes them with catalogs that are long past.
my $LONG = 140;

# Rows of a statement, where it has many.
my $MANY = 300;

my %MODES = (
	batch => [],
	transaction => ['--apply=transaction'],
	lanes => [ '--apply=transaction', '--lanes=4' ],
	streaming => ['--memory=4MB']);

my @SETTINGS = (
	q{SET lock_timeout = '100ms'}, q{SET statement_timeout = '20s'},
	'SET client_min_messages = warning');

# What takes no transaction.
my @ALONE = (
	'CREATE INDEX CONCURRENTLY %n ON %t (%c)', 'REINDEX TABLE CONCURRENTLY %t',
	'REINDEX TABLE %t', 'VACUUM FULL %t', 'VACUUM %t', 'ANALYZE %t');

my %done;

sub modes { return sort keys %MODES; }

# Options: seed, mode, steps; spoil, a statement that is run on the target alone.
sub new
{
	my ($class, $servers, %option) = @_;
	my $self = bless {
		steps => $STEPS,
		%option,
		trail => [],
		findings => [],
		crashes => 0,
	}, $class;

	$self->{pair} = $servers->with_database("seed$self->{seed}");
	$self->{options} = $MODES{ $self->{mode} };
	return $self;
}

# Whether nothing was found; the seed decides the mode.
sub test_ok
{
	my ($servers, $seed, $steps) = @_;
	my $started = time;
	my @modes = modes();
	my $mode = $modes[ $seed % @modes ];
	my $self = Ddl::Followed->new(
		$servers,
		seed => $seed,
		mode => $mode,
		$steps ? (steps => $steps) : ());
	my @findings = $self->test;
	my $title = sprintf 'seed %d, %s, %.1f s', $seed, $mode, time - $started;

	ok(!@findings, $title) and return 1;
	diag($_) for @findings;
	my $file = ($ENV{PENSTOCK_RESULTS} || '.') . "/seed$seed.sql";
	open my $trail, '>', $file or die "$file: $!\n";
	print $trail map { "$_\n" } $self->trail;
	close $trail or die "$file: $!\n";
	diag("to repeat: make fuzz-follow SEED=$seed ROUNDS=1");
	return 0;
}

# A list of what is wrong; of each, a text.
sub test
{
	my ($self) = @_;

	eval {
		$self->begin;
		for (1 .. $self->{steps})
		{
			$self->step;
			last if @{ $self->{findings} };
		}
		$self->check unless @{ $self->{findings} };
	};
	push @{ $self->{findings} }, $@ if $@;
	$self->finish;
	return @{ $self->{findings} };
}

# What was done since both sides were last seen to be equal.
sub trail { return @{ $_[0]{trail} }; }

sub begin
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my $name = $pair->name;

	$pair->source_sql("ALTER DATABASE $name SET logical_decoding_work_mem = '64kB'")
	  if $self->{mode} eq 'streaming';
	$pair->source_sql($_) for Ddl::Round::setup();
	$pair->clone('--ddl=follow', '--follow', '--endpos=' . $pair->source_lsn,
		@{ $self->{options} });
	$self->{chooser} = Ddl::Forms->new($self->{seed}, undef);
	$self->open_sessions;
	$self->start_follower;
}

sub open_sessions
{
	my ($self) = @_;
	my $pair = $self->{pair};

	$self->{sessions} = [ map {
		{
			number => $_,
			session => Ddl::Session->new($pair->source, $pair->name),
		}
	} 1 .. $SESSIONS ];
	for my $one (@{ $self->{sessions} })
	{
		$one->{session}->run($_) for @SETTINGS;
	}
}

sub start_follower
{
	my ($self) = @_;

	$self->{follower} =
	  $self->{pair}->start('follow', @{ $self->{options} });
}

# One statement in one of the sessions, and what happens besides.
sub step
{
	my ($self) = @_;
	my $forms = $self->{chooser};

	$self->work($forms->pick(@{ $self->{sessions} }));
	$self->look_at_follower;
	$self->kill_follower unless $forms->random($KILL);
	$self->crash($forms->pick('source', 'target')) unless $forms->random($CRASH);
	$self->check unless $forms->random($CHECK);
}

sub work
{
	my ($self, $one) = @_;
	my $forms = $self->{chooser};

	$forms->{session} = $one->{session};
	return $self->outside($one) unless $one->{open};
	my $what = $forms->random(30);
	return $self->end_transaction($one, 'COMMIT') if $what < 4;
	return $self->end_transaction($one, 'ROLLBACK') if $what == 4;
	return $self->savepoint($one) if $what < 8;
	my ($name, $sql) = eval {
		$what < 19
		  ? $forms->next
		  : ('rows', Ddl::Rows->new($forms)->next($MANY));
	};
	return unless defined $sql;
	$self->run($one, $name, $sql);
	$self->give_identity($one, $sql) if $name =~ /^(create|attach_new|drop)/;
}

sub outside
{
	my ($self, $one) = @_;
	my $forms = $self->{chooser};

	if ($forms->random(8) || grep { $_->{open} } @{ $self->{sessions} })
	{
		$self->run($one, 'BEGIN', 'BEGIN');
		@$one{qw(open savepoints)} = (1, 0);
		return;
	}
	return $self->detach($one) unless $forms->random(6);
	my $sql = eval {
		my $form = $forms->pick(@ALONE);
		my $table = $forms->plain_table;
		my $column = $forms->column($table);
		my $name = $forms->name('i');
		$form =~ s/%t/$table/;
		$form =~ s/%c/$column/;
		$form =~ s/%n/$name/;
		$form;
	} or return;
	$self->run($one, 'alone', $sql);
}

# One that a lock interrupts is finished later, or by nobody.
sub detach
{
	my ($self, $one) = @_;
	my $sql = eval {
		my ($child, $parent) = $self->{chooser}->partition;
		"ALTER TABLE $parent DETACH PARTITION $child "
		  . $self->{chooser}->pick('CONCURRENTLY', 'FINALIZE');
	} or return;

	$self->run($one, 'detach_concurrently', $sql);
}

sub savepoint
{
	my ($self, $one) = @_;
	my $forms = $self->{chooser};

	if (!$one->{savepoints} || $forms->random(2))
	{
		$self->run($one, 'savepoint', 'SAVEPOINT p' . ++$one->{savepoints});
		return;
	}
	my $which = 1 + $forms->random($one->{savepoints});
	$self->run($one, 'savepoint',
		$forms->pick('ROLLBACK TO', 'ROLLBACK TO', 'RELEASE') . " p$which");
	$one->{savepoints} = $which - 1;
}

sub end_transaction
{
	my ($self, $one, $how) = @_;

	$self->run($one, $how, $how);
	$one->{open} = 0;
}

# The error, or nothing.
sub run
{
	my ($self, $one, $name, $sql) = @_;
	my $error = $one->{session}->error($sql);

	push @{ $self->{trail} }, "$one->{number}: $sql;"
	  . ($error ? ' -- ' . (split /\n/, $error)[0] : '');
	$done{$name}++ unless $error;
	return $error;
}

# Tables without a key can then be updated, now and then.
sub give_identity
{
	my ($self, $one, $sql) = @_;
	my @tables = eval {
		$self->{chooser}->relations('rp',
			q{relreplident = 'd' AND NOT EXISTS
			  (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)});
	};

	return unless $self->{chooser}->random(4);
	$self->run($one, 'give_identity', "ALTER TABLE $_ REPLICA IDENTITY FULL")
	  for @tables;
}

# ---- What happens ----

sub record { push @{ $_[0]{trail} }, "-- $_[1]"; }

sub look_at_follower
{
	my ($self) = @_;

	if ($self->{away})
	{
		$self->let_return unless --$self->{away};
		return;
	}
	die "the follower has ended:\n" . $self->{follower}->log . "\n"
	  unless $self->{follower}->is_running;
}

sub kill_follower
{
	my ($self) = @_;
	my $forms = $self->{chooser};

	return if $self->{away};
	$self->record('the follower is killed');
	$self->{follower}->end('KILL');
	return $self->start_follower if $forms->random(3);
	$self->{away} = 1 + $forms->random($LONG);
	$self->record("and stays away");
}

sub let_return
{
	my ($self) = @_;

	$self->{away} = 0;
	$self->record('the follower is started');
	$self->start_follower;
}

sub crash
{
	my ($self, $side) = @_;
	my $server = $self->{pair}->$side;

	$self->record("the $side is stopped at once, and started");
	$server->stop('immediate');
	$server->start;
	return if $side eq 'target';
	$_->{session}->end for @{ $self->{sessions} };
	$self->open_sessions;
}

# All transactions end, the follower catches up, and both sides are compared.
sub check
{
	my ($self) = @_;
	my $pair = $self->{pair};

	for my $one (grep { $_->{open} } @{ $self->{sessions} })
	{
		$self->end_transaction($one, 'COMMIT');
	}
	$self->let_return if $self->{away};
	$pair->wait_caught_up($self->{follower});
	$pair->target_sql($self->{spoil}) if $self->{spoil};
	my @dumps = map {
		[ dump_schema($pair->$_->connstr($pair->name), '--no-publications',
			'--exclude-schema=penstock') ]
	} qw(source target);
	push @{ $self->{findings} }, differences(@dumps);
	$self->compare_rows unless @{ $self->{findings} };
	return if @{ $self->{findings} };
	$self->{trail} = [];
	$self->record('both are equal');
}

sub compare_rows
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my ($out, $err);

	IPC::Run::run(
		[
			"$ENV{PENSTOCK_STAGE}/test/compare", '--quiet',
			map { $pair->$_->connstr($pair->name) } qw(source target)
		],
		'>', \$out, '2>', \$err) or push @{ $self->{findings} }, "$out$err";
}

sub finish
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my $name = $pair->name;

	eval { $self->{follower}->end('KILL') } if $self->{follower};
	eval { $_->{session}->end } for @{ $self->{sessions} || [] };
	return if @{ $self->{findings} } && $self->{keep};
	eval {
		$pair->source->poll_query_until('postgres',
			"SELECT pg_drop_replication_slot(slot_name) IS NOT NULL
			   FROM pg_replication_slots WHERE database = '$name' AND NOT active
			 UNION ALL SELECT true WHERE NOT EXISTS (SELECT FROM
			   pg_replication_slots WHERE database = '$name')");
		$pair->$_->safe_psql('postgres', "DROP DATABASE $name WITH (FORCE)")
		  for qw(source target);
	};
}

sub summary
{
	my $count = 0;

	$count += $_ for values %done;
	return keys(%done) . " forms, $count statements; never: "
	  . (join(' ', grep { !$done{$_} } Ddl::Forms::names()) || 'none');
}

1;
