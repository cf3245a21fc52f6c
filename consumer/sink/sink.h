/*
 * sink.h
 *    The interface of sinks, which apply the source's changes to a target, or
 *    print them.  The router hands the changes over to the sinks.
 *
 * A sink receives the source's transactions in commit order, one at a time:
 *     begin, change*, commit
 * It may queue transactions, and apply several as one.  Its report says up to
 * which LSN of the source it has applied them.  If a sink fails, it loses all
 * transactions that are not durable, and a new sink receives those after its
 * `start_lsn` again.
 *
 * A sink may have two more interfaces: SinkOpenTxnOps, to receive transactions
 * that are still in progress on the source, and SinkFetchOps, to return values
 * of rows.
 *
 * A sink may have frame(), to receive whole frames instead of changes, those of
 * open transactions among them.  The functions for changes are not called then.
 * The first frame of a session comes even if the sink has its transaction: it
 * describes the session.
 *
 * A filter is a sink that passes what it receives to another sink, and may
 * change it on the way; see filter.h.
 *
 * A Change, and all that it points to, is borrowed from its frame
 * (model/change.h); a sink that needs it after the call takes a reference with
 * frame_ref().  begin, change and commit must not block, and must accept what
 * they are given.  When a sink has queued enough, it sets `full` in its report,
 * and the loop stops reading from the source until all sinks are not full.
 *
 * The loop (pipeline/run.c) calls work() once in each of its turns.  work()
 * does what can be done without waiting; interest() then tells the loop which
 * descriptors and what time the sink waits for.  If work() needs an answer of
 * its target before it can continue, it may wait with the functions of
 * base/interrupt.h, because the loop runs it as a task (base/task.h).  While
 * work() waits, the loop still hands over changes, which the sink has to queue,
 * and changes its orders; it calls neither work() nor interest().  If the run
 * ends, the wait fails with ERR_INTERRUPTED, and the sink is freed when work()
 * has returned.
 *
 * A sink may have timers and wake-ups of its own: interest() may add any
 * descriptor, such as a pipe or an eventfd(2) that another process or thread
 * writes to, and a time.  work() is not told why it is called, and has to check
 * each of them itself.
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
 * The state that the loop has asked a sink to reach.  It starts as
 * SINK_RUNNING, and only moves to the right; it may skip a state:
 *
 *     RUNNING ──► DRAINING ──► SETTLING ──► STOPPING
 */
typedef enum SinkMode
{
	/* The sink applies changes.  received_lsn also advances when the source's
	 * WAL has no changes for the sink; the sink advances durable_lsn to it from
	 * time to time, and at once if position_wanted is set. */
	SINK_RUNNING,

	/* No more changes will be handed over.  The sink applies all transactions,
	 * and advances durable_lsn to received_lsn. */
	SINK_DRAINING,

	/* As SINK_DRAINING, but transactions whose commit was not handed over will
	 * not be completed: the sink drops them.  Then it sets `stopped`. */
	SINK_SETTLING,

	/* The sink drops the transactions that it has not begun to apply, makes the
	 * others durable, and then sets `stopped`. */
	SINK_STOPPING,
} SinkMode;

/*
 * A request for values of a row that is about to be removed from this sink's
 * target, because an update has moved the row to another target, without
 * sending its unchanged TOAST values; see model/moved.h.  The caller owns the
 * request, and does not change it until `done` is set.
 */
typedef struct SinkFetch
{
	TxnInfo txn;          /* transaction that removes the row */
	const char *pipeline; /* name of the pipeline of that transaction */
	int64_t number;       /* number of the removal in the transaction, from 1 */
	const Change *removal; /* the delete that identifies the row */

	/* The row: the sink replaces each VALUE_UNCHANGED by the value, whose bytes
	 * it allocates in the arena. */
	Value *row;
	Arena *arena;
	bool done;              /* set by the sink when the values are there */
	struct SinkFetch *next; /* for a list of the sink */
} SinkFetch;

/*
 * Interface for open transactions, which are still in progress on the source.
 * A sink receives the changes of an open transaction between other transactions
 * and between those of other open transactions:
 *     change*, and then one of commit and abort
 * commit comes at the transaction's place in commit order; until then nobody
 * may see the changes on the target.  If a sink fails with ERR_OPEN_TXN, it
 * cannot apply a transaction before its commit; it can apply it if the source
 * sends the transaction only after it has committed.
 */
typedef struct SinkOpenTxnOps
{
	Rc (*change)(Sink *sink, Frame *frame, const Change *change, Error *err);
	Rc (*commit)(Sink *sink, const TxnInfo *txn, Error *err);

	/* Aborts a transaction or, if `subxid` is not 0, a subtransaction of it.
	 * Also called if the sink has received no changes of either. */
	Rc (*abort)(Sink *sink, uint32_t xid, uint32_t subxid, Error *err);
} SinkOpenTxnOps;

/*
 * Interface for reading values of a row, as it is after all changes that were
 * handed over so far; or, if the sink has already applied the transaction that
 * removes the row, as it was before.  work() reads the values later and sets
 * `done`; until then the caller hands over no change of the row.
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

	/* Receives a frame as it came.  NULL: the sink receives changes. */
	Rc (*frame)(Sink *sink, Frame *frame, Error *err);
	const SinkOpenTxnOps *open_txns; /* NULL: the sink receives no open
									  * transactions */
	const SinkFetchOps *fetching;    /* NULL: the sink returns no values of
									  * rows */

	/* See the top of this file.  `source_idle`: whether nothing more has
	 * arrived from the source at present. */
	Rc (*work)(Sink *sink, bool source_idle, Error *err);
	void (*interest)(const Sink *sink, Interest *interest);
	void (*free)(Sink *sink);
} SinkOps;

