/*
 * large_objects.h
 *    Brings the targets' large objects to where the source's are, beside what a
 *    command does.
 */
#ifndef PENSTOCK_JOB_LARGE_OBJECTS_H
#define PENSTOCK_JOB_LARGE_OBJECTS_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"
#include "net/pgconn.h"

/*
 * Makes a pass for a command that has idle sessions with the source and with
 * targets (of each of the configuration; NULL: it is left out), if the pipeline
 * is one with --large-objects=follow.  Reports what was done.  A failure is the
 * command's: what it does next may be too early without this.  Waits.
 */
MUST_CHECK Rc large_objects_take_along(const Config *config, PgConn *source,
									   PgConn *const *targets,
									   const Report *report, Error *err);

#endif /* PENSTOCK_JOB_LARGE_OBJECTS_H */
