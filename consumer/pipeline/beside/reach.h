/*
 * reach.h
 *    Opens a session with a target or the source, for a few queries.
 *
 * Sinks and copies, which keep their sessions, open them themselves.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_REACH_H
#define PENSTOCK_PIPELINE_BESIDE_REACH_H

#include "base/error.h"
#include "config/config.h"
#include "net/pgconn.h"

/*
 * Opens a session with target `index`, from 0.  Messages name the target as
 * config_label_target() does.  The caller owns *conn.  Waits.
 */
MUST_CHECK Rc reach_target(const Config *config, int index, PgConn **conn,
						   Error *err);

/*
 * Opens a session with the source, for what is done beside following.  Messages
 * name the source as config_label_source() does.  With `impatient` each answer
 * of the server has a limit: for callers that other work waits for.  Waits.
 */
MUST_CHECK Rc reach_source(const Config *config, const char *application_name,
						   bool impatient, PgConn **conn, Error *err);

/*
 * Opens a session like reach_target(), with a limit for each answer of the
 * server (PgConnOptions.impatient): for callers that other work waits for.
 */
MUST_CHECK Rc reach_target_soon(const Config *config, int index, PgConn **conn,
								Error *err);

/*
 * Opens a session like reach_target_soon(), for a target with which the
 * follower has sessions already: no second connection is opened to detect a
 * pooler.
 */
MUST_CHECK Rc reach_target_again(const Config *config, int index, PgConn **conn,
								 Error *err);

/*
 * Opens a session like reach_target(), but connecting and each answer may take
 * at most `at_most_ms` milliseconds: for a program that is about to end.
 */
MUST_CHECK Rc reach_target_within(const Config *config, int index,
								  int at_most_ms, PgConn **conn, Error *err);

/*
 * Replaces the error that the source has no slot of the pipeline, if the writes
 * were moved to the target: then the slot is gone, and the target says why.  If
 * it cannot be asked, the error stays as it is.  Waits.
 */
void reach_explain_no_slot(const Config *config, Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_REACH_H */
