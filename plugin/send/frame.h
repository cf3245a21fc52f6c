/*
 * frame.h
 *		Turns the changes of a transaction into frames, and sends them.
 *
 * What the server hands out change by change is collected and sent as one
 * message when the transaction ends or frame_size is reached: to send a message
 * costs more than to encode a row.  A frame never contains changes of two
 * transactions, because positions are acknowledged by message; but several
 * frames may go in one (bundle.h).
 *
 * Changes of rows are in row_changes.h.
 *
 * Order of calls, all with the session's change context as the current one:
 *
 *	 begin, (row | truncate | message)*, commit
 *	 message		not transactional: between a commit and the next begin
 *
 *	 stream_start, (row | truncate | message)*, stream_stop
 *					a piece of a transaction in progress
 *	 stream_abort	it, or a subtransaction of it, was rolled back
 *	 stream_commit	it committed; both between pieces and transactions
 *
 * Nothing is sent for a transaction of which nothing is published.  An error
 * ends the session, so nothing is ever taken back; but for the one in a piece
 * of a transaction in progress, which loses the change that it interrupted.
 */
#ifndef PENSTOCK_FRAME_H
#define PENSTOCK_FRAME_H

#include "replication/reorderbuffer.h"

#include "session/session.h"

/* Makes the frames of a session, in the current memory context. */
extern struct PenstockFrames *penstock_frames_new(PenstockSession *session);

/* A transaction starts. */
extern void penstock_frame_begin(PenstockSession *session,
								 ReorderBufferTXN *txn);

/* Tables were truncated by one command. */
extern void penstock_frame_truncate(PenstockSession *session,
									ReorderBufferTXN *txn, int nrelations,
									Relation relations[],
									ReorderBufferChange *change);

/* pg_logical_emit_message() was called.  txn is used if transactional. */
extern void penstock_frame_message(PenstockSession *session,
								   ReorderBufferTXN *txn, XLogRecPtr lsn,
								   bool transactional, const char *prefix,
								   Size content_bytes, const char *content);

/* The transaction ends. */
extern void penstock_frame_commit(PenstockSession *session,
								  ReorderBufferTXN *txn, XLogRecPtr commit_lsn);

/* A piece of a transaction in progress starts and ends. */
extern void penstock_frame_stream_start(PenstockSession *session,
										ReorderBufferTXN *txn);
extern void penstock_frame_stream_stop(PenstockSession *session,
									   ReorderBufferTXN *txn, XLogRecPtr lsn);

/*
 * A transaction of which pieces were handed out ends.  txn may be a
 * subtransaction for abort.  There is no transaction to read catalogs in.
 */
extern void penstock_frame_stream_abort(PenstockSession *session,
										ReorderBufferTXN *txn,
										XLogRecPtr abort_lsn);
extern void penstock_frame_stream_commit(PenstockSession *session,
										 ReorderBufferTXN *txn);

/* Takes back the change that an error interrupted; see session.h. */
extern void penstock_frames_recover(PenstockSession *session);

#endif /* PENSTOCK_FRAME_H */
