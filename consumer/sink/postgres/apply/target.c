/*
 * target.c
 *    Derives durable positions from commits.
 */
#include "sink/postgres/apply/target.h"

/*
 * Longer than a batch holds its locks, and short enough not to look like a
 * standstill.
 */
const char target_lock_timeout_sql[] = "SET LOCAL lock_timeout = '3s'";

const char *
target_restore_lock_timeout_sql(const Target *target)
{
	return target->has_open_transactions ? target_lock_timeout_sql
										 : "SET LOCAL lock_timeout TO DEFAULT";
}

bool
target_must_flush(const Target *target)
{
	return target->orders->mode != SINK_RUNNING ||
		   target->orders->position_wanted ||
		   target->flush_checks >= FLUSH_CHECKS_MAX;
}

/*
 * Records that progress has moved.  Results of several connections may be
 * received in another order than that of the commits.
 */
static void
note(Target *target, Lsn source_lsn)
{
	CHECK(source_lsn > 0);
	target->noted_lsn = lsn_max(target->noted_lsn, source_lsn);
	target->report->applied_lsn = lsn_max(target->report->applied_lsn,
										  source_lsn);
}

void
target_note_commit(Target *target, Lsn source_lsn, Lsn target_lsn)
{
	ASSERT(target_lsn != 0);
	note(target, source_lsn);
	if (source_lsn <= target->placed_lsn)
		return; /* another connection has reported a later position */
	target->placed_lsn = source_lsn;
	durable_push(&target->durable, source_lsn, target_lsn);
}

void
target_note_txn(Target *target, const TxnInfo *txn, size_t rows)
{
	CHECK(txn->end_lsn > txn->commit_lsn);
	note(target, txn->end_lsn);
	target->report->batches++;
	target->report->transactions++;
	target->report->rows += (int64_t) rows;
}

void
target_note_flush(Target *target, Lsn target_flush_lsn)
{
	Lsn lsn = durable_take(&target->durable, target_flush_lsn);

	if (lsn == 0)
		return;
	CHECK(lsn >= target->report->durable_lsn);
	CHECK(lsn <= target->noted_lsn);
	CHECK(lsn <= target->report->applied_lsn);
	target->report->durable_lsn = lsn;
}
