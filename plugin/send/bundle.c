/*
 * bundle.c
 *		Collects whole transactions; see bundle.h.
 *
 * The difficulty is not to collect, but to do so in a plugin, which is called
 * when a transaction is decoded and not when the server has nothing to do.  A
 * transaction that is held must not be confirmed by the reader, who has not
 * seen it, and must not wait for the next one, which may not come.
 *
 *
 * Nothing that is held is confirmed
 * ---------------------------------
 *
 * A reader confirms positions: ends of transactions that it has, and positions
 * of keepalives, before which everything was sent.  The walsender's keepalives
 * carry how far it has decoded, whatever became of it; with transactions held
 * back that is not true any more.  So the reader is told.  Before the first
 * transaction is held, one is sent at once that says "from here on, positions
 * of keepalives do not count" (HOLDING_BEGINS), and the message with which, at
 * last, nothing is held any more says that they do again (HOLDING_ENDS).  All
 * of that is in one stream of bytes with the keepalives.  A keepalive that the
 * reader gets before the first mark was written when nothing was held, since
 * holding begins after the mark was written; one that it gets after the second
 * was written when all that had been decoded was sent.  The reader needs no
 * more than to ignore those between.  Ends of transactions count always: they
 * are sent in the order in which they committed, and what is held is later than
 * what was sent.
 *
 * If the session ends while something is held (an error, a server that crashes,
 * a reader that goes away), then that was not confirmed, and comes again.
 *
 *
 * Nothing waits
 * -------------
 *
 * A walsender that decodes waits in two places only (walsender.c, PostgreSQL
 * 13 to 19; a server of which that is not known gets no hook, and sends each
 * transaction at once).  One is where its output does not fit into the socket;
 * then the reader has enough to read, and the walsender goes on when it has
 * read that.  The other is WalSndWaitForWal(), for more of the WAL, which is
 * called by the function that reads a page for the decoding context's reader
 * of the WAL, and by nothing else.  WalSndLoop() itself does not sleep unless
 * output is pending: for a walsender that decodes, it leaves that to the
 * former.  The function is a public field of the reader's state.  We put ours
 * in its place, which sends what is held and then calls it, if
 *
 *	 - what it is to read is not on disk yet, so that it would wait.  A standby
 *	   has to have replayed it instead;
 *	 - the slot is one that fails over: then it may also wait for standbys;
 *	 - BUNDLE_PAGES_MAX pages were read since the last message: what follows may
 *	   not be for us.
 *
 * All pages pass there: the reader of the WAL keeps one page, and asks again
 * for what that did not have yet.  So when the walsender waits, nothing is
 * held; in particular when it has been told to stop, has read all there is, and
 * wants the reader to confirm the last position: it then tries to read once
 * more.
 *
 * What remains is what takes long between two pages.  Before a transaction with
 * many changes is handed out, or a piece of one, what is held is sent
 * (penstock_bundle_before()).
 *
 * SQL functions read the WAL with another function, which does not wait, and
 * when they have read enough they are done; nothing would send the rest.  So
 * they may not ask for bundles, and nothing is held unless the walsender says
 * in shared memory that it is catching up or streaming, which it is for no
 * other reader than its own.
 *
 *
 * Errors
 * ------
 *
 * An error ends the session, and what is held would have to be decoded again;
 * each time, if the error is about something in the WAL, so that the reader
 * never came close to it.  So all that runs here is run such that what is held
 * is sent before an error goes its way (penstock_bundle_protect()).
 *
 * The error may be one of sending, and then nobody knows how much of it has
 * happened: that a message was handed over is noted before it is, so that it is
 * not sent twice.
 *
 * XXX An error of the server's own, between two callbacks, still costs what is
 * held: plugins are told nothing of it.  Of what runs before it goes out, only
 * the hook for the server's log could be used.
 *
 *
 * When it begins
 * --------------
 *
 * A transaction of a server that does not lag is sent at once, as without
 * bundles.  We hold only if the server has BUNDLE_AHEAD_BYTES of its WAL that
 * it has not decoded yet; otherwise the marks would be more messages than they
 * save.
 */
#include "postgres.h"

#include "access/xlogreader.h"
#include "access/xlogutils.h"
#include "replication/logical.h"
#include "replication/slot.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"

#include "compat.h"
#include "send/bundle.h"
#include "wire/compress.h"
#include "wire/wire.h"

/*
 * Maximum number of pages of the WAL that are read between two messages while
 * transactions may be held back.
 */
