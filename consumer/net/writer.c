/*
 * writer.c
 *    Opens all these sessions in one place, so that none is without its
 *    origin.
 */
#include "net/writer.h"

#include <poll.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "net/origin.h"
#include "net/pgconn_open.h"

/* Milliseconds that releasing the origin may take when a session is closed. */
#define UNMARK_WAIT_MS 1000

Rc
writer_open(PgConn **conn, const PgConnOptions *options, const char *pipeline,
			bool *marked, Error *err)
{
	Rc rc = pgconn_open(conn, options, err);

	*marked = false;
	if (rc == RC_OK)
		rc = origin_set_up_free(*conn, pipeline, marked, err);
	return rc;
}

/* Releases the session's origin. */
static const char unmark_sql[] =
	"SELECT pg_catalog.pg_replication_origin_session_reset()"
	" WHERE pg_catalog.pg_replication_origin_session_is_setup()";

/*
 * Waits for the answer, at most UNMARK_WAIT_MS: the server may have stopped
 * answering, which may be why the caller closes the session.
 */
static void
await_answer(PgConn *conn)
{
	PGconn *pg = pgconn_raw(conn);
	int64_t deadline_us = clock_monotonic_us() +
						  (int64_t) UNMARK_WAIT_MS * 1000;
	Error ignored = {0};

	while (PQflush(pg) >= 0 && PQconsumeInput(pg) && PQisBusy(pg))
	{
		int64_t left_us = deadline_us - clock_monotonic_us();

		if (left_us <= 0 || interrupt_wait(PQsocket(pg), POLLIN, left_us / 1000,
										   &ignored) != RC_OK)
			break;
	}
	error_reset(&ignored);
	if (!PQisBusy(pg))
		PQclear(PQgetResult(pg));
}

/*
 * If the session is in the middle of a statement or transaction, we only close
 * it: the server then releases the origin when it terminates the session.
 */
void
writer_close(PgConn *conn)
{
	if (conn != NULL && PQtransactionStatus(pgconn_raw(conn)) == PQTRANS_IDLE &&
		PQsendQuery(pgconn_raw(conn), unmark_sql))
		await_answer(conn);
	pgconn_close(conn);
}

/* Whether a logical slot exists that decodes the changes of this database. */
static bool
is_read(PgConn *conn)
{
	Error ignored = {0};
	PGresult *result = NULL;
	Rc rc = pgconn_exec(conn,
						"SELECT EXISTS (SELECT FROM"
						" pg_catalog.pg_replication_slots"
						" WHERE slot_type = 'logical'"
						" AND database = pg_catalog.current_database())",
						&result, &ignored);
	bool read = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';

	PQclear(result);
	error_reset(&ignored);
	return read;
}

void
writer_say_unmarked(PgConn *conn)
{
	static const char format[] =
		"what is copied to %s has no mark of a replication origin: the role "
		"may not set one there, or " ORIGIN_SETTING
		" leaves no room; a pipeline from there sends it on, also with "
		"--origin=none";

	if (is_read(conn))
		log_warning("copy.not-marked", format, pgconn_label(conn));
	else
		log_info("copy.not-marked", format, pgconn_label(conn));
}

void
writer_end(PgConn *conn, const char *pipeline)
{
	Error ignored = {0};
	Rc rc;

	if (conn == NULL)
		return;
	interrupt_defer(true);
	rc = pgconn_exec(conn, unmark_sql, NULL, &ignored);
	if (rc == RC_OK)
		rc = origin_drop_free(conn, pipeline, &ignored);
	interrupt_defer(false);
	if (rc != RC_OK)
		error_reset(&ignored);
}
