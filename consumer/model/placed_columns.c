/*
 * placed_columns.c
 *    A sorted array.
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
