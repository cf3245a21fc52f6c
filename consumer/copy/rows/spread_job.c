/*
 * spread_job.c
 *    COPY TO STDOUT on one side, COPY FROM STDIN on several.
 */
#include "copy/rows/spread_job.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "copy/rows/exchange.h"
#include "copy/rows/receiver.h"
#include "copy/rows/spread_row.h"
#include "copy/session.h"
#include "net/writer.h"

typedef enum SpreadState
{
	SPREAD_IDLE,
	SPREAD_SOURCE_STARTING,
	SPREAD_TARGETS_STARTING,
	SPREAD_COPYING,
	SPREAD_FLUSHING,
	SPREAD_SOURCE_ENDING,
	SPREAD_TARGETS_ENDING,
} SpreadState;

/* The row in hand, and how far each target has it. */
typedef struct SpreadCurrent
{
	char *message; /* owned; NULL: there is none */
	char *at;      /* what comes after the row */
	size_t left;
	SpreadRow row;
	int only; /* the receiver that it is for; -1: all that are in use */
	size_t taken[SPREAD_TARGETS_MAX];
} SpreadCurrent;

struct SpreadJob
{
	PgConn *source;
	const char *snapshot;
	Receiver receivers[SPREAD_TARGETS_MAX];
	bool in_use[SPREAD_TARGETS_MAX]; /* the part's table is there */
	bool waits[SPREAD_TARGETS_MAX];  /* in the states of starting and ending */
	int target_count;
	int node_count;
	SpreadState state;
	CopyPart part; /* its table is NULL if idle */
	const PlacedTable *table;
	SpreadFormat format;
	SpreadCurrent current;
	int64_t source_rows; /* of the part, as the source counted them */
	bool ready;          /* stopped only because it was enough for one step */
	int64_t limit;       /* bytes that may be copied; 0: none for now */
	SessionRights rights[SPREAD_TARGETS_MAX];
};

Rc
spread_job_open(SpreadJob **job, const SpreadJobOptions *options, Error *err)
{
	SpreadJob *opened = xcalloc(1, sizeof(SpreadJob));
	Rc rc = session_open_source(&opened->source, options->source, NULL, err);

	ASSERT(options->target_count <= SPREAD_TARGETS_MAX);
	opened->limit = INT64_MAX;
	opened->snapshot = options->snapshot;
	opened->node_count = options->node_count;
	for (int i = 0; i < options->target_count && rc == RC_OK; i++)
	{
		opened->target_count++;
		rc = receiver_open(&opened->receivers[i], options->targets[i].conninfo,
						   options->targets[i].label, options->pipeline,
						   &opened->rights[i], err);
	}
	if (rc != RC_OK)
	{
		spread_job_close(opened);
		return rc;
	}
	*job = opened;
	return RC_OK;
}

void
spread_job_close(SpreadJob *job)
{
	if (job == NULL)
		return;
	for (int i = 0; i < job->target_count; i++)
		receiver_close(&job->receivers[i]);
	pgconn_close(job->source);
	PQfreemem(job->current.message);
	free(job);
}

bool
spread_job_is_idle(const SpreadJob *job)
{
	return job->state == SPREAD_IDLE;
}

bool
spread_job_triggers_fire(const SpreadJob *job)
{
	for (int i = 0; i < job->target_count; i++)
		if (job->rights[i].triggers_fire)
			return true;
	return false;
}

bool
spread_job_is_marked(const SpreadJob *job)
{
	for (int i = 0; i < job->target_count; i++)
		if (!job->rights[i].marked)
			return false;
	return true;
}

void
spread_job_say_unmarked(const SpreadJob *job)
{
	for (int i = 0; i < job->target_count; i++)
		if (!job->rights[i].marked)
			writer_say_unmarked(job->receivers[i].conn, "copy");
}

/* ---- starting ----------------------------------------------------------- */

static MUST_CHECK Rc
send_source(SpreadJob *job, Error *err)
{
	Buf sql;
	int sent;

	buf_init(&sql, BUF_TEXT_MAX);
	guard_append_begin(&sql, job->part.table, job->snapshot);
	buf_append_string(&sql, "COPY (");
	job_append_query(&job->part,
					 job->format.hash_count > 0 ? job->table->hash_sql : NULL,
					 &sql);
	buf_append_string(&sql, ") TO STDOUT");
	if (job->format.binary)
		buf_append_string(&sql, " WITH (FORMAT binary)");
	buf_append_string(&sql, "; COMMIT");
	CHECK(!sql.overflowed);
	sent = PQsendQuery(pgconn_raw(job->source), sql.data);
	buf_release(&sql);
	if (!sent)
		return pgconn_connection_error(job->source, "lost the connection to",
									   err);
	return RC_OK;
}

