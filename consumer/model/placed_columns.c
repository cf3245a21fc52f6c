/*
 * placed_columns.c
 *    A sorted array; and a description of penstock.placed_column.
 */
#include "model/placed_columns.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/xalloc.h"

void
placed_columns_add(PlacedColumnsList *list, const PlacedColumns *columns)
{
	CHECK(list->count == 0 || list->tables[list->count - 1].oid < columns->oid);
	/* The array grows whenever its size is a power of two. */
	if ((list->count & (list->count - 1)) == 0)
		list->tables = xrealloc_array(list->tables, 2 * list->count + 1,
									  sizeof(PlacedColumns));
	list->tables[list->count++] = *columns;
}

static int
compare(const void *key, const void *element)
{
	uint32_t oid = *(const uint32_t *) key;
	const PlacedColumns *columns = element;

	return oid < columns->oid ? -1 : oid > columns->oid;
}

const PlacedColumns *
placed_columns_find(const PlacedColumnsList *list, uint32_t oid)
{
	if (list == NULL || list->count == 0)
		return NULL;
	return bsearch(&oid, list->tables, list->count, sizeof(PlacedColumns),
				   compare);
}

void
placed_columns_release(PlacedColumnsList *list)
{
	free(list->tables);
	*list = (PlacedColumnsList){0};
}

bool
placed_columns_equal(const PlacedColumns *a, const PlacedColumns *b)
{
	if (a->oid != b->oid || a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->attnums[i] != b->attnums[i])
			return false;
	return true;
}

Relation *
placed_columns_relation_new(void)
{
	static const RelationColumn columns[PLACED_FIELD_COUNT] = {
		[PLACED_PIPELINE] = {.name = "pipeline",
							 .type_name = "text",
							 .type_oid = TYPE_TEXT,
							 .encoding = COLUMN_BINARY,
							 .key = true},
		[PLACED_OID] = {.name = "source_oid",
						.type_name = "bigint",
						.type_oid = TYPE_INT8,
						.encoding = COLUMN_INTEGER,
						.key = true},
		[PLACED_NUMBER] = {.name = "number",
						   .type_name = "bigint",
						   .type_oid = TYPE_INT8,
						   .encoding = COLUMN_INTEGER,
						   .key = true},
		[PLACED_ATTNUM] = {.name = "attnum",
						   .type_name = "bigint",
						   .type_oid = TYPE_INT8,
						   .encoding = COLUMN_INTEGER},
	};
	Relation *relation = relation_new(PLACED_FIELD_COUNT);

	relation->number = RELATION_OWN_NUMBER;
	relation->schema = "penstock";
	relation->name = "placed_column";
	relation->identity = IDENTITY_DEFAULT;
	for (int i = 0; i < PLACED_FIELD_COUNT; i++)
	{
		relation->columns[i] = columns[i];
		relation->columns[i].typmod = -1;
		relation->key_count += columns[i].key ? 1 : 0;
	}
	return relation;
}
