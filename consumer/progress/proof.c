/*
 * proof.c
 *    The list of transactions that have to come again.
 */
#include "progress/proof.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/log.h"
#include "base/own_command.h"

void
proof_add(Proof *proof, const ProofItem *item, Lsn start_lsn)
{
	/* Without a start the transaction could be one before the slot. */
	ASSERT(start_lsn != 0);
	if (item->commit_lsn == 0 || item->commit_lsn < start_lsn)
		return;
	CHECK(proof->count < PROOF_MAX);
	proof->items[proof->count++] = *item;
}

static MUST_CHECK Rc
refuse(const ProofItem *item, Error *err)
{
	const char *label = item->label != NULL ? item->label : "target";
	Rc rc;

	if (item->from_log)
	{
		rc = error_set(err, ERR_CONFIG,
					   "%s has changes that are not in the log", label);
		error_hint(err, "Is that the log of this pipeline's source, and of no "
						"other server that was made from the same files?  "
						"\"penstock log status\" says of what a log is.");
		return rc;
	}
	rc = error_set(err, ERR_CONFIG,
				   "%s has changes that are not in the source's WAL", label);

	error_hint(err,
			   "Was the source put back to an earlier state, for example from "
			   "a snapshot of its disk?  Then the target has rows that the "
			   "source has not: remove the pipeline with \"%s\" and copy again "
			   "with \"%s\".  If it was not, and what is published was changed "
			   "while nobody followed, run on the target: UPDATE "
			   "penstock.progress SET commit_time = NULL.",
			   OWN_COMMAND("drop"), OWN_COMMAND("clone"));
	return rc;
}

/* Whether the commit record of `txn` is at, or goes over, the LSN at which the
 * target has another transaction. */
static bool
is_in_the_place(const ProofItem *item, const TxnInfo *txn)
{
	return txn->commit_lsn <= item->commit_lsn &&
		   item->commit_lsn < lsn_max(txn->end_lsn, txn->commit_lsn + 1);
}

static void
say_unproved(const ProofItem *item)
{
	log_warning(
		"follow.history-unproved",
		"that %s has followed this source's WAL is not proved: the "
		"last transaction that it has applied, committed at LSN " LSN_FORMAT
		", did not come again, maybe because it changed "
		"only tables that are left out now",
		item->label != NULL ? item->label : "target",
		LSN_ARGS(item->commit_lsn));
}

/*
 * Judges `item`, whose LSN `txn` has reached: returns RC_OK if it has come, or
 * may lack; otherwise fails.
 */
static MUST_CHECK Rc
compare(const ProofItem *item, const TxnInfo *txn, Error *err)
{
	Rc rc;

	ASSERT(txn->commit_lsn >= item->commit_lsn || is_in_the_place(item, txn));
	if (txn->commit_lsn == item->commit_lsn &&
		txn->commit_time_us == item->commit_time_us)
		return RC_OK;
	if (item->may_lack && !is_in_the_place(item, txn))
	{
		say_unproved(item);
		return RC_OK;
	}
	rc = refuse(item, err);
	error_detail(err,
				 "The last transaction that it has applied was committed at "
				 "LSN " LSN_FORMAT "; the %s has another one at "
				 "LSN " LSN_FORMAT ", transaction %u.",
				 LSN_ARGS(item->commit_lsn),
				 item->from_log ? "log" : "source's WAL",
				 LSN_ARGS(txn->commit_lsn), txn->xid);
	return rc;
}

Rc
proof_transaction(Proof *proof, const TxnInfo *txn, Error *err)
{
	int left = 0;

	CHECK(txn->commit_lsn != 0 && txn->commit_lsn < txn->end_lsn);
	for (int i = 0; i < proof->count; i++)
	{
		const ProofItem *item = &proof->items[i];

		if (txn->commit_lsn < item->commit_lsn && !is_in_the_place(item, txn))
			proof->items[left++] = *item;
		else
		{
			Rc rc = compare(item, txn, err);

			if (rc != RC_OK)
				return rc;
		}
	}
	ASSERT(left <= proof->count);
	proof->count = left;
	return RC_OK;
}

static MUST_CHECK Rc
refuse_position(const ProofItem *item, Lsn lsn, Error *err)
{
	Rc rc = refuse(item, err);

	error_detail(err,
				 "The last transaction that it has applied was committed at "
				 "LSN " LSN_FORMAT
				 "; the %s has been read up to LSN " LSN_FORMAT
				 " and does not have it.",
				 LSN_ARGS(item->commit_lsn),
				 item->from_log ? "log" : "source's WAL", LSN_ARGS(lsn));
	return rc;
}

Rc
proof_position(Proof *proof, Lsn lsn, Error *err)
{
	int left = 0;

	ASSERT(proof->count >= 0 && proof->count <= PROOF_MAX);
	for (int i = 0; i < proof->count; i++)
	{
		const ProofItem *item = &proof->items[i];

		if (lsn <= item->commit_lsn)
			proof->items[left++] = *item;
		else if (item->may_lack)
			say_unproved(item);
		else
			return refuse_position(item, lsn, err);
	}
	proof->count = left;
	return RC_OK;
}
