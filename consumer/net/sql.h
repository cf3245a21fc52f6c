/*
 * sql.h
 *    Statements that are put together in a Buf.
 */
#ifndef PENSTOCK_NET_SQL_H
#define PENSTOCK_NET_SQL_H

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/* Servers have pg_stat_progress_copy from this version on. */
#define PROGRESS_COPY_VERSION_NUM 140000

/*
 * Runs the statement in `sql` and releases the buffer.  A text that did not
 * fit is ERR_LIMIT.  For `result` see pgconn_exec().
 */
MUST_CHECK Rc sql_run(PgConn *conn, Buf *sql, PGresult **result, Error *err);

/* Appends "schema"."name". */
void sql_append_qualified(Buf *sql, const char *schema, const char *name);

/* A field of a result as a boolean; NULL is false. */
bool sql_bool(const PGresult *result, int row, int column);

#endif /* PENSTOCK_NET_SQL_H */
