/*
 * publication_change.h
 *    Notices that a publication names a table from some position on, or names
 *    it otherwise.
 *
 * From the end of that transaction on the source sends other rows of it: those
 * of a table that it did not send at all before, or those that another row
 * filter lets through, or more columns.  What the target has does not go with
 * them, unless the table is new.
 *
 * A table that a publication does not name any more is another matter: see
 * uncopied_follow().
 */
#ifndef PENSTOCK_SINK_POSTGRES_PUBLICATION_CHANGE_H
#define PENSTOCK_SINK_POSTGRES_PUBLICATION_CHANGE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/words.h"
#include "sink/postgres/plan/stages.h"

/*
 * The table that a change of the set describes, if one of these publications
 * names it since this set, or names it otherwise; else NULL.  Borrowed.
 */
const Definition *publication_change_table(const SchemaSet *set,
										   const SchemaChange *change,
										   const Words *publications);

/* What is wrong with it if its rows are on the target … */
MUST_CHECK Rc publication_change_refuse(const SchemaSet *set,
										const Definition *table, Error *err);

/* … or are not; `label` is the target's. */
MUST_CHECK Rc publication_change_refuse_uncopied(const SchemaSet *set,
												 const Definition *table,
												 const char *label, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_PUBLICATION_CHANGE_H */
