/*
 * fed_sink.h
 *    A sink before the sink of a target, which feeds it from memory or from a
 *    log.
 *
 * It stands beside the sink that writes the log (sink/log), and receives the
 * same frames.  As long as the target keeps up, they are passed on as they
 * come.  If the target does not, they are dropped, and the target gets them
 * from the log, at its own pace: so it is never `full`, and neither the source
 * nor another target waits for it.
 *
 *     LIVE ──────► READING ──────► JOINING ──────► LIVE
 *                     ▲               │
 *                     └───────────────┘
 *
 *     LIVE      all up to `live_lsn` was passed on or is in the queue, which
 *               has what comes while the target has enough
 *     READING   the target is fed from the log; what comes is dropped
 *     JOINING   the target is fed from the log, up to `join_lsn`; the queue has
 *               all that came after that
 *
 *     LIVE → READING      the queue is too large, or a transaction comes that
 *                         was sent before its commit
 *     READING → JOINING   nothing more is in the log, and a transaction begins
 *     READING → LIVE      the same, and the log has all that has come
 *     JOINING → LIVE      the target has all up to `join_lsn`
 *     JOINING → READING   the queue is too large
 *
 * A transaction of which the target has a part when the queue becomes too large
 * goes on from the log: both have the same changes in the same order.  Of a
 * transaction that the source sends before its commit nothing is passed on; it
 * is in the log as a whole when it has committed.
 *
 * Nothing that is read from the log is passed on before the stream has come to
 * its end, because a stream may be ordered to end there.
 */
#ifndef PENSTOCK_PIPELINE_LOG_FED_SINK_H
#define PENSTOCK_PIPELINE_LOG_FED_SINK_H

#include "sink/sink.h"

typedef struct FedSinkOptions
{
	const char *path;      /* directory of the log; borrowed */
	const SinkReport *log; /* of the sink that writes it; borrowed */
	Lsn first_lsn;         /* the log has what is after it */
	Lsn start_lsn;         /* the stream brings what is after it */
	uint32_t timeline;     /* the source's */
	size_t queue_bytes;    /* largest size of the queue */
} FedSinkOptions;

/*
 * Returns a sink that feeds `next`, of which it takes ownership.  What `next`
 * has is in the log up to the end of that, or the stream brings it.
 */
Sink *fed_sink_new(Sink *next, const FedSinkOptions *options);

#endif /* PENSTOCK_PIPELINE_LOG_FED_SINK_H */
