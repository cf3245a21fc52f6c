/*
 * table.h
 *    A published table on the coordinator.
 */
#ifndef PENSTOCK_FEDERATE_TABLE_H
#define PENSTOCK_FEDERATE_TABLE_H

#include "base/error.h"
#include "catalog/placed.h"
#include "federate/columns.h"
#include "federate/plan.h"

/* What all tables of a script share. */
typedef struct TablePlan
{
	FederateScript *script;
	const FederateOptions *options;
	const char *is_ours;     /* see existing_append_is_ours() */
	const PGresult *columns; /* of the source's tables: see columns.h */
} TablePlan;

/*
 * Appends what makes the table, or brings it to what it is to be.  `range` are
 * its columns.
 */
MUST_CHECK Rc table_append(const TablePlan *plan, const PlacedTable *placed,
						   ColumnRange range, Error *err);

#endif /* PENSTOCK_FEDERATE_TABLE_H */
