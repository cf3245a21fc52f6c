/*
 * frame.c
 *		Collects changes into frames; see frame.h.
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
 *
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

#include "access/xact.h"
#include "access/xlogreader.h"
#include "mb/pg_wchar.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalogs/final_snapshot.h"
#include "catalogs/lookup.h"
#include "catalogs/newest.h"
#include "compat.h"
#include "schema/describe.h"
#include "schema/schema.h"
#include "send/bundle.h"
#include "send/frame.h"
#include "tables/left_out.h"
#include "tables/relinfo.h"
#include "tables/route.h"
#include "tables/row.h"
#include "tables/value.h"
#include "wire/compress.h"
#include "wire/wire.h"

/* Given by the Makefile, if that was told. */
#ifndef PENSTOCK_VERSION
#define PENSTOCK_VERSION "devel"
#endif

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

struct PenstockFrames
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
};

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

PenstockFrames *
penstock_frames_new(PenstockSession *session)
{
	PenstockFrames *frames = palloc0(sizeof(PenstockFrames));

	buffer_init(session, &frames->buf);
	return frames;
}

/*
 * Begins the next frame: what was collected is in the server's output buffer.
 */
static void
frame_sent(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;

	buffer_reset(session, &frames->buf);
	frames->complete_bytes = 0;
	frames->changes_unsent = 0;
	frames->partly_sent = true;
	if (frames->stream != NULL)
		frames->begin_written = false;
}

/*
 * Notes that the buffer ends with a whole change.  What is in it up to there is
 * sent even if an error interrupts the next change.
 */
static inline void
mark_complete(PenstockFrames *frames)
{
	frames->complete_bytes = frames->buf.len;
}

/* Sends what was collected as a frame. */
static void
send_frame(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;
	LogicalDecodingContext *ctx = session->ctx;

	penstock_bundle_end_holding(session);
	OutputPluginPrepareWrite(ctx, true);
	penstock_compress_append(session->compressor, ctx->out, frames->buf.data,
							 (Size) frames->buf.len);
	frame_sent(session);
	OutputPluginWrite(ctx, true);
}

static inline void
send_frame_if_full(PenstockSession *session)
{
	if (session->frames->buf.len >= session->options.frame_size)
		send_frame(session);
}

/*
 * Lets the server tell the reader from time to time that it is alive.  To be
 * called for each change that the server hands out, also if nothing is sent of
 * it.
 */
static inline void
keep_alive(PenstockSession *session)
{
	if (!needs_keepalive_compat())
		return;
	if (++session->frames->changes_unsent < KEEPALIVE_CHANGES)
		return;
	session->frames->changes_unsent = 0;
	update_progress_compat(session->ctx, false);
}

static void
append_text(PenstockSession *session, StringInfo buf, int field,
			const char *text)
{
	Size bytes = strlen(text);
	const char *converted = penstock_session_convert(session, text, &bytes);

	penstock_wire_bytes(buf, field, converted, bytes);
}

