/*
 * ends.h
 *    Whether a source and a target can be the two ends of one pipeline.
 *
 * Whoever gives a database as both, or mixes them up, would be told to drop or
 * to empty what is on the target, and that is then the original.  So commands
 * ask this before they say anything else.
 */
#ifndef PENSTOCK_CHECK_ENDS_H
#define PENSTOCK_CHECK_ENDS_H

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if the two are one database, or if they are the other
 * way round: the pipeline goes from the target to the source, or the
 * publications are on the target and not on the source.  `publications` is a
 * list, or NULL: that is not asked.
 */
MUST_CHECK Rc ends_check(PgConn *source, PgConn *target, const char *pipeline,
						 const char *publications, Error *err);

/*
 * Which database of which server one is connected to, by whatever name: equal
 * texts are one database.  Any role may ask.
 */
#define ENDS_IDENTITY_SIZE 64
MUST_CHECK Rc ends_read_identity(PgConn *conn,
								 char identity[static ENDS_IDENTITY_SIZE],
								 Error *err);

#endif /* PENSTOCK_CHECK_ENDS_H */
