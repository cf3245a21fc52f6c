/*
 * receiver.h
 *    One target that receives rows of a COPY, and keeps up as well as it can.
 *
 * Rows are collected in a chunk of fixed size.  When chunk and socket are full
 * the receiver takes no more, and its owner waits until it can be written to.
 * Nothing here waits, except for the words of a target that has failed.
 *
 *     receiver_open()
 *     receiver_start(), receiver_started()     a part begins
 *     receiver_put() …
 *     receiver_end(), receiver_ended()         and is committed
 *     receiver_close()
 */
#ifndef PENSTOCK_COPY_ROWS_RECEIVER_H
#define PENSTOCK_COPY_ROWS_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "copy/rows/copier.h"
#include "copy/session.h"
#include "net/pgconn.h"

typedef struct Receiver
{
	PgConn *conn; /* owned */
	Buf chunk;    /* rows that libpq was not given yet */
	bool pending; /* libpq could not send all: wait for room */
	bool ended;   /* the target has all rows; it commits */
	int64_t rows; /* of the last part, as the target counted them */
} Receiver;

/* Waits for the connection, which writes for the pipeline. */
MUST_CHECK Rc receiver_open(Receiver *receiver, const char *conninfo,
							const char *label, const char *pipeline,
							SessionRights *rights, Error *err);

/* What was not committed is gone.  Accepts a zeroed Receiver. */
void receiver_close(Receiver *receiver);

/* Has the target receive a part. */
MUST_CHECK Rc receiver_start(Receiver *receiver, const CopyPart *part,
							 Error *err);

/* RC_AGAIN: it has not answered yet. */
MUST_CHECK Rc receiver_started(Receiver *receiver, Error *err);

/*
 * Takes data from *taken on, and moves that on by what it took.  RC_AGAIN: it
 * could not take all.
 */
MUST_CHECK Rc receiver_put(Receiver *receiver, const char *data, size_t length,
						   size_t *taken, Error *err);

/* Gives libpq what is in the chunk.  RC_AGAIN: it has enough for now. */
MUST_CHECK Rc receiver_flush(Receiver *receiver, Error *err);

/* That was all.  Everything was flushed. */
MUST_CHECK Rc receiver_end(Receiver *receiver, Error *err);

/* RC_AGAIN: it is not committed yet. */
MUST_CHECK Rc receiver_ended(Receiver *receiver, Error *err);

#endif /* PENSTOCK_COPY_ROWS_RECEIVER_H */
