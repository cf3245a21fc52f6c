/*
 * spread_copier.c
 *    Distributes the rows of COPY TO STDOUT on the source to COPY FROM STDIN on
 *    several targets.
 */
#include "copy/rows/spread_copier.h"

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

/* The source's message, and its row that is being passed to the targets. */
typedef struct SpreadCurrent
{
	char *message; /* message of the source, owned; NULL: there is none */
	char *at;      /* end of the row in the message */
	size_t left;   /* number of bytes of the message after the row */
	SpreadRow row;
	int only; /* index of the target of the row; -1: all targets in use */
	size_t taken[SPREAD_TARGETS_MAX]; /* bytes of the row that each target's
									   * receiver has accepted */
} SpreadCurrent;

struct SpreadCopier
{
	PgConn *source;
	const char *snapshot;
	Receiver receivers[SPREAD_TARGETS_MAX];
	bool in_use[SPREAD_TARGETS_MAX]; /* whether the target has rows of the
									  * part's table */
	bool waits[SPREAD_TARGETS_MAX];  /* whether we wait for the target's answer;
									  * in TARGETS_STARTING and TARGETS_ENDING */
	int target_count;
	int node_count;
	SpreadState state;
	CopyPart part;            /* part being copied; its table is NULL if idle */
	const PlacedTable *table; /* placement of the part's table */
	SpreadFormat format;
	SpreadCurrent current;
	int64_t source_rows; /* number of the part's rows that the source reports */
	bool ready;          /* whether the step ended at COPIER_STEP_BYTES */
	int64_t limit;       /* bytes that a step may copy; 0: none for now */
	SessionRights rights[SPREAD_TARGETS_MAX];
};

static void
set_state(SpreadCopier *copier, SpreadState state)
{
	ASSERT(state == SPREAD_IDLE || state == copier->state + 1);
	ASSERT(state != SPREAD_IDLE || copier->state == SPREAD_TARGETS_ENDING ||
		   copier->state == SPREAD_SOURCE_STARTING);
	copier->state = state;
}

Rc
spread_copier_open(SpreadCopier **copier, const SpreadCopierOptions *options,
				   Error *err)
{
	SpreadCopier *opened = xcalloc(1, sizeof(SpreadCopier));
	Rc rc = session_open_source(&opened->source, options->source, NULL, err);

	ASSERT(options->target_count > 0 &&
		   options->target_count <= SPREAD_TARGETS_MAX);
	ASSERT(options->node_count > 0);
	ASSERT(options->node_count <= options->target_count);
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
		spread_copier_close(opened);
		return rc;
	}
	*copier = opened;
	return RC_OK;
}

void
spread_copier_close(SpreadCopier *copier)
{
	if (copier == NULL)
		return;
	for (int i = 0; i < copier->target_count; i++)
		receiver_close(&copier->receivers[i]);
	pgconn_close(copier->source);
	PQfreemem(copier->current.message);
	free(copier);
}

bool
spread_copier_is_idle(const SpreadCopier *copier)
{
	return copier->state == SPREAD_IDLE;
}

bool
spread_copier_triggers_fire(const SpreadCopier *copier)
{
	for (int i = 0; i < copier->target_count; i++)
		if (copier->rights[i].triggers_fire)
			return true;
	return false;
}

bool
spread_copier_is_marked(const SpreadCopier *copier)
{
	for (int i = 0; i < copier->target_count; i++)
		if (!copier->rights[i].marked)
			return false;
	return true;
}

void
spread_copier_say_unmarked(const SpreadCopier *copier)
{
	for (int i = 0; i < copier->target_count; i++)
		if (!copier->rights[i].marked)
			writer_say_unmarked(copier->receivers[i].conn);
}

/* ---- starting ----------------------------------------------------------- */

static MUST_CHECK Rc
send_source(SpreadCopier *copier, Error *err)
{
	Buf sql;
	int sent;

	ASSERT(copier->format.hash_count == 0 || copier->table->hash_sql != NULL);
	buf_init(&sql, BUF_TEXT_MAX);
	guard_append_begin(&sql, copier->part.table, copier->snapshot);
	buf_append_string(&sql, "COPY (");
	copier_append_query(
		&copier->part,
		copier->format.hash_count > 0 ? copier->table->hash_sql : NULL, &sql);
	buf_append_string(&sql, ") TO STDOUT");
	if (copier->format.binary)
		buf_append_string(&sql, " WITH (FORMAT binary)");
	buf_append_string(&sql, "; COMMIT");
	CHECK(!sql.overflowed);
	sent = PQsendQuery(pgconn_raw(copier->source), sql.data);
	buf_release(&sql);
	if (!sent)
		return pgconn_connection_error(copier->source, "lost the connection to",
									   err);
	return RC_OK;
}

