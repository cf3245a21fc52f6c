/*
 * record.h
 *    Writes the changes of a slot to a log, until told to stop.
 *
 * The log says of what it is (log/description.h).  The first start decides
 * that: it uses the slot of the pipeline, or makes it.  Later ones go on with
 * it.
 */
#ifndef PENSTOCK_JOB_RECORD_H
#define PENSTOCK_JOB_RECORD_H

#include "base/error.h"
#include "config/config.h"

/*
 * Records until a stop is requested, or Config.endpos is in the log.  Fails
 * with ERR_CONFIG if the log and the slot do not fit: another server, a gap
 * between them, or other publications than before.
 */
MUST_CHECK Rc record_run(const Config *config, Error *err);

#endif /* PENSTOCK_JOB_RECORD_H */
