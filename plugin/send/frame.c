/*
 * frame.c
 *		Begins and ends transactions, and pieces of them; see frame.h.
 *
 * Transactions in progress
 * ------------------------
 *
 * The server hands out a transaction that has grown too large in pieces, and
 * between them other transactions and pieces of others.  A frame ends with its
 * piece.  What has to be known from piece to piece hangs on the transaction.
 *
 * If the transaction has changed the catalogs, it sees them in another way than
 * the transactions before and after the piece do.  The server clears its caches
 * of what the transaction changed when a piece ends, but not before the next
 * begins, by when they may have been filled as others see it.  So they, and
 * what we know of tables, are emptied at the start of a piece.
 *
 * An error that the server gets over may interrupt a change in a piece (see
 * session.h).  What was complete before it is sent all the same: its relation
 * records count as known to the reader.
 */
#include "postgres.h"

#include "access/xlogreader.h"
#include "replication/logical.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalogs/final_snapshot.h"
#include "catalogs/newest.h"
#include "compat.h"
#include "schema/schema.h"
#include "send/bundle.h"
#include "send/frame.h"
#include "send/frame_buffer.h"
#include "send/schema_changes.h"
#include "tables/left_out.h"
#include "tables/relinfo.h"
#include "wire/wire.h"

/*
 * The number of a truncated table in the stream, 0 if its truncation is not
 * published.  That of a partition is not, if it appears as its ancestor: the
 * others keep their rows.
 */
static uint32
truncated_number(PenstockSession *session, ReorderBufferTXN *txn,
				 Relation relation)
{
	PenstockRelInfo *info = penstock_relinfo_get(session, relation);

	if (!info->publish.operations[PENSTOCK_TRUNCATE] ||
		info->publish.publish_as != RelationGetRelid(relation))
		return 0;
	Assert(info->published != NULL && info->published->number != 0);
	penstock_frames_ensure_begun(session, txn);
	penstock_frames_ensure_relation(session, info->published);
	return info->published->number;
}

void
penstock_frame_truncate(PenstockSession *session, ReorderBufferTXN *txn,
						int nrelations, Relation relations[],
						ReorderBufferChange *change)
{
	StringInfo buf = &session->frames->buf;
	StringInfoData numbers;
	int mark;
	int mark_truncate;

	Assert(change->action == REORDER_BUFFER_CHANGE_TRUNCATE);
	penstock_frames_keep_alive(session);
	penstock_schema_changes_ensure(session, txn, change->lsn);
	initStringInfo(&numbers);
	for (int i = 0; i < nrelations; i++)
	{
		uint32 number = truncated_number(session, txn, relations[i]);
		char *p;

		if (number == 0)
			continue;
		p = penstock_wire_reserve(&numbers, PENSTOCK_WIRE_VARINT_BYTES_MAX);
		penstock_wire_advance(&numbers, penstock_wire_varint(p, number));
	}
	if (numbers.len == 0)
		return;

	Assert(session->frames->begin_written);
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	mark_truncate = penstock_wire_begin(buf, PENSTOCK_CHANGE_TRUNCATE,
										PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_bytes(buf, PENSTOCK_TRUNCATE_RELATIONS, numbers.data,
						(Size) numbers.len);
	penstock_wire_uint(buf, PENSTOCK_TRUNCATE_CASCADE,
					   change->data.truncate.cascade);
	penstock_wire_uint(buf, PENSTOCK_TRUNCATE_RESTART_IDENTITY,
					   change->data.truncate.restart_seqs);
	penstock_wire_end(buf, mark_truncate, PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID,
					   penstock_frames_subxid_of(session, change));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->change_count++;
	penstock_frames_mark_complete(session->frames);
	penstock_frames_send_if_full(session);
}

void
penstock_frame_message(PenstockSession *session, ReorderBufferTXN *txn,
					   XLogRecPtr lsn, bool transactional, const char *prefix,
					   Size content_bytes, const char *content)
{
	StringInfo buf = &session->frames->buf;
	int mark;
	int mark_message;

	penstock_frames_keep_alive(session);
	if (!session->options.messages)
		return;

	Assert(!transactional || txn != NULL);
	if (transactional)
		penstock_frames_ensure_begun(session, txn);
	else if (!session->frames->session_written)
		penstock_frames_write_session(session);

	if (!penstock_wire_fits(buf, content_bytes + strlen(prefix) * 4 + 64))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("logical decoding message with prefix \"%s\" is "
							   "too large to be sent",
							   prefix)));

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
							   penstock_frames_length_bytes(content_bytes));
	mark_message = penstock_wire_begin(
		buf, PENSTOCK_CHANGE_MESSAGE,
		penstock_frames_length_bytes(content_bytes));
	penstock_wire_uint(buf, PENSTOCK_MESSAGE_TRANSACTIONAL, transactional);
	penstock_wire_uint(buf, PENSTOCK_MESSAGE_LSN, lsn);
	penstock_frames_append_text(session, buf, PENSTOCK_MESSAGE_PREFIX, prefix);
	penstock_wire_bytes(buf, PENSTOCK_MESSAGE_CONTENT, content, content_bytes);
	penstock_wire_end(buf, mark_message,
					  penstock_frames_length_bytes(content_bytes));
	penstock_wire_end(buf, mark, penstock_frames_length_bytes(content_bytes));

	if (transactional)
	{
		session->frames->change_count++;
		penstock_frames_mark_complete(session->frames);
		penstock_frames_send_if_full(session);
	}
	else
		penstock_frames_send(session);
}

