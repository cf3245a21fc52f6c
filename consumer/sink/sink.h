/*
 * sink.h
 *    Where changes go: the interface between the router and everything that
 *    keeps, applies or prints them.
 *
 * A sink receives one source transaction at a time:
 *     begin, change*, commit
 * in commit order.  It may hold transactions back and treat several as one; it
 * says how far it is by the positions below.  If it fails, everything that is
 * not durable is gone for it, and a new sink starts again from `start_lsn`.
 *
 * A transaction that is still in progress on the source may come in pieces, in
 * between and beside others of its kind, to a sink that can take them:
 *     stream_change*, and then one of stream_commit and stream_abort
 * stream_commit stands where the transaction has its place in commit order.
 * Until then nothing of it may be seen.  If such a sink fails with
 * ERR_STREAMING, all can go on if the transaction is held back on the source
 * until it has committed.
 *
 * What a Change points to is borrowed; take a reference to its frame
 * (frame_ref()) to keep it beyond the call.  begin, change and commit do not
 * wait for anything and never refuse: a sink that has enough sets `full`, and
 * the router's caller stops reading from the source until it is not any more.
 * All waiting is in work(), which the loop calls once per turn.
 */
#ifndef PENSTOCK_SINK_SINK_H
#define PENSTOCK_SINK_SINK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/change.h"

typedef struct Sink Sink;

/*
 * What the loop wants of a sink.  It starts in SINK_RUNNING and may go to one
 * of the others.
 */
typedef enum SinkMode
{
	/* Take and apply changes.  received_lsn also moves when there is nothing
	 * for us in the source's log; the sink lets durable_lsn follow now and
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

/* Connections that one sink can wait for at once. */
#define SINK_FDS_MAX 24

/* What a sink waits for; merged by the loop. */
typedef struct SinkInterest
{
	struct pollfd fds[SINK_FDS_MAX];
	int fd_count;
	int64_t deadline_us; /* monotonic; INT64_MAX: none */
} SinkInterest;

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

typedef struct SinkOps
{
	const char *name;
	Rc (*begin)(Sink *sink, const TxnInfo *txn, Error *err);
	Rc (*change)(Sink *sink, Frame *frame, const Change *change, Error *err);
	Rc (*commit)(Sink *sink, const TxnInfo *txn, Error *err);

	/*
	 * Of a transaction in progress; all three are NULL if there is to be none.
	 * stream_abort is also of one that the sink had nothing of, and of a
	 * subtransaction (0: all) that it had nothing of.
	 */
	Rc (*stream_change)(Sink *sink, Frame *frame, const Change *change,
						Error *err);
	Rc (*stream_commit)(Sink *sink, const TxnInfo *txn, Error *err);
	Rc (*stream_abort)(Sink *sink, uint32_t xid, uint32_t subxid, Error *err);

	/*
	 * Reads values of a row as it is after all that was handed over so far, or
	 * as it was when the sink has the transaction already.  work() does that,
	 * and says when it is done; nothing that changes the row may be handed over
	 * until then.  NULL: the sink cannot.
	 */
	void (*fetch)(Sink *sink, SinkFetch *fetch);

	/* Does what can be done without waiting. `source_idle`: nothing more is to
	 * be had from the source at the moment. */
	Rc (*work)(Sink *sink, bool source_idle, Error *err);
	void (*interest)(const Sink *sink, SinkInterest *interest);
	void (*free)(Sink *sink);
} SinkOps;

struct Sink
{
	const SinkOps *ops; /* first: see the casts of its implementations */

	/* Set by the implementation. */
	const char *label;   /* for messages; or NULL */
	Lsn start_lsn;       /* it has everything up to here: skip it */
	Lsn last_commit_lsn; /* of the last transaction that it applied before it
							started; 0: none, or not known */
	int64_t last_commit_time_us; /* since 2000-01-01 UTC */
	Lsn applied_lsn;             /* everything before can be seen there */
	Lsn durable_lsn;             /* everything before survives a crash there */
	Lsn fence_lsn; /* nothing behind it is wanted at present; 0: no such */
	bool full;     /* give it nothing more for now */
	bool stopped;  /* in SINK_SETTLING and _STOPPING: durable_lsn is final */
	bool absent;   /* stands in for one that is away; see absent.h */

	/* With ERR_STREAMING: the transaction, 0: not known; and the position from
	 * which on a stream has none that is refused for this reason, 0: there is
	 * no such position. */
	uint32_t refused_xid;
	Lsn refused_until_lsn;
	int64_t transactions; /* applied since it was made */
	int64_t rows;

	/* Set by the loop and the router. */
	SinkMode mode;
	Lsn received_lsn;     /* everything before has been handed over */
	Lsn streamed_lsn;     /* this stream has come up to here, and all that ended
							 before has come; 0: nowhere yet */
	Lsn everywhere_lsn;   /* everything before is durable at all sinks */
	bool position_wanted; /* the source asks: let durable_lsn catch up now */
	bool in_transaction;  /* between begin and commit */
};

static inline MUST_CHECK Rc
sink_begin(Sink *sink, const TxnInfo *txn, Error *err)
{
	ASSERT(!sink->in_transaction);
	CHECK(txn->end_lsn > txn->commit_lsn);
	CHECK(txn->end_lsn > sink->start_lsn);
	sink->in_transaction = true;
	return sink->ops->begin(sink, txn, err);
}

static inline MUST_CHECK Rc
sink_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	ASSERT(sink->in_transaction || change->kind == CHANGE_MESSAGE);
	return sink->ops->change(sink, frame, change, err);
}

