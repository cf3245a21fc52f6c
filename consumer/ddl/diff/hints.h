/*
 * hints.h
 *    What is to be known of a target beside what it has.
 */
#ifndef PENSTOCK_DDL_DIFF_HINTS_H
#define PENSTOCK_DDL_DIFF_HINTS_H

#include "model/definition.h"

/* The longest `spare_name`: a number of up to nine digits comes behind it. */
#define DDL_SPARE_NAME_MAX 50

typedef struct DdlHints
{
	/* PG_VERSION_NUM of the target; 0: any will do. */
	int target_version_num;

	/*
	 * OIDs of tables all of whose rows come anew after these statements: they
	 * are emptied where that makes a statement possible that a row would not
	 * allow.  Ascending.
	 */
	OidList rewritten;

	/* OIDs of tables that have no rows any more: they are emptied.  Ascending.
	 */
	OidList without_rows;

	/*
	 * The target has refused the statements made without this: it may be for
	 * the rows of `rewritten`, so these tables are emptied even if another type
	 * alone would not ask for it.
	 */
	bool was_refused;

	/*
	 * What names begin with that nothing on the target has: things that
	 * exchange their names have such a one in between.  NULL: one of ours.
	 */
	const char *spare_name;
} DdlHints;

#endif /* PENSTOCK_DDL_DIFF_HINTS_H */
