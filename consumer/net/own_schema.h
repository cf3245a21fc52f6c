/*
 * own_schema.h
 *    Making tables in schema penstock of a target.
 *
 * Pipelines that come to a target at the same moment find nothing there, and
 * all but one fail: IF NOT EXISTS does not wait.  So they take turns.
 */
#ifndef PENSTOCK_NET_OWN_SCHEMA_H
#define PENSTOCK_NET_OWN_SCHEMA_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * To be in front of CREATE TABLE IF NOT EXISTS, in one string.  The key is
 * "penstock" read as a number.  That another one has made the table is no news.
 */
#define OWN_SCHEMA_LOCK_SQL                                                    \
	"SELECT pg_catalog.pg_advisory_xact_lock(8099000947049456491),"            \
	" pg_catalog.set_config('client_min_messages', 'warning', true);"

/* Whether there is a table of that name in the schema.  Waits for the target.
 */
MUST_CHECK Rc own_table_exists(PgConn *target, const char *name, bool *exists,
							   Error *err);

/* Makes it by these statements, unless it is there.  The schema is there. */
MUST_CHECK Rc own_table_create(PgConn *target, const char *name,
							   const char *sql, Error *err);

#endif /* PENSTOCK_NET_OWN_SCHEMA_H */
