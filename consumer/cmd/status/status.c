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
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/own_command.h"
#include "cmd/command.h"
#include "cmd/status/amount.h"
#include "cmd/status/sample.h"

/* Width of the columns for positions and for sizes. */
#define POSITION_WIDTH 11
#define AMOUNT_WIDTH   8

/* A target that is at least this far behind the first is mentioned. */
#define LAGGING_BYTES_MIN MB

/*
 * Seconds after which a report of a follower is too old to believe that it
 * still tries.  It reports every attempt; the pause between two is at most ten
 * seconds, and connecting to its servers may take about as long.
 */
#define REPORT_AGE_MAX_S 60

/*
 * Largest size of the JSON output, in bytes; a target may have thousands of
 * foreign keys.
 */
#define JSON_BYTES_MAX ((size_t) 1024 * MB)

/*
 * Returns the reason why the slot cannot be used, or NULL if it can.  The text
 * is freed with `err`.
 */
static const char *
slot_problem(const PipelineStatus *status, const Config *config, Error *err)
{
	Rc rc = slot_require_usable(&status->source.sample.slot, config->name, err);

	for (int i = 0; i < status->target_count; i++)
		if (progress_is_switched(&status->targets[i].second.progress))
			return "not needed: the writes were moved to the target";
	return rc == RC_OK ? NULL : err->message;
}

/* Returns the reason why a target's positions are not shown, or NULL. */
static const char *
target_problem(const SourceStatus *source, const TargetStatus *target)
{
	if (!target->reached)
		return target->failure.message;
	if (target->second.clone.exists)
		return target->second.clone_text;
	if (!target->second.progress.exists)
		return "has no progress of the pipeline";
	if (status_is_foreign(source, target))
		return "has progress of another source";
	if (target->mismatch.message != NULL)
		return target->mismatch_text;
	if (status_is_passed(source, target))
		return "lacks changes that the slot has no more";
	return NULL;
}

/* Returns the last report of the follower on any target; never NULL. */
static const FollowerRow *
last_report(const PipelineStatus *status)
{
	static const FollowerRow nothing = {0};
	const FollowerRow *last = &nothing;

	for (int i = 0; i < status->target_count; i++)
	{
		const FollowerRow *row = &status->targets[i].follower;

		if (row->exists && (!last->exists || row->age_s < last->age_s))
			last = row;
	}
	return last;
}

static bool
is_held(const PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
		if (status->targets[i].held)
			return last_report(status)->state == FOLLOWER_HELD;
	return false;
}

static bool
is_in_order(const PipelineStatus *status, const char *problem)
{
	if (!status->source.reached || problem != NULL)
		return false;
	/* Nobody can write until the switch is completed. */
	if (status->source.move.state == SWITCH_SWITCHED)
		return false;
	if (status->target_count > 0 && !status->source.sample.following &&
		!is_held(status))
		return false;
	for (int i = 0; i < status->target_count; i++)
		if (target_problem(&status->source, &status->targets[i]) != NULL)
			return false;
	return true;
}

static uint64_t
retained_bytes(const SourceSample *source)
{
	Lsn restart_lsn = source->slot.restart_lsn;

	return restart_lsn != 0 && restart_lsn < source->lsn
			   ? source->lsn - restart_lsn
			   : 0;
}


/* ---- For people ---- */

static const char *
format_lsn(Lsn lsn, char *text)
{
	if (lsn == 0)
		return "-";
	snprintf(text, AMOUNT_TEXT_SIZE, LSN_FORMAT, LSN_ARGS(lsn));
	return text;
}

/* Formats a lag as an upper bound: "< 3 min". */
static const char *
format_lag(double seconds, char *text)
{
	int64_t whole = (int64_t) seconds;

	if (seconds < 0)
		return "-";
	if (seconds == 0)
		snprintf(text, AMOUNT_TEXT_SIZE, "0 s");
	else if (whole < 60)
		snprintf(text, AMOUNT_TEXT_SIZE, "< %.1f s", seconds + 0.05);
	else if (whole < 3600)
		snprintf(text, AMOUNT_TEXT_SIZE, "< %d min", (int) (whole / 60) + 1);
	else
		snprintf(text, AMOUNT_TEXT_SIZE, "< %" PRId64 " h", whole / 3600 + 1);
	return text;
}

static const char *
format_rate(double rate, char *text)
{
	if (rate < 0)
		return "-";
	snprintf(text, AMOUNT_TEXT_SIZE, "%.0f", rate);
	return text;
}

static bool
is_being_cloned(const PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
		if (status->targets[i].second.clone_running != NULL)
			return true;
	return false;
}

