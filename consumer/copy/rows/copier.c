/*
 * copier.c
 *    COPY TO STDOUT on one side, COPY FROM STDIN on the other.
 *
 * libpq hands over one row a call.  Passing each on by itself would cost a
 * message, and now and then a system call, for each, so they are collected into
 * chunks; the server does not care where a message of COPY data ends.
 *
 * While a COPY FROM STDIN runs, libpq does not look at what the server answers
 * until we say that the data has ended.  A target that has refused a row would
 * be sent the rest of the table for nothing.  But a server that is content says
 * nothing at all, once client_min_messages keeps notices away.  So when the
 * target becomes readable the copy is interrupted, and its error is read.  That
 * is looked at before each chunk, because libpq itself reads, and keeps to
 * itself, what comes while it cannot send; an error that slips through there is
 * seen at the end of the table.
 *
 * The end of the rows is not the end of the statement: only when the source has
 * reported success is the target told that this is all, and only when the
 * target has taken it, to commit.
 */
#include "copy/rows/copier.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "copy/rows/exchange.h"
#include "copy/rows/work_tables.h"
#include "copy/session.h"
#include "net/origin.h"
#include "net/writer.h"

typedef enum CopierState
{
	COPIER_IDLE,
	COPIER_SOURCE_STARTING,
	COPIER_TARGET_STARTING,
	COPIER_COPYING,
	COPIER_SOURCE_ENDING,
	COPIER_TARGET_ENDING,
	COPIER_COMMITTING,
} CopierState;

struct Copier
{
	PgConn *source;
	PgConn *target;
	CopierState state;
	CopyPart part;   /* its table is NULL if idle */
	Buf chunk;       /* rows that the target was not given yet */
	char *large_row; /* longer than a chunk, sent in pieces; or NULL */
	size_t large_length;
	size_t large_sent;
	bool target_pending;  /* libpq could not send all: wait for room */
	bool ready;           /* stopped only because it was enough for one step */
	SessionRights rights; /* of the target's session */
	int64_t source_rows;  /* what the source says it has sent */
	int64_t target_rows;  /* what the target says it has received */
	int64_t limit;        /* bytes that may be copied; 0: none for now */
	const char *snapshot;
	const WorkMark *mark;
};

static void
copier_set_state(Copier *copier, CopierState state)
{
	ASSERT(state == COPIER_IDLE || state == copier->state + 1);
	ASSERT(state != COPIER_IDLE || copier->state == COPIER_COMMITTING ||
		   copier->state == COPIER_SOURCE_STARTING);
	copier->state = state;
}

Rc
copier_open(Copier **copier, const CopierOptions *options, Error *err)
{
	Copier *opened = xcalloc(1, sizeof(Copier));
	Rc rc;

	buf_init(&opened->chunk, COPIER_CHUNK_BYTES);
	opened->mark = options->mark;
	opened->limit = INT64_MAX;
	opened->snapshot = options->snapshot;
	rc = session_open_source(&opened->source, options->source, NULL, err);
	if (rc == RC_OK)
		rc = session_open_writer(&opened->target, options->target,
								 options->target_label, options->pipeline,
								 &opened->rights, err);
	if (rc != RC_OK)
	{
		copier_close(opened);
		return rc;
	}
	*copier = opened;
	return RC_OK;
}

void
copier_close(Copier *copier)
{
	if (copier == NULL)
		return;
	writer_close(copier->target);
	pgconn_close(copier->source);
	buf_release(&copier->chunk);
	PQfreemem(copier->large_row);
	free(copier);
}

bool
copier_is_idle(const Copier *copier)
{
	return copier->state == COPIER_IDLE;
}

bool
copier_triggers_fire(const Copier *copier)
{
	return copier->rights.triggers_fire;
}

bool
copier_is_marked(const Copier *copier)
{
	return copier->rights.marked;
}

void
copier_say_unmarked(const Copier *copier)
{
	writer_say_unmarked(copier->target, "copy");
}

static void
append_format(const CopyTable *table, Buf *sql)
{
	if (table->binary)
		buf_append_string(sql, " WITH (FORMAT binary)");
}

/* The row filter and the range of blocks, whichever there are. */
static void
append_condition(const CopyPart *part, Buf *sql)
{
	const char *glue = " WHERE ";

	if (part->table->filter != NULL)
	{
		buf_printf(sql, "%s(%s)", glue, part->table->filter);
		glue = " AND ";
	}
	if (part->first_block > 0)
	{
		buf_printf(sql, "%sctid >= '(%" PRId64 ",0)'", glue, part->first_block);
		glue = " AND ";
	}
	if (part->end_block > 0)
		buf_printf(sql, "%sctid < '(%" PRId64 ",0)'", glue, part->end_block);
}

