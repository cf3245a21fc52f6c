/*
 * postponed.h
 *    Records foreign keys that could not be validated after the copy on the
 *    target, where a follower validates them later (pipeline/beside/keys.h).
 */
#ifndef PENSTOCK_JOB_CLONE_POSTPONED_H
#define PENSTOCK_JOB_CLONE_POSTPONED_H

#include "base/error.h"
#include "copy/schema/build.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/*
 * Writes the foreign keys that `build` has postponed to penstock.postponed_key,
 * to be validated when a follower has reached `lsn`, and logs them; blocks.
 * Writes in the current transaction, which also writes the pipeline's progress.
 */
MUST_CHECK Rc postponed_note(PgConn *target, const char *pipeline,
							 const Build *build, Lsn lsn, Error *err);

#endif /* PENSTOCK_JOB_CLONE_POSTPONED_H */
