/*
 * stream.h
 *    The stream of a slot: messages come in, positions go back.
 *
 * This is the client's side of START_REPLICATION … LOGICAL, as the chapter
 * "Streaming Replication Protocol" of PostgreSQL's documentation describes it.
 * It hands out raw messages and knows nothing of what is in them.
 *
 * Starting waits for the server's answer; after that nothing blocks.  The
 * stream tells what it waits for (stream_interest()), and the loop calls
 * stream_receive() until that says RC_AGAIN.
 *
 * The server forgets the log behind the position that it is told is flushed,
 * so stream_set_positions() must only ever be told what is durable everywhere.
 * It is told again every stream_feedback_interval, whether or not something
 * moved, so that the server does not take a slow target for a dead client.
 */
#ifndef PENSTOCK_SOURCE_STREAM_H
#define PENSTOCK_SOURCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* How often positions are reported at least, where the server's
 * wal_sender_timeout does not ask for more. */
#define STREAM_FEEDBACK_INTERVAL_MS 1000

typedef struct Stream Stream;

typedef struct StreamOptions
{
	const char *slot;
	const char *publications; /* as the plugin's option wants them */
	const char *origin;       /* any or none */
	int proto_version;
	bool messages;
	bool binary;       /* false: every value in text format */
	bool skip_missing; /* publications that do not exist publish nothing */
	bool streaming;    /* of transactions in progress; from version 14 on */
	bool bundle;       /* several small ones may come in a message */
	const char *distribution; /* as the plugin's option wants it, or NULL */
	const char *leave_out;    /* the same */
	const char *compression;  /* the same */
	Lsn start_lsn;
} StreamOptions;

typedef enum StreamMessageKind
{
	STREAM_DATA,      /* one message of the output plugin */
	STREAM_KEEPALIVE, /* everything before `lsn` has been sent */
} StreamMessageKind;

typedef struct StreamMessage
{
	StreamMessageKind kind;

	/* Of a keepalive: where the server is, and whether it wants an answer. */
	Lsn lsn;
	bool reply_requested;

	/* Of data: `data` lies inside `memory`, which is the receiver's, to be
	 * freed with `memory_free`. */
	void *memory;
	void (*memory_free)(void *);
	const uint8_t *data;
	size_t length;
} StreamMessage;

/* What the three numbers mean to the server: pg_stat_replication's write_lsn,
 * flush_lsn and replay_lsn. */
typedef struct StreamPositions
{
	Lsn received;
	Lsn durable; /* on every target: the server may forget what is before */
	Lsn applied; /* visible on every target */
} StreamPositions;

/*
 * Starts streaming on a replication connection, of which the stream takes
 * ownership, also when it fails.  Waits for the server.  There is one at a
 * time: until it is closed it is what interrupt_set_background() has, and the
 * server hears of us although somebody else keeps us waiting.
 */
MUST_CHECK Rc stream_open(Stream **stream, PgConn *replication,
						  const StreamOptions *options, Error *err);

/* Ends the stream and its connection at once.  Accepts NULL. */
void stream_close(Stream *stream);

/*
 * The next message.  RC_AGAIN: none is here yet; RC_END: the server ended the
 * stream; RC_FAIL: the connection is lost or the server reports an error.  All
 * messages that came before either have been handed out then, and it is not to
 * be called again.
 */
MUST_CHECK Rc stream_receive(Stream *stream, StreamMessage *message,
							 Error *err);

/*
 * Says where we are.  Sent when something moved, when the server asked, and
 * when the interval is over; see stream_work().
 */
void stream_set_positions(Stream *stream, const StreamPositions *positions);

/* Sends what is due.  `now_us` is the loop's time. */
MUST_CHECK Rc stream_work(Stream *stream, int64_t now_us, Error *err);

/*
 * Sends the positions at once and waits until they have left, but not for a
 * server that does not take them.
 */
MUST_CHECK Rc stream_send_last(Stream *stream, Error *err);

/*
 * What the stream waits for: a descriptor, events as for poll(2), and the time
 * of its next report.  `receiving` says whether the caller wants messages.  If
 * there is nothing to wait for, the descriptor is -1: a connection that is
 * broken would be ready all the time.
 */
void stream_interest(const Stream *stream, bool receiving, int *fd,
					 short *events, int64_t *deadline_us);

#endif /* PENSTOCK_SOURCE_STREAM_H */
