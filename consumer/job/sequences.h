/*
 * sequences.h
 *    Advances the targets' sequences to the values of the source's.
 *
 * The stream of changes does not contain sequences.  So this is done when
 * applications have stopped writing to the source, before they write to a
 * target.  It never sets a sequence back.  So it can also be done at any other
 * time and repeatedly, and by several pipelines with the same target.
 */
#ifndef PENSTOCK_JOB_SEQUENCES_H
#define PENSTOCK_JOB_SEQUENCES_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"
#include "net/pgconn.h"

/* Advances the sequences of each target, and reports their numbers; blocks. */
MUST_CHECK Rc sequences_set(const Config *config, const Report *report,
							Error *err);

/*
 * Advances the sequences as a part of another command, unless the pipeline has
 * --sequences=off, and reports their numbers; blocks.  `source` and `targets`
 * are sessions of that command; targets[i] is NULL if target i of `config` is
 * to be left out.  An error in the pipeline's definition, such as a publication
 * that does not exist any more, is logged and is no failure.
 */
MUST_CHECK Rc sequences_take_along(const Config *config, PgConn *source,
								   PgConn *const *targets, const Report *report,
								   Error *err);

#endif /* PENSTOCK_JOB_SEQUENCES_H */
