# What cannot work is refused with words that help, and the target stays as it
# was.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use Penstock::Pair;
use Penstock::Poll qw(pause wait_until);
use Penstock::Proxy;
use Penstock::Server qw(lets_plugins_in);

my $FAILED = 1;
my $MISUSED = 2;

my $pair = Penstock::Pair->new;
$pair->source_sql(<<'END');
CREATE TABLE item (number integer PRIMARY KEY, name text);
INSERT INTO item SELECT n, 'item ' || n FROM generate_series(1, 100) n;
END


# ---- Misuse ----

misused(qr/no command is given/);
misused(qr/unrecognized command "fly"/, 'fly');
misused(qr/unrecognized option "--colour"/, 'follow', '--colour');
misused(qr/unrecognized option "--data-only"/, 'follow', '--data-only');
misused(qr/option --source needs a value/, 'follow', '--source');
misused(qr/option --name is given twice/,
	'follow', '--name=a', '--name=b');
misused(qr/invalid value for --name: "Shop"/, 'follow', '--name=Shop');
misused(qr/invalid value for --name: "a.b"/, 'clone', '--name=a.b');
misused(qr/invalid value for --endpos: "0"/, 'follow', '--endpos=0');
misused(qr/invalid value for --endpos: "12"/, 'follow', '--endpos=12');
misused(qr/invalid value for --memory: "1MB"/, 'follow', '--memory=1MB');
misused(qr/invalid value for --memory: "99999999999999999999"/,
	'follow', '--memory=99999999999999999999');
misused(qr/invalid value for --jobs: "0"/, 'clone', '--jobs=0');
misused(qr/invalid value for --origin: "some"/, 'follow', '--origin=some');
misused(qr/unexpected argument "more"/, 'status', 'more');
misused(qr/--schema-only cannot be used with --follow/,
	'clone', '--schema-only', '--follow');
misused(qr/--schema-only cannot be used with --data-only/,
	'clone', '--schema-only', '--data-only');
misused(qr/too many targets/, 'follow', ('--target=x') x 100);
for my $verb (qw(check clone follow status tail drop))
{
	my ($status, $stdout, $stderr) = consumer($verb, '--help');
	ok($status == 0 && $stderr eq '' && $stdout =~ /^Usage:/m,
		"$verb --help is an answer");
	ok(!(grep { length > 95 } split /\n/, $stdout),
		"$verb --help has short lines");
}
misused(qr/no source is given/, 'follow', '--target=x');
misused(qr/no target is given/, 'follow', '--source=x');


# ---- What a source may lack ----

$pair->source->append_conf('postgresql.conf', 'wal_level = replica');
$pair->source->restart;
refused('a source without logical decoding',
	qr/wal_level of the source is "replica", not "logical"/, 'clone');
$pair->source->append_conf('postgresql.conf', 'wal_level = logical');
$pair->source->restart;

SKIP:
{
	skip 'this server lets every plugin in', 3 if lets_plugins_in();
	$pair->source->append_conf('postgresql.conf',
		"output_plugin_libraries = 'pgoutput, test_decoding'");
	$pair->source->reload;
	$pair->wait_for_sql('source',
		"SELECT current_setting('output_plugin_libraries') NOT LIKE '%penstock%'"
	);
	refused('a source that does not let the plugin in',
		qr/"penstock" may not be used as an output plugin.*"penstock check [^"]*" prints the statement/s,
		'clone');
	$pair->source->append_conf('postgresql.conf',
		"output_plugin_libraries = 'pgoutput, test_decoding, penstock'");
	$pair->source->reload;
	$pair->wait_for_sql('source',
		"SELECT current_setting('output_plugin_libraries') LIKE '%penstock%'"
	);
}

refused('a publication that is not there',
	qr/publication "nope" does not exist on the source/,
	'clone', '--publications=nope');
refused('a slot that is not there',
	qr/replication slot "shop" does not exist on the source/, 'follow');
is($pair->source_sql('SELECT count(*) FROM pg_replication_slots'),
	0, 'what was refused left no slot behind');


# ---- Who may come in ----

