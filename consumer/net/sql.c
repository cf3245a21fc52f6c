/*
 * sql.c
 *    SQL statements composed in a Buf, and their results.
 */
#include "net/sql.h"

Rc
sql_run(PgConn *conn, Buf *sql, PGresult **result, Error *err)
{
	Rc rc;

	if (sql->overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "a statement for %s would be longer than %zu bytes",
					   pgconn_label(conn), sql->max);
	else
		rc = pgconn_exec(conn, sql->data, result, err);
	buf_release(sql);
	return rc;
}

void
sql_append_begin_snapshot(Buf *sql, const char *snapshot)
{
	buf_append_string(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;");
	if (snapshot == NULL || snapshot[0] == '\0')
		return;
	buf_append_string(sql, "SET TRANSACTION SNAPSHOT ");
	buf_append_literal(sql, snapshot);
	buf_append_char(sql, ';');
}

Rc
sql_begin_snapshot(PgConn *conn, const char *snapshot, Error *err)
{
	Buf sql;

	/* In a transaction, BEGIN would be a warning, and the snapshot another. */
	ASSERT(pgconn_can_be_outside(conn));
	buf_init(&sql, BUF_TEXT_MAX);
	sql_append_begin_snapshot(&sql, snapshot);
	return sql_run(conn, &sql, NULL, err);
}

void
sql_append_qualified(Buf *sql, const char *schema, const char *name)
{
	buf_append_identifier(sql, schema);
	buf_append_char(sql, '.');
	buf_append_identifier(sql, name);
}

bool
sql_bool(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column)[0] == 't';
}
