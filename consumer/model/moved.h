/*
 * moved.h
 *    What a node keeps of rows that have moved to another node.
 *
 * An update that moves a row from one node to another and leaves a large value
 * as it is, is in the WAL without that value.  It has to be read on the node
 * where the row is, after everything before that update and before what takes
 * the row away: neither earlier nor later is it sure to be the same value.
 *
 * Nodes commit each at its own time, so after a crash the node where the row
 * was may have committed that it is gone, while the other has nothing of it yet
 * and is given the transaction once more.  So the values that were read are
 * also written to a table of the node where they were read, penstock.moved, in
 * the very transaction that removes the row: whatever happens, they are either
 * in the row or in that table.  The entries of a transaction go when all nodes
 * have it durably.
 *
 * The alternative was to let the one node commit only when the other has: it
 * writes nothing twice, but nodes wait for each other, for ever where two rows
 * change places, and one that is away stops all others at its first such row.
 *
 * An entry is found by the transaction and the number of the change in it,
 * which are the same whenever the transaction is read again.
 */
#ifndef PENSTOCK_MODEL_MOVED_H
#define PENSTOCK_MODEL_MOVED_H

#include <stdbool.h>

#include "model/relation.h"

/* Columns of the table, and of the relation below, in this order. */
typedef enum MovedColumn
{
	MOVED_PIPELINE,
	MOVED_END_LSN,
	MOVED_CHANGE, /* its number in the transaction, from 1 */
	MOVED_COLUMN, /* name of the column that the value is of */
	MOVED_VALUE,  /* as the column's values travel; or null */
	MOVED_COLUMN_COUNT,
} MovedColumn;

/*
 * penstock.moved as if it were a table of the source, so that entries are
 * applied like everything else.  One reference, held by the caller.
 */
Relation *moved_relation_new(void);

/* Whether a relation is that. */
bool moved_is_relation(const Relation *relation);

#endif /* PENSTOCK_MODEL_MOVED_H */
