/*
 * stream.h
 *    The stream of a slot: messages come in, positions go back.
 *
 * This is the client's side of START_REPLICATION … LOGICAL, as the chapter
 * "Streaming Replication Protocol" of PostgreSQL's documentation describes it.
 *
 * The server forgets the WAL before the position that it is told is flushed, so
 * source_set_positions() must only ever be told what is durable everywhere.  It
 * is told again every STREAM_FEEDBACK_INTERVAL_MS, whether or not something
 * moved, so that the server does not take a slow target for a dead client.  The
 * three positions are write_lsn, flush_lsn and replay_lsn of
 * pg_stat_replication.
 */
#ifndef PENSTOCK_SOURCE_STREAM_H
#define PENSTOCK_SOURCE_STREAM_H

#include "net/pgconn.h"
#include "source/source.h"

/* How often positions are reported at least, where the server's
 * wal_sender_timeout does not ask for more. */
#define STREAM_FEEDBACK_INTERVAL_MS 1000

typedef struct StreamOptions
{
	const char *slot;
	const char *plugin_options; /* as START_REPLICATION has them between
								   parentheses: see wire/options.h */
	bool in_pieces;             /* they ask for open transactions */
	Lsn start_lsn;
} StreamOptions;

/*
 * Starts streaming on a replication connection, of which the stream takes
 * ownership, also when it fails.  Waits for the server.  There is one at a
 * time: until it is closed it is what interrupt_set_background() has, and the
 * server hears of us although somebody else keeps us waiting.
 */
MUST_CHECK Rc stream_open(Source **source, PgConn *replication,
						  const StreamOptions *options, Error *err);

#endif /* PENSTOCK_SOURCE_STREAM_H */
