/*
 * hints.h
 *    What ddl_diff() needs to know about a target other than its definitions.
 */
#ifndef PENSTOCK_DDL_DIFF_HINTS_H
#define PENSTOCK_DDL_DIFF_HINTS_H

#include "model/definition.h"

/* Largest length of `spare_name`: a number of up to nine digits is appended. */
#define DDL_SPARE_NAME_MAX 50

typedef struct DdlHints
{
	/* PG_VERSION_NUM of the target; 0: accept statements of any version. */
	int target_version_num;

	/*
	 * OIDs of tables whose rows the source sends again after these statements,
	 * ascending.  They are emptied if a statement could fail because of their
	 * rows.
	 */
	OidList rewritten;

	/*
	 * OIDs of tables that have no rows any more, ascending.  They are emptied.
	 */
	OidList without_rows;

	/*
	 * Whether the target has refused the statements that were made without this
	 * flag.  The reason may be rows of tables in `rewritten`, so these tables
	 * are emptied even if only a type changes.
	 */
	bool was_refused;

	/*
	 * Prefix of names that no object on the target has.  Objects that exchange
	 * their names have such a name in between.  NULL: a prefix of ours.
	 */
	const char *spare_name;
} DdlHints;

#endif /* PENSTOCK_DDL_DIFF_HINTS_H */