void
copier_append_query(const CopyPart *part, const char *expressions, Buf *sql)
{
	const CopyTable *table = part->table;
	bool first = expressions == NULL;

	buf_printf(sql, "SELECT %s", first ? "" : expressions);
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 || !first ? ", " : "");
		buf_append_identifier(sql, table->columns[i].name);
	}
	buf_printf(sql, " FROM %s%s", table->partitioned ? "" : "ONLY ",
			   table->qualified);
	append_condition(part, sql);
}

/*
 * A whole table is read without a query around it, which is faster; that reads
 * the table alone, without those that inherit from it.
 */
static void
append_source_sql(const Copier *copier, Buf *sql)
{
	const CopyPart *part = &copier->part;
	const CopyTable *table = part->table;

	guard_append_begin(sql, table, copier->snapshot);
	if (table->filter == NULL && !table->partitioned &&
		part->first_block == 0 && part->end_block == 0)
	{
		buf_printf(sql, "COPY %s ", table->qualified);
		catalog_append_column_list(table, sql);
	}
	else
	{
		buf_append_string(sql, "COPY (");
		copier_append_query(part, NULL, sql);
		buf_append_char(sql, ')');
	}
	buf_append_string(sql, " TO STDOUT");
	append_format(table, sql);
	buf_append_string(sql, "; COMMIT");
}

void
copier_append_target_sql(const CopyPart *part, Buf *sql)
{
	const CopyTable *table = part->table;

	buf_printf(sql, "BEGIN; " PGCONN_SET_LOCAL_OWN_PATH_SQL "; COPY %s ",
			   table->qualified);
	catalog_append_column_list(table, sql);
	buf_append_string(sql, " FROM STDIN");
	append_format(table, sql);
}

/* Sends a statement and releases it; does not wait for an answer. */
static Rc
send_sql(PgConn *conn, Buf *sql, Error *err)
{
	int sent;

	CHECK(!sql->overflowed);
	sent = PQsendQuery(pgconn_raw(conn), sql->data);
	buf_release(sql);
	if (!sent)
		return pgconn_connection_error(conn, "lost the connection to", err);
	return RC_OK;
}

static Rc
send_to_source(Copier *copier, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	append_source_sql(copier, &sql);
	return send_sql(copier->source, &sql, err);
}

static Rc
send_to_target(Copier *copier, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	copier_append_target_sql(&copier->part, &sql);
	return send_sql(copier->target, &sql, err);
}

Rc
copier_start(Copier *copier, CopyPart part, Error *err)
{
	ASSERT(copier->state == COPIER_IDLE);
	ASSERT(copier->chunk.length == 0);
	copier->part = part;
	copier->source_rows = 0;
	copier->target_rows = 0;
	copier->ready = true;
	copier_set_state(copier, COPIER_SOURCE_STARTING);
	return send_to_source(copier, err);
}

void
copier_set_limit(Copier *copier, int64_t bytes)
{
	copier->limit = bytes;
}

/* Sends on; notes whether something is left over in libpq. */
static Rc
flush_target(Copier *copier, Error *err)
{
	int pending = PQflush(pgconn_raw(copier->target));

	if (pending < 0)
		return exchange_interrupt(copier->target, err);
	copier->target_pending = pending > 0;
	return RC_OK;
}

static Rc
put_data(Copier *copier, const char *data, size_t length, Error *err)
{
	Rc rc = exchange_check_quiet(copier->target, err);
	int put;

	if (rc != RC_OK)
		return rc;
	put = PQputCopyData(pgconn_raw(copier->target), data, (int) length);
	/* 0 would mean that libpq could not get memory. */
	if (put <= 0)
		return exchange_interrupt(copier->target, err);
	return flush_target(copier, err);
}

static Rc
put_chunk(Copier *copier, Error *err)
{
	Rc rc = RC_OK;

	if (copier->chunk.length > 0)
		rc = put_data(copier, copier->chunk.data, copier->chunk.length, err);
	buf_reset(&copier->chunk);
	return rc;
}

/*
 * Adds a row to the chunk, or keeps one that would not fit ever.  Takes
 * ownership of the row.
 */
static Rc
put_row(Copier *copier, char *row, size_t length, Error *err)
{
	Rc rc = RC_OK;

	if (copier->chunk.length + length > copier->chunk.max)
		rc = put_chunk(copier, err);
	if (rc == RC_OK && length > copier->chunk.max)
	{
		copier->large_row = row;
		copier->large_length = length;
		copier->large_sent = 0;
		return RC_OK;
	}
	if (rc == RC_OK)
		buf_append(&copier->chunk, row, length);
	CHECK(!copier->chunk.overflowed);
	PQfreemem(row);
	return rc;
}

/*
 * Sends the next piece of a large row.  After each piece that the socket takes
 * libpq moves what it still has, so it must never have much.
 */