#define BUNDLE_PAGES_MAX 32

/*
 * Bytes of WAL that must be there and not decoded yet, so that a transaction is
 * held back.  They are more than the WAL of a few concurrent transactions, with
 * which a server keeps up.
 */
#define BUNDLE_AHEAD_BYTES (4 * XLOG_BLCKSZ)

/*
 * Maximum number of changes of a transaction that is handed out while others
 * are held back: decoding them takes about a millisecond.
 */
#define BUNDLE_CHANGES_MAX 1000

struct PenstockBundle
{
	StringInfoData buf; /* fields of the message that is being collected */

	/* End and xid of the last transaction in `buf`. */
	XLogRecPtr end_lsn;
	TransactionId xid;

	int pages; /* number of pages of the WAL that were read since the last
				* message */
	XLogRecPtr readable; /* up to where the WAL could be read when the server
						  * was last asked */

	XLogPageReadCB
		read_page; /* the walsender's function that reads a page of the WAL */
};

/* Whether the walsender decodes, and so reads with its own function. */
static bool
is_walsenders_turn(void)
{
	WalSndState state;

	if (MyWalSnd == NULL)
		return false;
	state = MyWalSnd->state;
	return state == WALSNDSTATE_CATCHUP || state == WALSNDSTATE_STREAMING;
}

/* Whether the WAL up to a position can be read without waiting. */
static bool
is_readable(PenstockBundle *bundle, XLogRecPtr lsn)
{
	if (lsn > bundle->readable)
		bundle->readable = readable_lsn_compat();
	return lsn <= bundle->readable;
}

/*
 * Sends fields as a message, and empties their buffer.  Does what
 * OutputPluginWrite() does, which may only be called in callbacks.
 */
static void
send_fields(PenstockSession *session, StringInfo fields, XLogRecPtr lsn,
			TransactionId xid)
{
	LogicalDecodingContext *ctx = session->ctx;

	Assert(fields->len > 0);
	ctx->prepare_write(ctx, lsn, xid, true);
	penstock_compress_append(session->compressor, ctx->out, fields->data,
							 (Size) fields->len);
	resetStringInfo(fields);
	session->bundle->pages = 0;
	ctx->write(ctx, lsn, xid, true);
}

static void
send_bundle(PenstockSession *session)
{
	PenstockBundle *bundle = session->bundle;
	XLogRecPtr end_lsn = bundle->end_lsn;
	TransactionId xid = bundle->xid;

	Assert(bundle->buf.len > 0);
	bundle->end_lsn = InvalidXLogRecPtr;
	bundle->xid = InvalidTransactionId;
	send_fields(session, &bundle->buf, end_lsn, xid);
}

void
penstock_bundle_end_holding(PenstockSession *session)
{
	PenstockBundle *bundle = session->bundle;

	if (!session->holding)
		return;
	Assert(bundle != NULL);
	penstock_wire_uint(&bundle->buf, PENSTOCK_FRAME_HOLDING,
					   PENSTOCK_HOLDING_ENDS);
	session->holding = false;
	send_bundle(session);
}

static void
hold(PenstockSession *session, const StringInfoData *frame)
{
	PenstockBundle *bundle = session->bundle;

	Assert(session->holding && frame->len > 0);
	penstock_wire_bytes(&bundle->buf, PENSTOCK_FRAME_BUNDLE, frame->data,
						(Size) frame->len);
	/* transactions come in the order in which they end */
	Assert(session->ctx->write_location > bundle->end_lsn);
	bundle->end_lsn = session->ctx->write_location;
	bundle->xid = session->ctx->write_xid;
	if (bundle->buf.len >= session->options.frame_size)
		send_bundle(session);
}

void
penstock_bundle_add(PenstockSession *session, StringInfo frame)
{
	const LogicalDecodingContext *ctx = session->ctx;
	PenstockBundle *bundle = session->bundle;

	Assert(bundle != NULL && frame->len > 0);
	if (session->holding)
	{
		hold(session, frame);
		return;
	}
	if (is_walsenders_turn() &&
		is_readable(bundle, ctx->reader->EndRecPtr + BUNDLE_AHEAD_BYTES))
	{
		penstock_wire_uint(frame, PENSTOCK_FRAME_HOLDING,
						   PENSTOCK_HOLDING_BEGINS);
		session->holding = true;
	}
	Assert(bundle->buf.len == 0);
	send_fields(session, frame, ctx->write_location, ctx->write_xid);
}

