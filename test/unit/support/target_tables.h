/*
 * target_tables.h
 *    Tables of a target that nobody has looked up, for what makes statements of
 *    changes.
 *
 * They are item (id int4 key, v text), where nothing but the key is unique, log
 * (id int4, v text), which has no key, and odd, which is as item and has
 * another unique index.
 */
#ifndef PENSTOCK_TEST_SUPPORT_TARGET_TABLES_H
#define PENSTOCK_TEST_SUPPORT_TARGET_TABLES_H

#include "base/arena.h"
#include "sink/postgres/plan/target_table.h"

#define TARGET_TABLES_COLUMNS 2

typedef enum TestTable
{
	ITEM,
	LOG,
	ODD,
	TABLE_COUNT,
} TestTable;

typedef struct TargetTables
{
	Arena *arena; /* of the rows */
	Relation *relations[TABLE_COUNT];
	TargetTable tables[TABLE_COUNT];
	TargetColumn columns[TABLE_COUNT][TARGET_TABLES_COLUMNS];
} TargetTables;

/* It must stay where it is. */
void target_tables_init(TargetTables *tables);
void target_tables_release(TargetTables *tables);

/* Of the type TableLookup; the context is a TargetTables. */
const TargetTable *target_tables_get(void *context, const Relation *relation);

/* A row with an id of that kind, whose v is null. */
Value *target_tables_row(TargetTables *tables, int64_t id, ValueKind kind);

#endif /* PENSTOCK_TEST_SUPPORT_TARGET_TABLES_H */
