/*
 * sink.h
 *    Where changes go: the interface between the router and everything that
 *    keeps, applies or prints them.
 *
 * A sink receives one source transaction at a time:
 *     begin, change*, commit
 * in commit order.  It may hold transactions back and treat several as one; it
 * says how far it is by the positions in its report.  If it fails, everything
 * that is not durable is gone for it, and a new sink starts again from
 * `start_lsn`.
 *
 * What else a sink may be able to do are interfaces of their own, which a sink
 * need not have: to take open transactions (SinkOpenTxnOps), and to give values
 * of rows (SinkFetchOps).
 *
 * A filter is a sink in front of another, for which it changes what comes or
 * looks at it; see filter.h.
 *
 * What a Change points to is borrowed; take a reference to its frame
 * (frame_ref()) to keep it beyond the call.  begin, change and commit do not
 * wait for anything and never refuse: a sink that has enough sets `full`, and
 * the router's caller stops reading from the source until it is not any more.
 * All waiting is in work(), which the loop calls once per turn.
 *
 * work() does what can be done now, and leaves to interest() what it waits for.
 * Where it cannot go on without an answer of its target, it may wait for that
 * with the functions of base/interrupt.h: the loop has it run as a task.  The
 * sink is given changes and orders then as at any other time, and has to queue
 * the changes.  work() is not called again before it has returned, and neither
 * is interest().  If the run ends, its wait fails with ERR_INTERRUPTED, and the
 * sink is released after that.
 *
 * A sink may have timers and wake-ups of its own.  interest() names its
 * descriptors (sockets, a pipe or an eventfd(2) that another process or thread
 * writes to) and the time until which nothing else happens.  When one of them
 * is ready, or the time has come, the loop calls work(), which has to find out
 * for itself which of them it was: work() is called for other reasons, too.
 */
#ifndef PENSTOCK_SINK_SINK_H
#define PENSTOCK_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interest.h"
#include "model/change.h"

typedef struct Sink Sink;

/*
 * What the loop wants of a sink.  It starts in SINK_RUNNING, and only goes to
 * what stands further down:
 *
 *     RUNNING ──► DRAINING ──► SETTLING ──► STOPPING
 */
typedef enum SinkMode
{
	/* Take and apply changes.  received_lsn also moves when there is nothing
	 * for us in the source's WAL; the sink lets durable_lsn follow now and
	 * then, and at once when position_wanted. */
	SINK_RUNNING,

	/* Nothing more comes: apply it all, bring durable_lsn to received_lsn. */
	SINK_DRAINING,

	/* The same, but what has begun to come does not come to its end: drop that.
	 * Say stopped. */
	SINK_SETTLING,

	/* Drop what has not been started, make the rest durable, say stopped. */
	SINK_STOPPING,
} SinkMode;

/*
 * Values of a row that is about to be removed, which somebody else needs; see
 * model/moved.h.  Whoever asks owns it, and leaves it as it is until it is
 * done.
 */
typedef struct SinkFetch
{
	TxnInfo txn;           /* that removes it */
	const char *pipeline;  /* and whose transaction that is */
	int64_t number;        /* of the removal in it, from 1 */
	const Change *removal; /* finds the row */

	/* The row: in the place of each VALUE_UNCHANGED the sink puts the value,
	 * its bytes allocated in the arena. */
	Value *row;
	Arena *arena;
	bool done;              /* set by the sink */
	struct SinkFetch *next; /* the sink's own */
} SinkFetch;

/*
 * Open transactions: those that are still in progress on the source.  They come
 * in pieces, in between and beside others of their kind:
 *     change*, and then one of commit and abort
 * commit stands where the transaction has its place in commit order; until then
 * nothing of it may be seen.  If a sink fails with ERR_OPEN_TXN, all can go on
 * if the transaction is held back on the source until it has committed.
 */
typedef struct SinkOpenTxnOps
{
	Rc (*change)(Sink *sink, Frame *frame, const Change *change, Error *err);
	Rc (*commit)(Sink *sink, const TxnInfo *txn, Error *err);

	/* Also of a transaction that the sink had nothing of, and of a
	 * subtransaction (0: all) that it had nothing of. */
	Rc (*abort)(Sink *sink, uint32_t xid, uint32_t subxid, Error *err);
} SinkOpenTxnOps;

