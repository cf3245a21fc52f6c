/*
 * filter.h
 *    Sinks in front of other sinks.
 *
 * A filter is a sink that hands what it is given to the next sink: it may
 * change that, leave some of it out, or only look at it.  It is written as a
 * SinkOps with the functions that differ; those that are NULL hand on what they
 * are given.  A filter may stand in front of another one.
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
 * A filter has the report of the next sink, unless it has something of its
 * own to report: then it has a SinkReport, and sees to it in its work().  It
 * gets the same orders.  What the next sink cannot do, such as fetching,
 * it cannot do either.
 *
 * What leaves out a transaction's only changes still hands on its begin and
 * commit; or neither of them.
 */
#ifndef PENSTOCK_SINK_FILTER_H
#define PENSTOCK_SINK_FILTER_H

#include "sink/sink.h"

/* What a filter has beside its Sink. */
typedef struct SinkFilter
{
	SinkOps ops; /* its own functions, and those that hand on */
	SinkOpenTxnOps open_txns;
	SinkFetchOps fetching;
} SinkFilter;

/*
 * Sets up the base of a filter in front of `next`, which becomes the filter's
 * and is released with it.  `own` is copied; its free() has to be there, and
 * leaves the next sink to sink_free().
 */
void sink_filter_init(Sink *sink, SinkFilter *filter, const SinkOps *own,
					  Sink *next);

#endif /* PENSTOCK_SINK_FILTER_H */
