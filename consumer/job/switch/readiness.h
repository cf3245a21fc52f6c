/*
 * readiness.h
 *    Whether a pipeline is in a state in which its writes can be moved.
 */
#ifndef PENSTOCK_JOB_SWITCH_READINESS_H
#define PENSTOCK_JOB_SWITCH_READINESS_H

#include "base/error.h"
#include "job/switch/state.h"

/* Checks the options of the pipeline, its progress, its slot and its foreign
 * keys; fails with ERR_CONFIG.  Blocks. */
MUST_CHECK Rc readiness_check_pipeline(const Switch *self, Error *err);

/* Refuses tables of self->catalog that were not copied, or that do not take
 * part in what the follower applies; fails with ERR_CONFIG.  Blocks. */
MUST_CHECK Rc readiness_check_tables(const Switch *self, Error *err);

/*
 * Compares the extensions of both databases, and looks whether the target's
 * tables have statistics.  Differences are reported as notes, because the
 * writes can be moved all the same.  Blocks.
 */
MUST_CHECK Rc readiness_check_servers(const Switch *self, Error *err);

#endif /* PENSTOCK_JOB_SWITCH_READINESS_H */
