/*
 * row_key.h
 *    What identifies a row of a target table, compared by its bytes.
 *
 * Keys that are equal for the table's index, but not by their bytes, count as
 * different (see plan_folded.c for why that is good enough).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H
#define PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "sink/postgres/plan/target_table.h"

/* Of the columns of a row that are in the table's key. */
uint64_t row_key_hash(const TargetTable *table, const Value *row);

/*
 * Whether the values of all columns of the key are there: none was left out of
 * the row, or stands for one that has not changed.  Nulls are values: rows that
 * have them are not told apart by the key, but their hashes are the same, so
 * that this is enough to find out which changes may be of one row.
 */
bool row_key_is_there(const TargetTable *table, const Value *row);

/*
 * Whether the row is told apart from all others by its key: it has one, its
 * values are there, and none of them is null, which a unique index lets several
 * rows have.
 */
bool row_key_is_unique(const TargetTable *table, const Value *row);

bool row_key_is_same(const TargetTable *table, const Value *a, const Value *b);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H */
