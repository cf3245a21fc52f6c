/*
 * durable.c
 *    The ring buffer of pairs.
 */
#include "sink/durable.h"

#include "base/macros.h"

void
durable_push(DurableQueue *queue, Lsn source_lsn, Lsn target_lsn)
{
	size_t last = (queue->first + queue->count + DURABLE_PAIRS_MAX - 1) %
				  DURABLE_PAIRS_MAX;
	size_t at = (last + 1) % DURABLE_PAIRS_MAX;

	if (queue->count > 0)
	{
		CHECK(queue->pairs[last].source_lsn <= source_lsn);
		target_lsn = lsn_max(target_lsn, queue->pairs[last].target_lsn);
	}
	if (queue->count == DURABLE_PAIRS_MAX)
		at = last;
	else
		queue->count++;
	queue->pairs[at].source_lsn = source_lsn;
	queue->pairs[at].target_lsn = target_lsn;
}

Lsn
durable_take(DurableQueue *queue, Lsn target_flush_lsn)
{
	Lsn source_lsn = 0;

	while (queue->count > 0 &&
		   queue->pairs[queue->first].target_lsn <= target_flush_lsn)
	{
		source_lsn = queue->pairs[queue->first].source_lsn;
		queue->first = (queue->first + 1) % DURABLE_PAIRS_MAX;
		queue->count--;
	}
	return source_lsn;
}
