/*
 * sequences.h
 *    Brings the targets' sequences to where the source's are.
 *
 * Sequences are not in the stream of changes.  When applications have stopped
 * writing to the source, and before they write to a target, this sets those of
 * the target.  It only ever moves one on, so it can be done at any time and
 * again, and by several pipelines into one target.
 */
#ifndef PENSTOCK_JOB_SEQUENCES_H
#define PENSTOCK_JOB_SEQUENCES_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"
#include "net/pgconn.h"

/* Does so on each target, and reports how many were set.  Waits. */
MUST_CHECK Rc sequences_set(const Config *config, const Report *report,
							Error *err);

/*
 * Does so for a command that has sessions with the source and with targets (of
 * each of the configuration; NULL: it is left out), in the way of the pipeline:
 * not where --sequences=off is remembered.  What is wrong with the pipeline's
 * definition, such as a publication that does not exist any more, is no failure
 * of this; it is logged.  Reports only what was set.
 */
MUST_CHECK Rc sequences_take_along(const Config *config, PgConn *source,
								   PgConn *const *targets, const Report *report,
								   Error *err);

#endif /* PENSTOCK_JOB_SEQUENCES_H */
