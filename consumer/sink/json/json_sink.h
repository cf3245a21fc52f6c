/*
 * json_sink.h
 *    The sink that prints: every change is a line of JSON on a descriptor.
 *
 * A logical stream carries committed transactions only, so lines are written
 * as changes come in, and memory is bounded however large a transaction is.
 * What a line looks like says json_line.h.
 *
 * Positions: a transaction is applied when its last line was written, and
 * durable when that line is on disk (a regular file, flushed at intervals), has
 * been read by a program that is still there a moment later (a pipe; see
 * output.h), or is written (a terminal, a socket).  What a reader took and lost
 * is not printed again.
 *
 * The sink may outlive its stream: after json_sink_resume() it takes up another
 * one, which starts at its durable position or before, and prints nothing
 * twice, not even the first half of a transaction that the lost stream was in.
 * Only a new process, which knows no more than the slot does, prints a
 * transaction again whose end was not confirmed; its lines have the same (lsn,
 * seq).
 *
 * Beside what sink.h says, work() returns RC_END when the reader has gone: the
 * other end of the pipe is closed.
 */
#ifndef PENSTOCK_SINK_JSON_JSON_SINK_H
#define PENSTOCK_SINK_JSON_JSON_SINK_H

#include "sink/sink.h"

/* How often a regular file is flushed to disk while lines come. */
#define JSON_SINK_SYNC_INTERVAL_MS 1000

typedef struct JsonSinkOptions
{
	int fd;              /* to write to; borrowed */
	size_t memory_bytes; /* of lines that wait, beside those of one frame */
	Lsn start_lsn;       /* where the stream starts */
} JsonSinkOptions;

/* A new sink, to be freed with sink_free().  Cannot fail. */
Sink *json_sink_new(const JsonSinkOptions *options);

/* Gets ready for a new stream, before sink_begin_stream(). */
void json_sink_resume(Sink *sink);

#endif /* PENSTOCK_SINK_JSON_JSON_SINK_H */