PenstockFrames *
penstock_frames_new(PenstockSession *session)
{
	PenstockFrames *frames = palloc0(sizeof(PenstockFrames));

	penstock_frames_init_buffer(session, frames);
	return frames;
}

void
penstock_frame_begin(PenstockSession *session, ReorderBufferTXN *txn)
{
	Assert(session->frames->stream == NULL && session->frames->buf.len == 0);
	Assert(txn->end_lsn > txn->final_lsn);
	penstock_bundle_before(session, txn);
	if (penstock_left_out_begin(session, txn->end_lsn))
		penstock_relations_invalidate(session->relations);
	penstock_relations_begin(session->relations, txn->xid);
	session->frames->begin_written = false;
	session->frames->partly_sent = false;
	session->frames->change_count = 0;
	session->settings_applied = false;
	penstock_schema_changes_end(session);
	penstock_schema_changes_set(session, penstock_schema_new(session, txn));
	penstock_newest_begin(session);
}

static void
write_commit(PenstockSession *session, uint64 change_count,
			 const StringInfoData *gone)
{
	StringInfo buf = &session->frames->buf;
	int mark;

	Assert(session->frames->begin_written);
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_COMMIT,
							   penstock_frames_length_bytes((Size) gone->len));
	penstock_wire_uint(buf, PENSTOCK_COMMIT_CHANGE_COUNT, change_count);
	if (gone->len > 0)
		penstock_wire_bytes(buf, PENSTOCK_COMMIT_GONE, gone->data,
							(Size) gone->len);
	penstock_wire_end(buf, mark,
					  penstock_frames_length_bytes((Size) gone->len));
}

void
penstock_frame_commit(PenstockSession *session, ReorderBufferTXN *txn,
					  XLogRecPtr commit_lsn)
{
	PenstockFrames *frames = session->frames;
	StringInfoData gone = {0};

	Assert(frames->stream == NULL);
	Assert(txn->final_lsn == commit_lsn);
	if (unlikely(session->schema != NULL))
		penstock_schema_changes_send(session, txn, commit_lsn,
									 PENSTOCK_TAKE_TRANSACTION);
	penstock_schema_changes_end(session);

	update_progress_compat(session->ctx, !frames->begin_written);
	if (!frames->begin_written)
		return;
	if (unlikely(session->relations->changed))
	{
		initStringInfo(&gone);
		penstock_relations_append_gone(session->relations, &gone);
	}
	write_commit(session, frames->change_count, &gone);
	frames->begin_written = false;
	if (session->bundle == NULL || frames->partly_sent)
		penstock_frames_send(session);
	else
	{
		penstock_bundle_add(session, &frames->buf);
		penstock_frames_sent(session);
	}
}

