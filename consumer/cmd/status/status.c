/*
 * status.c
 *    penstock status: prints the state of a pipeline on its source and targets.
 *
 * Returns RC_END, which is exit status 1, if something about the pipeline needs
 * a person: a server is unreachable, the slot does not exist or is unusable, a
 * target has no progress, a switch is not complete, or no follower is running.
 * A follower that is held by a fence, and a running clone, need nobody.
 *
 * With --json it prints one object.  A later version may add members, but not
 * change or remove any.  An LSN is a string such as "16/B374D848"; a value that
 * is not known is null.
 *
 *     pipeline            name
 *     ok                  whether the exit status is 0
 *     following           whether a follower uses the slot
 *     follower            last report of the follower, or null
 *         state           "following", "retrying", "held" by a fence, "stopped"
 *         message         why it tries again or has stopped, or null
 *         said_at         time of the report
 *         seconds_ago     age of the report; a follower that tries again
 *                         reports each attempt, after at most ten seconds
 *     source
 *         reached, error  error: why it was not reached
 *         lsn             end of the source's WAL
 *         received_lsn    what the follower has received
 *         confirmed_lsn   what is durable on all targets
 *         switch          state of "penstock switch": "begun", "switched" if
 * the source refuses writes and the switch is not complete, "done", or null
 *     slot
 *         exists, usable, problem
 *         active_pid      PID of the walsender on the source
 *         restart_lsn
 *         retained_bytes  size of the WAL that the source keeps for the slot
 *     targets             array, in the order of the options
 *         name            database@host:port
 *         reached, error
 *         detail          if the target is not in the source's history: how far
 *                         it is; otherwise null
 *         has_progress
 *         source_lsn, received_lsn, applied_lsn, durable_lsn
 *         lag_bytes       source_lsn minus applied_lsn
 *         lag_seconds     time since the source committed the last applied
 *                         transaction; 0 if lag_bytes is 0.  An upper bound,
 *                         because changes that are not published move
 *                         source_lsn, too
 *         transactions, rows     applied since the clone
 *         transactions_per_second, rows_per_second
 *         clone           unfinished clone, or null
 *             start_lsn   consistent point of its slot
 *             tables, tables_done
 *             rows        rows of all tables on the target, including those
 *                         that are not committed
 *             rows_done   rows of the finished tables
 *             source_bytes, source_bytes_done     approximate; of a table that
 *                         is being copied, what was read
 *             list        array of tables, the largest first
 *                 schema, name, rows, source_bytes
 *                 state   waiting, copying, done
 *             running     current activity of its sessions, or null if it does
 *                         not run: copying has table, rows, bytes; building has
 *                         table, phase, tuples, tuples_total, blocks,
 *                         blocks_total
 *         tables          array of tables that are currently not followed
 *             schema, name
 *             state       see table_state.h
 *             rows        rows copied so far by a running copy, or null
 *             position    source position of the table's contents
 *             lag_bytes   source_lsn minus position
 *             kept        whether the source keeps the changes since
 *         keys            array of foreign keys that are not valid yet: see
 *                         postponed_key.h
 *             table, name in SQL syntax
 *             not_before  LSN after which the follower validates the key
 *             statement   statement that validates the key
 *         index_builds    array of indexes that the follower builds in parallel
 *                         with the changes that it applies: see index_build.h
 *             schema, name
 *             lsn         end of the source's transaction that created the
 * index statement   statement that builds the index
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/status/amount.h"
#include "cmd/status/judge.h"
#include "cmd/status/people.h"
#include "cmd/status/sample.h"
#include "cmd/status/watch.h"

/*
 * Largest size of the JSON output, in bytes; a target may have thousands of
 * foreign keys.
 */
#define JSON_BYTES_MAX ((size_t) 1024 * MB)

static void
add_lsn(Json *json, const char *key, Lsn lsn)
{
	char text[AMOUNT_TEXT_SIZE];

	json_member_string(json, key, lsn == 0 ? NULL : amount_lsn(lsn, text));
}

static void
add_count(Json *json, const char *key, uint64_t count, bool known)
{
	json_key(json, key);
	if (known)
		json_int(json, (int64_t) count);
	else
		json_nothing(json);
}

/* Appends a number; a negative number means unknown and becomes null. */
static void
add_amount(Json *json, const char *key, double amount)
{
	json_key(json, key);
	if (amount < 0)
		json_nothing(json);
	else
		json_fixed(json, amount, 3);
}

