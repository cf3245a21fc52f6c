/*
 * json_sink.h
 *    A sink that prints every change as a line of JSON to a descriptor.
 *
 * The sink receives only committed transactions, so it writes lines while the
 * changes arrive, and its memory is bounded however large a transaction is.
 * For the format of lines see json_line.h.
 *
 * A transaction is applied when its last line was written.  It is durable when
 * that line was flushed to disk (to a regular file, at intervals), when a
 * program has read it and is still running a moment later (from a pipe; see
 * output.h), or else when it was written (to a terminal, a socket).  The sink
 * does not print lines again that a reader has read and lost.
 *
 * The sink can be used with several streams, one after the other.  After
 * json_sink_resume() it receives the changes of another stream, which begins at
 * the sink's durable_lsn or before, and it prints no line twice, also if the
 * last stream has ended in the middle of a transaction.  Only a new process may
 * print a transaction again, if its end_lsn was not confirmed to the slot; the
 * lines then have the same (lsn, seq) as before.
 *
 * In addition to the rules of sink.h, work() returns RC_END when the reader has
 * closed the other end of the pipe.
 */
#ifndef PENSTOCK_SINK_JSON_JSON_SINK_H
#define PENSTOCK_SINK_JSON_JSON_SINK_H

#include "sink/sink.h"

/* Interval at which a regular file is flushed to disk. */
#define JSON_SINK_SYNC_INTERVAL_MS 1000

typedef struct JsonSinkOptions
{
	int fd;              /* descriptor to write to; borrowed */
	size_t memory_bytes; /* maximum size of lines that are not written yet; the
						  * lines of one frame may come on top of it */
	Lsn start_lsn;       /* LSN at which the stream begins */
} JsonSinkOptions;

/* Returns a new sink, to be freed with sink_free().  Cannot fail. */
Sink *json_sink_new(const JsonSinkOptions *options);

/* Prepares the sink for another stream; to be called before
 * sink_begin_stream(). */
void json_sink_resume(Sink *sink);

#endif /* PENSTOCK_SINK_JSON_JSON_SINK_H */