Rc
spread_copier_start(SpreadCopier *copier, CopyPart part,
					const PlacedTable *table, Error *err)
{
	const PlacementRule *rule = table->rule;
	bool is_hashed = rule->kind == PLACEMENT_HASH ||
					 rule->kind == PLACEMENT_DIRECTORY;

	ASSERT(copier->state == SPREAD_IDLE);
	ASSERT(part.table == table->table);
	ASSERT(!is_hashed || table->hash_sql != NULL);
	ASSERT(copier->current.message == NULL);
	CHECK(copier->snapshot[0] != '\0');
	copier->part = part;
	copier->table = table;
	copier->format = (SpreadFormat){
		.binary = part.table->binary,
		.hash_count = is_hashed ? rule->column_count : 0,
		.is_number = rule->kind == PLACEMENT_DIRECTORY,
	};
	copier->ready = true;
	set_state(copier, SPREAD_SOURCE_STARTING);
	return send_source(copier, err);
}

/* Starts COPY FROM on the targets that have rows of the table; called when the
 * source has begun to send. */
static MUST_CHECK Rc
start_receivers(SpreadCopier *copier, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(copier->table != NULL);
	for (int i = 0; i < copier->target_count && rc == RC_OK; i++)
	{
		copier->in_use[i] = placement_rule_has(copier->table->rule, i,
											   copier->node_count);
		copier->waits[i] = copier->in_use[i];
		if (copier->in_use[i])
			rc = receiver_start(&copier->receivers[i], &copier->part, err);
	}
	return rc;
}

/* Starts the targets when the source has begun to send.  Returns RC_END if the
 * part was refused; the copier then becomes idle again. */
static MUST_CHECK Rc
step_source_starting(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	Rc rc = exchange_take_started(copier->source, PGRES_COPY_OUT, err);

	if (rc == RC_OK)
		return start_receivers(copier, err);
	if (rc == RC_FAIL)
		rc = copier_take_refusal(copier->source, &copier->part, progress, err);
	if (rc == RC_END)
		copier->table = NULL;
	return rc;
}

/* Calls `step` for each receiver that `waits`.  Returns RC_OK when none of them
 * waits any more, and RC_AGAIN until then. */
static MUST_CHECK Rc
step_receivers(SpreadCopier *copier, Rc (*step)(Receiver *receiver, Error *err),
			   Error *err)
{
	bool waits = false;

	for (int i = 0; i < copier->target_count; i++)
	{
		Rc rc;

		if (!copier->waits[i])
			continue;
		rc = step(&copier->receivers[i], err);
		if (rc == RC_FAIL)
			return rc;
		copier->waits[i] = rc == RC_AGAIN;
		waits |= copier->waits[i];
	}
	return waits ? RC_AGAIN : RC_OK;
}

/* ---- rows --------------------------------------------------------------- */

/* Sets the target of the current row from the number that comes before the
 * row's columns.  A null or invalid number is an error. */
