/*
 * exchange.c
 *    Takes results of a COPY, and makes an Error of results that are errors.
 */
#include "copy/rows/exchange.h"

#include <poll.h>

Rc
exchange_take_started(PgConn *conn, ExecStatusType expected, Error *err)
{
	ExecStatusType status;

	ASSERT(expected == PGRES_COPY_OUT || expected == PGRES_COPY_IN);
	do
	{
		PGresult *result = NULL;
		Rc rc = pgconn_take_result(conn, &result);

		if (rc != RC_OK)
			return rc;
		rc = pgconn_check_result(conn, result, err);
		status = PQresultStatus(result);
		PQclear(result);
		if (rc != RC_OK)
			return rc;
	} while (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
	if (status != expected)
		return error_set(err, ERR_PROTOCOL, "unexpected answer to COPY from %s",
						 pgconn_label(conn));
	return RC_OK;
}

Rc
exchange_interrupt(PgConn *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc;

	(void) PQputCopyEnd(pgconn_raw(target), "copy interrupted");
	rc = pgconn_get_result(target, &result, err);
	if (rc != RC_OK)
		return rc;
	rc = pgconn_check_result(target, result, err);
	if (rc == RC_OK)
		rc = error_set(err, ERR_PROTOCOL, "unexpected message from %s",
					   pgconn_label(target));
	ASSERT(rc == RC_FAIL);
	PQclear(result);
	return rc;
}

Rc
exchange_check_quiet(PgConn *target, Error *err)
{
	struct pollfd fd = {.fd = PQsocket(pgconn_raw(target)), .events = POLLIN};

	if (poll(&fd, 1, 0) > 0 && (fd.revents & ~POLLOUT) != 0)
		return exchange_interrupt(target, err);
	return RC_OK;
}

short
exchange_events(PgConn *conn)
{
	return PQflush(pgconn_raw(conn)) > 0 ? POLLIN | POLLOUT : POLLIN;
}
