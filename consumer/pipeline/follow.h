/*
 * follow.h
 *    A pipeline that follows its source: attempt after attempt, until it is
 *    told to stop or something fails that no further attempt can heal.
 */
#ifndef PENSTOCK_PIPELINE_FOLLOW_H
#define PENSTOCK_PIPELINE_FOLLOW_H

#include "base/error.h"
#include "config/config.h"

/*
 * Follows from the progress that each target has, up to config->endpos or until
 * a stop is asked for (RC_OK); borrows the configuration.  Blocks.  Fails with
 * ERR_INTERRUPTED if a stop comes before endpos was reached.
 */
MUST_CHECK Rc follow(const Config *config, Error *err);

#endif /* PENSTOCK_PIPELINE_FOLLOW_H */
