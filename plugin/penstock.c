/*
 * penstock.c
 *		Logical decoding output plugin: the callbacks.
 *
 * The server calls these while it decodes its WAL.  Each does no more than to
 * find the session, switch to the memory context for what the call builds, let
 * another file do the work, and empty the context again:
 *
 *	 session/	what the reader asked for, and the state of a decoding session
 *	 catalogs/	system catalogs, as the reader of the stream knows them
 *	 tables/	what is published of each table, and its rows
 *	 schema/	what a transaction has changed of the schema
 *	 send/		changes into frames, frames to the server's output
 *	 wire/		protobuf's bytes
 *	 start		puts a session together
 *	 compat		where servers differ
 *
 * What is sent is specified in proto/penstock.proto.
 */
#include "postgres.h"

#include "fmgr.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "replication/output_plugin.h"

#include "compat.h"
#include "send/bundle.h"
#include "send/frame.h"
#include "send/row_changes.h"
#include "session/session.h"
#include "start.h"

PG_MODULE_MAGIC;

static void
startup(LogicalDecodingContext *ctx, OutputPluginOptions *options, bool is_init)
{
	const PenstockSession *session = penstock_session_new(ctx, is_init);

	options->output_type = OUTPUT_PLUGIN_BINARY_OUTPUT;
	options->receive_rewrites = session->options.schema_changes;
}

/* What the server hands to a callback, as far as it does. */
typedef struct Call
{
	ReorderBufferTXN *txn;
	XLogRecPtr lsn;
	int relation_count;
	Relation *relations;
	ReorderBufferChange *change;
	bool transactional;
	const char *prefix;
	Size content_bytes;
	const char *content;
} Call;

/* Does a callback's work; see penstock_bundle_protect(). */
static void
run(LogicalDecodingContext *ctx,
	void (*work)(PenstockSession *session, void *arg), Call *call)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);

	penstock_bundle_protect(session, work, call);
	penstock_session_leave(session, outer);
}

static void
do_begin(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_begin(session, call->txn);
}

static void
begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	run(ctx, do_begin, &(Call){.txn = txn});
}

static void
do_row(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_row(session, call->txn, call->relations[0], call->change);
}

/* As run(), without a detour where there is no need. */
static void
change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
	   ReorderBufferChange *change)
{
	PenstockSession *session = penstock_session_of(ctx);
	MemoryContext outer = penstock_session_enter(session);
	Call call = {.txn = txn, .relations = &relation, .change = change};

	if (likely(!session->holding))
		penstock_frame_row(session, txn, relation, change);
	else
		penstock_bundle_protect(session, do_row, &call);
	penstock_session_leave(session, outer);
}

static void
do_truncate(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_truncate(session, call->txn, call->relation_count,
							call->relations, call->change);
}

static void
truncate_tables(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				int nrelations, Relation relations[],
				ReorderBufferChange *change)
{
	run(ctx, do_truncate,
		&(Call){.txn = txn,
				.relation_count = nrelations,
				.relations = relations,
				.change = change});
}

static void
do_message(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_message(session, call->txn, call->lsn, call->transactional,
						   call->prefix, call->content_bytes, call->content);
}

static void
message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr lsn,
		bool transactional, const char *prefix, Size content_bytes,
		const char *content)
{
	run(ctx, do_message,
		&(Call){.txn = txn,
				.lsn = lsn,
				.transactional = transactional,
				.prefix = prefix,
				.content_bytes = content_bytes,
				.content = content});
}

static void
do_commit(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_commit(session, call->txn, call->lsn);
}

static void
commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
	   XLogRecPtr commit_lsn)
{
	run(ctx, do_commit, &(Call){.txn = txn, .lsn = commit_lsn});
}

static void
do_stream_start(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_stream_start(session, call->txn);
}

static void
stream_start(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	run(ctx, do_stream_start, &(Call){.txn = txn});
}

static void
do_stream_stop(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_stream_stop(session, call->txn, call->lsn);
}

static void
stream_stop(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	run(ctx, do_stream_stop,
		&(Call){.txn = txn, .lsn = ctx->reader->ReadRecPtr});
}

static void
do_stream_abort(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_stream_abort(session, call->txn, call->lsn);
}

static void
stream_abort(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			 XLogRecPtr abort_lsn)
{
	run(ctx, do_stream_abort, &(Call){.txn = txn, .lsn = abort_lsn});
}

static void
do_stream_commit(PenstockSession *session, void *arg)
{
	const Call *call = arg;

	penstock_frame_stream_commit(session, call->txn);
}

static void
stream_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			  XLogRecPtr commit_lsn)
{
	(void) commit_lsn;
	run(ctx, do_stream_commit, &(Call){.txn = txn});
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
