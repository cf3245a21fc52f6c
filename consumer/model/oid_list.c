/*
 * oid_list.c
 *    An array that is looked through: lists are short.
 */
#include "model/oid_list.h"

#include <stdlib.h>

#include "base/xalloc.h"

bool
oid_list_has(const OidList *list, uint32_t oid)
{
	for (int i = 0; i < list->count; i++)
		if (list->oids[i] == oid)
			return true;
	return false;
}

void
oid_list_add(OidList *list, uint32_t oid)
{
	if (oid_list_has(list, oid))
		return;
	list->oids = xrealloc_array(list->oids, (size_t) list->count + 1,
								sizeof(list->oids[0]));
	list->oids[list->count++] = oid;
}

void
oid_list_add_all(OidList *list, const OidList *from)
{
	for (int i = 0; i < from->count; i++)
		oid_list_add(list, from->oids[i]);
}

void
oid_list_remove(OidList *list, uint32_t oid)
{
	for (int i = 0; i < list->count; i++)
		if (list->oids[i] == oid)
		{
			list->oids[i] = list->oids[--list->count];
			return;
		}
}

void
oid_list_clear(OidList *list)
{
	free(list->oids);
	*list = (OidList){0};
}

static int
compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *) a;
	uint32_t right = *(const uint32_t *) b;

	return (left > right) - (left < right);
}

void
oid_list_sort(OidList *list)
{
	if (list->count > 1)
		qsort(list->oids, (size_t) list->count, sizeof(list->oids[0]), compare);
}
