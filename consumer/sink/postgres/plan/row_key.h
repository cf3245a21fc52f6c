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

bool row_key_is_same(const TargetTable *table, const Value *a, const Value *b);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_ROW_KEY_H */
