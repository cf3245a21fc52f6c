/*
 * pass_filter.c
 *    Counts changes.
 */
#include "support/pass_filter.h"

static Rc
count_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	((PassFilter *) sink)->changes++;
	return sink_change(sink->next, frame, change, err);
}

static Rc
count_open_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	((PassFilter *) sink)->changes++;
	return sink_open_txn_change(sink->next, frame, change, err);
}

static void
release(Sink *sink)
{
	sink_free(sink->next);
}

Sink *
pass_filter_init(PassFilter *filter, Sink *next)
{
	static const SinkOpenTxnOps open_txns = {.change = count_open_change};
	static const SinkOps ops = {.name = "pass",
								.change = count_change,
								.open_txns = &open_txns,
								.free = release};

	*filter = (PassFilter){0};
	sink_filter_init(&filter->sink, &filter->filter, &ops, next);
	return &filter->sink;
}
