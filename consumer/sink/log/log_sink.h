/*
 * log_sink.h
 *    The sink that writes a log.
 *
 * It takes frames, brings them into plain form (wire/plain.h), collects them
 * into records of about LOG_SINK_RECORD_BYTES, compresses them and passes them
 * to a store (log/store.h).  A position is durable when the store has flushed
 * all up to it.
 *
 * A transaction that the source sends while it is in progress goes into a file
 * of its own, and enters the log at its commit.
 *
 * A segment belongs to one session with the source, because the numbers of
 * tables do.  Where the source's WAL has nothing for us, a record without
 * entries says from time to time how far the log is.
 */
#ifndef PENSTOCK_SINK_LOG_LOG_SINK_H
#define PENSTOCK_SINK_LOG_LOG_SINK_H

#include "log/store.h"
#include "model/history.h"
#include "sink/sink.h"

/* Bytes of entries in a record, not compressed. */
#define LOG_SINK_RECORD_BYTES (256 * KB)

/* Level of zstd. */
#define LOG_SINK_ZSTD_LEVEL 1

/*
 * How often the log says how far it is while nothing comes for it: after so
 * many milliseconds, or bytes of WAL.
 */
#define LOG_SINK_POSITION_MS    10000
#define LOG_SINK_POSITION_BYTES (64 * MB)

typedef struct LogSinkOptions
{
	LogStore *store;      /* takes ownership */
	int directory_fd;     /* directory for open transactions; borrowed */
	const char *path;     /* its name; borrowed */
	size_t segment_bytes; /* when a segment ends, at the next transaction */
} LogSinkOptions;

/* Returns a new sink, at the position up to which the store has a log. */
Sink *log_sink_new(const LogSinkOptions *options);

/*
 * Prepares the sink for a session with the source.  To be called before each
 * stream, also the first.
 */
MUST_CHECK Rc log_sink_begin_stream(Sink *sink, const SourceIdentity *source,
									Error *err);

#endif /* PENSTOCK_SINK_LOG_LOG_SINK_H */
