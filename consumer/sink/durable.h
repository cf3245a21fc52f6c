/*
 * durable.h
 *    From commits on the target to positions of the source that are safe.
 *
 * Apply sessions do not wait for their commits to reach the disk.  For each
 * commit this queue keeps the pair (source position, target position after the
 * commit); when the target's flush position has passed the second, the first is
 * durable.  The queue is bounded: when it is full, a new pair takes the place
 * of the newest, which only makes durability show later.
 */
#ifndef PENSTOCK_SINK_DURABLE_H
#define PENSTOCK_SINK_DURABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/lsn.h"

/* Commits that can be waiting for the target's disk. */
#define DURABLE_PAIRS_MAX 256

typedef struct DurableQueue
{
	struct
	{
		Lsn source_lsn;
		Lsn target_lsn;
	} pairs[DURABLE_PAIRS_MAX]; /* a ring */
	size_t first;
	size_t count;
} DurableQueue;

static inline bool
durable_is_empty(const DurableQueue *queue)
{
	return queue->count == 0;
}

/*
 * Notes a commit; positions of the source only grow.  One of the target that is
 * after the last one's, because another connection was asked, counts as that.
 */
void durable_push(DurableQueue *queue, Lsn source_lsn, Lsn target_lsn);

/*
 * Takes out what the target has flushed; returns the last source position among
 * it, or 0.
 */
Lsn durable_take(DurableQueue *queue, Lsn target_flush_lsn);

#endif /* PENSTOCK_SINK_DURABLE_H */
