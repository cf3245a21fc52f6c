/*
 * current_check.c
 *    Runs the statements of plan/current.h.
 */
#include "sink/postgres/tables/current_check.h"

#include <string.h>

Rc
current_set_up(PgConn *target, bool *made, Error *err)
{
	Rc rc = pgconn_exec(target, current_create_functions_sql, NULL, err);

	*made = rc == RC_OK;
	if (rc == RC_FAIL && (strcmp(err->sqlstate, "42501") == 0 ||
						  strcmp(err->sqlstate, "42704") == 0))
	{
		error_reset(err); /* no TEMPORARY privilege on the database, or no
						   * PL/pgSQL */
		return RC_OK;
	}
	return rc;
}

Rc
current_find_changed(PgConn *target, const CurrentTables *tables, bool *changed,
					 Error *err)
{
	PGresult *result = NULL;
	CurrentText text;
	Rc rc;

	*changed = false;
	if (tables->count == 0)
		return RC_OK;
	current_text_init(&text, tables);
	rc = pgconn_exec_params(
		target, current_find_changed_sql, 2,
		(const char *const[]){text.names.data, text.fingerprints.data}, &result,
		err);
	current_text_release(&text);
	if (rc == RC_OK)
		*changed = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
current_set_changed(const char *label, Error *err)
{
	return error_set(err, ERR_CHANGED,
					 "a table on %s was altered while it was written to",
					 label);
}