static void
write_session(PenstockSession *session)
{
	StringInfo buf = &session->frames->buf;
	int mark;

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_SESSION,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_uint(buf, PENSTOCK_SESSION_PROTO_VERSION,
					   (uint64) session->options.proto_version);
	penstock_wire_uint(buf, PENSTOCK_SESSION_SERVER_VERSION_NUM,
					   (uint64) pg_strtoint32(GetConfigOption(
						   "server_version_num", false, false)));
	append_text(session, buf, PENSTOCK_SESSION_PLUGIN_VERSION,
				PENSTOCK_VERSION);
	append_text(session, buf, PENSTOCK_SESSION_SERVER_ENCODING,
				GetDatabaseEncodingName());
	append_text(session, buf, PENSTOCK_SESSION_CLIENT_ENCODING,
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

	append_text(session, buf, PENSTOCK_BEGIN_ORIGIN, name);
	penstock_wire_uint(buf, PENSTOCK_BEGIN_ORIGIN_LSN, txn->origin_lsn);
}

static void
write_begin(PenstockSession *session, const ReorderBufferTXN *txn)
{
	StringInfo buf = &session->frames->buf;
	int mark;

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

/* Says of which transaction in progress the frame has a piece. */
static void
write_stream(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;
	StringInfo buf = &frames->buf;
	int mark;

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

/* Writes Session, and Begin or Stream, if they are due before a change. */
static inline void
ensure_begun(PenstockSession *session, const ReorderBufferTXN *txn)
{
	if (likely(session->frames->begin_written))
		return;
	if (!session->frames->session_written)
		write_session(session);
	if (session->frames->stream != NULL)
		write_stream(session);
	else
		write_begin(session, txn);
	mark_complete(session->frames);
}

/* Writes the Relation record, unless the reader has it. */
static inline void
ensure_relation_sent(PenstockSession *session, PenstockPublished *published)
{
	StringInfo buf = &session->frames->buf;
	int mark;

	if (likely(published->sent))
		return;

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
							   PENSTOCK_WIRE_LENGTH_MEDIUM);
	penstock_wire_bytes(buf, PENSTOCK_CHANGE_RELATION, published->record,
						(Size) published->record_bytes);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	session->frames->change_count++;
	penstock_relations_note_sent(session->relations, published);
	mark_complete(session->frames);
}

/* ---- changes of the schema ---- */

/*
 * For Change.subxid: the xid if a subtransaction of a transaction in progress
 * has it, else InvalidTransactionId.
 */
static inline TransactionId
subxid_in_stream(const PenstockSession *session, TransactionId xid)
{
	const PenstockStream *stream = session->frames->stream;

	return stream != NULL && xid != stream->xid ? xid : InvalidTransactionId;
}

static void
append_schema_change(PenstockSession *session,
					 const PenstockSchemaObject *object)
{
	StringInfo buf = &session->frames->buf;
	int mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	int mark_schema = penstock_wire_begin(buf, PENSTOCK_CHANGE_SCHEMA_CHANGE,
										  PENSTOCK_WIRE_LENGTH_MEDIUM);

	penstock_describe(session, buf, object);
	penstock_wire_end(buf, mark_schema, PENSTOCK_WIRE_LENGTH_MEDIUM);
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID,
					   subxid_in_stream(session, object->xid));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	session->frames->change_count++;
	mark_complete(session->frames);
	send_frame_if_full(session);
}

typedef struct SchemaLookup
{
	PenstockSession *session;
	const ReorderBufferTXN *txn;
	XLogRecPtr lsn;
	PenstockTaking taking;
} SchemaLookup;

static void
append_schema_changes(void *arg)
{
	const SchemaLookup *lookup = arg;
	PenstockSession *session = lookup->session;
	Snapshot outer = penstock_newest_enter(session);
	List *objects = penstock_schema_take(session->schema, lookup->lsn,
										 lookup->taking);
	ListCell *cell;

	if (objects != NIL)
	{
		penstock_value_apply_settings(session);
		ensure_begun(session, lookup->txn);
	}
	foreach (cell, objects)
		append_schema_change(session, lfirst(cell));
	penstock_newest_leave(outer);
}

/*
 * Appends a rewrite: it says that all rows of a table are gone, and that its
 * new rows follow.
 */
static void
append_rewrite(PenstockSession *session, const PenstockRelInfo *info,
			   TransactionId subxid)
{
	StringInfo buf = &session->frames->buf;
	int mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
								   PENSTOCK_WIRE_LENGTH_SMALL);

	penstock_wire_uint(buf, PENSTOCK_CHANGE_REWRITE, info->published->number);
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID, subxid);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->change_count++;
	mark_complete(session->frames);
}

/*
 * A table was made logged and empty, and it is not known at which position.
 * Rows that the transaction has inserted since may have been sent already, so
 * it is too late for a rewrite.
 */
