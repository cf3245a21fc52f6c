/*
 * schema_diff.h
 *    Compares the schemas of the source and of each target.
 */
#ifndef PENSTOCK_JOB_SCHEMA_DIFF_H
#define PENSTOCK_JOB_SCHEMA_DIFF_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Compares the tables of the pipeline's publications, and what belongs to them.
 * The differences are passed to `report`, as the statements that remove them,
 * or as comments where there is no statement.  With config->apply the
 * statements are run instead, in a transaction for each target; those that lose
 * rows only if config->allow_loss is set.
 *
 * Returns RC_END if a target still differs afterwards.  Waits for the servers.
 */
MUST_CHECK Rc schema_diff_run(const Config *config, const Report *report,
							  Error *err);

#endif /* PENSTOCK_JOB_SCHEMA_DIFF_H */
