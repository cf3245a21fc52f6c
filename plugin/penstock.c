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

/* What a callback is about, for penstock_bundle_protect(). */
typedef struct ChangeCall
{
	ReorderBufferTXN *txn;
	int relation_count;
	Relation *relations;
	ReorderBufferChange *change;
} ChangeCall;

static void
call_row(PenstockSession *session, void *arg)
{
	const ChangeCall *call = arg;

	penstock_frame_row(session, call->txn, call->relations[0], call->change);
}

static void
change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
	   ReorderBufferChange *change)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);
	ChangeCall call = {txn, 1, &relation, change};

	if (likely(!session->holding))
		penstock_frame_row(session, txn, relation, change);
	else
		penstock_bundle_protect(session, call_row, &call);
	penstock_session_leave(session, outer);
}

static void
call_truncate(PenstockSession *session, void *arg)
{
	const ChangeCall *call = arg;

	penstock_frame_truncate(session, call->txn, call->relation_count,
							call->relations, call->change);
}

static void
truncate_tables(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				int nrelations, Relation relations[],
				ReorderBufferChange *change)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);
	ChangeCall call = {txn, nrelations, relations, change};

	penstock_bundle_protect(session, call_truncate, &call);
	penstock_session_leave(session, outer);
}

typedef struct MessageCall
{
	ReorderBufferTXN *txn;
	XLogRecPtr lsn;
	bool transactional;
	const char *prefix;
	Size content_bytes;
	const char *content;
} MessageCall;

static void
call_message(PenstockSession *session, void *arg)
{
	const MessageCall *call = arg;

	penstock_frame_message(session, call->txn, call->lsn, call->transactional,
						   call->prefix, call->content_bytes, call->content);
}

static void
message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr lsn,
		bool transactional, const char *prefix, Size content_bytes,
		const char *content)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);
	MessageCall call = {txn,    lsn,           transactional,
						prefix, content_bytes, content};

	penstock_bundle_protect(session, call_message, &call);
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
filter_by_origin(LogicalDecodingContext *ctx, OriginIdCompat origin)
{
	return penstock_session_of(ctx)->options.origin == PENSTOCK_ORIGIN_NONE &&
		   origin != penstock_no_origin_compat;
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