/*
 * Fetching: reads values of a row as it is after all that was handed over so
 * far, or as it was when the sink has the transaction already.  work() does
 * that, and says when it is done; nothing that changes the row may be handed
 * over until then.
 */
typedef struct SinkFetchOps
{
	void (*fetch)(Sink *sink, SinkFetch *fetch);
} SinkFetchOps;

typedef struct SinkOps
{
	const char *name;
	Rc (*begin)(Sink *sink, const TxnInfo *txn, Error *err);
	Rc (*change)(Sink *sink, Frame *frame, const Change *change, Error *err);
	Rc (*commit)(Sink *sink, const TxnInfo *txn, Error *err);
	const SinkOpenTxnOps *open_txns; /* NULL: it takes whole ones only */
	const SinkFetchOps *fetching;    /* NULL: it has no rows to give */

	/* See above.  `source_idle`: nothing more is to be had from the source at
	 * the moment. */
	Rc (*work)(Sink *sink, bool source_idle, Error *err);
	void (*interest)(const Sink *sink, Interest *interest);
	void (*free)(Sink *sink);
} SinkOps;

/*
 * What a sink says of itself.  Only the sink writes it.  A filter may have that
 * of the next sink for its own.
 */
typedef struct SinkReport
{
	const char *label;   /* for messages; or NULL */
	Lsn start_lsn;       /* it has everything up to here: skip it */
	Lsn last_commit_lsn; /* of the last transaction that it applied before it
							started; 0: none, or not known */
	int64_t last_commit_time_us; /* since 2000-01-01 UTC */
	Lsn applied_lsn;             /* everything before can be seen there */
	Lsn durable_lsn;             /* everything before survives a crash there */
	Lsn fence_lsn;    /* nothing after it is wanted at present; 0: no such */
	bool full;        /* give it nothing more for now */
	bool stopped;     /* in SINK_SETTLING and _STOPPING: durable_lsn is final */
	bool unreachable; /* it stands in for one whose target is; see
						 unreachable.h */

	/* With ERR_OPEN_TXN: the transaction, 0: not known; and the position from
	 * which on a stream has none that is refused for this reason, 0: there is
	 * no such position. */
	uint32_t refused_xid;
	Lsn refused_until_lsn;
	int64_t transactions; /* applied since it was made */
	int64_t rows;
} SinkReport;

/* What the loop orders.  Only the loop changes it, with sink_order(). */
typedef struct SinkOrders
{
	SinkMode mode;
	Lsn received_lsn;     /* everything before has been handed over */
	Lsn streamed_lsn;     /* this stream has come up to here, and all that ended
							 before has come; 0: nowhere yet */
	Lsn everywhere_lsn;   /* everything before is durable at all sinks */
	bool position_wanted; /* the source asks: let durable_lsn catch up now */
} SinkOrders;

struct Sink
{
	const SinkOps *ops;       /* first: see the casts of its implementations */
	Sink *next;               /* that a filter stands in front of; or NULL */
	const SinkReport *report; /* it writes that where it is its own */
	SinkOrders orders;
	bool in_transaction; /* between begin and commit; kept by the functions
							below */
};

/* Sets up the base of a sink that has everything up to `start_lsn`, and so
 * nothing yet to report beyond that.  The report lives as long as the sink. */
static inline void
sink_init(Sink *sink, const SinkOps *ops, SinkReport *report, Lsn start_lsn)
{
	*sink = (Sink){
		.ops = ops, .report = report, .orders = {.received_lsn = start_lsn}};
	*report = (SinkReport){.start_lsn = start_lsn,
						   .applied_lsn = start_lsn,
						   .durable_lsn = start_lsn};
}

/*
 * Gives a sink its orders, and those that it is a filter for.  The mode changes
 * as SinkMode says, and this stream only goes on.
 */
static inline void
sink_order(Sink *sink, const SinkOrders *orders)
{
	static const unsigned modes_after[] = {
		[SINK_RUNNING] = 1U << SINK_RUNNING | 1U << SINK_DRAINING |
						 1U << SINK_SETTLING | 1U << SINK_STOPPING,
		[SINK_DRAINING] = 1U << SINK_DRAINING | 1U << SINK_SETTLING |
						  1U << SINK_STOPPING,
		[SINK_SETTLING] = 1U << SINK_SETTLING | 1U << SINK_STOPPING,
		[SINK_STOPPING] = 1U << SINK_STOPPING,
	};

	CHECK((modes_after[sink->orders.mode] & (1U << orders->mode)) != 0);
	CHECK(orders->streamed_lsn >= sink->orders.streamed_lsn);
	CHECK(orders->everywhere_lsn >= sink->orders.everywhere_lsn);
	CHECK(orders->everywhere_lsn <= orders->received_lsn);
	for (; sink != NULL; sink = sink->next)
		sink->orders = *orders;
}

