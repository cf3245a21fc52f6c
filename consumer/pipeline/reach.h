/*
 * reach.h
 *    A session with a target of the configuration, for a question or two.
 *
 * What keeps its sessions opens them itself: the sinks, and what copies.
 */
#ifndef PENSTOCK_PIPELINE_REACH_H
#define PENSTOCK_PIPELINE_REACH_H

#include "base/error.h"
#include "config/config.h"
#include "net/pgconn.h"

/*
 * Opens a session with the target of this number, from 0, which messages name
 * as config_label_target() does.  *conn is the caller's.  Waits.
 */
MUST_CHECK Rc reach_target(const Config *config, int index, PgConn **conn,
						   Error *err);

/* The same where others would be kept waiting: gives up sooner, see pgconn.h.
 */
MUST_CHECK Rc reach_target_soon(const Config *config, int index, PgConn **conn,
								Error *err);

/* The same where the follower has had sessions with it: a pooler in between is
 * asked for no more than this one. */
MUST_CHECK Rc reach_target_again(const Config *config, int index, PgConn **conn,
								 Error *err);

/* The same where somebody waits for us to end: connecting and each answer may
 * take this long. */
MUST_CHECK Rc reach_target_within(const Config *config, int index,
								  int at_most_ms, PgConn **conn, Error *err);

#endif /* PENSTOCK_PIPELINE_REACH_H */
