# Crosses: a server of one version followed into a server of another.
#
# To be sourced, by run.  Servers run in their trees; their data and sockets
# are in $work, and there is no other way to reach them.  psql, pg_dump and
# pg_restore are a tree's as well.  The consumer, $penstock, is this machine's.

CLIENTS=4
# How long writers go on while something is tried.
WRITING_S=3
# So soon a transaction arrives behind which there is nothing.  The servers
# write something by themselves every 15 s.
ALONE_S=5
# No wait is longer; each is for a condition.
TIMEOUT_S=120

conninfo()
{
	echo "host=$work/$1 user=postgres dbname=$2"
}

# sql MAJOR DATABASE STATEMENT
sql()
{
	"$work/bin$1/psql" --no-psqlrc --quiet --tuples-only --no-align \
		--set=ON_ERROR_STOP=1 --dbname="$(conninfo "$1" "$2")" --command="$3"
}

# Programs of a tree, to be called from outside.
make_wrappers()
{
	local major=$1 program

	mkdir "$work/bin$major"
	for program in pg_dump pg_restore psql; do
		cat >"$work/bin$major/$program" <<-END
			#!/bin/sh
			exec chroot '$trees/${release[$major]}' \\
				/usr/lib/postgresql/$major/bin/$program "\$@"
		END
		chmod 755 "$work/bin$major/$program"
	done
}

# Where the first slot has a server log what it takes, it need not be asked to.
wal_level_of()
{
	if [ "$1" -ge 19 ]; then echo replica; else echo logical; fi
}

start_server()
{
	local major=$1
	local data=$work/$major/data
	local tree=$trees/${release[$major]}

	make_wrappers "$major"
	mkdir "$work/$major"
	cp "$tree/penstock/build/pg$major/penstock.so" "$work/$major/"
	in_tree "$major" chown -R postgres:postgres "$work/$major"
	as_postgres "$major" initdb --pgdata="$data" --username=postgres \
		--auth=trust --no-sync --encoding=UTF8 --no-locale || return
	cat >>"$data/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$work/$major'
		wal_level = $(wal_level_of "$major")
		max_replication_slots = 20
		max_wal_senders = 20
		shared_buffers = 64MB
		fsync = off
		timezone = 'Asia/Kathmandu'
		dynamic_library_path = '\$libdir:$work/$major'
	END
	# Only servers since August 2026 know this one, and need it.
	if as_postgres "$major" postgres --describe-config |
		grep '^output_plugin_libraries' >/dev/null; then
		echo "output_plugin_libraries = 'pgoutput, test_decoding, penstock'" \
			>>"$data/postgresql.conf"
	fi
	as_postgres "$major" pg_ctl --pgdata="$data" --log="$work/$major/log" \
		--wait start || {
		cat "$work/$major/log"
		return 1
	}
}


# ---- A cross ----
#
# $source and $target are major versions, $newest is that of the programs to
# use; $name is that of databases, pipeline, slot and publication; $ranges is
# whether both know multiranges; $words is where everything is written that is
# said.

is_true()
{
	[ "$(sql "$source" "$name" "$1")" = t ]
}

wait_until()
{
	local what=$1 deadline=$((SECONDS + TIMEOUT_S))
	shift

	until "$@"; do
		if [ -n "$consumer" ] && ! kill -0 "$consumer" 2>/dev/null; then
			echo "penstock ended before $what" >>"$words"
			return 1
		fi
		if [ $SECONDS -ge $deadline ]; then
			echo "gave up after $TIMEOUT_S s: $what" >>"$words"
			return 1
		fi
		sleep 0.2
	done
}

# Run the consumer: a command and its options.
penstock()
{
	local verb=$1
	shift

	TMPDIR=$work "$penstock" "$verb" --source="$(conninfo "$source" "$name")" \
		--target="$(conninfo "$target" "$name")" --name="$name" "$@"
}

# The same, into the background.
start_consumer()
{
	echo "penstock $*" >>"$words"
	# So that it, and not a shell around it, is what gets the signal.
	TMPDIR=$work "$penstock" "$1" --source="$(conninfo "$source" "$name")" \
		--target="$(conninfo "$target" "$name")" --name="$name" "${@:2}" \
		>>"$words" 2>&1 &
	consumer=$!
}

# It ends when told to, in good order.
stop_consumer()
{
	local pid=$consumer

	consumer=
	kill -TERM "$pid" 2>/dev/null && wait "$pid"
}

start_writers()
{
	as_postgres "$source" pgbench --no-vacuum --client=$CLIENTS --jobs=2 \
		--time=100000 --rate=400 --define=ranges=$ranges \
		--builtin=tpcb-like@1 \
		--file="$work/writers.sql@1" "$(conninfo "$source" "$name")" \
		>>"$words" 2>&1 &
	writers=$!
}