static void
raise_emptied_late(const PenstockRelInfo *info, const ReorderBufferTXN *txn)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot tell which rows table %s has after transaction %u, "
					"which ends at %X/%X",
					info->name, txn->xid, (uint32) (txn->end_lsn >> 32),
					(uint32) txn->end_lsn),
			 errdetail("The transaction has made the table logged by ALTER "
					   "TABLE ... SET LOGGED, and VACUUM FULL of pg_class has "
					   "removed when that was."),
			 errhint("Copy the table anew, with \"penstock table resync\", or "
					 "leave it out, with \"penstock table pause\".")));
}

static void
append_emptied(PenstockSession *session, const ReorderBufferTXN *txn,
			   const PenstockEmptied *emptied)
{
	const PenstockRelInfo *info = penstock_relinfo_get_rewritten(
		session, emptied->heap, emptied->table);

	if (!info->publish.operations[PENSTOCK_INSERT])
		return;
	if (emptied->late)
		raise_emptied_late(info, txn);
	ensure_begun(session, txn);
	ensure_relation_sent(session, info->published);
	append_rewrite(session, info, subxid_in_stream(session, emptied->xid));
	send_frame_if_full(session);
}

/*
 * Sends the schema changes of the transaction up to the position.  The snapshot
 * is registered because large values in catalogs can only be read so.
 */
static void
send_schema_changes(PenstockSession *session, const ReorderBufferTXN *txn,
					XLogRecPtr lsn, PenstockTaking taking)
{
	Snapshot snapshot = RegisterSnapshot(GetCatalogSnapshot(InvalidOid));
	SchemaLookup lookup = {
		.session = session,
		.txn = txn,
		.lsn = lsn,
		.taking = taking,
	};
	const PenstockEmptied *emptied;

	penstock_lookup(append_schema_changes, &lookup);
	while ((emptied = penstock_schema_first_emptied(session->schema)) != NULL)
	{
		append_emptied(session, txn, emptied);
		penstock_schema_forget_emptied(session->schema);
	}
	UnregisterSnapshot(snapshot);
}

/* Sends schema changes that come before a change of rows at this position. */
static inline void
ensure_schema_sent(PenstockSession *session, const ReorderBufferTXN *txn,
				   XLogRecPtr lsn)
{
	if (unlikely(session->schema != NULL) &&
		penstock_schema_has_news(session->schema, lsn))
		send_schema_changes(session, txn, lsn, PENSTOCK_TAKE_TO_POSITION);
}

/*
 * Before the first row of a heap into which a table is rewritten: appends a
 * rewrite.
 */
static void
ensure_rewrite_sent(PenstockSession *session, const PenstockRelInfo *info,
					TransactionId subxid)
{
	if (penstock_schema_note_rewrite(session->schema, info->relid))
		append_rewrite(session, info, subxid);
}

/* Sets the transaction whose schema changes are sent; NULL: it has none. */
static void
set_schema(PenstockSession *session, PenstockSchema *schema)
{
	session->schema = schema;
	session->own_xids = schema != NULL ? penstock_schema_own_xids(schema)
									   : NULL;
}

/* Forgets the schema changes of a transaction that has ended. */
static void
end_schema(PenstockSession *session)
{
	if (likely(session->schema == NULL))
		return;
	penstock_schema_free(session->schema);
	set_schema(session, NULL);
}

/* ---- rows ---- */

/* Appends the distribution hash of a row, if its table is distributed. */
static inline void
append_hash(StringInfo buf, int field, const PenstockRelInfo *info,
			const PenstockRow *row, const PenstockRow *old_row)
{
	if (info->route != NULL)
		penstock_wire_fixed64(buf, field,
							  penstock_route_hash(info->route, row, old_row));
}