static const char *
switch_state(const SwitchRow *move)
{
	static const char *const states[] = {[SWITCH_NONE] = NULL,
										 [SWITCH_BEGUN] = "begun",
										 [SWITCH_SWITCHED] = "switched",
										 [SWITCH_DONE] = "done"};

	return states[move->state];
}

static void
add_source(Json *json, const SourceStatus *source)
{
	json_key(json, "source");
	json_begin_object(json);
	json_member_bool(json, "reached", source->reached);
	json_member_string(json, "error", source->failure.message);
	add_lsn(json, "lsn", source->sample.lsn);
	add_lsn(json, "received_lsn", source->sample.received_lsn);
	add_lsn(json, "confirmed_lsn", source->sample.slot.confirmed_lsn);
	json_member_string(json, "switch", switch_state(&source->move));
	json_end_object(json);
}

static void
add_slot(Json *json, const SourceStatus *source, const char *problem)
{
	const SlotInfo *slot = &source->sample.slot;

	json_key(json, "slot");
	if (!source->reached)
	{
		json_nothing(json);
		return;
	}
	json_begin_object(json);
	json_member_bool(json, "exists", slot->exists);
	json_member_bool(json, "usable", problem == NULL);
	json_member_string(json, "problem", problem);
	add_count(json, "active_pid", (uint64_t) slot->active_pid,
			  slot->active_pid != 0);
	add_lsn(json, "restart_lsn", slot->restart_lsn);
	add_count(json, "retained_bytes", status_retained_bytes(&source->sample),
			  slot->exists);
	json_end_object(json);
}

static void
add_position(Json *json, const SourceStatus *source, const TargetStatus *target)
{
	const ProgressRow *progress = &target->second.progress;
	TargetPosition position = status_position(source, target);

	/* The source was read before the target, whose position may be higher. */
	add_lsn(json, "source_lsn",
			lsn_max(source->sample.lsn, position.applied_lsn));
	add_lsn(json, "received_lsn",
			lsn_max(source->sample.received_lsn, position.applied_lsn));
	add_lsn(json, "applied_lsn", position.applied_lsn);
	add_lsn(json, "durable_lsn", position.durable_lsn);
	add_count(json, "lag_bytes", position.lag_bytes, position.has_lag);
	add_amount(json, "lag_seconds",
			   position.has_lag ? position.lag_seconds : -1);
	add_count(json, "transactions", (uint64_t) progress->transactions, true);
	add_count(json, "rows", (uint64_t) progress->rows, true);
	add_amount(json, "transactions_per_second", position.transactions_per_s);
	add_amount(json, "rows_per_second", position.rows_per_s);
}

static void
add_no_position(Json *json)
{
	static const char *const keys[] = {
		"source_lsn",      "received_lsn", "applied_lsn",
		"durable_lsn",     "lag_bytes",    "lag_seconds",
		"transactions",    "rows",         "transactions_per_second",
		"rows_per_second",
	};

	for (size_t i = 0; i < LENGTH_OF(keys); i++)
	{
		json_key(json, keys[i]);
		json_nothing(json);
	}
}

/* Appends the state of an unfinished clone. */
static void
add_clone(Json *json, const TargetSample *sample)
{
	const WorkRun *clone = &sample->clone;

	json_key(json, "clone");
	if (!clone->exists)
	{
		json_nothing(json);
		return;
	}
	json_begin_object(json);
	add_lsn(json, "start_lsn", clone->start_lsn);
	add_count(json, "tables", (uint64_t) clone->table_count, true);
	add_count(json, "tables_done", (uint64_t) clone->tables_done, true);
	add_count(json, "rows_done", (uint64_t) clone->rows, true);
	add_count(json, "rows", (uint64_t) sample->cloning.rows, true);
	add_count(json, "source_bytes", (uint64_t) clone->bytes_total, true);
	add_count(json, "source_bytes_done", (uint64_t) sample->cloning.bytes_done,
			  true);
	json_key(json, "list");
	cloning_json(&sample->cloning, json);
	json_key(json, "running");
	if (sample->clone_running == NULL)
		json_nothing(json);
	else
		json_raw(json, sample->clone_running, strlen(sample->clone_running));
	json_end_object(json);
}

