/*
 * frame_buffer.h
 *		The frame that is being collected, and what every change needs of it.
 *
 * frame.h is the interface of this folder; only its files include this one.
 */
#ifndef PENSTOCK_FRAME_BUFFER_H
#define PENSTOCK_FRAME_BUFFER_H

#include "replication/reorderbuffer.h"

#include "compat.h"
#include "schema/schema.h"
#include "session/session.h"
#include "tables/relinfo.h"
#include "wire/wire.h"

/*
 * After so many changes without output the server is given the opportunity to
 * tell the reader that it is alive.  Asking costs about as much as encoding a
 * short row.
 */
#define KEEPALIVE_CHANGES 100

/*
 * Rows stored in fewer bytes than these usually fit the length field of that
 * size; see penstock_wire_begin().
 */
#define STORED_BYTES_SMALL  140
#define STORED_BYTES_MEDIUM 12000

/* What is known of a transaction in progress; hangs on its ReorderBufferTXN. */
typedef struct PenstockStream
{
	TransactionId xid;
	bool started;           /* a frame of it was sent */
	uint64 change_count;    /* changes sent in earlier pieces */
	PenstockSchema *schema; /* NULL: it has not changed the schema so far */
	StringInfo gone; /* numbers of tables that it has dropped, as Commit.gone */
} PenstockStream;

typedef struct PenstockFrames
{
	StringInfoData buf; /* fields of the frame that is being collected */
	bool session_written;

	/*
	 * The transaction in progress of which a piece is being written.  NULL
	 * while a transaction is written that came as a whole, and in between.
	 */
	PenstockStream *stream;

	/*
	 * Of the current transaction: Begin was written, which comes before its
	 * first change.  In pieces it is Stream, which comes first in each frame.
	 */
	bool begin_written;
	bool partly_sent; /* earlier frames have a part of it */
	uint64 change_count;

	int complete_bytes; /* bytes of buf without a change that is half written */

	int changes_unsent; /* changes since the last output or keepalive */
} PenstockFrames;

/* Makes the buffer, empty, in the session's memory context. */
extern void penstock_frames_init_buffer(PenstockSession *session,
										PenstockFrames *frames);

/*
 * Begins the next frame: what was collected is in the server's output buffer.
 */
extern void penstock_frames_sent(PenstockSession *session);

/* Sends what was collected as a frame. */
extern void penstock_frames_send(PenstockSession *session);

/* Appends a field that is text, in the encoding of the stream. */
extern void penstock_frames_append_text(PenstockSession *session,
										StringInfo buf, int field,
										const char *text);

/* Writes the Session record, which is the first of the stream. */
extern void penstock_frames_write_session(PenstockSession *session);

/* Writes the Begin record of a transaction that is sent as a whole. */
extern void penstock_frames_write_begin(PenstockSession *session,
										const ReorderBufferTXN *txn);

/* Says of which transaction in progress the frame has a piece. */
extern void penstock_frames_write_stream(PenstockSession *session);

/*
 * Notes that the buffer ends with a whole change.  What is in it up to there is
 * sent even if an error interrupts the next change.
 */
static inline void
penstock_frames_mark_complete(PenstockFrames *frames)
{
	Assert(frames->complete_bytes <= frames->buf.len);
	frames->complete_bytes = frames->buf.len;
}

/* Sends the frame if it has reached the size that the reader has asked for. */
static inline void
penstock_frames_send_if_full(PenstockSession *session)
{
	if (session->frames->buf.len >= session->options.frame_size)
		penstock_frames_send(session);
}

/*
 * Lets the server tell the reader from time to time that it is alive.  To be
 * called for each change that the server hands out, also if nothing is sent of
 * it.
 */
static inline void
penstock_frames_keep_alive(PenstockSession *session)
{
	if (!needs_keepalive_compat())
		return;
	if (++session->frames->changes_unsent < KEEPALIVE_CHANGES)
		return;
	session->frames->changes_unsent = 0;
	update_progress_compat(session->ctx, false);
}

/* Writes Session, and Begin or Stream, if they are due before a change. */
static inline void
penstock_frames_ensure_begun(PenstockSession *session,
							 const ReorderBufferTXN *txn)
{
	if (likely(session->frames->begin_written))
		return;
	if (!session->frames->session_written)
		penstock_frames_write_session(session);
	if (session->frames->stream != NULL)
		penstock_frames_write_stream(session);
	else
		penstock_frames_write_begin(session, txn);
	penstock_frames_mark_complete(session->frames);
}

/* Writes the Relation record, unless the reader has it. */
static inline void
penstock_frames_ensure_relation(PenstockSession *session,
								PenstockPublished *published)
{
	StringInfo buf = &session->frames->buf;
	int mark;
	Assert(session->frames->begin_written);

	if (likely(published->sent))
		return;

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
							   PENSTOCK_WIRE_LENGTH_MEDIUM);
	penstock_wire_bytes(buf, PENSTOCK_CHANGE_RELATION, published->record,
						(Size) published->record_bytes);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	Assert(published->record_bytes > 0 && published->number != 0);
	session->frames->change_count++;
	penstock_relations_note_sent(session->relations, published);
	penstock_frames_mark_complete(session->frames);
}

/*
 * For Change.subxid: the xid if a subtransaction of a transaction in progress
 * has it, else InvalidTransactionId.
 */
static inline TransactionId
penstock_frames_subxid(const PenstockSession *session, TransactionId xid)
{
	const PenstockStream *stream = session->frames->stream;

	return stream != NULL && xid != stream->xid ? xid : InvalidTransactionId;
}

/* The same for the (sub)transaction that has made a change. */
static inline TransactionId
penstock_frames_subxid_of(const PenstockSession *session,
						  const ReorderBufferChange *source)
{
	if (likely(session->frames->stream == NULL))
		return InvalidTransactionId;
	return penstock_frames_subxid(session, change_xid_compat(source));
}

/* Returns how much room the length field of a message of about this size gets.
 */
static inline int
penstock_frames_length_bytes(Size stored_bytes)
{
	return stored_bytes < STORED_BYTES_SMALL    ? PENSTOCK_WIRE_LENGTH_SMALL
		   : stored_bytes < STORED_BYTES_MEDIUM ? PENSTOCK_WIRE_LENGTH_MEDIUM
												: PENSTOCK_WIRE_LENGTH_ANY;
}

#endif /* PENSTOCK_FRAME_BUFFER_H */
