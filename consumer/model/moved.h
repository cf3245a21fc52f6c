/*
 * moved.h
 *    The table penstock.moved: values of rows that have moved to another
 *    target.
 *
 * The problem: an update changes the column by which a table is distributed, so
 * its row moves to another target.  If the update does not change a TOAST
 * value, the WAL does not have that value.  It has to be read on the target
 * where the row is, after all changes before the update and before the row is
 * deleted there: at any other time it might have another value.
 *
 * Targets commit independently.  After a crash the old target may have
 * committed the delete while the new target has not committed the insert and
 * gets the transaction again.  So the values that were read are also inserted
 * into penstock.moved on the old target, in the transaction that deletes the
 * row.  At any time they are either in the row or in penstock.moved.  The
 * entries of a transaction are deleted when it is durable on all targets.
 *
 * We rejected the alternative, to commit on the old target only after the new
 * one has committed.  It writes no value twice, but targets wait for each
 * other, for ever if two rows move in opposite directions, and a target that is
 * unreachable stops all others at its first such row.
 *
 * An entry is identified by its transaction and the number of the change in it,
 * which are the same whenever the transaction is decoded again.
 */
#ifndef PENSTOCK_MODEL_MOVED_H
#define PENSTOCK_MODEL_MOVED_H

#include <stdbool.h>

#include "model/relation.h"

/* Columns of penstock.moved, in this order. */
typedef enum MovedColumn
{
	MOVED_PIPELINE,
	MOVED_END_LSN,
	MOVED_CHANGE, /* number of the change in the transaction, from 1 */
	MOVED_COLUMN, /* name of the column that the value belongs to */
	MOVED_VALUE,  /* bytes of the value as in the stream; or null */
	MOVED_COLUMN_COUNT,
} MovedColumn;

/*
 * Returns a Relation for penstock.moved, as if it were a table of the source,
 * so that its inserts are applied like other changes.  The caller holds its one
 * reference.
 */
Relation *moved_relation_new(void);

/* Whether a relation is the one of moved_relation_new(). */
bool moved_is_relation(const Relation *relation);

#endif /* PENSTOCK_MODEL_MOVED_H */
