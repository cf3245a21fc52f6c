/*
 * resume.h
 *    Continues a clone that was interrupted, or removes what it has made.  All
 *    functions that query a server block.
 */
#ifndef PENSTOCK_JOB_CLONE_RESUME_H
#define PENSTOCK_JOB_CLONE_RESUME_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Returns those options of a clone to target `number` that must be the same
 * when the clone is resumed, as text.  The caller releases it with free().
 */
char *clone_describe_options(const Config *config, int number);

/*
 * Reads whether the targets have an unfinished clone, and fails if the options
 * of this command do not match it.  Writes nothing.
 */
MUST_CHECK Rc clone_look(Clone *clone, Error *err);

/*
 * For a clone that begins: takes an advisory lock on the target, so that no
 * other clone of the pipeline runs while our session lasts, and checks again
 * that no other clone has begun before us.  The work list's tables must exist.
 */
MUST_CHECK Rc clone_hold(Clone *clone, CloneTarget *target, Error *err);

/* Reports what clone_throw_away() would remove. */
void clone_report_throw_away(const Clone *clone);

/* Removes everything that an unfinished clone has created or copied on the
 * targets, and its slot. */
MUST_CHECK Rc clone_throw_away(Clone *clone, Error *err);

/* Claims the work lists of the unfinished clone: see work_list_claim(). */
MUST_CHECK Rc clone_claim(Clone *clone, Error *err);

/*
 * Claims the work lists of our own clone again, after all connections were
 * lost, and reads them.  Fails if another process has claimed them.
 */
MUST_CHECK Rc clone_reclaim(Clone *clone, Error *err);

/*
 * Finds the slots of the unfinished clone, and sets the start_lsn of each
 * source; 0: the slot was not created yet.
 */
MUST_CHECK Rc clone_find_slots(Clone *clone, Error *err);

/* Whether there is still something to read under a snapshot. */
bool clone_needs_snapshot(const Clone *clone);

/*
 * Fails if the slots are not those that this clone has created: if one was
 * dropped meanwhile, the copy could not be followed.
 */
MUST_CHECK Rc clone_check_slot_kept(const Clone *clone, Error *err);

#endif /* PENSTOCK_JOB_CLONE_RESUME_H */
