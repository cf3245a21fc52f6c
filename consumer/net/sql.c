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