static Rc
put_piece(Copier *copier, Error *err)
{
	size_t left = copier->large_length - copier->large_sent;
	size_t piece = left < copier->chunk.max ? left : copier->chunk.max;
	Rc rc = put_data(copier, copier->large_row + copier->large_sent, piece,
					 err);

	copier->large_sent += piece;
	if (piece == left)
	{
		PQfreemem(copier->large_row);
		copier->large_row = NULL;
	}
	return rc;
}

/* Gets a row as PQgetCopyData() does, looking at the socket once. */
static int
get_row(PGconn *source, char **row)
{
	int length = PQgetCopyData(source, row, 1);

	if (length != 0)
		return length;
	if (!PQconsumeInput(source))
		return -2;
	return PQgetCopyData(source, row, 1);
}

/*
 * Moves rows until one side has to be waited for (RC_AGAIN), it is enough for
 * one step (RC_AGAIN, and ready), or there are no more (RC_OK).
 */
static Rc
move_rows(Copier *copier, CopierProgress *progress, Error *err)
{
	PGconn *source = pgconn_raw(copier->source);
	int64_t moved = 0;

	while (!copier->target_pending && moved < copier->limit)
	{
		char *row = NULL;
		int length;
		Rc rc;

		if (copier->large_row != NULL)
		{
			rc = put_piece(copier, err);
			if (rc != RC_OK)
				return rc;
			continue;
		}
		length = get_row(source, &row);
		if (length == -2)
			return pgconn_connection_error(copier->source,
										   "lost the connection to", err);
		if (length == -1)
			return put_chunk(copier, err);
		if (length == 0)
			return RC_AGAIN;
		rc = put_row(copier, row, (size_t) length, err);
		if (rc != RC_OK)
			return rc;
		progress->rows++;
		progress->bytes += length;
		moved += length;
		copier->ready = moved >= (int64_t) COPIER_STEP_BYTES;
		if (copier->ready)
			break;
	}
	return RC_AGAIN;
}

static Rc
step_copying(Copier *copier, CopierProgress *progress, Error *err)
{
	Rc rc = exchange_check_quiet(copier->target, err);

	if (rc == RC_OK && copier->target_pending)
		rc = flush_target(copier, err);
	if (rc == RC_OK)
		rc = move_rows(copier, progress, err);
	return rc;
}

/* Has the target note that the part is done, and commit. */
static Rc
send_commit(Copier *copier, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	if (copier->mark != NULL)
		work_tables_append_mark(&sql, copier->mark, copier->part.table,
								copier->target_rows);
	else
		buf_append_string(&sql, "COMMIT");
	return send_sql(copier->target, &sql, err);
}

Rc
copier_take_refusal(PgConn *source, CopyPart *part, CopierProgress *progress,
					Error *err)
{
	GuardVerdict verdict = guard_judge(err);
	Rc rc;

	if (verdict != GUARD_BUSY && verdict != GUARD_CHANGED)
		return RC_FAIL;
	error_reset(err);
	rc = guard_step_back(source, part->table, verdict, err);
	if (rc != RC_OK)
		return rc;
	progress->refused = verdict;
	progress->refused_part = *part;
	*part = (CopyPart){0};
	return RC_END;
}

void
copier_requeue_refused(PartQueue *queue, const CopierProgress *progress)
{
	CopyTable *table = progress->refused_part.table;

	if (progress->refused == GUARD_BUSY)
	{
		part_queue_put_back(queue, progress->refused_part);
		return;
	}
	if (!table->changed)
		log_info("copy",
				 "table %s was truncated, rewritten or replaced on the source "
				 "since the snapshot was taken: it is copied again from a "
				 "newer one",
				 table->qualified);
	table->changed = true;
	table->stale = true;
	part_queue_drop(queue, table);
}

void
copier_say_fewer(int count)
{
	log_warning("copy",
				"copying with %d connections: " ORIGIN_SETTING
				" leaves no room for the replication origin of another one",
				count);
}

void
copier_say_triggers(const char *where)
{
	log_warning("copy",
				"triggers fire and foreign keys are checked for the copied "
				"rows on %s: its role may not set session_replication_role",
				where);
}

/* RC_END: the part cannot be read, or not now, and the copier is idle again. */
static Rc
step_source_starting(Copier *copier, CopierProgress *progress, Error *err)
{
	Rc rc = exchange_take_started(copier->source, PGRES_COPY_OUT, err);

	if (rc == RC_OK)
		return send_to_target(copier, err);
	if (rc == RC_FAIL)
		rc = copier_take_refusal(copier->source, &copier->part, progress, err);
	return rc;
}

