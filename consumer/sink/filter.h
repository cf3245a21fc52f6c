/*
 * filter.h
 *    Filters: sinks that pass what they receive to another sink.
 *
 * A filter may change the changes that it passes to the next sink, leave some
 * out, or only read them.  It is implemented as a SinkOps; functions that are
 * NULL there pass their arguments to the next sink unchanged.  The next sink
 * may be a filter, too.
 *
 *     typedef struct MaskFilter
 *     {
 *         Sink sink;            first
 *         SinkFilter filter;
 *         ...
 *     } MaskFilter;
 *
 *     static Rc
 *     mask_change(Sink *sink, Frame *frame, const Change *change, Error *err)
 *     {
 *         ... a change of its own, with the frame's arena ...
 *         return sink_change(sink->next, frame, masked, err);
 *     }
 *
 * A filter uses the report of the next sink.  If it has to report anything
 * else, it has a SinkReport of its own, and updates it in its work().  Its
 * orders are those of the next sink.  It has the interfaces for open
 * transactions and for fetching only if the next sink has them.
 *
 * A filter that leaves out all changes of a transaction passes both begin and
 * commit of the transaction, or none of the two.
 */
#ifndef PENSTOCK_SINK_FILTER_H
#define PENSTOCK_SINK_FILTER_H

#include "sink/sink.h"

/* Functions of a filter, which its implementation embeds in its own struct. */
typedef struct SinkFilter
{
	SinkOps ops; /* the filter's own functions, and forwarding ones */
	SinkOpenTxnOps open_txns;
	SinkFetchOps fetching;
} SinkFilter;

/*
 * Initializes the base of a filter before `next`, and takes ownership of that.
 * Copies `own`, whose free() must not be NULL, and has to call sink_free() for
 * the next sink.
 */
void sink_filter_init(Sink *sink, SinkFilter *filter, const SinkOps *own,
					  Sink *next);

#endif /* PENSTOCK_SINK_FILTER_H */
