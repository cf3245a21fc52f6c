/*
 * finish.h
 *    Ends a move: removes what a switch has made and is no longer needed.
 *
 * This removes the way back: its slot and publication on the target, its
 * progress and replication origin on the source.  It also removes the triggers
 * that refuse writes on both servers.
 *
 * If the writes are at the target, it also removes the pipeline's own progress
 * there, and the source's tables accept writes again.  No pipeline follows
 * these writes.  If the writes are at the source, the pipeline stays as it is.
 */
#ifndef PENSTOCK_JOB_SWITCH_FINISH_H
#define PENSTOCK_JOB_SWITCH_FINISH_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Removes all that, and reports what was removed.  May be repeated; blocks.  If
 * there was no switch, removes nothing, even if objects have the names of the
 * way back.  With config->dry_run, only reports what would be removed.  Fails
 * with ERR_CONFIG while the way back is followed, or while a switch is running
 * or not complete.
 */
MUST_CHECK Rc finish_run(const Config *config, const Report *report,
						 Error *err);

#endif /* PENSTOCK_JOB_SWITCH_FINISH_H */