static MUST_CHECK Rc
take_listed(SpreadCopier *copier, Error *err)
{
	SpreadCurrent *current = &copier->current;
	Rc rc;

	ASSERT(copier->format.is_number);
	if (current->row.hash < (uint64_t) copier->target_count)
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

/* Makes the message's next row the current row, and computes its target. */
static MUST_CHECK Rc
take_row(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	SpreadCurrent *current = &copier->current;

	if (!spread_row_take(&copier->format, &current->at, &current->left,
						 &current->row))
		return error_set(err, ERR_PROTOCOL, "invalid row from %s",
						 pgconn_label(copier->source));
	for (int i = 0; i < copier->target_count; i++)
		current->taken[i] = 0;
	current->only = -1;
	progress->rows += current->row.is_row ? 1 : 0;
	if (copier->format.hash_count == 0 || !current->row.is_row)
		return RC_OK;
	if (copier->format.is_number)
		return take_listed(copier, err);
	current->only = (int) (current->row.hash % (uint64_t) copier->node_count);
	ASSERT(current->only < copier->target_count);
	return RC_OK;
}

/* Passes the current row to the receivers of its targets.  Returns RC_AGAIN if
 * one of them could not accept all of the row yet. */
static MUST_CHECK Rc
give_row(SpreadCopier *copier, Error *err)
{
	SpreadCurrent *current = &copier->current;
	bool full = false;

	/* Otherwise no target would get the row. */
	CHECK(current->row.length == 0 || current->only < 0 ||
		  copier->in_use[current->only]);
	for (int i = 0; i < copier->target_count; i++)
	{
		bool is_for = copier->in_use[i] &&
					  (current->only < 0 || current->only == i);
		Rc rc;

		if (!is_for || current->taken[i] == current->row.length)
			continue;
		rc = receiver_put(&copier->receivers[i], current->row.data,
						  current->row.length, &current->taken[i], err);
		if (rc == RC_FAIL)
			return rc;
		full |= rc == RC_AGAIN;
	}
	return full ? RC_AGAIN : RC_OK;
}

/* Passes the current message to the receivers, row by row. */
static MUST_CHECK Rc
give_message(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	SpreadCurrent *current = &copier->current;

	for (;;)
	{
		Rc rc = give_row(copier, err);

		if (rc != RC_OK)
			return rc;
		if (current->left == 0)
			break;
		rc = take_row(copier, progress, err);
		if (rc != RC_OK)
			return rc;
	}
	PQfreemem(current->message);
	*current = (SpreadCurrent){0};
	return RC_OK;
}

/* Gets a message of COPY data; if libpq has none, reads from the socket once.
 * Returns RC_AGAIN if none has arrived, and RC_END after the last one. */
static MUST_CHECK Rc
get_message(SpreadCopier *copier, Error *err)
{
	PGconn *source = pgconn_raw(copier->source);
	SpreadCurrent *current = &copier->current;
	int length = PQgetCopyData(source, &current->message, 1);

	if (length == 0)
		length = PQconsumeInput(source)
					 ? PQgetCopyData(source, &current->message, 1)
					 : -2;
	if (length == -2)
		return pgconn_connection_error(copier->source, "lost the connection to",
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
flush_receivers(SpreadCopier *copier, Error *err)
{
	bool full = false;

	for (int i = 0; i < copier->target_count; i++)
	{
		Rc rc;

		if (!copier->in_use[i])
			continue;
		rc = receiver_flush(&copier->receivers[i], err);
		if (rc == RC_FAIL)
			return rc;
		full |= rc == RC_AGAIN;
	}
	return full ? RC_AGAIN : RC_OK;
}

void
spread_copier_set_limit(SpreadCopier *copier, int64_t bytes)
{
	ASSERT(bytes >= 0);
	copier->limit = bytes;
}

/*
 * Passes rows from the source to the targets.  Returns RC_AGAIN if one of them
 * has to be waited for or the limit is reached, RC_AGAIN with `ready` set if
 * COPIER_STEP_BYTES were passed, and RC_OK if the source has sent all rows.
 */
static MUST_CHECK Rc
step_copying(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	int64_t most = copier->limit < (int64_t) COPIER_STEP_BYTES
					   ? copier->limit
					   : (int64_t) COPIER_STEP_BYTES;

	while (copier->current.message != NULL || progress->bytes < most)
	{
		Rc rc = RC_OK;

		if (copier->current.message == NULL)
		{
			rc = get_message(copier, err);
			progress->bytes += (int64_t) copier->current.left;
		}
		if (rc == RC_END)
			return RC_OK;
		if (rc == RC_OK)
			rc = give_message(copier, progress, err);
		if (rc != RC_OK)
			return rc;
	}
	copier->ready = progress->bytes >= (int64_t) COPIER_STEP_BYTES;
	return RC_AGAIN;
}

/* ---- ending ------------------------------------------------------------- */

/* Takes the source's final result.  If the source reports success, sends the
 * end of the data to the targets. */
static MUST_CHECK Rc
step_source_ending(SpreadCopier *copier, Error *err)
{
	Rc rc = pgconn_take_ended(copier->source, &copier->source_rows, err);

	CHECK(copier->current.message == NULL);
	for (int i = 0; i < copier->target_count && rc == RC_OK; i++)
	{
		copier->waits[i] = copier->in_use[i];
		if (copier->in_use[i])
			rc = receiver_end(&copier->receivers[i], err);
	}
	return rc;
}

/* Checks that of a hashed table all targets together, and of another table each
 * target, have received as many rows as the source has sent. */
static MUST_CHECK Rc
check_rows(const SpreadCopier *copier, Error *err)
{
	bool is_hashed = copier->format.hash_count > 0;
	int64_t spread = 0;

	for (int i = 0; i < copier->target_count; i++)
	{
		const Receiver *receiver = &copier->receivers[i];

		if (!copier->in_use[i])
			continue;
		spread += receiver->rows;
		if (!is_hashed && receiver->rows != copier->source_rows)
			return error_set(err, ERR_PROTOCOL,
							 "%s has taken %" PRId64 " rows of %" PRId64,
							 pgconn_label(receiver->conn), receiver->rows,
							 copier->source_rows);
	}
	if (is_hashed && spread != copier->source_rows)
		return error_set(err, ERR_PROTOCOL,
						 "the nodes have taken %" PRId64 " rows of %" PRId64,
						 spread, copier->source_rows);
	return RC_OK;
}

static MUST_CHECK Rc
step_targets_ending(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	Rc rc = step_receivers(copier, receiver_ended, err);

	if (rc == RC_OK)
		rc = check_rows(copier, err);
	if (rc != RC_OK)
		return rc;
	CHECK(copier->current.message == NULL);
	progress->finished = copier->part.table;
	progress->finished_rows = copier->source_rows;
	copier->part = (CopyPart){0};
	copier->table = NULL;
	return RC_OK;
}

/*
 * Does the work of the current state as far as it can without waiting.  Returns
 * RC_OK if the next state follows, RC_END if the state becomes SPREAD_IDLE, and
 * RC_AGAIN if the state stays.
 */
static MUST_CHECK Rc
step_state(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	switch (copier->state)
	{
		case SPREAD_IDLE:
			return RC_AGAIN;
		case SPREAD_SOURCE_STARTING:
			return step_source_starting(copier, progress, err);
		case SPREAD_TARGETS_STARTING:
			return step_receivers(copier, receiver_started, err);
		case SPREAD_COPYING:
			return step_copying(copier, progress, err);
		case SPREAD_FLUSHING:
			return flush_receivers(copier, err);
		case SPREAD_SOURCE_ENDING:
			return step_source_ending(copier, err);
		case SPREAD_TARGETS_ENDING:
			return step_targets_ending(copier, progress, err);
	}
	check_failed("the state of a copier is known", __FILE__, __LINE__);
}

Rc
spread_copier_step(SpreadCopier *copier, CopierProgress *progress, Error *err)
{
	Rc rc;

	ASSERT(copier->state != SPREAD_IDLE);
	*progress = (CopierProgress){0};
	copier->ready = false;
	do
	{
		rc = step_state(copier, progress, err);
		if (rc == RC_OK)
			set_state(copier, copier->state == SPREAD_TARGETS_ENDING
								  ? SPREAD_IDLE
								  : copier->state + 1);
		else if (rc == RC_END)
			set_state(copier, SPREAD_IDLE);
	} while (rc == RC_OK && copier->state != SPREAD_IDLE);
	return copier_explain(rc, &copier->part, err);
}

/* ---- waiting ------------------------------------------------------------ */

/* Returns the events of a target's socket to poll() for; 0: none. */
static short
receiver_events(const SpreadCopier *copier, int target)
{
	bool wanted = false;

	ASSERT(target >= 0 && target < copier->target_count);
	switch (copier->state)
	{
		case SPREAD_TARGETS_STARTING:
		case SPREAD_TARGETS_ENDING:
			wanted = copier->waits[target];
			break;
		case SPREAD_COPYING:
		case SPREAD_FLUSHING:
			wanted = copier->in_use[target];
			break;
		case SPREAD_IDLE:
		case SPREAD_SOURCE_STARTING:
		case SPREAD_SOURCE_ENDING:
			break;
	}
	if (!wanted)
		return 0;
	return exchange_events(copier->receivers[target].conn);
}

static short
source_events(const SpreadCopier *copier)
{
	switch (copier->state)
	{
		case SPREAD_SOURCE_STARTING:
		case SPREAD_SOURCE_ENDING:
			return exchange_events(copier->source);
		case SPREAD_COPYING:
			return copier->current.message == NULL && copier->limit > 0 ? POLLIN
																		: 0;
		case SPREAD_IDLE:
		case SPREAD_TARGETS_STARTING:
		case SPREAD_FLUSHING:
		case SPREAD_TARGETS_ENDING:
			return 0;
	}
	check_failed("the state of a copier is known", __FILE__, __LINE__);
}

int
spread_copier_poll_fds(const SpreadCopier *copier, struct pollfd *fds,
					   bool *ready)
{
	short events = source_events(copier);
	int count = 0;

	*ready |= copier->ready;
	if (events != 0)
		fds[count++] = (struct pollfd){
			.fd = PQsocket(pgconn_raw(copier->source)), .events = events};
	for (int i = 0; i < copier->target_count; i++)
	{
		events = receiver_events(copier, i);
		if (events != 0)
			fds[count++] = (struct pollfd){
				.fd = PQsocket(pgconn_raw(copier->receivers[i].conn)),
				.events = events};
	}
	return count;
}
