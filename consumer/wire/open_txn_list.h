/*
 * open_txn_list.h
 *    The open transactions of a session, and how many changes of each were
 *    received.
 *
 * An open transaction is one of which the source has sent changes while it was
 * still in progress (plugin option "streaming").
 *
 * The list is short: each open transaction belongs to a session of the source
 * that is at work.  If the source crashes, an open transaction stays in the
 * list until our session ends.
 */
#ifndef PENSTOCK_WIRE_OPEN_TXN_LIST_H
#define PENSTOCK_WIRE_OPEN_TXN_LIST_H

#include <stddef.h>
#include <stdint.h>

/*
 * Largest number of open transactions: more than a server can have connections
 * (MAX_BACKENDS).
 */
#define OPEN_TXN_LIST_MAX ((size_t) 0x40000)

typedef struct OpenTxn
{
	uint32_t xid;
	uint64_t change_count;
} OpenTxn;

/* A zeroed list is empty. */
typedef struct OpenTxnList
{
	OpenTxn *items;
	size_t count;
	size_t capacity;
} OpenTxnList;

void open_txn_list_release(OpenTxnList *list);

/*
 * Returns the transaction `xid`, or NULL if it is not in the list.  The pointer
 * is valid until the next call of a function of this file that changes the
 * list.
 */
OpenTxn *open_txn_list_find(const OpenTxnList *list, uint32_t xid);

/*
 * Adds a transaction that is not in the list.  Returns NULL if there are too
 * many.
 */
OpenTxn *open_txn_list_add(OpenTxnList *list, uint32_t xid);

void open_txn_list_remove(OpenTxnList *list, OpenTxn *item);

#endif /* PENSTOCK_WIRE_OPEN_TXN_LIST_H */
