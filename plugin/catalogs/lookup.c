/*
 * lookup.c
 *		Calls functions while no transaction is watched; see lookup.h.
 */
#include "postgres.h"

#include "access/transam.h"
#include "storage/procarray.h"
#include "utils/memutils.h"

#include "catalogs/lookup.h"
#include "compat.h"

/*
 * Whether a transaction was rolled back.  Asks first whether it is in progress,
 * because a transaction is marked as committed before it stops being in
 * progress.
 */
static bool
is_rolled_back(TransactionId xid)
{
	return !TransactionIdIsInProgress(xid) && !TransactionIdDidCommit(xid);
}

static void
look_up_unwatched(PenstockLookup function, void *arg, TransactionId *watched)
{
	MemoryContext context = CurrentMemoryContext;
	TransactionId xid = *watched;

	Assert(TransactionIdIsValid(xid));
	*watched = InvalidTransactionId;
	PG_TRY();
	{
		function(arg);
	}
	PG_CATCH();
	{
		*watched = xid;
		if (!is_rolled_back(xid))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
	*watched = xid;
	if (is_rolled_back(xid))
		ereport(ERROR, (errcode(ERRCODE_TRANSACTION_ROLLBACK),
						errmsg("transaction %u was rolled back while it was "
							   "being decoded",
							   xid)));
}

void
penstock_lookup(PenstockLookup function, void *arg)
{
	TransactionId *watched = watched_xid_compat();

	if (likely(watched == NULL || !TransactionIdIsValid(*watched)))
		function(arg);
	else
		look_up_unwatched(function, arg, watched);
}