static void
add_keys(Json *json, const PostponedKeys *keys)
{
	json_key(json, "keys");
	json_begin_array(json);
	for (int i = 0; i < keys->count; i++)
	{
		const PostponedKey *key = &keys->keys[i];

		json_begin_object(json);
		json_member_string(json, "table", key->table);
		json_member_string(json, "name", key->name);
		add_lsn(json, "not_before", key->not_before);
		json_member_string(json, "statement", key->statement);
		json_end_object(json);
	}
	json_end_array(json);
}

static void
add_builds(Json *json, const IndexBuilds *builds)
{
	json_key(json, "index_builds");
	json_begin_array(json);
	for (int i = 0; i < builds->count; i++)
	{
		const IndexBuild *build = &builds->builds[i];

		json_begin_object(json);
		json_member_string(json, "schema", build->schema);
		json_member_string(json, "name", build->name);
		add_lsn(json, "lsn", build->lsn);
		json_member_string(json, "statement", build->statement);
		json_end_object(json);
	}
	json_end_array(json);
}

static void
add_target(Json *json, const SourceStatus *source, const TargetStatus *target)
{
	const char *problem = status_target_problem(source, target);

	json_begin_object(json);
	json_member_string(json, "name", target->address);
	json_member_bool(json, "reached", target->reached);
	json_member_string(json, "error", problem);
	json_member_string(json, "detail", target->mismatch.detail);
	json_member_bool(json, "has_progress",
					 target->reached && target->second.progress.exists);
	if (problem == NULL)
		add_position(json, source, target);
	else
		add_no_position(json);
	add_clone(json, &target->second);
	json_key(json, "tables");
	status_tables_json(&target->tables, json, source->sample.lsn);
	add_keys(json, &target->keys);
	add_builds(json, &target->builds);
	json_end_object(json);
}

static void
add_options(Json *json, const PipelineMemory *memory)
{
	json_key(json, "options");
	json_begin_array(json);
	for (int i = 0; i < memory->words.count; i++)
		json_text(json, memory->words.words[i]);
	json_end_array(json);
}

static void
add_follower(Json *json, const FollowerRow *row)
{
	json_key(json, "follower");
	if (!row->exists)
	{
		json_nothing(json);
		return;
	}
	json_begin_object(json);
	json_member_string(json, "state", follower_state_name(row->state));
	json_member_string(json, "message", row->message);
	json_member_string(json, "said_at", row->said_at);
	add_amount(json, "seconds_ago", row->age_s);
	json_end_object(json);
}

static void
print_json(const PipelineStatus *status, const Config *config,
		   const char *problem)
{
	Json json;
	Buf buf;

	buf_init(&buf, JSON_BYTES_MAX);
	json_init(&json, &buf);
	json_begin_object(&json);
	json_member_string(&json, "pipeline", config->name);
	add_options(&json, status_newest_memory(status));
	json_member_bool(&json, "ok", status_is_in_order(status, problem));
	json_member_bool(&json, "following", status->source.sample.following);
	add_follower(&json, status_last_report(status));
	add_source(&json, &status->source);
	add_slot(&json, &status->source, problem);
	json_key(&json, "targets");
	json_begin_array(&json);
	for (int i = 0; i < status->target_count; i++)
		add_target(&json, &status->source, &status->targets[i]);
	json_end_array(&json);
	json_end_object(&json);
	CHECK(!buf.overflowed); /* no real pipeline has that much to print */
	puts(buf.data);
	buf_release(&buf);
}

static Rc
print_status(const PipelineStatus *status, const Config *config, Error *err)
{
	Error slot_error = {0};
	const char *problem = status_slot_problem(status, config, &slot_error);
	Rc rc = status_is_in_order(status, problem) ? RC_OK : RC_END;

	if (config->json)
		print_json(status, config, problem);
	else
		status_print(stdout, status, config, problem, NULL, NULL);
	error_reset(&slot_error);
	if (fflush(stdout) != 0)
		return error_set(err, ERR_IO, "could not write to standard output: %s",
						 strerror(errno));
	return rc;
}

Rc
command_status(const Config *config, Error *err)
{
	PipelineStatus status = {0};
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK && config->watch)
		return status_watch(config, err);
	if (rc == RC_OK)
		rc = status_take(&status, config, err);
	if (rc == RC_OK)
		rc = print_status(&status, config, err);
	status_release(&status);
	return rc;
}
