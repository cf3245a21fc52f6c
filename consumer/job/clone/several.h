/*
 * several.h
 *    Whether the rows of several sources can be put together.
 */
#ifndef PENSTOCK_JOB_CLONE_SEVERAL_H
#define PENSTOCK_JOB_CLONE_SEVERAL_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Refuses sources that have not the same tables, or only parts of what is taken
 * from one of them.  Their catalogs are read.  Asks only.
 */
MUST_CHECK Rc clone_check_several(const Clone *clone, Error *err);

/* Refuses a source whose tables are not as those of the lead. */
MUST_CHECK Rc clone_check_same_tables(const Clone *clone,
									  const CloneSource *source, Error *err);

#endif /* PENSTOCK_JOB_CLONE_SEVERAL_H */
