/*
 * own_xids.c
 *		A sorted array of xids, made when it is first asked; see own_xids.h.
 */
#include "postgres.h"

#include "catalogs/own_xids.h"

int
penstock_compare_xids(const void *a, const void *b)
{
	TransactionId left = *(const TransactionId *) a;
	TransactionId right = *(const TransactionId *) b;

	return left < right ? -1 : left > right;
}

static void
collect_xids(PenstockOwnXids *own)
{
	ReorderBufferTXN *txn = own->txn;
	Size count = 1;
	dlist_iter iter;

	dlist_foreach (iter, &txn->subtxns)
	{
		count++;
	}
	if (own->xids != NULL)
		pfree(own->xids);
	own->xids = MemoryContextAlloc(own->context, sizeof(TransactionId) * count);
	own->count = 0;
	own->xids[own->count++] = txn->xid;
	dlist_foreach (iter, &txn->subtxns)
	{
		const ReorderBufferTXN *subtxn = dlist_container(ReorderBufferTXN, node,
														 iter.cur);

		own->xids[own->count++] = subtxn->xid;
	}
	Assert((Size) own->count == count);
	qsort(own->xids, count, sizeof(TransactionId), penstock_compare_xids);
}

void
penstock_own_xids_init(PenstockOwnXids *own, MemoryContext context,
					   ReorderBufferTXN *txn)
{
	Assert(context != NULL && TransactionIdIsValid(txn->xid));
	*own = (PenstockOwnXids){.context = context, .txn = txn};
}

void
penstock_own_xids_resume(PenstockOwnXids *own, ReorderBufferTXN *txn)
{
	Assert(TransactionIdIsValid(txn->xid));
	own->txn = txn;
	if (own->xids != NULL)
		collect_xids(own);
}

bool
penstock_own_xids_have(PenstockOwnXids *own, TransactionId xid)
{
	Assert(TransactionIdIsValid(own->txn->xid));
	if (unlikely(own->xids == NULL))
		collect_xids(own);
	return bsearch(&xid, own->xids, (Size) own->count, sizeof(TransactionId),
				   penstock_compare_xids) != NULL;
}
