/*
 * lane.c
 *    Keeps a ring of expectations in parallel to libpq's queue of commands.
 */
#include "sink/postgres/apply/lane.h"

#include <stdlib.h>

#include "base/xalloc.h"

/* Bytes that libpq may buffer before it must flush. */
#define FLUSH_BYTES (32 * KB)

/* Approximate size of a command's messages without its values, in bytes. */
#define COMMAND_BYTES 64

/*
 * Largest number of items that are added between two calls of
 * lane_is_blocked(): the end of a transaction takes seven statements with up to
 * two items each, and a sync.
 */
#define ITEMS_AT_ONCE_MAX 15

typedef enum ItemKind
{
	ITEM_PREPARE, /* a PREPARE that the lane has added itself: its success is
				   * not reported to the caller */
	ITEM_COMMAND,
	ITEM_SYNC,
} ItemKind;

typedef struct Item
{
	ItemKind kind;
	Expectation expectation;
} Item;

struct Lane
{
	PgConn *conn;
	PGconn *pg;
	Item items[LANE_EXPECTATIONS_MAX]; /* ring buffer of the items that were
										* sent and not answered */
	size_t item_first;
	size_t item_count;
	size_t unflushed_bytes;
	bool flush_pending; /* whether the socket has not accepted everything */
	bool in_pipeline;   /* whether the connection is in pipeline mode */
};

Lane *
lane_new(PgConn *conn)
{
	Lane *lane = xcalloc(1, sizeof(Lane));

	lane->conn = conn;
	lane->pg = pgconn_raw(conn);
	return lane;
}

void
lane_free(Lane *lane)
{
	if (lane == NULL)
		return;
	pgconn_close(lane->conn);
	free(lane);
}

PgConn *
lane_conn(const Lane *lane)
{
	return lane->conn;
}

bool
lane_is_empty(const Lane *lane)
{
	return lane->item_count == 0;
}

bool
lane_is_blocked(const Lane *lane)
{
	ASSERT(lane->item_count <= LANE_EXPECTATIONS_MAX);
	return lane->flush_pending ||
		   lane->item_count + ITEMS_AT_ONCE_MAX > LANE_EXPECTATIONS_MAX;
}

bool
lane_wants_write(const Lane *lane)
{
	return lane->flush_pending;
}

static MUST_CHECK Rc
broken(Lane *lane, Error *err)
{
	return pgconn_connection_error(lane->conn, "lost the connection to", err);
}

static void
push(Lane *lane, ItemKind kind, const Expectation *expectation)
{
	size_t at = (lane->item_first + lane->item_count) % LANE_EXPECTATIONS_MAX;

	ASSERT(lane->in_pipeline);
	CHECK(lane->item_count < LANE_EXPECTATIONS_MAX);
	lane->items[at].kind = kind;
	if (expectation != NULL)
		lane->items[at].expectation = *expectation;
	lane->item_count++;
}

static MUST_CHECK Rc
note_sent(Lane *lane, size_t bytes, Error *err)
{
	lane->unflushed_bytes += bytes;
	return lane->unflushed_bytes >= FLUSH_BYTES ? lane_flush(lane, err) : RC_OK;
}

Rc
lane_flush(Lane *lane, Error *err)
{
	int pending = PQflush(lane->pg);

	if (pending < 0)
		return broken(lane, err);
	lane->flush_pending = pending > 0;
	lane->unflushed_bytes = 0;
	return RC_OK;
}