Rc
spread_job_start(SpreadJob *job, CopyPart part, const PlacedTable *table,
				 Error *err)
{
	const PlacementRule *rule = table->rule;
	bool is_hashed = rule->kind == PLACEMENT_HASH ||
					 rule->kind == PLACEMENT_DIRECTORY;

	ASSERT(job->state == SPREAD_IDLE);
	ASSERT(!is_hashed || table->hash_sql != NULL);
	job->part = part;
	job->table = table;
	job->format = (SpreadFormat){
		.binary = part.table->binary,
		.hash_count = is_hashed ? rule->column_count : 0,
		.is_number = rule->kind == PLACEMENT_DIRECTORY,
	};
	job->ready = true;
	job->state = SPREAD_SOURCE_STARTING;
	return send_source(job, err);
}

/* The source sends: the targets that the rows are for are to receive. */
static MUST_CHECK Rc
start_receivers(SpreadJob *job, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < job->target_count && rc == RC_OK; i++)
	{
		job->in_use[i] = placement_rule_has(job->table->rule, i,
											job->node_count);
		job->waits[i] = job->in_use[i];
		if (job->in_use[i])
			rc = receiver_start(&job->receivers[i], &job->part, err);
	}
	return rc;
}

/* RC_END: the part cannot be read, or not now, and the job is idle again. */
static MUST_CHECK Rc
step_source_starting(SpreadJob *job, JobProgress *progress, Error *err)
{
	Rc rc = exchange_take_started(job->source, PGRES_COPY_OUT, err);

	if (rc == RC_OK)
		return start_receivers(job, err);
	if (rc == RC_FAIL)
		rc = job_take_refusal(job->source, &job->part, progress, err);
	if (rc == RC_END)
		job->table = NULL;
	return rc;
}

/* Calls `step` of each receiver that waits, until none does. */
static MUST_CHECK Rc
step_receivers(SpreadJob *job, Rc (*step)(Receiver *receiver, Error *err),
			   Error *err)
{
	bool waits = false;

	for (int i = 0; i < job->target_count; i++)
	{
		Rc rc;

		if (!job->waits[i])
			continue;
		rc = step(&job->receivers[i], err);
		if (rc == RC_FAIL)
			return rc;
		job->waits[i] = rc == RC_AGAIN;
		waits |= job->waits[i];
	}
	return waits ? RC_AGAIN : RC_OK;
}

/* ---- rows --------------------------------------------------------------- */

/* The row in hand has the number of its target in front. */
static MUST_CHECK Rc
take_listed(SpreadJob *job, Error *err)
{
	SpreadCurrent *current = &job->current;
	Rc rc;

	if (current->row.hash < (uint64_t) job->target_count)
	{
		current->only = (int) current->row.hash;
		return RC_OK;
	}
	rc = error_set(err, ERR_CONFIG,
				   "the directory lists no target for a row, or one that is "
				   "not there");
	error_hint(err, "List all keys before the copy, or give a default in "
					"section [directory].");
	return rc;
}

/* Takes the next row of the message in hand. */
static MUST_CHECK Rc
take_row(SpreadJob *job, JobProgress *progress, Error *err)
{
	SpreadCurrent *current = &job->current;

	if (!spread_row_take(&job->format, &current->at, &current->left,
						 &current->row))
		return error_set(err, ERR_PROTOCOL, "invalid row from %s",
						 pgconn_label(job->source));
	for (int i = 0; i < job->target_count; i++)
		current->taken[i] = 0;
	current->only = -1;
	progress->rows += current->row.is_row ? 1 : 0;
	if (job->format.hash_count == 0 || !current->row.is_row)
		return RC_OK;
	if (job->format.is_number)
		return take_listed(job, err);
	current->only = (int) (current->row.hash % (uint64_t) job->node_count);
	return RC_OK;
}

