/*
 * ends.h
 *    Checks whether two databases can be source and target of one pipeline.
 *
 * If a user gives the same database as source and target, or swaps them, other
 * checks would advise to drop or empty tables of the target, which then are the
 * user's only ones.  So commands call ends_check() before all other checks.
 */
#ifndef PENSTOCK_CHECK_ENDS_H
#define PENSTOCK_CHECK_ENDS_H

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if source and target are the same database, or seem to
 * be swapped: the target has the pipeline's slot and the source its progress,
 * or the publications exist on the target and not on the source.
 * `publications` is the list of publications, or NULL: they are not checked.
 * Blocks.
 */
MUST_CHECK Rc ends_check(PgConn *source, PgConn *target, const char *pipeline,
						 const char *publications, Error *err);

/*
 * Reads a text that identifies the database of a connection, and its server:
 * two connections with equal texts are connected to the same database, under
 * whatever names.  Needs no privileges.  Blocks.
 */
#define ENDS_IDENTITY_SIZE 64
MUST_CHECK Rc ends_read_identity(PgConn *conn,
								 char identity[static ENDS_IDENTITY_SIZE],
								 Error *err);

#endif /* PENSTOCK_CHECK_ENDS_H */
