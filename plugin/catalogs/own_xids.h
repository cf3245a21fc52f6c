/*
 * own_xids.h
 *		The transaction that is handed out, and its subtransactions.
 *
 * A row of a catalog says which transaction, or subtransaction, has written it.
 * Whoever reads catalogs asks here whether that is the transaction whose
 * changes are handed out, or another one.
 */
#ifndef PENSTOCK_OWN_XIDS_H
#define PENSTOCK_OWN_XIDS_H

#include "replication/reorderbuffer.h"

typedef struct PenstockOwnXids
{
	MemoryContext context; /* `xids` is allocated in it */
	ReorderBufferTXN *txn;
	TransactionId *xids; /* sorted; NULL: nobody has asked yet */
	int count;
} PenstockOwnXids;

/*
 * Sets the transaction, which must stay where it is until it has ended or
 * penstock_own_xids_resume() is called.  What is allocated goes away with the
 * memory context.
 */
extern void penstock_own_xids_init(PenstockOwnXids *own, MemoryContext context,
								   ReorderBufferTXN *txn);

/*
 * A piece of a transaction in progress begins: the transaction may have got
 * subtransactions, or lost some that were rolled back.
 */
extern void penstock_own_xids_resume(PenstockOwnXids *own,
									 ReorderBufferTXN *txn);

/* Whether an xid is the transaction's, or that of a subtransaction of it. */
extern bool penstock_own_xids_have(PenstockOwnXids *own, TransactionId xid);

/* The order of sorted arrays of xids, for qsort() and bsearch(). */
extern int penstock_compare_xids(const void *a, const void *b);

#endif /* PENSTOCK_OWN_XIDS_H */