Rc
lane_send_sql(Lane *lane, const char *sql, const Expectation *expectation,
			  Error *err)
{
	ASSERT(lane->in_pipeline);
	if (!PQsendQueryParams(lane->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
		return broken(lane, err);
	push(lane, ITEM_COMMAND, expectation);
	return note_sent(lane, COMMAND_BYTES, err);
}

Rc
lane_send_statement(Lane *lane, Statement *statement, const Params *params,
					const Expectation *expectation, Error *err)
{
	size_t bytes = COMMAND_BYTES;

	ASSERT(statement->sql != NULL);
	CHECK(params->count >= statement->param_count);
	ASSERT(lane->in_pipeline);
	if (!statement->prepared)
	{
		if (!PQsendPrepare(lane->pg, statement->name, statement->sql,
						   params->count, params->types))
			return broken(lane, err);
		push(lane, ITEM_PREPARE, expectation);
		statement->prepared = true;
	}
	if (!PQsendQueryPrepared(lane->pg, statement->name, params->count,
							 params->values, params->lengths, params->formats,
							 statement->binary ? 1 : 0))
		return broken(lane, err);
	push(lane, ITEM_COMMAND, expectation);
	for (int i = 0; i < params->count; i++)
		bytes += (size_t) params->lengths[i] + sizeof(int32_t);
	return note_sent(lane, bytes, err);
}

Rc
lane_send_sync(Lane *lane, Error *err)
{
	ASSERT(lane->in_pipeline);
	if (!PQpipelineSync(lane->pg))
		return broken(lane, err);
	push(lane, ITEM_SYNC, NULL);
	return lane_flush(lane, err);
}

static void
pop(Lane *lane)
{
	ASSERT(lane->item_count > 0);
	lane->item_first = (lane->item_first + 1) % LANE_EXPECTATIONS_MAX;
	lane->item_count--;
}

/*
 * Returns RC_OK when libpq can return a result, or the end of one, without
 * waiting.
 */
static MUST_CHECK Rc
result_is_here(Lane *lane, Error *err)
{
	if (!PQisBusy(lane->pg))
		return RC_OK;
	if (!PQconsumeInput(lane->pg))
		return broken(lane, err);
	return PQisBusy(lane->pg) ? RC_AGAIN : RC_OK;
}

/* Skips the NULL after a command's results; a sync has none. */
static MUST_CHECK Rc
skip_end_of_command(Lane *lane, Error *err)
{
	PGresult *end = PQgetResult(lane->pg);

	if (end == NULL)
		return RC_OK;
	PQclear(end);
	return error_set(err, ERR_PROTOCOL, "unexpected second result from %s",
					 pgconn_label(lane->conn));
}

Rc
lane_receive(Lane *lane, PGresult **result, Expectation *expectation,
			 Error *err)
{
	ASSERT(lane->in_pipeline || lane->item_count == 0);
	while (lane->item_count > 0)
	{
		Item *item = &lane->items[lane->item_first];
		PGresult *next;
		Rc rc = result_is_here(lane, err);

		if (rc != RC_OK)
			return rc;
		next = PQgetResult(lane->pg);
		if (next == NULL)
			return broken(lane, err);
		if (item->kind == ITEM_SYNC)
		{
			bool synced = PQresultStatus(next) == PGRES_PIPELINE_SYNC;

			PQclear(next);
			if (!synced)
				return broken(lane, err);
			pop(lane);
			return RC_END;
		}
		rc = skip_end_of_command(lane, err);
		if (rc == RC_OK && item->kind == ITEM_PREPARE &&
			PQresultStatus(next) == PGRES_COMMAND_OK)
		{
			PQclear(next);
			pop(lane);
			continue;
		}
		if (rc != RC_OK)
		{
			PQclear(next);
			return rc;
		}
		*expectation = item->expectation;
		*result = next;
		pop(lane);
		return RC_OK;
	}
	return RC_AGAIN;
}

Rc
lane_leave_pipeline(Lane *lane, Error *err)
{
	ASSERT(lane->in_pipeline && lane->item_count == 0);
	if (!PQexitPipelineMode(lane->pg))
		return broken(lane, err);
	lane->in_pipeline = false;
	return RC_OK;
}

Rc
lane_enter_pipeline(Lane *lane, Error *err)
{
	ASSERT(!lane->in_pipeline && lane->item_count == 0);
	if (!PQenterPipelineMode(lane->pg))
		return broken(lane, err);
	lane->in_pipeline = true;
	return RC_OK;
}
