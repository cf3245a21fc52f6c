/*
 * publication.h
 *    Takes the table at hand into the pipeline's publications, and out.
 */
#ifndef PENSTOCK_JOB_TABLE_PUBLICATION_H
#define PENSTOCK_JOB_TABLE_PUBLICATION_H

#include "job/table/work.h"

/*
 * Adds the table to the first of the publications unless one of them has it,
 * or partitions of it, already.
 */
MUST_CHECK Rc table_publish(TableWork *work, Error *err);

/*
 * Takes the table out of those publications that name it.  *published: it is
 * still in one, which is for all tables or for a schema.
 */
MUST_CHECK Rc table_unpublish(TableWork *work, bool *published, Error *err);

/* Whether one of the publications has the table or a partition of it. */
MUST_CHECK Rc table_is_published(TableWork *work, bool *published, Error *err);

#endif /* PENSTOCK_JOB_TABLE_PUBLICATION_H */
