/*
 * resume.h
 *    A clone that was interrupted: going on with it, or starting over.
 */
#ifndef PENSTOCK_JOB_CLONE_RESUME_H
#define PENSTOCK_JOB_CLONE_RESUME_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * What a clone was asked for, as far as one that goes on has to be asked for
 * the same, for the target of this number.  The caller frees it.
 */
char *clone_describe_options(const Config *config, int number);

/*
 * Looks for an unfinished clone on the targets, and refuses to go on with
 * something else than what was asked for.  Writes nothing.
 */
MUST_CHECK Rc clone_look(Clone *clone, Error *err);

/*
 * For a clone that begins: keeps others from the target, for as long as the
 * session lasts, and looks once more whether one of them was faster.  The work
 * list's tables exist.
 */
MUST_CHECK Rc clone_hold(Clone *clone, CloneTarget *target, Error *err);

/* Reports what would be removed. */
void clone_report_throw_away(const Clone *clone);

/* Removes what an unfinished clone has made on the targets, and its slot.
 */
MUST_CHECK Rc clone_throw_away(Clone *clone, Error *err);

/* Takes the unfinished clone over. */
MUST_CHECK Rc clone_claim(Clone *clone, Error *err);

/*
 * Takes our own clone up again after all connections were lost, and reads what
 * the targets have of it.  Fails if somebody else has taken it over.
 */
MUST_CHECK Rc clone_reclaim(Clone *clone, Error *err);

/*
 * Finds the slots of the unfinished clone and sets the start_lsn of each, which
 * is 0 if there is no slot yet.
 */
MUST_CHECK Rc clone_find_slots(Clone *clone, Error *err);

/* Whether there is anything left to read under a snapshot. */
bool clone_needs_snapshot(const Clone *clone);

/*
 * Fails if the slots are not as this clone has made them: they may have been
 * dropped meanwhile, and nobody could follow.
 */
MUST_CHECK Rc clone_check_slot_kept(const Clone *clone, Error *err);

#endif /* PENSTOCK_JOB_CLONE_RESUME_H */