static inline MUST_CHECK Rc
sink_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	ASSERT(sink->in_transaction);
	sink->in_transaction = false;
	return sink->ops->commit(sink, txn, err);
}

static inline MUST_CHECK Rc
sink_stream_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	ASSERT(!sink->in_transaction);
	ASSERT(frame->stream.xid != 0);
	return sink->ops->stream_change(sink, frame, change, err);
}

static inline MUST_CHECK Rc
sink_stream_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	ASSERT(!sink->in_transaction);
	CHECK(txn->end_lsn > sink->start_lsn);
	return sink->ops->stream_commit(sink, txn, err);
}

static inline MUST_CHECK Rc
sink_stream_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err)
{
	ASSERT(!sink->in_transaction);
	return sink->ops->stream_abort(sink, xid, subxid, err);
}

static inline void
sink_fetch(Sink *sink, SinkFetch *fetch)
{
	CHECK(sink->ops->fetch != NULL);
	ASSERT(!fetch->done);
	sink->ops->fetch(sink, fetch);
}

static inline MUST_CHECK Rc
sink_work(Sink *sink, bool source_idle, Error *err)
{
	Lsn durable_lsn = sink->durable_lsn;
	Lsn applied_lsn = sink->applied_lsn;
	Rc rc = sink->ops->work(sink, source_idle, err);

	CHECK(sink->durable_lsn >= durable_lsn);
	CHECK(sink->applied_lsn >= applied_lsn);
	CHECK(sink->durable_lsn <= sink->applied_lsn);
	return rc;
}

static inline void
sink_interest(const Sink *sink, SinkInterest *interest)
{
	interest->fd_count = 0;
	interest->deadline_us = INT64_MAX;
	sink->ops->interest(sink, interest);
}

/* For implementations: adds a descriptor, with events as for poll(2). */
static inline void
sink_interest_add(SinkInterest *interest, int fd, short events)
{
	CHECK(interest->fd_count < SINK_FDS_MAX);
	interest->fds[interest->fd_count++] = (struct pollfd){.fd = fd,
														  .events = events};
}

/* Accepts NULL. */
static inline void
sink_free(Sink *sink)
{
	if (sink != NULL)
		sink->ops->free(sink);
}

#endif /* PENSTOCK_SINK_SINK_H */
