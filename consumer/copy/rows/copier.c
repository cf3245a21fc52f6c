/*
 * copier.c
 *    Passes the rows of COPY TO STDOUT on the source to COPY FROM STDIN on the
 *    target.
 *
 * libpq returns one row per call.  To pass each row on by itself would cost a
 * message per row, and sometimes a system call.  So we collect rows into
 * chunks; a server accepts CopyData messages that end anywhere in the data.
 *
 * While COPY FROM STDIN runs, libpq does not return errors of the server until
 * we send the end of the data.  So a target that has refused a row would be
 * sent the rest of the table in vain.  But a server sends nothing during COPY
 * FROM STDIN unless it fails, because client_min_messages suppresses notices.
 * So when the target's socket becomes readable, we end the COPY and read the
 * error.  We check the socket before each chunk, because libpq reads and keeps
 * what the target sends while libpq waits for room to send; an error that libpq
 * has read this way is reported at the end of the table.
 *
 * The source may report an error after its last row.  So we send the end of the
 * data to the target only when the source has reported success, and COMMIT only
 * when the target has accepted the rows.
 */
#include "copy/rows/copier.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "copy/rows/as_matched.h"
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
	CopyPart part;   /* the part being copied; its table is NULL if idle */
	Buf chunk;       /* rows that were not passed to libpq yet */
	char *large_row; /* row longer than a chunk, sent in pieces; or NULL */
	size_t large_length;
	size_t large_sent;   /* bytes of the large row passed to libpq so far */
	bool target_pending; /* whether libpq has data that it could not send yet */
	bool ready;          /* whether the step ended at COPIER_STEP_BYTES */
	SessionRights rights; /* rights of the target's session */
	int64_t source_rows;  /* number of rows that the source reports as sent */
	int64_t target_rows;  /* number of rows that the target reports */
	int64_t limit;        /* bytes that a step may copy; 0: none for now */
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

	ASSERT(options->snapshot != NULL);
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
	writer_say_unmarked(copier->target);
}

static void
append_format(const CopyTable *table, Buf *sql)
{
	if (table->binary)
		buf_append_string(sql, " WITH (FORMAT binary)");
}

/* Appends WHERE with the table's row filter and the part's range of blocks, as
 * far as they exist. */
static void
append_condition(const CopyPart *part, Buf *sql)
{
	const char *glue = " WHERE ";

	/* A part without blocks would be copied without its rows. */
	CHECK(part->end_block == 0 || part->end_block > part->first_block);
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
 * Appends the statements that read the part.  A whole table is read with COPY
 * TABLE TO, which is faster than COPY (SELECT …) TO, and which does not read
 * tables that inherit from the table.
 */
static void
append_source_sql(const Copier *copier, Buf *sql)
{
	const CopyPart *part = &copier->part;
	const CopyTable *table = part->table;

	ASSERT(table != NULL);
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

	buf_append_string(sql, "BEGIN; " PGCONN_SET_LOCAL_OWN_PATH_SQL "; ");
	as_matched_append_check(sql, table);
	buf_printf(sql, "COPY %s ", table->qualified);
	catalog_append_column_list(table, sql);
	buf_append_string(sql, " FROM STDIN");
	append_format(table, sql);
}

/* Sends a statement and releases `sql`; does not wait for an answer. */
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
	ASSERT(copier->large_row == NULL && !copier->target_pending);
	/* Each part would be read under a snapshot of its own. */
	CHECK(copier->snapshot[0] != '\0');
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
	ASSERT(bytes >= 0);
	copier->limit = bytes;
}

/* Has libpq send its buffer to the target, as far as the socket has room; sets
 * target_pending if some of the buffer is left. */
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

	ASSERT(!copier->target_pending);
	ASSERT(length > 0 && length <= INT32_MAX);
	if (rc != RC_OK)
		return rc;
	put = PQputCopyData(pgconn_raw(copier->target), data, (int) length);
	/* PQputCopyData() returns 0 if libpq could not allocate memory. */
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
 * Adds a row to the chunk, or keeps a row that is longer than a chunk as the
 * large row.  Takes ownership of the row.
 */
