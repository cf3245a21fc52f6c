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

/* What the tables of a script have in common. */
typedef struct TablePlan
{
	FederateScript *script;
	const FederateOptions *options;
	const char *is_ours;     /* condition of existing_append_is_ours() */
	const PGresult *columns; /* columns of the source's tables: see columns.h */
} TablePlan;

/*
 * Appends statements that create the table on the coordinator, or alter it to
 * what it should be.  `range` are its rows in plan->columns.
 */
MUST_CHECK Rc table_append(const TablePlan *plan, const PlacedTable *placed,
						   ColumnRange range, Error *err);

#endif /* PENSTOCK_FEDERATE_TABLE_H */