/* Appends the old row of an update, if the reader needs it. */
static void
append_old_row(PenstockSession *session, StringInfo buf, PenstockRelInfo *info,
			   int length_bytes)
{
	bool is_full = info->identity == PENSTOCK_REPLICA_IDENTITY_FULL;
	int mark;

	if (!is_full && !penstock_row_key_changed(info))
		return;
	mark = penstock_wire_begin(buf, PENSTOCK_CHANGE_OLD, length_bytes);
	penstock_row_append(session, buf, &penstock_row_in_row,
						is_full ? &info->full : &info->key, &info->old_row,
						false);
	append_hash(buf, PENSTOCK_ROW_HASH, info, &info->old_row, NULL);
	penstock_wire_end(buf, mark, length_bytes);
}

/* A published row change, ready to be written. */
typedef struct RowChange
{
	PenstockOperation operation;
	PenstockRelInfo *info;
	bool has_old;
	Size stored_bytes; /* size of its rows, without values stored out of line */

	/*
	 * The subtransaction that made it, if it belongs to a transaction in
	 * progress; InvalidTransactionId: the transaction itself.
	 */
	TransactionId subxid;
} RowChange;

static int
choose_length_bytes(Size stored_bytes)
{
	return stored_bytes < STORED_BYTES_SMALL    ? PENSTOCK_WIRE_LENGTH_SMALL
		   : stored_bytes < STORED_BYTES_MEDIUM ? PENSTOCK_WIRE_LENGTH_MEDIUM
												: PENSTOCK_WIRE_LENGTH_ANY;
}

/*
 * Tells which value an error is about that comes from elsewhere: an output
 * function, or the conversion to the reader's encoding.
 */
static void
describe_value(void *arg)
{
	const PenstockSession *session = arg;
	const PenstockValueWriter *value = session->current_value;

	if (value != NULL)
		errcontext("column \"%s\" of table %s", value->column, value->table);
}

static void
append_change(PenstockSession *session, StringInfo buf, const RowChange *change,
			  int length_bytes)
{
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = describe_value,
		.arg = session,
	};

	PenstockRelInfo *info = change->info;
	const PenstockRow *old_row = change->has_old ? &info->old_row : NULL;
	uint32 number = info->published->number;
	int mark;

	error_context_stack = &context;
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES, length_bytes);
	switch (change->operation)
	{
		case PENSTOCK_INSERT:
			penstock_wire_uint(buf, PENSTOCK_CHANGE_INSERT, number);
			penstock_row_append(session, buf, &penstock_row_in_change,
								&info->full, &info->new_row, false);
			append_hash(buf, PENSTOCK_CHANGE_HASH, info, &info->new_row,
						old_row);
			break;
		case PENSTOCK_UPDATE:
			penstock_wire_uint(buf, PENSTOCK_CHANGE_UPDATE, number);
			penstock_row_append(session, buf, &penstock_row_in_change,
								&info->full, &info->new_row, true);
			append_hash(buf, PENSTOCK_CHANGE_HASH, info, &info->new_row,
						old_row);
			if (change->has_old)
				append_old_row(session, buf, info, length_bytes);
			break;
		case PENSTOCK_DELETE:
			penstock_wire_uint(buf, PENSTOCK_CHANGE_DELETE, number);
			penstock_row_append(session, buf, &penstock_row_in_change,
								info->identity == PENSTOCK_REPLICA_IDENTITY_FULL
									? &info->full
									: &info->key,
								&info->old_row, false);
			append_hash(buf, PENSTOCK_CHANGE_HASH, info, old_row, NULL);
			break;
		case PENSTOCK_TRUNCATE:
			Assert(false);
			break;
	}
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID, change->subxid);
	penstock_wire_end(buf, mark, length_bytes);
	session->frames->change_count++;
	session->current_value = NULL;
	error_context_stack = context.previous;
}

