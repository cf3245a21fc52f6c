/*
 * promote.h
 *    Promotes the targets, so that applications can use them in place of a
 *    source that is lost.
 *
 * We take the lease of the pipeline for good, so that a follower which is still
 * running, or is started by mistake, can apply nothing more.  Then we advance
 * each sequence of a target beyond the values that the source may have
 * returned, as far as they are known.  These are
 *
 *   - the farthest value in the columns that have their defaults from the
 *     sequence (not for a sequence with CYCLE), and
 *   - the value that the source's sequence had when a follower last read it,
 *
 * and we add the margin that was computed at that time (see model/sequence.h)
 * to either, because the last transactions may not have reached the target.
 *
 * We do not connect to the source.  The command can be repeated.
 */
#ifndef PENSTOCK_JOB_PROMOTE_H
#define PENSTOCK_JOB_PROMOTE_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Promotes all targets, and reports what was done; blocks.  If a target cannot
 * be reached, fails without changing any other one.  With config->dry_run
 * changes nothing, and reports what would be done.
 */
MUST_CHECK Rc promote_run(const Config *config, const Report *report,
						  Error *err);

#endif /* PENSTOCK_JOB_PROMOTE_H */
