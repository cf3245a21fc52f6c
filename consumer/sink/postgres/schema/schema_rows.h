/*
 * schema_rows.h
 *    Decides which tables may be emptied for a set of schema changes.
 *
 * When a column gets another type, we do not know how the source computes the
 * new values.  The source rewrites the table, and then sends all its rows
 * again; the plugin announces this for each table before its first row.  A
 * statement that is impossible because of the target's rows is possible when
 * the table is empty.
 *
 * When a set is applied, it is known for one table that its rows are sent
 * again: the one whose rows immediately follow the set.  For other tables, such
 * as other partitions of a partitioned table, it can only be guessed.  They are
 * emptied only if the statements fail otherwise; then the caller must check,
 * for each table whose rows were deleted, that they were sent again before the
 * transaction commits.
 *
 * The rows of an unlogged table of the target are from its copy, because later
 * changes are not in the WAL.  They are deleted without checking.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_ROWS_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_ROWS_H

#include "base/arena.h"
#include "ddl/diff/hints.h"
#include "model/definition.h"
#include "sink/postgres/plan/stages.h"

/* A set, and the definitions before and after it.  Everything is borrowed. */
typedef struct SchemaRows
{
	const SchemaSet *set;
	const DefinitionSet *before;
	const DefinitionSet *after;
	Arena *arena; /* has the lists that hints point to */
} SchemaRows;

/*
 * Fills in the hints for tables of which it is known that their rows are sent
 * again, or that they have none.
 */
void schema_rows_know(const SchemaRows *rows, DdlHints *hints);

/*
 * Adds tables whose rows may be sent again, after the target has refused the
 * statements, and sets the hint that all of these are emptied.  Returns false
 * if there are none.
 */
bool schema_rows_guess(const SchemaRows *rows, DdlHints *hints);

/*
 * Whether deleted rows of a table must be sent again; not if it is unlogged, or
 * has none.
 */
bool schema_rows_must_come(const SchemaRows *rows, const DdlHints *hints,
						   uint32_t oid);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_ROWS_H */