/* Prints what is known about a follower that does not use the slot. */
static void
print_last_report(const PipelineStatus *status)
{
	const FollowerRow *report = last_report(status);

	if (is_being_cloned(status))
		printf("follower   a clone is at work\n");
	else if (is_held(status))
		printf("follower   held by a fence since %s\n", report->said_at);
	else if (!report->exists)
		printf("follower   not running\n");
	else if (report->state == FOLLOWER_STOPPED && report->message == NULL)
		printf("follower   not running, stopped at %s\n", report->said_at);
	else if (report->state == FOLLOWER_STOPPED)
		printf("follower   not running, failed at %s: %s\n", report->said_at,
			   report->message);
	else if (report->age_s > REPORT_AGE_MAX_S)
		printf("follower   not running, last heard of at %s%s%s\n",
			   report->said_at, report->message != NULL ? ": " : "",
			   report->message != NULL ? report->message : "");
	else if (report->state == FOLLOWER_RETRYING)
		printf("follower   trying again, %.0f s ago: %s\n", report->age_s,
			   report->message);
	else
		printf("follower   not connected, last heard of %.0f s ago\n",
			   report->age_s);
}

/* Prints what "penstock switch" has done of a pipeline's move. */
static void
print_move(const SwitchRow *move)
{
	if (move->state == SWITCH_BEGUN)
		printf("switch     begun at %s by %s; the writes are not moved: \"%s\" "
			   "begins anew\n",
			   move->begun_at, move->owner, OWN_COMMAND("switch"));
	else if (move->state == SWITCH_SWITCHED)
		printf("switch     not complete: the source refuses writes since %s; "
			   "\"%s\" completes it\n",
			   move->switched_at, OWN_COMMAND("switch"));
	else if (move->state == SWITCH_DONE)
		printf("switch     the writes were moved to the target at %s\n",
			   move->switched_at);
}

static void
print_source(const PipelineStatus *status, const char *problem)
{
	const SourceSample *sample = &status->source.sample;
	char text[AMOUNT_TEXT_SIZE];

	if (!status->source.reached)
	{
		printf("source     %s\n", status->source.failure.message);
		return;
	}
	if (sample->following)
		printf("follower   running, PID %d on the source\n",
			   sample->slot.active_pid);
	else
		print_last_report(status);
	print_move(&status->source.move);
	if (problem != NULL)
		printf("slot       %s\n", problem);
	else
		printf("slot       in order; the source keeps %s of WAL for it\n",
			   amount_bytes(retained_bytes(sample), text));
	printf("source     %s\n", format_lsn(sample->lsn, text));
	if (sample->positions_hidden)
		printf("received   hidden from this role: GRANT pg_monitor on the "
			   "source shows it\n");
	else if (sample->following)
		printf("received   %s\n", format_lsn(sample->received_lsn, text));
	if (sample->slot.exists)
		printf("confirmed  %s\n", format_lsn(sample->slot.confirmed_lsn, text));
}

static void
print_target_header(int name_width)
{
	printf("\n%-*s  %-*s  %-*s  %*s  %*s  %7s  %6s\n", name_width, "target",
		   POSITION_WIDTH, "applied", POSITION_WIDTH, "durable", AMOUNT_WIDTH,
		   "lag", AMOUNT_WIDTH, "lag time", "rows/s", "txns/s");
}

/*
 * Prints a target's name; a name wider than the column gets a line of its own.
 */
static void
print_target_name(const TargetStatus *target, int name_width)
{
	const char *name = target->address[0] != '\0' ? target->address : "target";

	if ((int) strlen(name) > name_width)
	{
		printf("%s\n", name);
		name = "";
	}
	printf("%-*s  ", name_width, name);
}

static void
print_target(const SourceStatus *source, const TargetStatus *target,
			 int name_width)
{
	const char *problem = target_problem(source, target);
	char texts[6][AMOUNT_TEXT_SIZE];
	TargetPosition position;

	print_target_name(target, name_width);
	if (problem != NULL)
	{
		printf("%s\n", problem);
		return;
	}
	position = status_position(source, target);
	printf("%-*s  %-*s  %*s  %*s  %7s  %6s\n", POSITION_WIDTH,
		   format_lsn(position.applied_lsn, texts[0]), POSITION_WIDTH,
		   format_lsn(position.durable_lsn, texts[1]), AMOUNT_WIDTH,
		   position.has_lag ? amount_bytes(position.lag_bytes, texts[2]) : "-",
		   AMOUNT_WIDTH,
		   position.has_lag ? format_lag(position.lag_seconds, texts[3]) : "-",
		   format_rate(position.rows_per_s, texts[4]),
		   format_rate(position.transactions_per_s, texts[5]));
}

/*
 * Returns the width of the column for names: that of the longest name, limited
 * so that lines remain under 80 columns.
 */
static int
name_width(const PipelineStatus *status)
{
	const int width_max = 16;
	int width = (int) strlen("target");

	for (int i = 0; i < status->target_count; i++)
	{
		int length = (int) strlen(status->targets[i].address);

		if (length > width)
			width = length < width_max ? length : width_max;
	}
	return width;
}

