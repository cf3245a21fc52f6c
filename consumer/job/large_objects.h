/*
 * large_objects.h
 *    Updates the targets' large objects from the source, as a part of another
 *    command.
 */
#ifndef PENSTOCK_JOB_LARGE_OBJECTS_H
#define PENSTOCK_JOB_LARGE_OBJECTS_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"
#include "net/pgconn.h"

/*
 * Makes a pass (see large_object/pass.h) on each target, if the pipeline has
 * --large-objects=follow, and reports what was copied and removed; blocks.
 * A pass removes what the source does not have: `is_source` says whether the
 * caller knows that `source` is the database that the pipeline followed; if
 * not, no pass is made, and that is reported.
 *
 * `source` and `targets` are idle sessions of the calling command; targets[i]
 * is NULL if target i of `config` is to be left out.  If this fails, the
 * command has to fail, too.
 */
MUST_CHECK Rc large_objects_take_along(const Config *config, PgConn *source,
									   bool is_source, PgConn *const *targets,
									   const Report *report, Error *err);

#endif /* PENSTOCK_JOB_LARGE_OBJECTS_H */