static Rc
put_row(Copier *copier, char *row, size_t length, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(copier->large_row == NULL);
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
 * Passes the next piece of the large row to libpq.  Pieces are small because
 * libpq moves its remaining buffer each time that the socket accepts some of
 * it.
 */
static Rc
put_piece(Copier *copier, Error *err)
{
	size_t left = copier->large_length - copier->large_sent;
	size_t piece = left < copier->chunk.max ? left : copier->chunk.max;
	Rc rc = put_data(copier, copier->large_row + copier->large_sent, piece,
					 err);

	ASSERT(copier->large_sent < copier->large_length);
	copier->large_sent += piece;
	if (piece == left)
	{
		PQfreemem(copier->large_row);
		copier->large_row = NULL;
	}
	return rc;
}

/* Returns a row as PQgetCopyData() does; if libpq has none, reads from the
 * socket once. */
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
 * Passes rows from the source to the target.  Returns RC_AGAIN if one of them
 * has to be waited for or the limit is reached, RC_AGAIN with `ready` set if
 * COPIER_STEP_BYTES were passed, and RC_OK if the source has sent all rows.
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

/* Sends the statements that compare the columns once more, mark the part as
 * done in the work list, if there is one, and commit. */
static Rc
send_commit(Copier *copier, Error *err)
{
	Buf sql;

	CHECK(copier->target_rows == copier->source_rows);
	buf_init(&sql, BUF_TEXT_MAX);
	as_matched_append_check(&sql, copier->part.table);
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

	ASSERT(part->table != NULL);
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

	ASSERT(progress->refused != GUARD_PASSED && table != NULL);
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
	ASSERT(count > 0);
	log_warning("copy.fewer-connections",
				"copying with %d connections: " ORIGIN_SETTING
				" leaves no room for the replication origin of another one",
				count);
}

void
copier_say_triggers(const char *where)
{
	log_warning("copy.triggers-fire",
				"triggers fire and foreign keys are checked for the copied "
				"rows on %s: its role may not set session_replication_role",
				where);
}

/* Starts the target when the source has begun to send.  Returns RC_END if the
 * part was refused; the copier then becomes idle again. */
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

/* Takes the source's final result.  If the source reports success, sends the
 * end of the data to the target. */
static Rc
step_source_ending(Copier *copier, Error *err)
{
	Rc rc = pgconn_take_ended(copier->source, &copier->source_rows, err);

	if (rc != RC_OK)
		return rc;
	/* The target would not get these rows. */
	CHECK(copier->chunk.length == 0 && copier->large_row == NULL);
	if (PQputCopyEnd(pgconn_raw(copier->target), NULL) < 0)
		return pgconn_connection_error(copier->target, "could not send to",
									   err);
	return RC_OK;
}

/* Error: the target has inserted a number of rows that differs from the number
 * that the source has sent.  A trigger of the target may be the reason. */
static Rc
counts_differ(const Copier *copier, Error *err)
{
	Rc rc = error_set(
		err, ERR_CONFIG, "%s took %" PRId64 " of %" PRId64 " rows",
		pgconn_label(copier->target), copier->target_rows, copier->source_rows);

	ASSERT(copier->target_rows != copier->source_rows);
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
	ASSERT(copier->large_row == NULL && copier->chunk.length == 0);
	progress->finished = copier->part.table;
	progress->finished_rows = copier->target_rows;
	copier->part = (CopyPart){0};
	copier->target_pending = false;
	return RC_OK;
}

/*
 * Does the work of the current state as far as it can without waiting.  Returns
 * RC_OK if the next state follows, RC_END if the state becomes COPIER_IDLE, and
 * RC_AGAIN if the state stays.
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
	check_failed("the state of a copier is known", __FILE__, __LINE__);
}

Rc
copier_explain(Rc rc, const CopyPart *part, Error *err)
{
	if (rc != RC_FAIL)
		return RC_OK;
	ASSERT(part->table != NULL);
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
