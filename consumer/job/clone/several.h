/*
 * several.h
 *    Checks whether the rows of several sources can be copied into the same
 *    tables.
 */
#ifndef PENSTOCK_JOB_CLONE_SEVERAL_H
#define PENSTOCK_JOB_CLONE_SEVERAL_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Refuses sources that do not have the same tables, and a source that has only
 * some of the rows of a table that is taken from it alone.  The sources'
 * catalogs must be read already.  Writes nothing; blocks.
 */
MUST_CHECK Rc clone_check_several(const Clone *clone, Error *err);

/* Refuses a source whose tables differ from those of the lead. */
MUST_CHECK Rc clone_check_same_tables(const Clone *clone,
									  const CloneSource *source, Error *err);

#endif /* PENSTOCK_JOB_CLONE_SEVERAL_H */