static inline void
sink_set_mode(Sink *sink, SinkMode mode)
{
	SinkOrders orders = sink->orders;

	orders.mode = mode;
	sink_order(sink, &orders);
}

/* Another stream begins for a sink that was kept.  It comes from where the sink
 * is durable. */
static inline void
sink_begin_stream(Sink *sink)
{
	for (; sink != NULL; sink = sink->next)
	{
		sink->orders = (SinkOrders){.received_lsn = sink->report->durable_lsn};
		sink->in_transaction = false;
	}
}

static inline MUST_CHECK Rc
sink_begin(Sink *sink, const TxnInfo *txn, Error *err)
{
	ASSERT(!sink->in_transaction);
	CHECK(txn->end_lsn > txn->commit_lsn);
	CHECK(txn->end_lsn > sink->report->start_lsn);
	sink->in_transaction = true;
	return sink->ops->begin(sink, txn, err);
}

static inline MUST_CHECK Rc
sink_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	ASSERT(sink->in_transaction || change->kind == CHANGE_MESSAGE);
	ASSERT(frame->open_txn.xid == 0);
	return sink->ops->change(sink, frame, change, err);
}

static inline MUST_CHECK Rc
sink_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	ASSERT(sink->in_transaction);
	CHECK(txn->end_lsn > sink->report->start_lsn);
	sink->in_transaction = false;
	return sink->ops->commit(sink, txn, err);
}

static inline MUST_CHECK Rc
sink_open_txn_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	CHECK(sink->ops->open_txns != NULL);
	ASSERT(!sink->in_transaction);
	ASSERT(frame->open_txn.xid != 0);
	return sink->ops->open_txns->change(sink, frame, change, err);
}

static inline MUST_CHECK Rc
sink_open_txn_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	CHECK(sink->ops->open_txns != NULL);
	ASSERT(!sink->in_transaction);
	CHECK(txn->end_lsn > sink->report->start_lsn);
	return sink->ops->open_txns->commit(sink, txn, err);
}

static inline MUST_CHECK Rc
sink_open_txn_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err)
{
	CHECK(sink->ops->open_txns != NULL);
	ASSERT(!sink->in_transaction);
	return sink->ops->open_txns->abort(sink, xid, subxid, err);
}

static inline void
sink_fetch(Sink *sink, SinkFetch *fetch)
{
	CHECK(sink->ops->fetching != NULL);
	ASSERT(!fetch->done);
	ASSERT(fetch->removal != NULL && fetch->arena != NULL);
	sink->ops->fetching->fetch(sink, fetch);
}

static inline MUST_CHECK Rc
sink_work(Sink *sink, bool source_idle, Error *err)
{
	const SinkReport *report = sink->report;
	Lsn durable_lsn = report->durable_lsn;
	Lsn applied_lsn = report->applied_lsn;
	Rc rc = sink->ops->work(sink, source_idle, err);

	CHECK(report->durable_lsn >= durable_lsn);
	CHECK(report->applied_lsn >= applied_lsn);
	CHECK(report->durable_lsn <= report->applied_lsn);
	CHECK(report->applied_lsn <=
		  lsn_max(sink->orders.received_lsn, report->start_lsn));
	ASSERT(rc != RC_AGAIN);
	return rc;
}

/* Adds what it waits for. */
static inline void
sink_interest(const Sink *sink, Interest *interest)
{
	sink->ops->interest(sink, interest);
}

/* The sink that all filters stand in front of. */
static inline const Sink *
sink_last(const Sink *sink)
{
	while (sink->next != NULL)
		sink = sink->next;
	return sink;
}

/* Accepts NULL. */
static inline void
sink_free(Sink *sink)
{
	if (sink != NULL)
		sink->ops->free(sink);
}

#endif /* PENSTOCK_SINK_SINK_H */
