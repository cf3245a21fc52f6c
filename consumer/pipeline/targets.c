/*
 * targets.c
 *    The sinks of an attempt: opened at the same time, and replaced when one
 *    fails.
 */
#include "pipeline/targets.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/own_command.h"
#include "net/pgconn_open.h"
#include "pipeline/beside/definitions.h"
#include "pipeline/beside/reach.h"
#include "sink/postgres/postgres_sink.h"
#include "sink/unreachable.h"

/*
 * Milliseconds that connecting to a target, and each of its answers, may take
 * when the follower ends.
 */
#define SAY_END_MS_MAX 500

/*
 * Milliseconds that the other targets have to become ready after the first one.
 */
#define OTHERS_READY_MS_MAX 500

/*
 * Milliseconds that the first target has to become ready if there is a log,
 * which is recorded without any.
 */
#define FIRST_READY_MS_MAX 2000

/*
 * Milliseconds between two looks whether the definitions of the source's schema
 * were stored on another target.
 */
#define NOTING_PAUSE_MS 20

/* Checks that the log beside the targets has what the target has not. */
static MUST_CHECK Rc
check_log_start(const Attempt *attempt, const Sink *sink, const char *label,
				Error *err)
{
	Lsn first_lsn = recording_first(*attempt->recording);
	Rc rc;

	if (sink->report->start_lsn >= first_lsn)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "log \"%s\" begins after what %s has: changes are missing "
				   "there",
				   attempt->config->log, label);
	error_detail(err,
				 "The log begins at LSN " LSN_FORMAT
				 ", the target has everything up to " LSN_FORMAT ".",
				 LSN_ARGS(first_lsn), LSN_ARGS(sink->report->start_lsn));
	error_hint(err,
			   "Put earlier segments back into the log, or copy the target "
			   "again with \"%s\".",
			   OWN_COMMAND("clone"));
	return rc;
}

/*
 * Checks that the slot does not start after the target's progress.  We confirm
 * to the source only what is recorded on every target.  So a target that has
 * recorded less was restored to an earlier state, or another client has read
 * from the slot; the changes between are not in the slot any more.
 */
static MUST_CHECK Rc
check_position(const Attempt *attempt, const Sink *sink, const char *label,
			   Error *err)
{
	Rc rc;

	if (sink->report->start_lsn >= attempt->confirmed_lsn)
		return RC_OK;
	if (attempt->config->log != NULL)
		return check_log_start(attempt, sink, label, err);
	rc = error_set(err, ERR_CONFIG,
				   "slot \"%s\" is ahead of %s: changes are missing there",
				   attempt->config->name, label);
	error_detail(err,
				 "The slot was confirmed up to " LSN_FORMAT
				 ", the target has everything up to " LSN_FORMAT ".",
				 LSN_ARGS(attempt->confirmed_lsn),
				 LSN_ARGS(sink->report->start_lsn));
	error_hint(err,
			   "Was the target restored from a backup, or the slot read or "
			   "advanced by another program?  Run \"%s\" and copy again with "
			   "\"%s\".",
			   OWN_COMMAND("drop"), OWN_COMMAND("clone"));
	return rc;
}

/*
 * Stores the definitions of the source's schema on a target; the function of
 * SchemaNotes.  One target at a time, because each needs a temporary slot of
 * the source meanwhile.
 */
