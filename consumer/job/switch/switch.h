/*
 * switch.h
 *    Moves the writes of a pipeline from its source to its target.
 *
 * The steps are
 *
 *     1. look at both servers, and refuse what cannot be moved
 *     2. make the way back (way_back.h): its publication, and its slot on the
 *        target
 *     3. wait until the target is near the end of the source's WAL
 *     4. lock the tables on the source (locks.h): writers wait from now on,
 *        readers do not
 *     5. wait until the target has applied everything up to the end of the
 *        source's WAL, which has all that was ever written to these tables
 *        (job/fence.h, FenceUse.is_drained)
 *     6. set the target's sequences beyond the source's
 *     7. flush the target's WAL
 *     8. in the transaction that has the locks: create what refuses writes
 *        (control/refusal.h), write where the way back begins, and set the
 *        state; commit
 *     9. end the pipeline on the target, and let writes through there, if the
 *        target has refused them since an earlier switch
 *    10. allow the way back to be followed, and drop the pipeline's slot
 *
 * The commit of step 8 decides.  Whatever fails before, or is not done within
 * config.max_wait_s (steps 2 to 4) or config.max_stall_s (5 to 8), is undone,
 * and writers go on at the source.  Whoever is killed before leaves a slot, a
 * publication and a row with state BEGUN (control/switch_table.h), which the
 * next switch replaces.  After the commit the same command, run again, does
 * what is left to do.
 *
 * The pipeline in the other direction has nothing to send before step 9, and
 * this one nothing after it, so no change can go round.
 *
 * Values that sessions of the source draw from sequences after step 6 are lower
 * than those of the target, as long as they are no more than the margin
 * (sequence_margin()): locks of tables do not keep anybody from nextval().
 */
#ifndef PENSTOCK_JOB_SWITCH_SWITCH_H
#define PENSTOCK_JOB_SWITCH_SWITCH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Switches, or completes a switch, and reports each step with its time; blocks.
 * With config->dry_run does the steps up to the locks, and undoes them; then
 * nothing is completed either.  Returns RC_OK also if the writes were moved by
 * an earlier run.  *way_back is set to whether there is a way back.
 */
MUST_CHECK Rc switch_run(const Config *config, const Report *report,
						 bool *way_back, Error *err);

#endif /* PENSTOCK_JOB_SWITCH_SWITCH_H */
