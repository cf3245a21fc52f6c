/*
 * publication_change.h
 *    Detects that a table was added to a publication, or is published
 *    differently.
 *
 * From the end of such a transaction on, the source sends rows or columns that
 * it has not sent before: the table was not published, or another row filter
 * selects more rows, or there are more columns.  The target lacks earlier rows,
 * unless the table is new.
 *
 * uncopied_follow() treats tables that were removed from a publication.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PUBLICATION_CHANGE_H
#define PENSTOCK_SINK_POSTGRES_PUBLICATION_CHANGE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/words.h"
#include "sink/postgres/plan/stages.h"

/*
 * Returns the table that a change defines, if the set adds it to one of these
 * publications, or changes how it is published; else NULL.  Borrowed.
 */
const Definition *publication_change_table(const SchemaSet *set,
										   const SchemaChange *change,
										   const Words *publications);

/* Whether a set adds the table's schema to one of these publications. */
bool publication_change_adds_schema(const SchemaSet *set,
									const Definition *table,
									const Words *publications);

/*
 * Whether a set drops a schema from a publication and adds one to it, of which
 * the table is one: what its transaction has changed in between was not
 * published.
 */
bool publication_change_readds_schema(const SchemaSet *set,
									  const Definition *table,
									  const Words *publications);

/*
 * Sets the hint of an error for a table that would have to be copied, with a
 * placement: then no table is copied alone.  One that was copied before cannot
 * be left out either.
 */
void publication_change_hint_placed(const char *schema, const char *name,
									bool was_copied, Error *err);

/*
 * Sets the error for tables of which other operations are published than
 * before; `tables` has at least one.
 */
MUST_CHECK Rc publication_change_refuse_operations(
	const SchemaSet *set, const Definition *const *tables, size_t count,
	bool placed, Error *err);

/*
 * Set the error for such a table: the first if the target has its rows …
 * `placed`: there is a placement.
 */
MUST_CHECK Rc publication_change_refuse(const SchemaSet *set,
										const Definition *table, bool placed,
										Error *err);

/* … and the second if it does not; `label` is the target's. */
MUST_CHECK Rc publication_change_refuse_uncopied(const SchemaSet *set,
												 const Definition *table,
												 const char *label, bool placed,
												 Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_PUBLICATION_CHANGE_H */
