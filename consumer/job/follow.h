/*
 * follow.h
 *    Follows a pipeline, and copies tables that are added to its publications
 *    meanwhile.
 */
#ifndef PENSTOCK_JOB_FOLLOW_H
#define PENSTOCK_JOB_FOLLOW_H

#include "base/error.h"
#include "config/config.h"

/*
 * Follows like follow() (pipeline/follow.h); blocks until that ends.  If the
 * pipeline has --ddl=follow and copies everything that its publications
 * publish, a table that is published later is copied when its first change
 * arrives, as by "penstock table add".  Nothing is applied to the other tables
 * meanwhile.
 */
MUST_CHECK Rc follow_with_tables(const Config *config, Error *err);

#endif /* PENSTOCK_JOB_FOLLOW_H */