/* Whether the change alone fills a frame. */
static bool
is_large(const PenstockSession *session, const RowChange *change)
{
	const PenstockRelInfo *info = change->info;
	Size bytes = change->stored_bytes;

	if (change->operation != PENSTOCK_DELETE)
		bytes += penstock_row_external_bytes(&info->full, &info->new_row);
	if (change->has_old)
		bytes += penstock_row_external_bytes(&info->full, &info->old_row);
	return bytes >= (Size) session->options.frame_size;
}

static void
send_large_change(PenstockSession *session, const RowChange *change)
{
	PenstockFrames *frames = session->frames;
	LogicalDecodingContext *ctx = session->ctx;

	penstock_bundle_end_holding(session);
	OutputPluginPrepareWrite(ctx, true);
	penstock_wire_raw(ctx->out, frames->buf.data, (Size) frames->buf.len);
	append_change(session, ctx->out, change, PENSTOCK_WIRE_LENGTH_ANY);
	frame_sent(session);
	OutputPluginWrite(ctx, true);
}

/*
 * An update or delete that a reader could not apply, because it could not tell
 * which row is meant.
 */
static void
raise_no_identity(const RowChange *change, const char *problem)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg("cannot publish %s of table %s",
				change->operation == PENSTOCK_UPDATE ? "an update" : "a delete",
				change->info->name),
		 errdetail("%s", problem),
		 errhint("Set a replica identity that fits what is published, with "
				 "ALTER TABLE ... REPLICA IDENTITY.  The WAL up to then stays "
				 "as it is: copy the table anew, with \"penstock table "
				 "resync\", or leave it out, with \"penstock table "
				 "pause\".")));
}

/* Checks that the WAL has the old row, as far as the reader needs it. */
static void
check_identity(const RowChange *change)
{
	const PenstockRelInfo *info = change->info;

	if (info->identity_problem != NULL)
		raise_no_identity(change, info->identity_problem);
	if (!change->has_old && (change->operation == PENSTOCK_DELETE ||
							 info->identity == PENSTOCK_REPLICA_IDENTITY_FULL))
		raise_no_identity(change, "The old row is not in the WAL.");
}

static PenstockOperation
operation_of(const ReorderBufferChange *change)
{
	switch (change->action)
	{
		case REORDER_BUFFER_CHANGE_INSERT:
			return PENSTOCK_INSERT;
		case REORDER_BUFFER_CHANGE_UPDATE:
			return PENSTOCK_UPDATE;
		case REORDER_BUFFER_CHANGE_DELETE:
			return PENSTOCK_DELETE;
		default:
			elog(ERROR, "unexpected change action %d", (int) change->action);
	}
}

/* Takes the change's rows apart; sets has_old and stored_bytes. */
static void
form_rows(RowChange *change, const ReorderBufferChange *source, TupleDesc desc)
{
	HeapTuple old_tuple = change_oldtuple_compat(source);
	HeapTuple new_tuple = change_newtuple_compat(source);

	/*
	 * The rows are taken apart into arrays that were made for the columns which
	 * the table had when its entry was built.
	 */
	if (unlikely(desc->natts != change->info->natts))
		elog(ERROR, "table %s changed without notice", change->info->name);

	change->stored_bytes = 0;
	if (change->operation != PENSTOCK_DELETE)
	{
		if (new_tuple == NULL)
			elog(ERROR, "new row of table %s is missing", change->info->name);
		penstock_row_form(&change->info->new_row, new_tuple, desc);
		change->stored_bytes += new_tuple->t_len;
	}

	change->has_old = change->operation != PENSTOCK_INSERT && old_tuple != NULL;
	if (change->has_old)
	{
		penstock_row_form(&change->info->old_row, old_tuple, desc);
		change->stored_bytes += old_tuple->t_len;
	}
}

/* The value of RowChange.subxid for a change. */
static inline TransactionId
subxid_of(const PenstockSession *session, const ReorderBufferChange *source)
{
	if (likely(session->frames->stream == NULL))
		return InvalidTransactionId;
	return subxid_in_stream(session, change_xid_compat(source));
}

