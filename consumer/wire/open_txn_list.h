/*
 * open_txn_list.h
 *    Which open transactions a session has told of, and how many changes
 *    of each.
 *
 * They are few: each belongs to a session of the source that is at work.  A
 * transaction that the source forgot in a crash stays until the session ends.
 */
#ifndef PENSTOCK_WIRE_OPEN_TXN_LIST_H
#define PENSTOCK_WIRE_OPEN_TXN_LIST_H

#include <stddef.h>
#include <stdint.h>

/* More than a server can have connections (MAX_BACKENDS). */
#define OPEN_TXN_LIST_MAX ((size_t) 0x40000)

typedef struct OpenTxn
{
	uint32_t xid;
	uint64_t change_count;
} OpenTxn;

/* A zeroed one is empty. */
typedef struct OpenTxnList
{
	OpenTxn *items;
	size_t count;
	size_t capacity;
} OpenTxnList;

void open_txn_list_release(OpenTxnList *list);

/* NULL if there is none.  Valid until the next function that is called. */
OpenTxn *open_txn_list_find(const OpenTxnList *list, uint32_t xid);

/* Adds one that is not in the list.  NULL if there are too many. */
OpenTxn *open_txn_list_add(OpenTxnList *list, uint32_t xid);

void open_txn_list_remove(OpenTxnList *list, OpenTxn *item);

#endif /* PENSTOCK_WIRE_OPEN_TXN_LIST_H */
