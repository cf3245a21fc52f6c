/*
 * origin.h
 *    The mark on a target's WAL that says: this came through a pipeline.
 *
 * A session with a replication origin writes the origin into the WAL with each
 * commit, so that a pipeline the other way round can leave these transactions
 * out (--origin=none) and does not send changes back to where they came from.
 *
 * The origin is only a mark.  Its own idea of a position is not used: on
 * PostgreSQL 15.18 the position set for a transaction that is then rolled back
 * stays, and the next commit of the session takes it over.
 */
#ifndef PENSTOCK_NET_ORIGIN_H
#define PENSTOCK_NET_ORIGIN_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* What says how many origins a server can have; for messages. */
#define ORIGIN_SETTING                                                         \
	"max_active_replication_origins (max_replication_slots before PostgreSQL " \
	"18)"

/*
 * Marks all that the session writes from here on, creating the origin of the
 * pipeline if it does not exist.  *marked is false, and it is no error, if the
 * role may not do so or the server has no room for origins; the WAL then says
 * which.
 *
 * An origin is for one session at a time.  A pipeline has one, number 0, and
 * others with numbers from 1 for further sessions.
 */
MUST_CHECK Rc origin_set_up(PgConn *target, const char *pipeline, int number,
							bool *marked, Error *err);

/* The same with the first of the further origins that no session has. */
MUST_CHECK Rc origin_set_up_free(PgConn *target, const char *pipeline,
								 bool *marked, Error *err);

/*
 * Drops a pipeline's further origins, but for those that a session has: each
 * takes one of the server's few places for as long as it exists.
 */
MUST_CHECK Rc origin_drop_free(PgConn *target, const char *pipeline,
							   Error *err);

/* Drops all origins of a pipeline; *removed says whether there was one. */
MUST_CHECK Rc origin_drop(PgConn *target, const char *pipeline, bool *removed,
						  Error *err);

#endif /* PENSTOCK_NET_ORIGIN_H */