static bool
passes_filter(RowChange *change)
{
	PenstockRelInfo *info = change->info;
	PenstockOperation operation = change->operation;

	return penstock_filter_passes(info->publish.filter, &change->operation,
								  change->has_old ? &info->old_row : NULL,
								  operation != PENSTOCK_DELETE ? &info->new_row
															   : NULL);
}

void
penstock_frame_row(PenstockSession *session, ReorderBufferTXN *txn,
				   Relation relation, ReorderBufferChange *source)
{
	RowChange change;
	bool large;

	keep_alive(session);
	ensure_schema_sent(session, txn, source->lsn);
	change.info = penstock_relinfo_get(session, relation);
	change.operation = operation_of(source);
	if (!change.info->publish.operations[change.operation])
		return;

	form_rows(&change, source, RelationGetDescr(relation));
	if (change.operation != PENSTOCK_INSERT)
		check_identity(&change);
	if (change.info->publish.filter != NULL && !passes_filter(&change))
		return;

	change.subxid = subxid_of(session, source);
	ensure_begun(session, txn);
	ensure_relation_sent(session, change.info->published);
	if (unlikely(change.info->rewrites))
		ensure_rewrite_sent(session, change.info, change.subxid);
	large = is_large(session, &change);
	if (unlikely(large) && session->compressor == NULL)
		send_large_change(session, &change);
	else
	{
		append_change(session, &session->frames->buf, &change,
					  large ? PENSTOCK_WIRE_LENGTH_ANY
							: choose_length_bytes(change.stored_bytes));
		mark_complete(session->frames);
		send_frame_if_full(session);
	}
}

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
	ensure_begun(session, txn);
	ensure_relation_sent(session, info->published);
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

	keep_alive(session);
	ensure_schema_sent(session, txn, change->lsn);
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
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID, subxid_of(session, change));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->change_count++;
	mark_complete(session->frames);
	send_frame_if_full(session);
}

void
penstock_frame_message(PenstockSession *session, ReorderBufferTXN *txn,
					   XLogRecPtr lsn, bool transactional, const char *prefix,
					   Size content_bytes, const char *content)
{
	StringInfo buf = &session->frames->buf;
	int mark;
	int mark_message;

	keep_alive(session);
	if (!session->options.messages)
		return;

	if (transactional)
		ensure_begun(session, txn);
	else if (!session->frames->session_written)
		write_session(session);

	if (!penstock_wire_fits(buf, content_bytes + strlen(prefix) * 4 + 64))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("logical decoding message with prefix \"%s\" is "
							   "too large to be sent",
							   prefix)));

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
							   choose_length_bytes(content_bytes));
	mark_message = penstock_wire_begin(buf, PENSTOCK_CHANGE_MESSAGE,
									   choose_length_bytes(content_bytes));
	penstock_wire_uint(buf, PENSTOCK_MESSAGE_TRANSACTIONAL, transactional);
	penstock_wire_uint(buf, PENSTOCK_MESSAGE_LSN, lsn);
	append_text(session, buf, PENSTOCK_MESSAGE_PREFIX, prefix);
	penstock_wire_bytes(buf, PENSTOCK_MESSAGE_CONTENT, content, content_bytes);
	penstock_wire_end(buf, mark_message, choose_length_bytes(content_bytes));
	penstock_wire_end(buf, mark, choose_length_bytes(content_bytes));

	if (transactional)
	{
		session->frames->change_count++;
		mark_complete(session->frames);
		send_frame_if_full(session);
	}
	else
		send_frame(session);
}