/* ---- transactions in progress ---- */

/* What is known of a transaction in progress; NULL before its first piece. */
static PenstockStream *
get_stream(ReorderBufferTXN *txn)
{
	return *txn_private_compat(txn);
}

static PenstockStream *
make_stream(const PenstockSession *session, ReorderBufferTXN *txn)
{
	PenstockStream *stream = MemoryContextAllocZero(session->context,
													sizeof(PenstockStream));
	MemoryContext outer;

	Assert(get_stream(txn) == NULL && TransactionIdIsValid(txn->xid));
	stream->xid = txn->xid;
	outer = MemoryContextSwitchTo(session->context);
	stream->gone = makeStringInfo();
	MemoryContextSwitchTo(outer);
	*txn_private_compat(txn) = stream;
	return stream;
}

/* Forgets a transaction that was handed out in pieces and has ended. */
static void
free_stream(ReorderBufferTXN *txn)
{
	PenstockStream *stream = get_stream(txn);

	Assert(stream->xid == txn->xid);
	penstock_schema_free(stream->schema);
	pfree(stream->gone->data);
	pfree(stream->gone);
	pfree(stream);
	*txn_private_compat(txn) = NULL;
}

void
penstock_frame_stream_start(PenstockSession *session, ReorderBufferTXN *txn)
{
	PenstockFrames *frames = session->frames;
	PenstockStream *stream = get_stream(txn);

	Assert(frames->stream == NULL && frames->buf.len == 0);
	penstock_bundle_end_holding(session);
	if (stream == NULL)
		stream = make_stream(session, txn);
	Assert(stream->xid == txn->xid);
	frames->stream = stream;
	frames->begin_written = false;
	frames->change_count = stream->change_count;
	session->settings_applied = false;
	penstock_relations_begin(session->relations, stream->xid);

	if (stream->schema != NULL)
		penstock_schema_resume(stream->schema, txn);
	else
		stream->schema = penstock_schema_new(session, txn);
	penstock_schema_changes_set(session, stream->schema);
	session->caches_mixed = true;

	/* See the top of the file. */
	if (txn->ninvalidations > 0 || rbtxn_has_catalog_changes(txn))
	{
		InvalidateSystemCaches();
		penstock_relations_invalidate(session->relations);
	}
}

void
penstock_frame_stream_stop(PenstockSession *session, ReorderBufferTXN *txn,
						   XLogRecPtr lsn)
{
	PenstockFrames *frames = session->frames;

	Assert(frames->stream != NULL && frames->stream->xid == txn->xid);

	/*
	 * The catalogs are seen as of all that is decoded.  While the transaction
	 * is in progress a piece can end in the middle of a command, such as
	 * between the rows that CREATE SEQUENCE writes to pg_class and to
	 * pg_sequence: then the changes are sent in the next piece, before its
	 * first row.  The last piece comes when the end of the transaction is known
	 * (ReorderBufferReplay() sets end_lsn before); if the server has nothing
	 * left to send, we make one when the transaction commits.
	 */
	if (session->schema != NULL && HistoricSnapshotActive() &&
		txn->end_lsn != InvalidXLogRecPtr)
		penstock_schema_changes_send(session, txn,
									 Max(lsn, session->ctx->reader->ReadRecPtr),
									 PENSTOCK_TAKE_PIECE);
	penstock_schema_changes_set(session, NULL);

	/*
	 * If an error has ended the piece, there is no snapshot to read catalogs
	 * with.
	 */
	if (session->relations->changed && HistoricSnapshotActive())
		penstock_relations_append_gone(session->relations,
									   frames->stream->gone);
	frames->stream->change_count = frames->change_count;
	if (frames->buf.len > 0)
		penstock_frames_send(session);
	frames->begin_written = false;
	frames->stream = NULL;
}