/* Prints which target the source keeps its WAL for, if the others are ahead. */
static void
print_most_lagging(const PipelineStatus *status)
{
	const TargetStatus *last = NULL;
	Lsn last_lsn = UINT64_MAX;
	Lsn first_lsn = 0;
	char text[AMOUNT_TEXT_SIZE];

	for (int i = 0; i < status->target_count; i++)
	{
		const TargetStatus *target = &status->targets[i];
		Lsn lsn;

		if (target_problem(&status->source, target) != NULL)
			continue;
		lsn = status_position(&status->source, target).applied_lsn;
		first_lsn = lsn_max(first_lsn, lsn);
		if (lsn >= last_lsn)
			continue;
		last_lsn = lsn;
		last = target;
	}
	if (last != NULL && first_lsn - last_lsn >= LAGGING_BYTES_MIN)
		printf("\n%s lags %s behind the others, and holds them up where its "
			   "share of --memory is full\n",
			   last->address, amount_bytes(first_lsn - last_lsn, text));
}

/*
 * Prints details and a hint for targets that are not in the source's history.
 */
static void
print_mismatches(const PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
	{
		const TargetStatus *target = &status->targets[i];

		if (target->mismatch.message == NULL)
			continue;
		printf("\n%s: %s\n", target->address, target->mismatch.detail);
		if (target->mismatch.hint != NULL)
			printf("%s\n", target->mismatch.hint);
	}
}

/*
 * Returns the options that the pipeline stores, with the highest revision of
 * all targets.
 */
static const PipelineMemory *
newest_memory(const PipelineStatus *status)
{
	static const PipelineMemory nothing = {0};
	const PipelineMemory *newest = &nothing;

	for (int i = 0; i < status->target_count; i++)
		if (status->targets[i].memory.revision > newest->revision)
			newest = &status->targets[i].memory;
	return newest;
}

static void
print_options(const PipelineMemory *memory)
{
	for (int i = 0; i < memory->words.count; i++)
		printf("%-11s%s\n", i == 0 ? "options" : "", memory->words.words[i]);
}

/* Prints the foreign keys of a target that are not valid yet. */
static void
print_keys(const TargetStatus *target)
{
	if (target->keys.count > 0)
		printf("\nforeign keys that are not valid yet on %s\n",
			   target->address);
	for (int i = 0; i < target->keys.count; i++)
	{
		const PostponedKey *key = &target->keys.keys[i];

		printf("  %s of %s: checked by the follower from " LSN_FORMAT
			   " on, with %s\n",
			   key->name, key->table, LSN_ARGS(key->not_before),
			   key->statement);
	}
}

/* Lists the indexes that the follower builds beside what it applies. */
static void
print_builds(const TargetStatus *target)
{
	if (target->builds.count > 0)
		printf("\nindexes that the follower is building on %s\n",
			   target->address);
	for (int i = 0; i < target->builds.count; i++)
		printf("  %s\n", target->builds.builds[i].statement);
}

static void
print_table(const PipelineStatus *status, const Config *config,
			const char *problem)
{
	int width = name_width(status);

	printf("pipeline   %s\n", config->name);
	print_options(newest_memory(status));
	print_source(status, problem);
	if (status->target_count > 0)
		print_target_header(width);
	for (int i = 0; i < status->target_count; i++)
		print_target(&status->source, &status->targets[i], width);
	print_mismatches(status);
	print_most_lagging(status);
	for (int i = 0; i < status->target_count; i++)
		cloning_print(&status->targets[i].second.cloning,
					  status->targets[i].address);
	for (int i = 0; i < status->target_count; i++)
		status_tables_print(&status->targets[i].tables,
							status->targets[i].address,
							status->source.sample.lsn);
	for (int i = 0; i < status->target_count; i++)
		print_keys(&status->targets[i]);
	for (int i = 0; i < status->target_count; i++)
		print_builds(&status->targets[i]);
}


/* ---- For machines ---- */

static void
add_lsn(Json *json, const char *key, Lsn lsn)
{
	char text[AMOUNT_TEXT_SIZE];

	json_member_string(json, key, lsn == 0 ? NULL : format_lsn(lsn, text));
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
	add_count(json, "retained_bytes", retained_bytes(&source->sample),
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
	const char *problem = target_problem(source, target);

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
	add_options(&json, newest_memory(status));
	json_member_bool(&json, "ok", is_in_order(status, problem));
	json_member_bool(&json, "following", status->source.sample.following);
	add_follower(&json, last_report(status));
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
	const char *problem = slot_problem(status, config, &slot_error);
	Rc rc = is_in_order(status, problem) ? RC_OK : RC_END;

	if (config->json)
		print_json(status, config, problem);
	else
		print_table(status, config, problem);
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

	if (rc == RC_OK)
		rc = status_take(&status, config, err);
	if (rc == RC_OK)
		rc = print_status(&status, config, err);
	status_release(&status);
	return rc;
}
