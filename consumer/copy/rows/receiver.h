/*
 * receiver.h
 *    A session with one target that receives rows by COPY FROM STDIN.
 *
 * A receiver collects rows in a chunk of fixed size.  When the chunk and the
 * socket are full, the receiver accepts no more data, and its owner waits until
 * the socket can be written to.  Only receiver_open() blocks, and, after a
 * target has failed, the call that reads its error.
 *
 *     receiver_open()
 *     receiver_start(), receiver_started()     begin a part
 *     receiver_put() …, receiver_flush()       send its rows
 *     receiver_end(), receiver_ended()         commit it
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
	PgConn *conn;     /* session with the target; owned */
	Buf chunk;        /* rows that were not passed to libpq yet */
	bool pending;     /* whether libpq has data that it could not send yet */
	bool ended;       /* whether COPY has ended, and COMMIT was sent */
	CopyTable *table; /* table of the last part, borrowed */
	int64_t rows; /* number of rows of the last part, as the target counts */
} Receiver;

/* Opens a session that writes rows for the pipeline: see copy/session.h.
 * Blocks. */
MUST_CHECK Rc receiver_open(Receiver *receiver, const char *conninfo,
							const char *label, const char *pipeline,
							SessionRights *rights, Error *err);

/* Closes the session; the target rolls back rows that it has not committed.
 * Accepts a zeroed Receiver. */
void receiver_close(Receiver *receiver);

/* Sends the statements that begin a transaction and the COPY of a part. */
MUST_CHECK Rc receiver_start(Receiver *receiver, const CopyPart *part,
							 Error *err);

/* Returns RC_OK when the target is ready for rows of the part, and RC_AGAIN
 * until then. */
MUST_CHECK Rc receiver_started(Receiver *receiver, Error *err);

/*
 * Accepts the bytes of `data` from index *taken on, and adds the number of
 * accepted bytes to *taken.  Returns RC_AGAIN if it could not accept all bytes.
 */
MUST_CHECK Rc receiver_put(Receiver *receiver, const char *data, size_t length,
						   size_t *taken, Error *err);

/* Passes the chunk to libpq.  Returns RC_AGAIN if libpq could not yet send what
 * it was given earlier; then the chunk stays as it is. */
MUST_CHECK Rc receiver_flush(Receiver *receiver, Error *err);

/* Sends the end of the COPY data.  The chunk must be empty. */
MUST_CHECK Rc receiver_end(Receiver *receiver, Error *err);

/* Ends the COPY and commits.  Returns RC_OK when the target has committed, and
 * RC_AGAIN until then. */
MUST_CHECK Rc receiver_ended(Receiver *receiver, Error *err);

#endif /* PENSTOCK_COPY_ROWS_RECEIVER_H */
