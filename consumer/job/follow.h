/*
 * follow.h
 *    Follows, and takes in tables that are published meanwhile.
 */
#ifndef PENSTOCK_JOB_FOLLOW_H
#define PENSTOCK_JOB_FOLLOW_H

#include "base/error.h"
#include "config/config.h"

/*
 * Does what follow() does (pipeline/follow.h).  With --ddl=follow, where the
 * whole of the publications was copied, a table that comes to be published and
 * was not copied is copied when its first change arrives, and joins, as with
 * "penstock table add"; the others wait meanwhile.  Waits until the end.
 */
MUST_CHECK Rc follow_with_tables(const Config *config, Error *err);

#endif /* PENSTOCK_JOB_FOLLOW_H */
