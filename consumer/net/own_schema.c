/*
 * own_schema.c
 *    See own_schema.h.
 */
#include "net/own_schema.h"

#include <stdio.h>

/* A statement with the name of one of our tables in it. */
#define SQL_SIZE 128

Rc
own_table_exists(PgConn *target, const char *name, bool *exists, Error *err)
{
	char sql[SQL_SIZE];
	PGresult *result = NULL;
	Rc rc;

	snprintf(sql, sizeof(sql),
			 "SELECT pg_catalog.to_regclass('penstock.%s') IS NOT NULL", name);
	rc = pgconn_exec(target, sql, &result, err);
	*exists = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
own_table_create(PgConn *target, const char *name, const char *sql, Error *err)
{
	bool exists;
	Rc rc = own_table_exists(target, name, &exists, err);

	if (rc == RC_OK && !exists)
		rc = pgconn_exec(target, sql, NULL, err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		error_hint(err, "The role needs CREATE on schema \"penstock\" of the "
						"target.");
	return rc;
}