/* The source is done: what it says decides how the target ends. */
static Rc
step_source_ending(Copier *copier, Error *err)
{
	Rc rc = pgconn_take_ended(copier->source, &copier->source_rows, err);

	if (rc != RC_OK)
		return rc;
	if (PQputCopyEnd(pgconn_raw(copier->target), NULL) < 0)
		return pgconn_connection_error(copier->target, "could not send to",
									   err);
	return RC_OK;
}

/* The target has another number of rows than the source has sent.  A trigger or
 * a rule of the target may be the reason. */
static Rc
counts_differ(const Copier *copier, Error *err)
{
	Rc rc = error_set(
		err, ERR_CONFIG, "%s took %" PRId64 " of %" PRId64 " rows",
		pgconn_label(copier->target), copier->target_rows, copier->source_rows);

	error_hint(err, "Look for triggers of that table there.");
	return rc;
}

static Rc
step_target_ending(Copier *copier, Error *err)
{
	Rc rc = pgconn_take_ended(copier->target, &copier->target_rows, err);

	if (rc != RC_OK)
		return rc;
	if (copier->target_rows != copier->source_rows)
		return counts_differ(copier, err);
	FAULT("clone.before_mark");
	return send_commit(copier, err);
}

static Rc
step_committing(Copier *copier, CopierProgress *progress, Error *err)
{
	int64_t ignored;
	Rc rc = pgconn_take_ended(copier->target, &ignored, err);

	if (rc == RC_FAIL && strcmp(err->sqlstate, work_list_lost_sqlstate) == 0)
	{
		error_reset(err);
		rc = error_set(err, ERR_CONFIG,
					   "another clone goes on in place of this one");
	}
	if (rc != RC_OK)
		return rc;
	FAULT("clone.after_mark");
	CHECK(copier->target_rows == copier->source_rows);
	progress->finished = copier->part.table;
	progress->finished_rows = copier->target_rows;
	copier->part = (CopyPart){0};
	copier->target_pending = false;
	return RC_OK;
}

/*
 * Does what the state asks for.  RC_OK: on to the next state.  RC_END: back to
 * being idle.
 */
static Rc
step_state(Copier *copier, CopierProgress *progress, Error *err)
{
	switch (copier->state)
	{
		case COPIER_IDLE:
			return RC_AGAIN;
		case COPIER_SOURCE_STARTING:
			return step_source_starting(copier, progress, err);
		case COPIER_TARGET_STARTING:
			return exchange_take_started(copier->target, PGRES_COPY_IN, err);
		case COPIER_COPYING:
			return step_copying(copier, progress, err);
		case COPIER_SOURCE_ENDING:
			return step_source_ending(copier, err);
		case COPIER_TARGET_ENDING:
			return step_target_ending(copier, err);
		case COPIER_COMMITTING:
			return step_committing(copier, progress, err);
	}
	CHECK(false);
	return RC_FAIL;
}

Rc
copier_explain(Rc rc, const CopyPart *part, Error *err)
{
	if (rc != RC_FAIL)
		return RC_OK;
	pgconn_explain_path(err);
	if (err->code != ERR_INTERRUPTED)
		error_context(err, "copying table %s", part->table->qualified);
	return rc;
}

Rc
copier_step(Copier *copier, CopierProgress *progress, Error *err)
{
	Rc rc;

	ASSERT(copier->state != COPIER_IDLE);
	*progress = (CopierProgress){0};
	copier->ready = false;
	do
	{
		rc = step_state(copier, progress, err);
		if (rc == RC_OK)
			copier_set_state(copier, copier->state == COPIER_COMMITTING
										 ? COPIER_IDLE
										 : copier->state + 1);
		else if (rc == RC_END)
			copier_set_state(copier, COPIER_IDLE);
	} while (rc == RC_OK && copier->state != COPIER_IDLE);
	return copier_explain(rc, &copier->part, err);
}

CopierWants
copier_wants(const Copier *copier)
{
	CopierWants wants = {
		.source_fd = -1, .target_fd = -1, .ready = copier->ready};

	switch (copier->state)
	{
		case COPIER_IDLE:
			break;
		case COPIER_TARGET_STARTING:
		case COPIER_TARGET_ENDING:
		case COPIER_COMMITTING:
			wants.target_events = exchange_events(copier->target);
			break;
		case COPIER_SOURCE_STARTING:
		case COPIER_SOURCE_ENDING:
			wants.source_events = exchange_events(copier->source);
			break;
		case COPIER_COPYING:
			wants.target_events = POLLIN;
			if (copier->target_pending)
				wants.target_events |= POLLOUT;
			else if (copier->limit > 0)
				wants.source_events = POLLIN;
			break;
	}
	if (wants.source_events != 0)
		wants.source_fd = PQsocket(pgconn_raw(copier->source));
	if (wants.target_events != 0)
		wants.target_fd = PQsocket(pgconn_raw(copier->target));
	return wants;
}