# Each ran until now: none of its statements failed.
stop_writers()
{
	local pid=$writers

	writers=
	# Whoever is in the middle of a transaction is rolled back.
	sql "$source" "$name" "SELECT count(pg_terminate_backend(pid))
		  FROM pg_stat_activity
		 WHERE application_name = 'pgbench' AND datname = '$name'" || return
	wait "$pid" || true
	! grep 'aborted in command.*ERROR:' "$words" || return
	wait_until 'the last writer to be gone' is_true \
		"SELECT NOT EXISTS (SELECT FROM pg_stat_activity
		  WHERE application_name = 'pgbench' AND datname = '$name')"
}

# Let the writers write: for a while, and at least a hundred transactions.
write_some()
{
	local before

	before=$(sql "$source" "$name" 'SELECT count(*) FROM pgbench_history') ||
		return
	sleep "$WRITING_S"
	wait_until 'there are new rows on the source' is_true \
		"SELECT count(*) > $before + 100 FROM pgbench_history"
}

create_databases()
{
	sql "$source" postgres "CREATE DATABASE $name" &&
		sql "$target" postgres "CREATE DATABASE $name" &&
		as_postgres "$source" psql --no-psqlrc --quiet \
			--set=ON_ERROR_STOP=1 --set=ranges=$ranges --output=/dev/null \
			--file="$work/schema.sql" "$(conninfo "$source" "$name")" &&
		as_postgres "$source" pgbench --initialize --scale=2 --quiet \
			"$(conninfo "$source" "$name")" &&
		sql "$source" "$name" "CREATE PUBLICATION $name FOR ALL TABLES
			$([ "$source" -lt 19 ] ||
				echo 'EXCEPT (TABLE other.excepted), ALL SEQUENCES')
			WITH (publish_via_partition_root)"
}

checked()
{
	penstock check --quiet
}

dump_schema()
{
	"$work/bin$1/pg_dump" --schema-only --no-publications \
		--dbname="$(conninfo "$source" "$name")"
}

# Some programs write what no target reads: those of before November 2026, when
# they read a later server, a column's version, which is a matter of that server
# alone.
target_reads_dump()
{
	! dump_schema "$newest" | grep 'SET (pg_attver=' >/dev/null
}

# What a person does in that case.
schema_made_by_hand()
{
	dump_schema "$source" | sed '/^SET transaction_timeout = /d' |
		"$work/bin$source/psql" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
			--dbname="$(conninfo "$target" "$name")"
}

# Clone and follow.  Where tables get new files meanwhile, it takes its time.
copied_while_written()
{
	local options=("$@")

	! can_repack || options+=(--max-rate=4MB/s)
	start_consumer clone --follow --verify --jobs=2 --pg-bindir="$work/bin$newest" \
		"${options[@]}" &&
		repacked_while_copied &&
		wait_until 'the copy is done' grep --quiet 'following with slot' \
			"$words" &&
		write_some && stop_consumer
}

followed_while_written()
{
	start_consumer follow && write_some && repack pgbench_accounts \
		pgbench_tellers large many && write_some && stop_consumer
}

# A table that is new is taken in.  Nobody follows before it is known to be new:
# its rows would stop whoever does.
added_while_written()
{
	local adder status=0
	local definition='CREATE TABLE other.added (id bigserial PRIMARY KEY,
			number int NOT NULL DEFAULT 0, value text);
		ALTER TABLE other.added ALTER value SET STORAGE EXTERNAL'
	local known=(wait_until 'the table is being added' is_known_to_target added)

	sql "$source" "$name" "$definition" || return
	# Made by hand, it is followed from its first row on, as both know at once.
	if ! target_reads_dump; then
		sql "$target" "$name" "$definition" || return
		known=(true)
	fi
	sql "$source" "$name" "INSERT INTO other.added (value)
		SELECT repeat(md5(i::text), 1 + i % 100)
		  FROM generate_series(1, 10000) AS i" || return
	penstock table add other.added --pg-bindir="$work/bin$newest" \
		>>"$words" 2>&1 &
	adder=$!
	"${known[@]}" && start_consumer follow && repack_while "$adder" other.added || status=1
	[ "$status" -eq 0 ] || kill -TERM "$adder" 2>/dev/null || true
	wait "$adder" && [ "$status" -eq 0 ] && write_some && stop_consumer
}

is_known_to_target()
{
	[ "$(sql "$target" "$name" "SELECT count(*) FROM penstock.table_state
		WHERE table_name = '$1'")" = 1 ]
}

# Whether the source can give a table new files while it is written to.
can_repack()
{
	[ "$source" -ge 19 ]
}

# repack TABLE...: where it can.
repack()
{
	local table

	! can_repack || for table in "$@"; do
		sql "$source" "$name" "REPACK (CONCURRENTLY) $table" || return
	done
}

