/*
 * open_txn_list.c
 *    An unsorted array.
 */
#include "wire/open_txn_list.h"

#include <stdlib.h>

#include "base/macros.h"
#include "base/xalloc.h"

#define CAPACITY_FIRST 8

void
open_txn_list_release(OpenTxnList *list)
{
	free(list->items);
	*list = (OpenTxnList){0};
}

OpenTxn *
open_txn_list_find(const OpenTxnList *list, uint32_t xid)
{
	ASSERT(list->count <= list->capacity);
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].xid == xid)
			return &list->items[i];
	return NULL;
}

OpenTxn *
open_txn_list_add(OpenTxnList *list, uint32_t xid)
{
	ASSERT(open_txn_list_find(list, xid) == NULL);
	ASSERT(xid != 0);
	if (list->count >= OPEN_TXN_LIST_MAX)
		return NULL;
	if (list->count == list->capacity)
	{
		list->capacity = list->capacity ? list->capacity * 2 : CAPACITY_FIRST;
		list->items = xrealloc_array(list->items, list->capacity,
									 sizeof(list->items[0]));
	}
	ASSERT(list->count < list->capacity);
	list->items[list->count] = (OpenTxn){.xid = xid};
	return &list->items[list->count++];
}

void
open_txn_list_remove(OpenTxnList *list, OpenTxn *item)
{
	ASSERT(item >= list->items && item < list->items + list->count);
	*item = list->items[--list->count];
}
