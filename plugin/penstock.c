/*
 * penstock.c
 *		Logical decoding output plugin: the callbacks.
 *
 * The server calls these while it decodes its log.  Each does no more than to
 * find the session, switch to the memory context for what the call builds, let
 * another file do the work, and empty the context again:
 *
 *	 options	what the reader asked for
 *	 session	state and memory of one decoding session
 *	 publish	what the publications say is to be sent
 *	 left_out	tables of which nothing is to be sent
 *	 relinfo	what is known of each table
 *	 lookup		catalogs while a transaction in progress is handed out
 *	 frame		changes into frames, frames to the server's output
 *	 bundle		several small transactions in one message
 *	 row		a row as fields
 *	 value		one value
 *	 wire		protobuf's bytes
 *	 compat		where servers differ
 *
 * What is sent is specified in proto/penstock.proto.
 */
#include "postgres.h"

#include "fmgr.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "replication/output_plugin.h"

#include "bundle.h"
#include "compat.h"
#include "frame.h"
#include "session.h"

PG_MODULE_MAGIC;

static void
startup(LogicalDecodingContext *ctx, OutputPluginOptions *options, bool is_init)
{
	options->output_type = OUTPUT_PLUGIN_BINARY_OUTPUT;
	options->receive_rewrites = false;
	(void) penstock_session_new(ctx, is_init);
}

static void
begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	penstock_frame_begin(session, txn);
	penstock_session_leave(session, outer);
}

static void
change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
	   ReorderBufferChange *change)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	PENSTOCK_RESCUE_HELD(session,
						 penstock_frame_row(session, txn, relation, change));
	penstock_session_leave(session, outer);
}

static void
truncate_tables(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				int nrelations, Relation relations[],
				ReorderBufferChange *change)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	PENSTOCK_RESCUE_HELD(
		session,
		penstock_frame_truncate(session, txn, nrelations, relations, change));
	penstock_session_leave(session, outer);
}

static void
message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr lsn,
		bool transactional, const char *prefix, Size content_bytes,
		const char *content)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	PENSTOCK_RESCUE_HELD(
		session, penstock_frame_message(session, txn, lsn, transactional,
										prefix, content_bytes, content));
	penstock_session_leave(session, outer);
}

static void
commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
	   XLogRecPtr commit_lsn)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	(void) txn;
	(void) commit_lsn;
	penstock_frame_commit(session);
	penstock_session_leave(session, outer);
}

static void
stream_start(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	penstock_frame_stream_start(session, txn);
	penstock_session_leave(session, outer);
}

static void
stream_stop(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	(void) txn;
	penstock_frame_stream_stop(session);
	penstock_session_leave(session, outer);
}

static void
stream_abort(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			 XLogRecPtr abort_lsn)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	penstock_frame_stream_abort(session, txn, abort_lsn);
	penstock_session_leave(session, outer);
}

static void
stream_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			  XLogRecPtr commit_lsn)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	(void) commit_lsn;
	penstock_frame_stream_commit(session, txn);
	penstock_session_leave(session, outer);
}

/* Also called while a slot is made, when the options are all zero: any. */
static bool
filter_by_origin(LogicalDecodingContext *ctx, RepOriginId origin)
{
	return penstock_session_of(ctx)->options.origin == PENSTOCK_ORIGIN_NONE &&
		   origin != InvalidRepOriginId;
}

static const PenstockStreamCallbacks stream_callbacks = {
	.start = stream_start,
	.stop = stream_stop,
	.abort = stream_abort,
	.commit = stream_commit,
};

void
_PG_output_plugin_init(OutputPluginCallbacks *cb)
{
	cb->startup_cb = startup;
	cb->begin_cb = begin;
	cb->change_cb = change;
	cb->truncate_cb = truncate_tables;
	cb->message_cb = message;
	cb->commit_cb = commit;
	cb->filter_by_origin_cb = filter_by_origin;
	set_stream_callbacks_compat(cb, &stream_callbacks);
}
