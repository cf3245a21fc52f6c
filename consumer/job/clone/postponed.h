/*
 * postponed.h
 *    Foreign keys that could not be checked when tables were copied: noting
 *    them on the target, for a follower to check (pipeline/keys.h).
 */
#ifndef PENSTOCK_JOB_CLONE_POSTPONED_H
#define PENSTOCK_JOB_CLONE_POSTPONED_H

#include "base/error.h"
#include "copy/schema/build.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/*
 * Notes on a target what its build has postponed until a follower has come to
 * `lsn`, and logs it.  It is noted in the current transaction, which writes the
 * pipeline's progress as well.  Waits for the target.
 */
MUST_CHECK Rc postponed_note(PgConn *target, const char *pipeline,
							 const Build *build, Lsn lsn, Error *err);

#endif /* PENSTOCK_JOB_CLONE_POSTPONED_H */
