/*
 * final_snapshot.c
 *		Makes a snapshot of the one that the last piece was read with; see
 *		final_snapshot.h.
 *
 * In that one the transaction's own rows are told by their command IDs, which
 * the server does not know any more.  Here the transaction and its
 * subtransactions are among those that have committed, as they have.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "catalogs/final_snapshot.h"
#include "catalogs/own_xids.h"
#include "compat.h"

static void
add_xid(Snapshot snapshot, TransactionId xid)
{
	Assert(TransactionIdIsValid(xid));
	snapshot->xip[snapshot->xcnt++] = xid;
	if (TransactionIdFollowsOrEquals(xid, snapshot->xmax))
	{
		snapshot->xmax = xid;
		TransactionIdAdvance(snapshot->xmax);
	}
}

/* Allocated in the current memory context. */
static Snapshot
make_snapshot(ReorderBufferTXN *txn)
{
	Snapshot last = txn_snapshot_compat(txn);
	Snapshot snapshot = palloc(sizeof(SnapshotData));
	Size count;
	dlist_iter iter;

	Assert(last != NULL);
	*snapshot = *last;
	count = (Size) snapshot->xcnt + (Size) txn->nsubtxns + 1;
	snapshot->xip = palloc(sizeof(TransactionId) * count);
	if (snapshot->xcnt > 0)
		memcpy(snapshot->xip, last->xip,
			   sizeof(TransactionId) * snapshot->xcnt);
	add_xid(snapshot, txn->xid);
	dlist_foreach (iter, &txn->subtxns)
	{
		add_xid(snapshot,
				dlist_container(ReorderBufferTXN, node, iter.cur)->xid);
	}
	Assert((Size) snapshot->xcnt == count);
	qsort(snapshot->xip, snapshot->xcnt, sizeof(TransactionId),
		  penstock_compare_xids);
	snapshot->subxip = NULL;
	snapshot->subxcnt = 0;
	snapshot->curcid = InvalidCommandId;
	snapshot->copied = true;
	snapshot->active_count = 1; /* or else it would be freed */
	snapshot->regd_count = 0;
	return snapshot;
}

void
penstock_final_snapshot_call(ReorderBufferTXN *txn, void (*function)(void *arg),
							 void *arg)
{
	MemoryContext outer = CurrentMemoryContext;
	Snapshot snapshot = make_snapshot(txn);
	bool in_transaction = IsTransactionOrTransactionBlock();

	Assert(!HistoricSnapshotActive());
	if (in_transaction)
		BeginInternalSubTransaction("penstock");
	else
		StartTransactionCommand();
	MemoryContextSwitchTo(outer);
	InvalidateSystemCaches();
	SetupHistoricSnapshot(snapshot, NULL);
	PG_TRY();
	{
		function(arg);
	}
	PG_CATCH();
	{
		TeardownHistoricSnapshot(true);
		PG_RE_THROW();
	}
	PG_END_TRY();
	TeardownHistoricSnapshot(false);

	/* As the server does it after each piece: nothing of it is to remain. */
	AbortCurrentTransaction();
	InvalidateSystemCaches();
	if (in_transaction)
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(outer);
}