for my $side (qw(source target))
{
	my $node = $pair->{$side};
	my $hba = $node->data_dir . '/pg_hba.conf';

	$node->safe_psql('postgres',
		"CREATE ROLE alice SUPERUSER LOGIN PASSWORD 'right'");
	my $rules = slurp_file($hba);
	unlink $hba;
	append_to_file($hba, "local all,replication alice scram-sha-256\n$rules");
	$node->reload;
	wait_until('the rule to be in force',
		sub { $node->psql('postgres', 'SELECT', extra_params => ['--username=alice', '--no-password']) != 0 });
	# Following, the source is looked at first, and has no slot yet.
	for my $verb ($side eq 'source' ? qw(clone follow) : 'clone')
	{
		with_conninfo($side, ' user=alice password=wrong', sub {
			refused("a wrong password on the $side, $verb",
				qr/could not connect to $side: .*password authentication failed for user "alice"/,
				$verb);
		});
		with_conninfo($side, ' user=alice', sub {
			refused("no password on the $side, $verb",
				qr/could not connect to $side: .*no password supplied/, $verb);
		});
	}
	with_conninfo($side, ' user=nobody_there', sub {
		refused("a role that the $side does not have",
			qr/could not connect to $side: .*role "nobody_there" does not exist/,
			'clone');
	});
}
$pair->set_conninfo('source', 'host=/nonexistent dbname');
refused('a connection string that cannot be read', qr/missing "=" after "dbname"/,
	'clone');
$pair->set_conninfo('source', undef);


# ---- Slots of others ----

$pair->source_sql("SELECT pg_create_logical_replication_slot('other', 'test_decoding')");
$pair->source_sql("SELECT pg_create_physical_replication_slot('standby')");
$pair->source->safe_psql('postgres',
	"SELECT pg_create_logical_replication_slot('elsewhere', 'penstock')");
refused('a slot of another plugin',
	qr/replication slot "other" belongs to output plugin "test_decoding"/,
	'follow', '--name=other');
refused('a slot of a standby',
	qr/replication slot "standby" belongs to a physical standby/,
	'follow', '--name=standby');
refused('a slot of another database',
	qr/replication slot "elsewhere" belongs to another database/,
	'follow', '--name=elsewhere');
refused('a slot that is there already',
	qr/replication slot "other" belongs to output plugin "test_decoding"/,
	'clone', '--name=other', '--publications=shop');


# ---- A pipeline of its own ----

$pair->clone;
$pair->equal_ok('a clone after all of this');
refused('a second clone', qr/replication slot "shop" already exists/, 'clone');

with_conninfo('target', ' user=alice password=wrong', sub {
	refused('a wrong password on the target, follow',
		qr/could not connect to target: .*password authentication failed for user "alice"/,
		'follow');
});

my $first = $pair->start('follow');
$pair->source_sql("UPDATE item SET name = 'one' WHERE number = 1");
$pair->wait_caught_up($first);

# It waits for the slot, as it would for that of a connection that broke.
my $second = $pair->start('follow');
$second->wait_log(qr/replication slot "shop" is active for PID \d+/);
$second->wait_log(qr/trying again/);
$pair->source_sql("UPDATE item SET name = 'two' WHERE number = 2");
$pair->wait_caught_up($first);
ok($first->is_running, 'the first follower does not mind a second one');
ok($second->is_running, 'the second follower waits');
$pair->stop_ok($first, 'TERM', 'the first follower stops');
$pair->source_sql("UPDATE item SET name = 'three' WHERE number = 3");
$pair->wait_caught_up($second);
$pair->equal_ok('the second follower took over');

# A follower that was taken for dead, while another took over, wakes up with
# changes in its hands.
my $walsender = $pair->source_sql(
	"SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'shop'");
my $lock = $pair->target->background_psql($pair->name);
$lock->query_safe('BEGIN; LOCK TABLE item IN SHARE MODE');
$pair->source_sql("UPDATE item SET name = name || '!' WHERE number = 4");
$pair->wait_for_sql('target',
	'SELECT count(*) > 0 FROM pg_locks WHERE NOT granted');