void
penstock_frame_begin(PenstockSession *session, ReorderBufferTXN *txn)
{
	penstock_bundle_before(session, txn);
	if (penstock_left_out_begin(session, txn->end_lsn))
		penstock_relations_invalidate(session->relations);
	penstock_relations_begin(session->relations, txn->xid);
	session->frames->begin_written = false;
	session->frames->partly_sent = false;
	session->frames->change_count = 0;
	session->settings_applied = false;
	end_schema(session);
	set_schema(session, penstock_schema_new(session, txn));
	penstock_newest_begin(session);
}

static void
write_commit(PenstockSession *session, uint64 change_count,
			 const StringInfoData *gone)
{
	StringInfo buf = &session->frames->buf;
	int mark;

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_COMMIT,
							   choose_length_bytes((Size) gone->len));
	penstock_wire_uint(buf, PENSTOCK_COMMIT_CHANGE_COUNT, change_count);
	if (gone->len > 0)
		penstock_wire_bytes(buf, PENSTOCK_COMMIT_GONE, gone->data,
							(Size) gone->len);
	penstock_wire_end(buf, mark, choose_length_bytes((Size) gone->len));
}

void
penstock_frame_commit(PenstockSession *session, ReorderBufferTXN *txn,
					  XLogRecPtr commit_lsn)
{
	PenstockFrames *frames = session->frames;
	StringInfoData gone = {0};

	if (unlikely(session->schema != NULL))
		send_schema_changes(session, txn, commit_lsn,
							PENSTOCK_TAKE_TRANSACTION);
	end_schema(session);

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
		send_frame(session);
	else
	{
		penstock_bundle_add(session, &frames->buf);
		frame_sent(session);
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

	Assert(frames->buf.len == 0);
	penstock_bundle_end_holding(session);
	if (stream == NULL)
		stream = make_stream(session, txn);
	frames->stream = stream;
	frames->begin_written = false;
	frames->change_count = stream->change_count;
	session->settings_applied = false;
	penstock_relations_begin(session->relations, stream->xid);

	if (stream->schema != NULL)
		penstock_schema_resume(stream->schema, txn);
	else
		stream->schema = penstock_schema_new(session, txn);
	set_schema(session, stream->schema);
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
		send_schema_changes(session, txn,
							Max(lsn, session->ctx->reader->ReadRecPtr),
							PENSTOCK_TAKE_PIECE);
	set_schema(session, NULL);

	/*
	 * If an error has ended the piece, there is no snapshot to read catalogs
	 * with.
	 */
	if (session->relations->changed && HistoricSnapshotActive())
		penstock_relations_append_gone(session->relations,
									   frames->stream->gone);
	frames->stream->change_count = frames->change_count;
	if (frames->buf.len > 0)
		send_frame(session);
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
	if (stream->started)
	{
		mark = penstock_wire_begin(buf, PENSTOCK_FRAME_STREAM_ABORT,
								   PENSTOCK_WIRE_LENGTH_SMALL);
		penstock_wire_uint(buf, PENSTOCK_STREAM_ABORT_XID, top->xid);
		if (txn != top)
			penstock_wire_uint(buf, PENSTOCK_STREAM_ABORT_SUBXID, txn->xid);
		penstock_wire_uint(buf, PENSTOCK_STREAM_ABORT_LSN, abort_lsn);
		penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
		send_frame(session);
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

	ensure_schema_complete(session, txn, stream);
	started = stream != NULL && stream->started;
	update_progress_compat(session->ctx, !started);
	if (started)
	{
		frames->stream = stream;
		write_stream(session);
		frames->stream = NULL;
		write_begin(session, txn);
		write_commit(session, stream->change_count, stream->gone);
		frames->begin_written = false;
		send_frame(session);
	}
	if (stream != NULL)
		free_stream(txn);
}

void
penstock_frames_recover(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;

	frames->buf.len = frames->complete_bytes;
	frames->buf.data[frames->buf.len] = '\0';

	/*
	 * Some of the schema changes that were taken may not have been sent before
	 * the error: all are taken again.
	 */
	if (session->schema != NULL)
		penstock_schema_restart(session->schema);
}