/*
 * State of a sink, for the loop and the router.  Only the sink writes it.  A
 * filter may use the report of the next sink as its own.  LSNs are those of the
 * source: "up to" an LSN are all transactions whose end_lsn is not greater.
 */
typedef struct SinkReport
{
	const char *label; /* name of the sink's target in messages; or NULL */
	Lsn start_lsn;     /* the sink has applied all transactions up to here;
						* the router does not hand them over again */

	/* commit_lsn, and commit time since 2000-01-01 UTC, of the last transaction
	 * that was applied before the sink was made; 0: none, or unknown. */
	Lsn last_commit_lsn;
	int64_t last_commit_time_us;

	Lsn applied_lsn; /* all transactions up to here are visible on the target */
	Lsn durable_lsn; /* all up to here would survive a crash of the target */
	Lsn fence_lsn;   /* LSN of the target's fence (see control/fence.h): the
					  * transactions after the fence are not to be applied at
					  * present; 0: there is no fence */
	Lsn index_build_lsn; /* end of the last transaction that has left an index
						  * to be built (see control/copy/index_build.h); 0:
						  * there is none */
	bool full;           /* whether the loop has to stop handing over changes */
	bool stopped;     /* whether durable_lsn is final; set in SINK_SETTLING and
					   * SINK_STOPPING */
	bool unreachable; /* whether the sink is a stand-in for one whose target
					   * cannot be reached; see unreachable.h */

	/* If the sink has failed with ERR_OPEN_TXN: the transaction that it cannot
	 * apply before its commit, 0: unknown; and the LSN from which on a stream
	 * has no such transactions, 0: there is no such LSN. */
	uint32_t refused_xid;
	Lsn refused_until_lsn;
	int64_t transactions; /* number applied since the sink was made */
	int64_t rows;         /* number of changes of rows in these transactions */
	int64_t batches;   /* number of transactions that they were on the target */
	int64_t replays;   /* number of batches that were refused as a whole */
	int64_t conflicts; /* number of conflicts that a policy has settled */
	int open_txns;     /* number of open transactions at present */
} SinkReport;

/* Orders of the loop to a sink, which the loop changes with sink_order().  LSNs
 * are those of the source. */
typedef struct SinkOrders
{
	SinkMode mode;
	Lsn received_lsn;     /* all transactions up to here were handed over */
	Lsn streamed_lsn;     /* the current stream has come to this LSN, and all
						   * transactions that ended before it were handed over;
						   * 0: the stream has sent nothing yet */
	Lsn everywhere_lsn;   /* all up to here are durable at all sinks */
	bool position_wanted; /* whether the source has requested our position: the
						   * sink is to advance durable_lsn now */
} SinkOrders;

struct Sink
{
	const SinkOps *ops; /* functions of the sink */
	Sink *next; /* sink after this one, if this is a filter; else NULL */
	const SinkReport *report; /* report of this sink, or that of `next` */
	SinkOrders orders;
	bool orders_next;    /* whether the sink itself gives orders to `next` */
	bool in_transaction; /* whether begin was called and commit was not; set by
						  * the functions below */
};

/* Initializes the base of a sink that has applied everything up to `start_lsn`.
 * Borrows the report until the sink is freed. */
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
 * Sets the orders of a sink and, if it is a filter that does not give orders
 * itself (`orders_next`), of the sinks after it.  The
 * mode must not move to the left, and the LSNs must not decrease.
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
	for (; sink != NULL; sink = sink->orders_next ? NULL : sink->next)
		sink->orders = *orders;
}

static inline void
sink_set_mode(Sink *sink, SinkMode mode)
{
	SinkOrders orders = sink->orders;

	orders.mode = mode;
	sink_order(sink, &orders);
}

/* Prepares a sink that was kept for another stream, which begins at the sink's
 * durable_lsn or before. */
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

/*
 * Passes a frame to a sink that has frame(): a whole transaction, or a part of
 * one, that ends after the sink's start_lsn; a part of an open transaction; or
 * a message.  The Input has to keep bytes (wire/input.h).
 */
static inline MUST_CHECK Rc
sink_frame(Sink *sink, Frame *frame, Error *err)
{
	CHECK(sink->ops->frame != NULL && frame->bytes != NULL);
	return sink->ops->frame(sink, frame, err);
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

/* Adds the descriptors and the time that the sink waits for. */
static inline void
sink_interest(const Sink *sink, Interest *interest)
{
	sink->ops->interest(sink, interest);
}

/* Returns the last sink of a chain of filters. */
static inline const Sink *
sink_last(const Sink *sink)
{
	while (sink->next != NULL)
		sink = sink->next;
	return sink;
}

/* Frees a sink; a filter also frees the sinks after it.  Accepts NULL. */
static inline void
sink_free(Sink *sink)
{
	if (sink != NULL)
		sink->ops->free(sink);
}

#endif /* PENSTOCK_SINK_SINK_H */
