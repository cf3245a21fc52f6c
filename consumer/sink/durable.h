/*
 * durable.h
 *    Computes which commits on a target are durable.
 *
 * Sessions that apply changes have synchronous_commit = off.  For each commit
 * this queue has a pair: the source's LSN up to which the commit has applied
 * changes, and the target's LSN after the commit.  When the target has flushed
 * its WAL up to the target's LSN, everything up to the source's LSN is durable.
 * When the queue is full, a new pair replaces the newest one, which delays the
 * report of durable commits but is not wrong.
 */
#ifndef PENSTOCK_SINK_DURABLE_H
#define PENSTOCK_SINK_DURABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/lsn.h"

/* Maximum number of commits in the queue. */
#define DURABLE_PAIRS_MAX 256

typedef struct DurableQueue
{
	struct
	{
		Lsn source_lsn;
		Lsn target_lsn;
	} pairs[DURABLE_PAIRS_MAX]; /* a ring buffer that begins at `first` */
	size_t first;
	size_t count;
} DurableQueue;

static inline bool
durable_is_empty(const DurableQueue *queue)
{
	return queue->count == 0;
}

/*
 * Adds a commit.  source_lsn must not be less than that of the last pair.  If
 * target_lsn is less, because it was read in another session, that of the last
 * pair is used instead.
 */
void durable_push(DurableQueue *queue, Lsn source_lsn, Lsn target_lsn);

/*
 * Removes the pairs up to the target's flush LSN, and returns the source's LSN
 * of the last of them, or 0 if there are none.
 */
Lsn durable_take(DurableQueue *queue, Lsn target_flush_lsn);

#endif /* PENSTOCK_SINK_DURABLE_H */
