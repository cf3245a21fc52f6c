/*
 * drop.h
 *    Removes a pipeline's slot and its progress.
 *
 * Slot and progress are on different servers, so no transaction spans both, and
 * one of them goes first.  What is bad is progress that outlives its slot: if a
 * slot of the same name is made later, a follower would start at that slot and
 * take the old progress for a sign that nothing lies between.  What is bad the
 * other way round is to take the progress from under a follower that runs.  So
 *
 *     1. look at everything; refuse what is not ours or is in use
 *     2. remove the progress on every target, in transactions left open
 *     3. drop the slot, which the server refuses if a follower has come since
 *     4. commit on every target
 *
 * A failure up to 3 rolls back and leaves all as it was; a follower that starts
 * in between waits for the row and then finds it gone.  What may remain, if we
 * or a target die between 3 and 4, is progress without a slot:
 * "penstock follow" and "penstock check" refuse that, and another drop removes
 * it.
 *
 * A target that cannot be reached stops it at 1: nothing is removed, for what
 * is left there would be forgotten.  A server that is gone for good is to be
 * left out: then only the other side's half is removed.
 *
 * Tables that are copied or paused have slots of their own (see
 * table_state.h); they go in the same way, and first.
 *
 * Before that, sequences of the targets that are before the source's are set to
 * where these are: nobody will do it afterwards.
 *
 * Publications and tables are never touched.
 */
#ifndef PENSTOCK_JOB_DROP_H
#define PENSTOCK_JOB_DROP_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Removes it, or with config->dry_run looks only, and reports what was, or
 * would be, removed.  A source, or at least one target, is given.  Waits. Fails
 * with ERR_INTERRUPTED if a stop was asked for; it is to be done again then.
 */
MUST_CHECK Rc drop_run(const Config *config, const Report *lines, Error *err);

#endif /* PENSTOCK_JOB_DROP_H */