void
penstock_frame_stream_abort(PenstockSession *session, ReorderBufferTXN *txn,
							XLogRecPtr abort_lsn)
{
	ReorderBufferTXN *top = top_txn_compat(txn);
	const PenstockStream *stream = get_stream(top);
	StringInfo buf = &session->frames->buf;
	int mark;

	if (stream == NULL)
		return;
	Assert(session->frames->stream == NULL && buf->len == 0);
	Assert(stream->xid == top->xid);
	if (stream->started)
	{
		mark = penstock_wire_begin(buf, PENSTOCK_FRAME_STREAM_ABORT,
								   PENSTOCK_WIRE_LENGTH_SMALL);
		penstock_wire_uint(buf, PENSTOCK_STREAM_ABORT_XID, top->xid);
		if (txn != top)
			penstock_wire_uint(buf, PENSTOCK_STREAM_ABORT_SUBXID, txn->xid);
		penstock_wire_uint(buf, PENSTOCK_STREAM_ABORT_LSN, abort_lsn);
		penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
		penstock_frames_send(session);
	}
	if (txn != top && stream->schema != NULL)
		penstock_schema_restart(stream->schema);
	if (txn == top)
		free_stream(top);
	else if (stream->gone->len > 0 && rbtxn_has_catalog_changes(txn))
		penstock_relations_forget_gone(session->relations, stream->xid,
									   stream->gone);
}

/* What is at hand while a last piece is sent that the server did not ask for.
 */
typedef struct LastPiece
{
	PenstockSession *session;
	ReorderBufferTXN *txn;
} LastPiece;

static void
send_last_piece(void *arg)
{
	const LastPiece *piece = arg;

	Assert(HistoricSnapshotActive());
	penstock_frame_stream_start(piece->session, piece->txn);
	penstock_frame_stream_stop(piece->session, piece->txn,
							   piece->txn->final_lsn);
}

/*
 * Sends the schema changes that are left if nothing has followed them: then
 * there was no last piece.
 */
static void
ensure_schema_complete(PenstockSession *session, ReorderBufferTXN *txn,
					   const PenstockStream *stream)
{
	LastPiece piece = {.session = session, .txn = txn};

	Assert(session->frames->stream == NULL);
	if (stream != NULL && stream->schema != NULL &&
		txn_snapshot_compat(txn) != NULL &&
		penstock_schema_is_left(stream->schema, txn))
		penstock_final_snapshot_call(txn, send_last_piece, &piece);
}

void
penstock_frame_stream_commit(PenstockSession *session, ReorderBufferTXN *txn)
{
	PenstockFrames *frames = session->frames;
	PenstockStream *stream = get_stream(txn);
	bool started;

	Assert(frames->stream == NULL && frames->buf.len == 0);
	ensure_schema_complete(session, txn, stream);
	started = stream != NULL && stream->started;
	update_progress_compat(session->ctx, !started);
	if (started)
	{
		Assert(stream->xid == txn->xid);
		frames->stream = stream;
		penstock_frames_write_stream(session);
		frames->stream = NULL;
		penstock_frames_write_begin(session, txn);
		write_commit(session, stream->change_count, stream->gone);
		frames->begin_written = false;
		penstock_frames_send(session);
	}
	if (stream != NULL)
		free_stream(txn);
}

void
penstock_frames_recover(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;

	Assert(frames->complete_bytes <= frames->buf.len);
	frames->buf.len = frames->complete_bytes;
	frames->buf.data[frames->buf.len] = '\0';

	/*
	 * Some of the schema changes that were taken may not have been sent before
	 * the error: all are taken again.
	 */
	if (session->schema != NULL)
		penstock_schema_restart(session->schema);
}
