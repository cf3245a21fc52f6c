/*
 * check.h
 *    The beginning of a clone: connecting, and refusing what cannot work.
 */
#ifndef PENSTOCK_JOB_CLONE_CHECK_H
#define PENSTOCK_JOB_CLONE_CHECK_H

#include "base/error.h"
#include "job/clone/state.h"
#include "net/pgconn_open.h"

/* Opens one more connection to the source; it is the caller's. */
MUST_CHECK Rc clone_open_source(PgConn **conn, const Config *config,
								PgConnKind kind, Error *err);

/* Whether this run writes rows on the targets. */
bool clone_writes_rows(const Config *config);

/* Opens the connection of a target, which must be closed. */
MUST_CHECK Rc clone_open_target(Clone *clone, int number, Error *err);

/* Opens all connections of the clone. */
MUST_CHECK Rc clone_open_all(Clone *clone, Error *err);

/* Reads what a source publishes, and refuses what cannot work.  Writes nothing.
 */
MUST_CHECK Rc clone_check_source(CloneSource *source, Error *err);

/* Finds what dumps and restores the schema, if that is copied. */
MUST_CHECK Rc clone_find_programs(Clone *clone, Error *err);

/* Refuses a source where something is in the way of a clone that begins. */
MUST_CHECK Rc clone_check_unused(const Clone *clone, const CloneSource *source,
								 Error *err);

/* Refuses a target that the pipeline of a source ends at already. */
MUST_CHECK Rc clone_check_no_progress(const CloneSource *source,
									  const CloneTarget *target, Error *err);

/* Reads what is to be copied, instead of what was read before. */
MUST_CHECK Rc clone_read_catalog(CloneSource *source, Error *err);

/* Whether the targets can take what the catalog has. */
MUST_CHECK Rc clone_check_targets(const Clone *clone, Error *err);

/* Refuses a source that is a target as well, or ends that are swapped. */
MUST_CHECK Rc clone_check_ends(const Clone *clone, Error *err);

/* Has a target remember what the pipeline is.  The schema penstock exists
 * there. */
MUST_CHECK Rc clone_note_options(const Config *config, PgConn *target,
								 Arena *arena, Error *err);

#endif /* PENSTOCK_JOB_CLONE_CHECK_H */