/* Gives the row in hand to those that it is for.  RC_AGAIN: one is full. */
static MUST_CHECK Rc
give_row(SpreadJob *job, Error *err)
{
	SpreadCurrent *current = &job->current;
	bool full = false;

	for (int i = 0; i < job->target_count; i++)
	{
		bool is_for = job->in_use[i] &&
					  (current->only < 0 || current->only == i);
		Rc rc;

		if (!is_for || current->taken[i] == current->row.length)
			continue;
		rc = receiver_put(&job->receivers[i], current->row.data,
						  current->row.length, &current->taken[i], err);
		if (rc == RC_FAIL)
			return rc;
		full |= rc == RC_AGAIN;
	}
	return full ? RC_AGAIN : RC_OK;
}

/* The message in hand, row by row. */
static MUST_CHECK Rc
give_message(SpreadJob *job, JobProgress *progress, Error *err)
{
	SpreadCurrent *current = &job->current;

	for (;;)
	{
		Rc rc = give_row(job, err);

		if (rc != RC_OK)
			return rc;
		if (current->left == 0)
			break;
		rc = take_row(job, progress, err);
		if (rc != RC_OK)
			return rc;
	}
	PQfreemem(current->message);
	*current = (SpreadCurrent){0};
	return RC_OK;
}

/* Gets a message, looking at the socket once.  RC_END: there are no more. */
static MUST_CHECK Rc
get_message(SpreadJob *job, Error *err)
{
	PGconn *source = pgconn_raw(job->source);
	SpreadCurrent *current = &job->current;
	int length = PQgetCopyData(source, &current->message, 1);

	if (length == 0)
		length = PQconsumeInput(source)
					 ? PQgetCopyData(source, &current->message, 1)
					 : -2;
	if (length == -2)
		return pgconn_connection_error(job->source, "lost the connection to",
									   err);
	if (length == -1)
		return RC_END;
	if (length == 0)
		return RC_AGAIN;
	current->at = current->message;
	current->left = (size_t) length;
	return RC_OK;
}

static MUST_CHECK Rc
flush_receivers(SpreadJob *job, Error *err)
{
	bool full = false;

	for (int i = 0; i < job->target_count; i++)
	{
		Rc rc;

		if (!job->in_use[i])
			continue;
		rc = receiver_flush(&job->receivers[i], err);
		if (rc == RC_FAIL)
			return rc;
		full |= rc == RC_AGAIN;
	}
	return full ? RC_AGAIN : RC_OK;
}

void
spread_job_set_limit(SpreadJob *job, int64_t bytes)
{
	job->limit = bytes;
}

/*
 * Moves rows until one side has to be waited for (RC_AGAIN), it is enough for
 * one step (RC_AGAIN, and ready) or for now, or there are no more (RC_OK).
 */
static MUST_CHECK Rc
step_copying(SpreadJob *job, JobProgress *progress, Error *err)
{
	int64_t most = job->limit < (int64_t) JOB_STEP_BYTES
					   ? job->limit
					   : (int64_t) JOB_STEP_BYTES;

	while (job->current.message != NULL || progress->bytes < most)
	{
		Rc rc = RC_OK;

		if (job->current.message == NULL)
		{
			rc = get_message(job, err);
			progress->bytes += (int64_t) job->current.left;
		}
		if (rc == RC_END)
			return RC_OK;
		if (rc == RC_OK)
			rc = give_message(job, progress, err);
		if (rc != RC_OK)
			return rc;
	}
	job->ready = progress->bytes >= (int64_t) JOB_STEP_BYTES;
	return RC_AGAIN;
}

/* ---- ending ------------------------------------------------------------- */

/* The source is done: what it says decides how the targets end. */
static MUST_CHECK Rc
step_source_ending(SpreadJob *job, Error *err)
{
	Rc rc = exchange_take_ended(job->source, &job->source_rows, err);

	for (int i = 0; i < job->target_count && rc == RC_OK; i++)
	{
		job->waits[i] = job->in_use[i];
		if (job->in_use[i])
			rc = receiver_end(&job->receivers[i], err);
	}
	return rc;
}

