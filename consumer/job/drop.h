/*
 * drop.h
 *    Removes a pipeline's slot from the source and its progress from the
 *    targets.
 *
 * Slot and progress are on different servers, and cannot be removed in one
 * transaction.  If progress remained without its slot, and a slot of the same
 * name was created later, a follower would start at that slot as if the target
 * had all changes before it.  If the progress was removed first, a follower
 * that is running would lose it.  So we
 *
 *     1. query all servers, and refuse what is not ours or is in use
 *     2. remove the progress on every target, in transactions that stay open
 *     3. drop the slot, which the source refuses if a follower has begun to use
 *        it meanwhile
 *     4. commit on every target
 *
 * A failure in steps 1 to 3 rolls back, and nothing is removed.  A follower
 * that starts between 2 and 4 waits for the lock of the progress row, and then
 * finds no progress.  If we or a target crash between 3 and 4, progress may
 * remain without a slot: "penstock follow" and "penstock check" refuse that,
 * and another drop removes it.
 *
 * If a target cannot be reached in step 1, nothing is removed, because its
 * progress would remain.  If a server is lost for good, the user has to leave
 * it out of the command; then we remove only what is on the others.
 *
 * Tables that are being copied, or are paused, have slots of their own (see
 * control/copy/table_state.h).  We remove these first, in the same way.
 *
 * Before all that, we advance the targets' sequences to the source's and update
 * their large objects, because no follower will do it later.
 *
 * Publications and users' tables are not changed.
 */
#ifndef PENSTOCK_JOB_DROP_H
#define PENSTOCK_JOB_DROP_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/* What the source has to be; NULL where anything is right. */
typedef struct DropExpected
{
	const char *log; /* path of the log that says so */
	const char *system_identifier;
	const char *database;
} DropExpected;

/*
 * Removes the pipeline of `config`, and reports what was removed; with
 * config->dry_run only reports what would be removed.  Blocks.  `config` must
 * have a source or a target.  Fails with ERR_INTERRUPTED if the user has asked
 * us to stop; then the command has to be repeated.
 */
MUST_CHECK Rc drop_run(const Config *config, const Report *lines, Error *err);

/*
 * Removes the slot of the log in directory config->log, which must not be
 * written at present, and of which the source has to be.  The progress of its
 * pipeline is removed on targets of the command line only: those of the
 * environment or of a configuration file may be of another pipeline.  The log
 * is left alone.
 */
MUST_CHECK Rc drop_log_run(const Config *config, const Report *lines,
						   Error *err);

#endif /* PENSTOCK_JOB_DROP_H */
