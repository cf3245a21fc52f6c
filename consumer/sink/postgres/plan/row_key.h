/*
 * row_key.h
 *    Compares the keys of rows of a target table by their bytes.
 *
 * Two keys that are equal for the table's index, but have different bytes,
 * count as different (plan_folded.c explains why this is sufficient).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H
#define PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "sink/postgres/plan/target_table.h"

/* Returns a hash of the columns of a row that are in the table's key. */
uint64_t row_key_hash(const TargetTable *table, const Value *row);

/*
 * Whether the row has a value for each column of the key: none is missing, or
 * stands for an unchanged value.  A null is a value: the key does not
 * distinguish rows with nulls, but they have the same hash, so the hash still
 * shows which changes may be to the same row.
 */
bool row_key_is_there(const TargetTable *table, const Value *row);

/*
 * Whether the key identifies the row: the table has one, the row has its
 * values, and none is null, which a unique index allows in several rows.
 */
bool row_key_is_unique(const TargetTable *table, const Value *row);

bool row_key_is_same(const TargetTable *table, const Value *a, const Value *b);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H */
