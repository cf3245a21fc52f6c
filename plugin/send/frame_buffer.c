/*
 * frame_buffer.c
 *		Collects changes into frames; see frame_buffer.h.
 *
 * A frame is a sequence of fields (session, begin, changes, commit) without
 * anything around them, so to collect is to append.  They are collected in a
 * buffer of the session rather than in the server's output buffer, because that
 * must be filled and sent within one callback.
 *
 * The exception is a row that alone would fill a frame.  It is written to the
 * output buffer directly, after what was collected, and sent at once, so that
 * its values are copied once less and the session's buffer stays small.  Not
 * so if frames are compressed: that takes a buffer to compress from.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlogreader.h"
#include "mb/pg_wchar.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "compat.h"
#include "send/bundle.h"
#include "send/frame_buffer.h"
#include "wire/compress.h"
#include "wire/wire.h"

/* Given by the Makefile, if that was told. */
#ifndef PENSTOCK_VERSION
#define PENSTOCK_VERSION "devel"
#endif

/* Usually a frame goes beyond its size by less than a row. */
static int
buffer_bytes(const PenstockSession *session)
{
	return session->options.frame_size + 8192;
}

static void
buffer_init(const PenstockSession *session, StringInfo buf)
{
	buf->maxlen = buffer_bytes(session);
	buf->data = MemoryContextAlloc(session->context, (Size) buf->maxlen);
	resetStringInfo(buf);
}

void
penstock_frames_init_buffer(PenstockSession *session, PenstockFrames *frames)
{
	Assert(frames->buf.data == NULL);
	buffer_init(session, &frames->buf);
}

/* Empties the buffer; gives back the memory that an exceptional row took. */
static void
buffer_reset(const PenstockSession *session, StringInfo buf)
{
	if (likely(buf->maxlen <= 4 * buffer_bytes(session)))
		resetStringInfo(buf);
	else
	{
		pfree(buf->data);
		buffer_init(session, buf);
	}
}

void
penstock_frames_sent(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;

	buffer_reset(session, &frames->buf);
	frames->complete_bytes = 0;
	frames->changes_unsent = 0;
	frames->partly_sent = true;
	if (frames->stream != NULL)
		frames->begin_written = false;
}

void
penstock_frames_send(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;
	LogicalDecodingContext *ctx = session->ctx;

	Assert(session->entered);
	Assert(frames->buf.len > 0 && frames->complete_bytes <= frames->buf.len);
	penstock_bundle_end_holding(session);
	OutputPluginPrepareWrite(ctx, true);
	penstock_compress_append(session->compressor, ctx->out, frames->buf.data,
							 (Size) frames->buf.len);
	penstock_frames_sent(session);
	OutputPluginWrite(ctx, true);
}

void
penstock_frames_append_text(PenstockSession *session, StringInfo buf, int field,
							const char *text)
{
	Size bytes = strlen(text);
	const char *converted = penstock_session_convert(session, text, &bytes);

	penstock_wire_bytes(buf, field, converted, bytes);
}

void
penstock_frames_write_session(PenstockSession *session)
{
	StringInfo buf = &session->frames->buf;
	int mark;

	Assert(!session->frames->session_written);
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_SESSION,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_uint(buf, PENSTOCK_SESSION_PROTO_VERSION,
					   (uint64) session->options.proto_version);
	penstock_wire_uint(buf, PENSTOCK_SESSION_SERVER_VERSION_NUM,
					   (uint64) pg_strtoint32(GetConfigOption(
						   "server_version_num", false, false)));
	penstock_frames_append_text(session, buf, PENSTOCK_SESSION_PLUGIN_VERSION,
								PENSTOCK_VERSION);
	penstock_frames_append_text(session, buf, PENSTOCK_SESSION_SERVER_ENCODING,
								GetDatabaseEncodingName());
	penstock_frames_append_text(session, buf, PENSTOCK_SESSION_CLIENT_ENCODING,
								pg_encoding_to_char(session->client_encoding));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->session_written = true;
}

/*
 * The name of an origin, in the current memory context.  When a transaction
 * that was in progress commits, the server calls outside of any transaction.
 */
static char *
origin_name(OriginIdCompat origin)
{
	MemoryContext context = CurrentMemoryContext;
	bool outside = !IsTransactionState();
	char *name;

	if (outside)
		StartTransactionCommand();
	if (!replorigin_by_oid(origin, true, &name))
		name = psprintf("dropped origin %u", (unsigned) origin);
	name = MemoryContextStrdup(context, name);
	if (outside)
		AbortCurrentTransaction();
	MemoryContextSwitchTo(context);
	return name;
}

/*
 * Says where a transaction came from.  An origin that was dropped since has no
 * name any more, but to leave it out would say that the transaction was made
 * here.
 */
static void
write_origin(PenstockSession *session, const ReorderBufferTXN *txn)
{
	StringInfo buf = &session->frames->buf;
	const char *name = origin_name(txn->origin_id);

	Assert(txn->origin_id != penstock_no_origin_compat);
	penstock_frames_append_text(session, buf, PENSTOCK_BEGIN_ORIGIN, name);
	penstock_wire_uint(buf, PENSTOCK_BEGIN_ORIGIN_LSN, txn->origin_lsn);
}

void
penstock_frames_write_begin(PenstockSession *session,
							const ReorderBufferTXN *txn)
{
	StringInfo buf = &session->frames->buf;
	int mark;

	Assert(txn->end_lsn > txn->final_lsn);
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_BEGIN,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_uint(buf, PENSTOCK_BEGIN_XID, txn->xid);
	penstock_wire_uint(buf, PENSTOCK_BEGIN_COMMIT_LSN, txn->final_lsn);
	penstock_wire_uint(buf, PENSTOCK_BEGIN_END_LSN, txn->end_lsn);
	penstock_wire_sint(buf, PENSTOCK_BEGIN_COMMIT_TIME,
					   txn_commit_time_compat(txn));
	if (txn->origin_id != penstock_no_origin_compat)
		write_origin(session, txn);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->begin_written = true;
}

void
penstock_frames_write_stream(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;
	StringInfo buf = &frames->buf;
	int mark;

	Assert(TransactionIdIsValid(frames->stream->xid));
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_STREAM,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_uint(buf, PENSTOCK_STREAM_XID, frames->stream->xid);
	penstock_wire_uint(buf, PENSTOCK_STREAM_FIRST, !frames->stream->started);
	penstock_wire_uint(buf, PENSTOCK_STREAM_DECODED_LSN,
					   session->ctx->reader->ReadRecPtr);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	frames->stream->started = true;
	frames->begin_written = true;
}
