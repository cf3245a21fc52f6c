/*
 * target_tables.c
 *    See target_tables.h.
 */
#include "support/target_tables.h"

static void
init_columns(TargetTables *tables, int t)
{
	for (int i = 0; i < TARGET_TABLES_COLUMNS; i++)
	{
		uint32_t type_oid = i == 0 ? TYPE_INT4 : TYPE_TEXT;

		tables->columns[t][i] = (TargetColumn){
			.source = &tables->relations[t]->columns[i],
			.source_index = i,
			.transfer = TRANSFER_SAME,
			.base_type = type_oid,
			.wire_type = type_oid,
			.name_sql = i == 0 ? "\"id\"" : "\"$1\"",
			.equals_sql = "OPERATOR(pg_catalog.=)",
			.key = i == 0 && t != LOG,
		};
	}
}

void
target_tables_init(TargetTables *tables)
{
	static const char *const names[] = {"\"item\"", "\"log\"", "\"odd\""};

	*tables = (TargetTables){.arena = arena_new(KB)};
	for (int t = 0; t < TABLE_COUNT; t++)
	{
		tables->relations[t] = relation_new(TARGET_TABLES_COLUMNS);
		tables->tables[t] = (TargetTable){
			.relation = tables->relations[t],
			.name_sql = names[t],
			.column_count = TARGET_TABLES_COLUMNS,
			.columns = tables->columns[t],
			.key_count = t == LOG ? 0 : 1,
			.nothing_fires = true,
			.has_independent_rows = t != ODD,
			.top_hash = (uint64_t) t * 1000,
			.serial = (uint32_t) t,
		};
		init_columns(tables, t);
	}
}

void
target_tables_release(TargetTables *tables)
{
	for (int t = 0; t < TABLE_COUNT; t++)
		relation_unref(tables->relations[t]);
	arena_free(tables->arena);
}

const TargetTable *
target_tables_get(void *context, const Relation *relation)
{
	TargetTables *tables = context;

	for (int t = 0; t < TABLE_COUNT; t++)
		if (tables->relations[t] == relation)
			return &tables->tables[t];
	return NULL;
}

Value *
target_tables_row(TargetTables *tables, int64_t id, ValueKind kind)
{
	Value *values = arena_calloc(tables->arena, TARGET_TABLES_COLUMNS,
								 sizeof(Value));

	values[0].kind = kind;
	values[0].integer = id;
	values[1].kind = VALUE_NULL;
	return values;
}