void
penstock_bundle_before(PenstockSession *session, ReorderBufferTXN *txn)
{
	uint64 change_count = txn->nentries + txn->nsubtxns;
	dlist_iter iter;

	if (!session->holding)
		return;
	dlist_foreach (iter, &txn->subtxns)
	{
		if (change_count > BUNDLE_CHANGES_MAX)
			break;
		change_count += dlist_container(ReorderBufferTXN, node, iter.cur)
							->nentries;
	}
	if (change_count > BUNDLE_CHANGES_MAX)
		penstock_bundle_end_holding(session);
}

/*
 * Sends the transactions that are held back, after an error was caught and
 * before it is raised again.
 */
static void
send_before_error(PenstockSession *session)
{
	MemoryContext outer = MemoryContextSwitchTo(session->change_context);

	penstock_bundle_end_holding(session);
	Assert(!session->holding);
	MemoryContextSwitchTo(outer);
}

void
penstock_bundle_protect(PenstockSession *session,
						void (*function)(PenstockSession *session, void *arg),
						void *arg)
{
	if (likely(!session->holding))
	{
		function(session, arg);
		return;
	}
	PG_TRY();
	{
		function(session, arg);
	}
	PG_CATCH();
	{
		send_before_error(session);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* Adds to an error that transactions which were held back were being sent. */
static void
describe_sending(void *arg)
{
	const PenstockSession *session = arg;

	errcontext("slot \"%s\", output plugin \"penstock\", sending transactions "
			   "that were held back",
			   NameStr(session->ctx->slot->data.name));
}

static void
send_before_reading(PenstockSession *session)
{
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = describe_sending,
		.arg = session,
	};
	MemoryContext outer = penstock_session_enter(session);

	error_context_stack = &context;
	penstock_bundle_end_holding(session);
	Assert(!session->holding);
	error_context_stack = context.previous;
	penstock_session_leave(session, outer);
}

/* The arguments of read_page(). */
typedef struct PageRequest
{
	XLogRecPtr page;
	int bytes;
	XLogRecPtr record;
	char *into;
	int read;
} PageRequest;

static void
read_requested(PenstockSession *session, void *arg)
{
	PageRequest *request = arg;

	request->read = session->bundle->read_page(session->ctx->reader,
											   request->page, request->bytes,
											   request->record, request->into);
}

/* The reader of the WAL wants `bytes` of a page; see the top of the file. */
/* NOLINTBEGIN(readability-non-const-parameter): as the server declares it. */
static int
read_page(XLogReaderState *reader, XLogRecPtr page, int bytes,
		  XLogRecPtr record, char *into)
{
	PenstockSession *session = penstock_session_of(reader->private_data);
	PenstockBundle *bundle = session->bundle;
	PageRequest request = {
		.page = page,
		.bytes = bytes,
		.record = record,
		.into = into,
	};

	Assert(bundle->read_page != NULL && bundle->read_page != read_page);
	if (session->holding && (++bundle->pages > BUNDLE_PAGES_MAX ||
							 !is_readable(bundle, page + (XLogRecPtr) bytes) ||
							 waits_for_standbys_compat()))
		send_before_reading(session);
	penstock_bundle_protect(session, read_requested, &request);
	return request.read;
}
/* NOLINTEND(readability-non-const-parameter) */

/*
 * Whether the functions that read the WAL are a walsender's own.  SQL
 * functions, and all other callers, use read_local_xlog_page().
 */
static bool
is_walsenders_own(const XLogReaderRoutine *routine)
{
	return am_walsender && routine->page_read != read_local_xlog_page &&
		   routine->segment_open != wal_segment_open;
}

PenstockBundle *
penstock_bundle_new(PenstockSession *session)
{
	XLogReaderRoutine *routine = &session->ctx->reader->routine;
	PenstockBundle *bundle;

	if (!is_walsenders_own(routine))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("option \"bundle\" is not supported here"),
				 errdetail("Only a replication connection can hold "
						   "transactions back and send them later."),
				 errhint("Leave the option out when you read from the slot "
						 "with SQL functions.")));
	if (!PENSTOCK_BUNDLES_COMPAT)
		return NULL;
	bundle = palloc0(sizeof(PenstockBundle));
	initStringInfo(&bundle->buf);
	bundle->read_page = routine->page_read;
	routine->page_read = read_page;
	return bundle;
}