repacked_while_copied()
{
	! can_repack || {
		wait_until 'the rows are being copied' grep --quiet --extended-regexp \
			'copying [0-9]+ tables' "$words" &&
			repack large many pgbench_accounts pgbench_tellers
	}
}

# repack_while PROCESS TABLE: over and over, until the process has ended.
repack_while()
{
	while kill -0 "$1" 2>/dev/null; do
		repack "$2" || return
		sleep 0.5
	done
}

# Whether somebody reads from $slot, on $major.
is_active()
{
	[ "$(sql "$major" postgres "SELECT count(*) FROM pg_replication_slots
		WHERE slot_name = '$slot' AND active")" = 1 ]
}

# Transactions that reach the disk together, and nothing behind them: what the
# source holds back of them must not wait.
arrives_alone()
{
	local slot=alone_$major burst rows tail status=0

	sql "$major" postgres 'CREATE TABLE alone (number bigserial PRIMARY KEY);
		CREATE PUBLICATION alone FOR TABLE alone' &&
		sql "$major" postgres 'CREATE PROCEDURE burst(n int)
			LANGUAGE plpgsql AS $$ BEGIN
			FOR i IN 1 .. n LOOP
				INSERT INTO alone DEFAULT VALUES; COMMIT;
			END LOOP; END $$' || return
	"$penstock" tail --source="$(conninfo "$major" postgres)" --name="$slot" \
		--publications=alone --create-slot >"$work/alone" 2>>"$words" &
	tail=$!
	within "$TIMEOUT_S" is_active || status=1
	for burst in 50 600 7 300 999 120 450 33 800 250; do
		PGOPTIONS='-c synchronous_commit=off' \
			sql "$major" postgres "CALL burst($burst)"
		rows=$(sql "$major" postgres 'SELECT max(number) FROM alone')
		within "$ALONE_S" grep --quiet "\"number\": *\"*$rows\b" \
			"$work/alone" || { status=1; break; }
	done
	kill -TERM "$tail"
	wait "$tail" || true
	sql "$major" postgres "SELECT pg_drop_replication_slot('$slot')"
	return "$status"
}

# within SECONDS COMMAND...: it comes to be true.
within()
{
	local deadline=$((SECONDS + $1))
	shift

	until "$@"; do
		if [ $SECONDS -gt $deadline ]; then
			echo "not within time: $*" >>"$words"
			return 1
		fi
		sleep 0.1
	done
}

# The rest, when all is written, and to a certain end.
followed_to_end()
{
	local end

	stop_writers || return
	end=$(sql "$source" "$name" 'SELECT pg_current_wal_lsn()') || return
	penstock follow --endpos="$end"
}

# What is not published has not been copied, nor followed.
equal()
{
	local options=()

	if [ "$source" -ge 19 ]; then
		options=(--exclude=other.excepted)
		[ "$(sql "$target" "$name" 'SELECT count(*) FROM other.excepted')" = 0 ] ||
			return
	fi
	TMPDIR=$work PATH="$work/bin$newest:$PATH" "$top/test/compare" \
		"${options[@]}" \
		"$(conninfo "$source" "$name")" "$(conninfo "$target" "$name")"
}

dropped()
{
	penstock drop && is_true "SELECT NOT EXISTS (SELECT FROM
		pg_replication_slots WHERE slot_name = '$name')"
}

# step WHAT COMMAND...: a test of its own; the rest of a cross needs it.
step()
{
	local what=$1
	shift

	if "$@" >>"$words" 2>&1; then
		passed "$title: $what"
	else
		failed "$title: $what" "$words"
		return 1
	fi
}

run_steps()
{
	step 'the source is set up' create_databases || return
	start_writers
	if target_reads_dump; then
		step 'check finds nothing to mend' checked &&
			step 'cloned while it is written to' copied_while_written || return
	else
		step 'the schema is made by hand' schema_made_by_hand &&
			step 'check finds nothing to mend' checked &&
			step 'cloned with --data-only while it is written to' \
				copied_while_written --data-only || return
	fi
	step 'followed while it is written to' followed_while_written &&
		step 'a table is added while it is written to' added_while_written &&
		step 'followed to the end' followed_to_end &&
		step 'source and target are equal' equal &&
		step 'dropped' dropped
}

# Follow SOURCE into TARGET, two major versions.
run_cross()
{
	local source=$1 target=$2
	local name=from_${1}_to_$2
	local words=$log/$name.log
	local newest=$source ranges=0 consumer='' writers='' title

	[ "$target" -lt "$source" ] || newest=$target
	[ "$source" -lt 14 ] || [ "$target" -lt 14 ] || ranges=1
	title="${version[$source]} to ${version[$target]}"
	rm -f "$words"
	run_steps || true
	[ -z "$consumer" ] || kill -KILL "$consumer" 2>/dev/null || true
	[ -z "$writers" ] || stop_writers >>"$words" 2>&1 || true
	wait
}
