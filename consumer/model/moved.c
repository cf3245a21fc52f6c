/*
 * moved.c
 *    Describes penstock.moved.
 */
#include "model/moved.h"

#include <string.h>

Relation *
moved_relation_new(void)
{
	static const RelationColumn columns[MOVED_COLUMN_COUNT] = {
		[MOVED_PIPELINE] = {.name = "pipeline",
							.type_name = "text",
							.type_oid = TYPE_TEXT,
							.encoding = COLUMN_BINARY,
							.key = true},
		[MOVED_END_LSN] = {.name = "end_lsn",
						   .type_name = "pg_lsn",
						   .type_oid = TYPE_LSN,
						   .encoding = COLUMN_INTEGER,
						   .key = true},
		[MOVED_CHANGE] = {.name = "change",
						  .type_name = "bigint",
						  .type_oid = TYPE_INT8,
						  .encoding = COLUMN_INTEGER,
						  .key = true},
		[MOVED_COLUMN] = {.name = "column_name",
						  .type_name = "text",
						  .type_oid = TYPE_TEXT,
						  .encoding = COLUMN_BINARY,
						  .key = true},
		[MOVED_VALUE] = {.name = "value",
						 .type_name = "bytea",
						 .type_oid = TYPE_BYTEA,
						 .encoding = COLUMN_BINARY},
	};
	Relation *relation = relation_new(MOVED_COLUMN_COUNT);

	relation->number = RELATION_OWN_NUMBER;
	relation->schema = "penstock";
	relation->name = "moved";
	relation->identity = IDENTITY_DEFAULT;
	for (int i = 0; i < MOVED_COLUMN_COUNT; i++)
	{
		relation->columns[i] = columns[i];
		relation->columns[i].typmod = -1;
		relation->key_count += columns[i].key ? 1 : 0;
	}
	return relation;
}

bool
moved_is_relation(const Relation *relation)
{
	return relation_is_own(relation) && strcmp(relation->name, "moved") == 0;
}
