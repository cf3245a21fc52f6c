/*
 * check.h
 *    The beginning of a clone: connects to the servers, and refuses a clone
 * that would fail later.  All functions that query a server block.
 */
#ifndef PENSTOCK_JOB_CLONE_CHECK_H
#define PENSTOCK_JOB_CLONE_CHECK_H

#include "base/error.h"
#include "job/clone/state.h"
#include "net/pgconn_open.h"

/* Opens one more connection to the source, which the caller closes. */
MUST_CHECK Rc clone_open_source(PgConn **conn, const Config *config,
								PgConnKind kind, Error *err);

/* Whether this run writes rows on the targets. */
bool clone_writes_rows(const Config *config);

/* Opens the connection of target `number`, which must not be open. */
MUST_CHECK Rc clone_open_target(Clone *clone, int number, Error *err);

/* Opens all connections of the clone to sources and targets. */
MUST_CHECK Rc clone_open_all(Clone *clone, Error *err);

/* Reads the tables that a source publishes, and refuses the source if a clone
 * would fail.  Writes nothing. */
MUST_CHECK Rc clone_check_source(CloneSource *source, Error *err);

/* Finds pg_dump, pg_restore and psql, if the schema is copied. */
MUST_CHECK Rc clone_find_programs(Clone *clone, Error *err);

/* For a clone that begins: refuses a source that already has the pipeline's
 * slot. */
MUST_CHECK Rc clone_check_unused(const Clone *clone, const CloneSource *source,
								 Error *err);

/* Refuses a target that already has progress of the source's pipeline. */
MUST_CHECK Rc clone_check_no_progress(const CloneSource *source,
									  const CloneTarget *target, Error *err);

/* Reads the source's catalog again, in place of the one read before. */
MUST_CHECK Rc clone_read_catalog(CloneSource *source, Error *err);

/* Refuses targets that cannot receive the tables of the catalog. */
MUST_CHECK Rc clone_check_targets(const Clone *clone, Error *err);

/* Refuses a source that is also a target, and source and target that seem to be
 * swapped. */
MUST_CHECK Rc clone_check_ends(const Clone *clone, Error *err);

/* Stores the options of the pipeline on a target, where the schema "penstock"
 * must exist. */
MUST_CHECK Rc clone_note_options(const Config *config, PgConn *target,
								 Arena *arena, Error *err);

#endif /* PENSTOCK_JOB_CLONE_CHECK_H */
