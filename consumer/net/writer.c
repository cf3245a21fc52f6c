/*
 * writer.c
 *    Opening them in one place, so that none is without its mark.
 */
#include "net/writer.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "net/origin.h"

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

/* Whether somebody reads what is written in this database. */
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
writer_say_unmarked(PgConn *conn, const char *component)
{
	static const char format[] =
		"what is copied to %s has no mark of a replication origin: the role "
		"may not set one there, or " ORIGIN_SETTING
		" leaves no room; a pipeline from there sends it on, also with "
		"--origin=none";

	if (is_read(conn))
		log_warning(component, format, pgconn_label(conn));
	else
		log_info(component, format, pgconn_label(conn));
}

void
writer_end(PgConn *conn, const char *pipeline)
{
	Error ignored = {0};
	Rc rc;

	if (conn == NULL)
		return;
	interrupt_defer(true);
	rc = pgconn_exec(
		conn,
		"SELECT pg_catalog.pg_replication_origin_session_reset()"
		" WHERE pg_catalog.pg_replication_origin_session_is_setup()",
		NULL, &ignored);
	if (rc == RC_OK)
		rc = origin_drop_free(conn, pipeline, &ignored);
	interrupt_defer(false);
	if (rc != RC_OK)
		error_reset(&ignored);
}
