/*
 * promote.h
 *    Lets the targets take the place of a source that is lost.
 *
 * What was applied stays as it is, and nothing more is: the lease is taken for
 * good, so that a follower which still runs, or is started by mistake, is
 * refused.  Then each sequence of a target is set beyond all that the source
 * may have given out, as far as anybody can tell:
 *
 *   - the farthest value that is in the columns which the sequence feeds,
 *   - what the source's was when a follower looked at it last,
 *
 * and the margin of that look beyond either (see model/sequence.h), as what was
 * committed last may not have arrived.
 *
 * (Of one that cycles only the latter counts.)  The source is not asked.  Again
 * does no harm.
 */
#ifndef PENSTOCK_JOB_PROMOTE_H
#define PENSTOCK_JOB_PROMOTE_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Promotes all targets, and reports what was done.  All have to be there:
 * nothing is changed on any if one cannot be reached.  With config->dry_run
 * nothing is changed at all.  Waits.
 */
MUST_CHECK Rc promote_run(const Config *config, const Report *report,
						  Error *err);

#endif /* PENSTOCK_JOB_PROMOTE_H */
