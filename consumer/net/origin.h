/*
 * origin.h
 *    Marks the changes that we write into a target's WAL with a replication
 *    origin.
 *
 * A session with a replication origin writes the origin into the WAL with each
 * commit.  A pipeline in the other direction, which has this target as its
 * source, can leave these transactions out (--origin=none).  So it does not
 * send our changes back to where they came from.
 *
 * We use the origin as a mark only, not for the position (remote LSN) that the
 * server can store with it.  On PostgreSQL 15.18 the position set for a
 * transaction that is then rolled back stays, and the next commit of the
 * session stores it.
 */
#ifndef PENSTOCK_NET_ORIGIN_H
#define PENSTOCK_NET_ORIGIN_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Setting that limits the number of origins of a server; for messages. */
#define ORIGIN_SETTING                                                         \
	"max_active_replication_origins (max_replication_slots before PostgreSQL " \
	"18)"

/*
 * Name of an origin: this prefix and the pipeline's name, and of a further
 * origin a slash and its number.  (The server's name of it also has the
 * database.)  The server tells nobody the name of the origin that a session
 * has, so a session with an origin also has its name in this setting.  Whoever
 * reads the setting must check that the session has an origin at all, which
 * only a role with that privilege can set; anybody can set the setting.
 */
#define ORIGIN_PREFIX       "penstock_"
#define ORIGIN_NAME_SETTING "penstock.origin"

/*
 * Sets the pipeline's origin number `number` for the session of `target`, and
 * creates the origin if it does not exist.  All that the session commits from
 * now on is marked.  If the role has no privilege for that, or the server has
 * no room for origins, *marked is false and the function succeeds; for number 0
 * it logs the reason.
 *
 * Only one session at a time can use an origin.  Origin 0 of a pipeline is for
 * the session that applies the stream, origins 1 and up are for further
 * sessions.
 */
MUST_CHECK Rc origin_set_up(PgConn *target, const char *pipeline, int number,
							bool *marked, Error *err);

/*
 * Sets, for the session of `target`, the first of the pipeline's further
 * origins (1 and up) that no session uses.  Otherwise as origin_set_up().
 */
MUST_CHECK Rc origin_set_up_free(PgConn *target, const char *pipeline,
								 bool *marked, Error *err);

/*
 * Drops those of the pipeline's further origins that no session uses.  Each
 * origin occupies one of the server's few places (ORIGIN_SETTING) as long as it
 * exists.
 */
MUST_CHECK Rc origin_drop_free(PgConn *target, const char *pipeline,
							   Error *err);

/* Drops all origins of a pipeline.  *removed tells whether there was one. */
MUST_CHECK Rc origin_drop(PgConn *target, const char *pipeline, bool *removed,
						  Error *err);

#endif /* PENSTOCK_NET_ORIGIN_H */
