/*
 * publication.h
 *    Adds the current table of a TableWork (see work.h) to the pipeline's
 *    publications, and removes it from them.  All functions block.
 */
#ifndef PENSTOCK_JOB_TABLE_PUBLICATION_H
#define PENSTOCK_JOB_TABLE_PUBLICATION_H

#include "job/table/work.h"

/*
 * Adds the table to the first of the publications, unless one of them already
 * publishes the table or partitions of it.
 */
MUST_CHECK Rc table_publish(TableWork *work, Error *err);

/*
 * Removes the table from those publications that list it by name.  *published
 * is set to whether another one still publishes it, which is FOR ALL TABLES or
 * FOR TABLES IN SCHEMA.
 */
MUST_CHECK Rc table_unpublish(TableWork *work, bool *published, Error *err);

/* Sets *published to whether one of the publications publishes the table or a
 * partition of it. */
MUST_CHECK Rc table_is_published(TableWork *work, bool *published, Error *err);

#endif /* PENSTOCK_JOB_TABLE_PUBLICATION_H */
