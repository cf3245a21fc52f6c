/*
 * sql.h
 *    SQL statements composed in a Buf, and their results.
 */
#ifndef PENSTOCK_NET_SQL_H
#define PENSTOCK_NET_SQL_H

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/* First version of PostgreSQL with the view pg_stat_progress_copy. */
#define PROGRESS_COPY_VERSION_NUM 140000

/*
 * Runs the statement in `sql` and releases the buffer.  Fails with ERR_LIMIT if
 * the text did not fit into the buffer.  For `result` see pgconn_exec().
 */
MUST_CHECK Rc sql_run(PgConn *conn, Buf *sql, PGresult **result, Error *err);

/*
 * Begin a transaction that reads one snapshot: an exported one with that name,
 * or a new one if the name is NULL or empty.  The first one appends the
 * statements, each with a semicolon; the second one blocks.  The session must
 * be outside of a transaction.
 */
void sql_append_begin_snapshot(Buf *sql, const char *snapshot);
MUST_CHECK Rc sql_begin_snapshot(PgConn *conn, const char *snapshot,
								 Error *err);

/* Appends "schema"."name". */
void sql_append_qualified(Buf *sql, const char *schema, const char *name);

/* Returns a boolean field of a result; false if it is NULL. */
bool sql_bool(const PGresult *result, int row, int column);

#endif /* PENSTOCK_NET_SQL_H */
