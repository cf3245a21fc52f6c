/*
 * follow.h
 *    Follows the source of a pipeline: one attempt after the other, until a
 *    stop is requested or an error occurs that another attempt cannot fix.
 */
#ifndef PENSTOCK_PIPELINE_FOLLOW_H
#define PENSTOCK_PIPELINE_FOLLOW_H

#include "base/error.h"
#include "config/config.h"

/*
 * Follows from the progress recorded on each target up to config->endpos, or
 * until a stop is requested (RC_OK).  Borrows the configuration.  Blocks.
 * Fails with ERR_INTERRUPTED if a stop is requested before endpos was reached.
 */
MUST_CHECK Rc follow(const Config *config, Error *err);

#endif /* PENSTOCK_PIPELINE_FOLLOW_H */