$second->signal('STOP');
$pair->source_sql("SELECT pg_terminate_backend($walsender)");
$pair->wait_for_sql('source',
	"SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'shop'");
my $third = $pair->start('follow');
wait_until('the third follower to follow or not',
	sub { $third->log =~ /following with slot|(?:trying again.*){4}/s });
like($third->log, qr/following with slot/,
	'a follower that is stuck does not keep another one from taking over');
$lock->query_safe('COMMIT');
$lock->quit;
$pair->source_sql("INSERT INTO item VALUES (101, 'new')");
$pair->wait_caught_up($third) if $third->log =~ /following with slot/;
$second->signal('CONT');
$pair->wait_caught_up;
$pair->equal_ok('a follower that was replaced woke up');
ok($_->is_running, 'it and the other one go on') for $second, $third;
$second->end('TERM');
$third->wait_log(qr/following with slot/);
$pair->wait_caught_up($third);

# Someone takes the target away without taking the slot.
$pair->target_sql("UPDATE penstock.progress
	SET lease_token = lease_token + 1, lease_holder = 'somebody else'");
my $contents = $pair->target_contents(but_sequences => 1);
$pair->source_sql("INSERT INTO item VALUES (102, 'fenced')");
is($third->wait_exit, $FAILED, 'a follower without the lease fails');
like(
	$third->log,
	qr/another follower has taken over pipeline "shop" on target/,
	'a follower without the lease says so');
is($pair->target_contents(but_sequences => 1), $contents,
	'a follower without the lease writes nothing');
$pair->follow_to_end;
$pair->equal_ok('who has the lease goes on');


# ---- A target that is not what it was ----

$pair->source_sql("UPDATE item SET name = 'renamed' WHERE number = 5");
my $identifier = $pair->target_sql(
	'SELECT source_system_identifier FROM penstock.progress');
$pair->target_sql(
	"UPDATE penstock.progress SET source_system_identifier = '42'");
refused('a target that was copied from another server',
	qr/target was copied from another server than the source.*system 42\b.*system $identifier\b/s,
	'follow');
$pair->target_sql(
	"UPDATE penstock.progress SET source_system_identifier = '$identifier'");

$pair->target_sql('ALTER TABLE item RENAME COLUMN name TO title');
refused('a column that the target lacks',
	qr/column "name" of table "public"."item" does not exist on target.*ALTER TABLE "public"."item" ADD COLUMN "name"/s,
	'follow');
$pair->target_sql('ALTER TABLE item RENAME COLUMN title TO name');

$pair->target_sql('ALTER TABLE item RENAME TO thing');
refused('a table that the target lacks',
	qr/table "public"."item" does not exist on target/, 'follow');
$pair->target_sql('ALTER TABLE thing RENAME TO item');

$pair->target_sql('DELETE FROM penstock.progress');
refused('a target without progress',
	qr/target has no progress of pipeline "shop"/, 'follow');
$pair->recreate_target;
refused('a target without anything',
	qr/target has no progress of pipeline "shop"/, 'follow');
$pair->run_or_die('drop', '--force');
$pair->clone;
$pair->follow_to_end;

$pair->source_sql("UPDATE item SET name = 'again' WHERE number = 6");
refused('a publication that is not there any more',
	qr/publication "gone" does not exist/,
	'follow', '--set', '--publications=gone');


# ---- A source that talks nonsense ----

my $rewrite;
my $proxy = Penstock::Proxy->start($pair->source);
$pair->set_conninfo('source', $proxy->conninfo($pair->name));

# The first bytes: Frame.session, its length, Session.proto_version.
nonsense('a newer protocol',
	qr/source speaks protocol version 99, this program version 1/,
	sub { $_[0] =~ s/^(\x0a.\x08)\x01/$1\x63/s or die "no session\n" });
my $invalid = qr/invalid frame from source/;
nonsense('a frame of nothing', $invalid, sub { $_[0] = '' });
nonsense('a frame of random bytes', $invalid,
	sub { $_[0] = join '', map { chr int rand 256 } 1 .. 200 });
nonsense('a frame with bytes behind its end', $invalid,
	sub { $_[0] .= "\xff" });
nonsense('a frame that is cut short', $invalid,
	sub { substr($_[0], -(1 + int rand(length($_[0]) - 1))) = '' });
nonsense('a frame that says that it has a change more', $invalid,
	sub { $_[0] =~ s/\x22(.)\x08(.)$/"\x22$1\x08" . chr(1 + ord $2)/se or die "no commit\n" });
nonsense_message('a message that is too short',
	qr/unexpected message of 5 bytes in the stream from source/,
	sub { ('d', 'w1234') });
nonsense_message('a message of an unknown kind',
	qr/unexpected message of \d+ bytes in the stream from source/,
	sub { my ($type, $body) = @_; ($type, $body =~ s/^w/?/r) });
$proxy->stop;
$pair->set_conninfo('source', undef);

$pair->follow_to_end;
$pair->equal_ok('a follower after all of this');

done_testing();

sub consumer
{
	my $process = Penstock::Process->start(
		name => 'consumer',
		command => [ $ENV{PENSTOCK_BIN}, @_ ]);
	my $status = $process->wait_exit;

	return ($status, $process->output, $process->log);
}

sub misused
{
	my ($pattern, @arguments) = @_;
	my $shown = join ' ', @arguments[ 0 .. ($#arguments < 3 ? $#arguments : 3) ];
	my ($status, $stdout, $stderr) = consumer(@arguments);

	is($status, $MISUSED, "misuse: \"$shown\"");
	like($stderr, $pattern, "\"$shown\": the message");
	like($stderr, qr/^Try "penstock .*--help" for more information\.$/m,
		"\"$shown\": the way on");
	is($stdout, '', "\"$shown\": nothing on standard output");
}

sub failed
{
	my ($pattern, @arguments) = @_;
	my ($status, $stdout, $stderr) = consumer(@arguments);

	is($status, $FAILED, "\"@arguments\" fails");
	like($stderr, $pattern, "\"@arguments\": the message");
}

# It fails with this message, and the target is what it was.
sub refused
{
	my ($title, $pattern, $verb, @options) = @_;
	my $before = $pair->target_contents(but_sequences => 1);
	my ($status, $stdout, $log) = $pair->run($verb, @options);
	my ($error) = $log =~ /^\S+ \S+ (error .*)/ms;

	is($status, $FAILED, "$title: refused");
	like($error, $pattern, "$title: the message");
	my $after = $pair->target_contents(but_sequences => 1);
	ok($after eq $before, "$title: the target is as it was")
	  or diag differing_lines($before, $after);
}

sub differing_lines
{
	my @before = split /^/, $_[0];
	my @after = split /^/, $_[1];
	my %before = map { $_ => 1 } @before;
	my %after = map { $_ => 1 } @after;

	return join '', map({ "before: $_" } grep { !$after{$_} } @before),
	  map({ "after: $_" } grep { !$before{$_} } @after);
}

sub with_conninfo
{
	my ($side, $more, $function) = @_;
	my $conninfo = $pair->{$side}->connstr($pair->name);

	$pair->set_conninfo($side, $conninfo . $more);
	$function->();
	$pair->set_conninfo($side, undef);
}

# The first frame of the stream arrives as another one.
sub nonsense
{
	my ($title, $pattern, $change) = @_;
	my $header_bytes = 1 + 8 + 8 + 8;

	nonsense_message(
		$title, $pattern,
		sub {
			my ($type, $body) = @_;
			my $frame = substr $body, $header_bytes;
			$change->($frame);
			return ($type, substr($body, 0, $header_bytes) . $frame);
		});
}

sub nonsense_message
{
	my ($title, $pattern, $change) = @_;

	$proxy->restart(
		sub {
			my $seen = 0;
			return {
				reply => sub {
					my ($type, $body) = @_;
					return ($type, $body)
					  if $seen || $type ne 'd' || $body !~ /^w/;
					$seen = 1;
					return $change->($type, $body);
				} };
		});
	# Of several transactions in one message the first would not be its end.
	refused($title, $pattern, 'follow', '--bundle=off');
}