static Rc
note_definitions(void *context, PgConn *target, int64_t lease_token, Error *err)
{
	Attempt *attempt = context;
	Rc rc = RC_OK;

	if (config_source_log(attempt->config) != NULL)
		return error_set(err, ERR_CONFIG,
						 "the target has no definitions of the source's "
						 "schema: follow with the source itself once");
	while (attempt->noting && rc == RC_OK)
	{
		rc = interrupt_wait(-1, 0, NOTING_PAUSE_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	/* Another target's task sets it only while this one waits. */
	ASSERT(!attempt->noting);
	attempt->noting = true;
	rc = definitions_note(attempt->config, target, lease_token, err);
	attempt->noting = false;
	return rc;
}

/*
 * Returns the options of a sink.  `label` is a buffer of the caller, which has
 * to live as long as the options.
 */
static PostgresSinkOptions
sink_options(Attempt *attempt, int index, char *label)
{
	const Config *config = attempt->config;

	attempt->notes = (SchemaNotes){.note = note_definitions,
								   .context = attempt};
	config_label_target(config, index, label);
	return (PostgresSinkOptions){
		.conninfo = config->targets[index],
		.label = label,
		.impatient = config->target_count > 1 || config->log != NULL,
		.pipeline = config->name,
		.source = &attempt->source,
		.rules = &config->conflict_rules,
		.schema_policy = config_schema_policy(config),
		.publications = &attempt->identity->publications,
		.schema_rules = &config->schema_rules,
		.chooses_tables = !selection_is_all(&config->selection),
		.notes = &attempt->notes,
		.lacked_lock = attempt->lacked_lock,
		.sequence_stride = config->sequence_stride.count,
		.per_transaction = config_applies_transactions(config),
		.lanes = config->lanes,
		.memory_bytes = config->memory_bytes / (size_t) config->target_count,
		.memory_shares = config->target_count,
		.memory = &attempt->identity->memory,
	};
}

static MUST_CHECK Rc
open_sink(Opening *opening, PgConn *conn, const PostgresSinkOptions *given,
		  Error *err)
{
	Attempt *attempt = opening->attempt;
	PostgresSinkOptions options = *given;
	NodeIdentity node;
	Rc rc;

	if (place_node(attempt->config, opening->index, &attempt->place.places,
				   &node))
		options.node = &node;
	rc = postgres_sink_open(&opening->sink, conn, &options, err);
	if (rc == RC_FAIL && err->code == ERR_CHANGED)
		attempt->identity->target = opening->index;
	return rc == RC_OK
			   ? check_position(attempt, opening->sink, options.label, err)
			   : rc;
}

/*
 * Raises source.flush_lsn to what was received since the attempt began: that is
 * in the source's WAL, too, and may be applied on a target that was reachable
 * until now.
 */
static void
note_received(Attempt *attempt)
{
	Lsn *flush_lsn = &attempt->source.flush_lsn;

	for (int i = 0; i < attempt->sink_count; i++)
		*flush_lsn = lsn_max(*flush_lsn,
							 attempt->sinks[i]->orders.received_lsn);
}

/*
 * Opens the sink of one target.  Runs as a task, also while the others follow.
 */
static Rc
open_target(void *context, Error *err)
{
	Opening *opening = context;
	char label[CONFIG_LABEL_SIZE];
	PostgresSinkOptions options = sink_options(opening->attempt, opening->index,
											   label);
	const PgConnOptions connection = postgres_sink_connection(&options);
	PgConn *conn = NULL;
	Rc rc = pgconn_open(&conn, &connection, err);

	/*
	 * If the task is being released, its wait fails, and the sinks may be freed
	 * already.
	 */
	if (rc != RC_OK)
		return rc;
	note_received(opening->attempt);
	return open_sink(opening, conn, &options, err);
}

/* Whether a target other than `index` is reachable. */
static bool
has_other_target(const Attempt *attempt, int index)
{
	for (int i = 0; i < attempt->sink_count; i++)
		if (i != index && !attempt->sinks[i]->report->unreachable)
			return true;
	return false;
}

/*
 * Returns the sink that takes the place of an unreachable target.  A task that
 * still opens the target continues in that sink.
 */
static Sink *
make_unreachable(Attempt *attempt, int index, Lsn durable_lsn)
{
	char label[CONFIG_LABEL_SIZE];
	UnreachableOptions options = {.label = label,
								  .durable_lsn = durable_lsn,
								  .backoff = attempt->known[index].backoff,
								  .open = open_target,
								  .context = &attempt->openings[index],
								  .opening = attempt->openings[index].task};

	ASSERT(index >= 0 && index < attempt->config->target_count);
	config_label_target(attempt->config, index, label);
	attempt->openings[index].task = NULL;
	return unreachable_new(&options);
}

static void
say_unreachable(const Attempt *attempt, int index, Lsn durable_lsn,
				const Error *err)
{
	char label[CONFIG_LABEL_SIZE];

	ASSERT(index >= 0 && index < attempt->config->target_count);
	config_label_target(attempt->config, index, label);
	if (err->code != ERR_NONE)
		log_error(LOG_WARNING, "follow.target-failed", err);
	log_warning(
		"follow.target-unreachable",
		"%s is unreachable: the others go on, and the %s from LSN " LSN_FORMAT
		" on for it",
		label,
		attempt->config->log != NULL ? "log has everything"
									 : "source keeps its WAL",
		LSN_ARGS(durable_lsn));
}

/* ---- opening them ------------------------------------------------------- */

/*
 * If all targets are known to be unreachable, forgets that, so that all are
 * opened.
 */
static void
forget_if_all_are_unreachable(const Attempt *attempt)
{
	int count = attempt->config->target_count;

	if (attempt->config->log != NULL)
		return; /* it is followed without any */
	for (int i = 0; i < count; i++)
		if (!attempt->known[i].unreachable)
			return;
	for (int i = 0; i < count; i++)
		attempt->known[i].unreachable = false;
}

/*
 * Starts to open all targets that are not known to be unreachable.  Those are
 * opened by the sinks that take their place.
 */
static void
begin_openings(Attempt *attempt)
{
	for (int i = 0; i < attempt->config->target_count; i++)
	{
		Opening *opening = &attempt->openings[i];

		*opening = (Opening){.attempt = attempt, .index = i};
		if (!attempt->known[i].unreachable)
			opening->task = task_new(open_target, opening);
	}
}

/*
 * Whether the other targets can follow without one that failed with this error.
 */
static bool
can_do_without(const Attempt *attempt, const Error *err)
{
	return (attempt->config->target_count > 1 ||
			attempt->config->log != NULL) &&
		   unreachable_may_open_later(err);
}

/* Resumes the task of one opening.  RC_FAIL: the attempt has failed. */
static MUST_CHECK Rc
work_opening(Opening *opening, Error *err)
{
	Rc rc;

	if (opening->task == NULL)
		return RC_OK;
	rc = task_work(opening->task, &opening->err);
	if (rc == RC_AGAIN)
		return RC_OK;
	task_free(opening->task);
	opening->task = NULL;
	if (rc == RC_OK || can_do_without(opening->attempt, &opening->err))
		return RC_OK;
	error_take(err, &opening->err);
	return RC_FAIL;
}

/*
 * Lists the tasks that we still wait for, and returns whether there are any.
 * After `until_us` only tasks of targets that are known to be slow are listed.
 */
static bool
list_waiting(const Attempt *attempt, int64_t until_us, Task **tasks)
{
	bool late = clock_monotonic_us() >= until_us;
	bool any = false;

	ASSERT(attempt->config->target_count <= CONFIG_TARGETS_MAX);
	for (int i = 0; i < attempt->config->target_count; i++)
	{
		tasks[i] = attempt->openings[i].task;
		if (late && !attempt->known[i].slow)
			tasks[i] = NULL;
		any |= tasks[i] != NULL;
	}
	return any;
}

/*
 * Waits until all openings have ended.  After the first target is ready, those
 * that do not answer are waited for only for a moment.
 */
static MUST_CHECK Rc
wait_for_openings(Attempt *attempt, Error *err)
{
	Task *tasks[CONFIG_TARGETS_MAX];
	int count = attempt->config->target_count;
	int64_t until_us = attempt->config->log != NULL
						   ? clock_monotonic_us() + FIRST_READY_MS_MAX * 1000
						   : INT64_MAX;

	for (;;)
	{
		Rc rc = RC_OK;

		for (int i = 0; i < count && rc == RC_OK; i++)
		{
			rc = work_opening(&attempt->openings[i], err);
			if (attempt->openings[i].sink != NULL && until_us == INT64_MAX)
				until_us = clock_monotonic_us() + OTHERS_READY_MS_MAX * 1000;
		}
		if (rc != RC_OK || !list_waiting(attempt, until_us, tasks))
			return rc;
		rc = interrupt_wait_tasks(
			tasks, count,
			clock_monotonic_us() < until_us ? until_us : INT64_MAX, err);
		if (rc == RC_FAIL)
			return rc;
	}
}

/* Returns the sink of a target, or one that takes its place. */
static Sink *
take_sink(Attempt *attempt, int index)
{
	Opening *opening = &attempt->openings[index];
	Sink *sink = opening->sink;
	char label[CONFIG_LABEL_SIZE];

	/* The task that has opened a sink has ended. */
	ASSERT(sink == NULL || opening->task == NULL);
	config_label_target(attempt->config, index, label);
	if (sink == NULL && attempt->known[index].unreachable)
		log_info("follow", "%s is still unreachable", label);
	else if (sink == NULL)
	{
		if (opening->task != NULL)
			log_warning("follow.target-slow", "%s has not answered yet", label);
		say_unreachable(attempt, index, attempt->confirmed_lsn, &opening->err);
	}
	opening->sink = NULL;
	return sink != NULL
			   ? sink
			   : make_unreachable(attempt, index, attempt->confirmed_lsn);
}

/* Whether any sink was opened; if not, *err is the last failure. */
static bool
is_any_open(Attempt *attempt, Error *err)
{
	for (int i = 0; i < attempt->config->target_count; i++)
	{
		if (attempt->openings[i].sink != NULL)
			return true;
		if (attempt->openings[i].err.code != ERR_NONE)
			error_take(err, &attempt->openings[i].err);
	}
	return false;
}

Rc
targets_open(Attempt *attempt, Error *err)
{
	Rc rc;

	forget_if_all_are_unreachable(attempt);
	begin_openings(attempt);
	rc = wait_for_openings(attempt, err);
	if (rc == RC_OK && !is_any_open(attempt, err) &&
		attempt->config->log == NULL)
		rc = RC_FAIL;
	if (rc != RC_OK)
		return rc;
	error_reset(err);
	for (int i = 0; i < attempt->config->target_count; i++)
		attempt->sinks[i] = take_sink(attempt, i);
	attempt->sink_count = attempt->config->target_count;
	return RC_OK;
}

/* ---- while they are followed -------------------------------------------- */

/*
 * Adds the numbers of a sink to those of earlier sinks of the same target,
 * because the log shows their sum.
 */
static void
note_applied(Known *known, const Sink *sink)
{
	known->rows += sink->report->rows;
	known->transactions += sink->report->transactions;
}

Sink *
targets_replace(void *context, int index, Error *err)
{
	Attempt *attempt = context;
	Lsn durable_lsn;

	ASSERT(index >= 0 && index < attempt->sink_count);
	ASSERT(err->code != ERR_NONE);
	durable_lsn = attempt->sinks[index]->report->durable_lsn;
	if (!unreachable_is_reason(err) ||
		(attempt->config->log == NULL && !has_other_target(attempt, index)))
		return NULL;
	note_applied(&attempt->known[index], attempt->sinks[index]);
	say_unreachable(attempt, index, durable_lsn, err);
	return make_unreachable(attempt, index, durable_lsn);
}

void
targets_note(const Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count; i++)
	{
		const Sink *sink = attempt->sinks[i];
		Known *known = &attempt->known[i];

		note_applied(known, sink);
		if (sink->report->unreachable)
		{
			known->unreachable = !unreachable_has_answered(sink);
			known->slow = unreachable_has_answered(sink);
			known->backoff = unreachable_backoff(sink);
		}
		else if (sink->report->durable_lsn > sink->report->start_lsn)
		{
			known->unreachable = false;
			known->backoff = UNREACHABLE_BACKOFF;
		}
	}
}

/*
 * Records on one target what the follower does.  Ignores failures: see
 * targets_say().
 */
static void
say_to(const Config *config, int index, FollowerState state,
	   const char *message)
{
	PgConn *target = NULL;
	Error failure = {0};
	Rc rc = state == FOLLOWER_STOPPED
				? reach_target_within(config, index, SAY_END_MS_MAX, &target,
									  &failure)
				: reach_target_soon(config, index, &target, &failure);

	ASSERT(index >= 0 && index < config->target_count);
	if (rc == RC_OK)
		rc = follower_table_write(target, config->name, state, message,
								  &failure);
	if (rc != RC_OK)
		error_reset(&failure);
	pgconn_close(target);
}

void
targets_say(const Config *config, const Known *known, FollowerState state,
			const char *message)
{
	for (int i = 0; i < config->target_count; i++)
		if (!known[i].unreachable)
			say_to(config, i, state, message);
}

void
targets_say_following(const Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count; i++)
		if (!attempt->sinks[i]->report->unreachable)
			say_to(attempt->config, i, FOLLOWER_FOLLOWING, NULL);
}

void
targets_close(Attempt *attempt)
{
	int count = attempt->sink_count;

	/*
	 * A task that still opens a target, and is ended below, must not use the
	 * sinks.
	 */
	attempt->sink_count = 0;
	for (int i = 0; i < count; i++)
		sink_free(attempt->sinks[i]);
	for (int i = 0; i < attempt->config->target_count; i++)
	{
		Opening *opening = &attempt->openings[i];

		task_free(opening->task);
		sink_free(opening->sink);
		error_reset(&opening->err);
	}
}