/* Every row is where it is to be, or everywhere. */
static MUST_CHECK Rc
check_rows(const SpreadJob *job, Error *err)
{
	bool is_hashed = job->format.hash_count > 0;
	int64_t spread = 0;

	for (int i = 0; i < job->target_count; i++)
	{
		const Receiver *receiver = &job->receivers[i];

		if (!job->in_use[i])
			continue;
		spread += receiver->rows;
		if (!is_hashed && receiver->rows != job->source_rows)
			return error_set(
				err, ERR_PROTOCOL, "%s has taken %" PRId64 " rows of %" PRId64,
				pgconn_label(receiver->conn), receiver->rows, job->source_rows);
	}
	if (is_hashed && spread != job->source_rows)
		return error_set(err, ERR_PROTOCOL,
						 "the nodes have taken %" PRId64 " rows of %" PRId64,
						 spread, job->source_rows);
	return RC_OK;
}

static MUST_CHECK Rc
step_targets_ending(SpreadJob *job, JobProgress *progress, Error *err)
{
	Rc rc = step_receivers(job, receiver_ended, err);

	if (rc == RC_OK)
		rc = check_rows(job, err);
	if (rc != RC_OK)
		return rc;
	progress->finished = job->part.table;
	progress->finished_rows = job->source_rows;
	job->part = (CopyPart){0};
	job->table = NULL;
	return RC_OK;
}

/*
 * Does what the state asks for.  RC_OK: on to the next state.  RC_END: back to
 * being idle.
 */
static MUST_CHECK Rc
step_state(SpreadJob *job, JobProgress *progress, Error *err)
{
	switch (job->state)
	{
		case SPREAD_IDLE:
			return RC_AGAIN;
		case SPREAD_SOURCE_STARTING:
			return step_source_starting(job, progress, err);
		case SPREAD_TARGETS_STARTING:
			return step_receivers(job, receiver_started, err);
		case SPREAD_COPYING:
			return step_copying(job, progress, err);
		case SPREAD_FLUSHING:
			return flush_receivers(job, err);
		case SPREAD_SOURCE_ENDING:
			return step_source_ending(job, err);
		case SPREAD_TARGETS_ENDING:
			return step_targets_ending(job, progress, err);
	}
	CHECK(false);
	return RC_FAIL;
}

Rc
spread_job_step(SpreadJob *job, JobProgress *progress, Error *err)
{
	Rc rc;

	*progress = (JobProgress){0};
	job->ready = false;
	do
	{
		rc = step_state(job, progress, err);
		if (rc == RC_OK)
			job->state = job->state == SPREAD_TARGETS_ENDING ? SPREAD_IDLE
															 : job->state + 1;
		else if (rc == RC_END)
			job->state = SPREAD_IDLE;
	} while (rc == RC_OK && job->state != SPREAD_IDLE);
	return job_explain(rc, &job->part, err);
}

/* ---- waiting ------------------------------------------------------------ */

/* What is to be waited for at a target; 0: nothing. */
static short
receiver_events(const SpreadJob *job, int target)
{
	bool wanted = false;

	switch (job->state)
	{
		case SPREAD_TARGETS_STARTING:
		case SPREAD_TARGETS_ENDING:
			wanted = job->waits[target];
			break;
		case SPREAD_COPYING:
		case SPREAD_FLUSHING:
			wanted = job->in_use[target];
			break;
		case SPREAD_IDLE:
		case SPREAD_SOURCE_STARTING:
		case SPREAD_SOURCE_ENDING:
			break;
	}
	if (!wanted)
		return 0;
	return exchange_events(job->receivers[target].conn);
}

static short
source_events(const SpreadJob *job)
{
	switch (job->state)
	{
		case SPREAD_SOURCE_STARTING:
		case SPREAD_SOURCE_ENDING:
			return exchange_events(job->source);
		case SPREAD_COPYING:
			return job->current.message == NULL && job->limit > 0 ? POLLIN : 0;
		case SPREAD_IDLE:
		case SPREAD_TARGETS_STARTING:
		case SPREAD_FLUSHING:
		case SPREAD_TARGETS_ENDING:
			return 0;
	}
	return 0;
}

int
spread_job_poll_fds(const SpreadJob *job, struct pollfd *fds, bool *ready)
{
	short events = source_events(job);
	int count = 0;

	*ready |= job->ready;
	if (events != 0)
		fds[count++] = (struct pollfd){.fd = PQsocket(pgconn_raw(job->source)),
									   .events = events};
	for (int i = 0; i < job->target_count; i++)
	{
		events = receiver_events(job, i);
		if (events != 0)
			fds[count++] = (struct pollfd){
				.fd = PQsocket(pgconn_raw(job->receivers[i].conn)),
				.events = events};
	}
	return count;
}
