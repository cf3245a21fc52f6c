/*
 * stream.h
 *    A Source that streams from a replication slot.
 *
 * The stream is the client's side of START_REPLICATION … LOGICAL, as the
 * chapter "Streaming Replication Protocol" of PostgreSQL's documentation
 * describes it.  Messages with changes arrive, and we report positions.
 *
 * The server removes WAL before the position that we report as flushed, so
 * source_set_positions() must only be given a position that is durable on every
 * target.  We report at least every STREAM_FEEDBACK_INTERVAL_MS, even if no
 * position has changed, so that the server does not take us for dead while a
 * target is slow.  The three positions are write_lsn, flush_lsn and replay_lsn
 * in pg_stat_replication.
 */
#ifndef PENSTOCK_SOURCE_STREAM_H
#define PENSTOCK_SOURCE_STREAM_H

#include "net/pgconn.h"
#include "source/source.h"

/*
 * Longest time between two reports in milliseconds.  It is shorter if
 * wal_sender_timeout of the server requires that.
 */
#define STREAM_FEEDBACK_INTERVAL_MS 1000

typedef struct StreamOptions
{
	const char *slot;
	const char *plugin_options; /* options of the plugin, as in the parentheses
								 * of START_REPLICATION: see wire/options.h */
	bool in_pieces;             /* whether plugin_options request that open
								 * transactions are streamed in parts */
	Lsn start_lsn;
} StreamOptions;

/*
 * Starts streaming on a replication connection.  Takes ownership of the
 * connection, also when it fails.  Waits for the server.  Only one stream can
 * be open at a time: while it is open, it is registered with
 * interrupt_set_background(), so it keeps reporting to the server while the
 * program waits for something else.
 */
MUST_CHECK Rc stream_open(Source **source, PgConn *replication,
						  const StreamOptions *options, Error *err);

#endif /* PENSTOCK_SOURCE_STREAM_H */
