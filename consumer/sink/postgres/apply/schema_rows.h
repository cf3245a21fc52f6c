/*
 * schema_rows.h
 *    Which tables a set of schema changes may find without rows.
 *
 * How a source computes the values of a column that gets another type is not
 * known.  It writes the table anew then, and the rows follow the change, each
 * table's after a word that they come.  So a statement that the rows of the
 * target do not allow is possible when they are gone.
 *
 * Of one table it is known when the set is applied that its rows come anew: the
 * one whose rows are right after the set.  Of others, such as the other
 * partitions of a partitioned table, it can only be guessed.  They are emptied
 * if the statements are not possible else, and whoever does so has to see, for
 * each of which rows were removed, that they came anew after all, before the
 * transaction commits.
 *
 * An unlogged table of the target has rows that were right once, for what
 * changes in such a table is not in the WAL.  They are not worth to stop for.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_ROWS_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_ROWS_H

#include "base/arena.h"
#include "ddl/diff/hints.h"
#include "model/definition.h"
#include "sink/postgres/plan/stages.h"

/* What a set leads from and to.  All is borrowed. */
typedef struct SchemaRows
{
	const SchemaSet *set;
	const DefinitionSet *before;
	const DefinitionSet *after;
	Arena *arena; /* what hints point to is in it */
} SchemaRows;

/* Fills in the hints of tables of which it is known that their rows come anew,
 * or that they have none. */
void schema_rows_know(const SchemaRows *rows, DdlHints *hints);

/* The target has refused the statements: adds tables whose rows may come anew,
 * and has all of them emptied; false: there are none. */
bool schema_rows_guess(const SchemaRows *rows, DdlHints *hints);

/* Whether rows that were removed have to come anew: they do not in a table that
 * is unlogged, or has none. */
bool schema_rows_must_come(const SchemaRows *rows, const DdlHints *hints,
						   uint32_t oid);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_ROWS_H */
