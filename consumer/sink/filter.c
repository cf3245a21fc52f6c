/*
 * filter.c
 *    Functions that pass their arguments to the next sink.
 */
#include "sink/filter.h"

static Rc
forward_begin(Sink *sink, const TxnInfo *txn, Error *err)
{
	return sink_begin(sink->next, txn, err);
}

static Rc
forward_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	return sink_change(sink->next, frame, change, err);
}

static Rc
forward_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	return sink_commit(sink->next, txn, err);
}

static Rc
forward_open_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	return sink_open_txn_change(sink->next, frame, change, err);
}

static Rc
forward_open_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	return sink_open_txn_commit(sink->next, txn, err);
}

static Rc
forward_open_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err)
{
	return sink_open_txn_abort(sink->next, xid, subxid, err);
}

static void
forward_fetch(Sink *sink, SinkFetch *fetch)
{
	sink_fetch(sink->next, fetch);
}

static Rc
forward_work(Sink *sink, bool source_idle, Error *err)
{
	return sink_work(sink->next, source_idle, err);
}

static void
forward_interest(const Sink *sink, Interest *interest)
{
	sink_interest(sink->next, interest);
}

/* The filter's own function or, if that is NULL, the forwarding one. */
#define OR_FORWARD(own, forward) ((own) != NULL ? (own) : (forward))

static void
take_open_txn_ops(SinkFilter *filter, const SinkOpenTxnOps *own)
{
	static const SinkOpenTxnOps none = {0};

	if (own == NULL)
		own = &none;
	filter->open_txns = (SinkOpenTxnOps){
		.change = OR_FORWARD(own->change, forward_open_change),
		.commit = OR_FORWARD(own->commit, forward_open_commit),
		.abort = OR_FORWARD(own->abort, forward_open_abort),
	};
	filter->ops.open_txns = &filter->open_txns;
}

static void
take_fetch_ops(SinkFilter *filter, const SinkFetchOps *own)
{
	filter->fetching = (SinkFetchOps){.fetch = forward_fetch};
	if (own != NULL)
		filter->fetching = *own;
	filter->ops.fetching = &filter->fetching;
}

void
sink_filter_init(Sink *sink, SinkFilter *filter, const SinkOps *own, Sink *next)
{
	CHECK(own->free != NULL);
	CHECK(next != NULL && !next->in_transaction);
	*filter = (SinkFilter){
		.ops = {.name = own->name,
				.begin = OR_FORWARD(own->begin, forward_begin),
				.change = OR_FORWARD(own->change, forward_change),
				.commit = OR_FORWARD(own->commit, forward_commit),
				.work = OR_FORWARD(own->work, forward_work),
				.interest = OR_FORWARD(own->interest, forward_interest),
				.free = own->free}};
	if (next->ops->open_txns != NULL)
		take_open_txn_ops(filter, own->open_txns);
	if (next->ops->fetching != NULL)
		take_fetch_ops(filter, own->fetching);
	*sink = (Sink){.ops = &filter->ops,
				   .next = next,
				   .report = next->report,
				   .orders = next->orders};
}
