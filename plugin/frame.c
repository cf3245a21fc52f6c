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
 * output buffer directly, behind what was collected, and sent at once, so that
 * its values are copied once less and the session's buffer stays small.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "mb/pg_wchar.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "compat.h"
#include "frame.h"
#include "relinfo.h"
#include "value.h"
#include "wire.h"

#define PENSTOCK_VERSION "0.1.0"

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

struct PenstockFrames
{
	StringInfoData buf; /* fields of the frame that is being collected */
	bool session_written;

	/* Of the current transaction: */
	bool begin_written;
	uint64 change_count;

	int changes_unsent; /* since the last output or keepalive */
};

/* Field numbers of a row, as they differ between Change and Row. */
typedef struct RowFields
{
	int integers;
	int values;
	int nulls;
	int unchanged;
} RowFields;

static const RowFields change_fields = {
	.integers = PENSTOCK_CHANGE_INTEGERS,
	.values = PENSTOCK_CHANGE_VALUES,
	.nulls = PENSTOCK_CHANGE_NULLS,
	.unchanged = PENSTOCK_CHANGE_UNCHANGED,
};

static const RowFields row_fields = {
	.integers = PENSTOCK_ROW_INTEGERS,
	.values = PENSTOCK_ROW_VALUES,
	.nulls = PENSTOCK_ROW_NULLS,
	.unchanged = PENSTOCK_ROW_UNCHANGED,
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

/* Sends what was collected as a frame. */
static void
send_frame(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;
	LogicalDecodingContext *ctx = session->ctx;

	OutputPluginPrepareWrite(ctx, true);
	penstock_wire_raw(ctx->out, frames->buf.data, (Size) frames->buf.len);
	buffer_reset(session, &frames->buf);
	frames->changes_unsent = 0;
	OutputPluginWrite(ctx, true);
}

static inline void
send_frame_if_full(PenstockSession *session)
{
	if (session->frames->buf.len >= session->options.frame_size)
		send_frame(session);
}

/* To be called for each change that the server hands out. */
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
					   PG_VERSION_NUM);
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
 * Says where a transaction came from.  An origin that was dropped since has no
 * name any more, but to leave it out would say that the transaction was made
 * here.
 */
static void
write_origin(PenstockSession *session, const ReorderBufferTXN *txn)
{
	StringInfo buf = &session->frames->buf;
	char *name;

	if (!replorigin_by_oid(txn->origin_id, true, &name))
		name = psprintf("dropped origin %u", (unsigned) txn->origin_id);
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
	if (txn->origin_id != InvalidRepOriginId)
		write_origin(session, txn);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->begin_written = true;
}

/* Writes what has to stand in front of a transaction's change. */
static inline void
ensure_begun(PenstockSession *session, const ReorderBufferTXN *txn)
{
	if (likely(session->frames->begin_written))
		return;
	if (!session->frames->session_written)
		write_session(session);
	write_begin(session, txn);
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
	published->sent = true;
}

static void
form_row(PenstockRow *row, HeapTuple tuple, TupleDesc desc)
{
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
	row->maybe_null = HeapTupleHasNulls(tuple) ||
					  HeapTupleHeaderGetNatts(tuple->t_data) < desc->natts;
	row->maybe_external = HeapTupleHasExternal(tuple);
}

/* Whether the value is a large one that the update did not touch. */
static inline bool
is_unchanged(const PenstockRow *row, const PenstockColumn *column)
{
	return row->maybe_external && column->typlen == -1 &&
		   !row->nulls[column->source] &&
		   VARATT_IS_EXTERNAL_ONDISK(
			   DatumGetPointer(row->values[column->source]));
}

static inline bool
is_null(const PenstockRow *row, const PenstockColumn *column)
{
	return row->nulls[column->source];
}

/*
 * Appends a bitmap of the columns for which `test` holds.  Bytes behind the
 * last bit that is set are left out, and so is an empty bitmap.
 */
static inline void
append_bitmap(StringInfo buf, int field, const PenstockShape *shape,
			  const PenstockRow *row,
			  bool (*test)(const PenstockRow *row,
						   const PenstockColumn *column))
{
	char bitmap[MaxTupleAttributeNumber / 8 + 1];
	int bytes = 0;

	for (int i = 0; i < shape->ncolumns; i++)
	{
		if (!test(row, shape->columns[i]))
			continue;
		while (bytes <= i / 8)
			bitmap[bytes++] = 0;
		bitmap[i / 8] |= (char) (1 << (i % 8));
	}
	if (bytes > 0)
		penstock_wire_bytes(buf, field, bitmap, (Size) bytes);
}

static void
append_integers(StringInfo buf, int field, const PenstockShape *shape,
				const PenstockRow *row)
{
	char *start;
	char *p;
	int bytes;

	start = penstock_wire_reserve(buf, 1 + PENSTOCK_WIRE_LENGTH_ANY +
										   (Size) shape->nintegers *
											   PENSTOCK_WIRE_VARINT_BYTES_MAX);

	/* The length takes one byte for all but the widest tables. */
	p = start + 1 + PENSTOCK_WIRE_LENGTH_SMALL;
	for (int i = 0; i < shape->nintegers; i++)
	{
		const PenstockColumn *column = shape->integers[i];

		if (!row->nulls[column->source])
			p = penstock_wire_varint(
				p, penstock_wire_zigzag(penstock_value_integer(
					   &column->writer, row->values[column->source])));
	}

	bytes = (int) (p - start) - 1 - PENSTOCK_WIRE_LENGTH_SMALL;
	if (bytes == 0)
		return;
	*start = PENSTOCK_WIRE_TAG_BYTES(field);
	penstock_wire_advance(buf, p);
	penstock_wire_end(buf, buf->len - bytes, PENSTOCK_WIRE_LENGTH_SMALL);
}

/* A value that is not in the log where the reader needs it. */
static void
raise_unchanged(const PenstockColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("value of column \"%s\" of table %s is not in the log",
					column->writer.column, column->writer.table),
			 errdetail("An update that did not change this large value moved "
					   "the row into the row filter of the publication, "
					   "which makes it an insert."),
			 errhint("Set REPLICA IDENTITY FULL for tables whose rows can "
					 "enter a row filter, or leave the column out with a "
					 "column list.")));
}

/* Returns whether there were unchanged values. */
static bool
append_values(PenstockSession *session, StringInfo buf, int field,
			  const PenstockShape *shape, const PenstockRow *row,
			  bool allow_unchanged)
{
	bool any_unchanged = false;

	for (int i = 0; i < shape->nvalues; i++)
	{
		const PenstockColumn *column = shape->values[i];

		if (row->nulls[column->source])
			continue;
		if (unlikely(is_unchanged(row, column)))
		{
			if (!allow_unchanged)
				raise_unchanged(column);
			any_unchanged = true;
			continue;
		}
		penstock_value_append(session, &column->writer, buf, field,
							  row->values[column->source]);
	}
	return any_unchanged;
}

static void
append_row(PenstockSession *session, StringInfo buf, const RowFields *fields,
		   const PenstockShape *shape, const PenstockRow *row,
		   bool allow_unchanged)
{
	bool any_unchanged = false;

	if (shape->nintegers > 0)
		append_integers(buf, fields->integers, shape, row);
	if (shape->nvalues > 0)
		any_unchanged = append_values(session, buf, fields->values, shape, row,
									  allow_unchanged);
	if (row->maybe_null)
		append_bitmap(buf, fields->nulls, shape, row, is_null);
	if (unlikely(any_unchanged))
		append_bitmap(buf, fields->unchanged, shape, row, is_unchanged);
}

/* Whether a value is the same in both rows, as far as can be told cheaply. */
static bool
is_same_value(const PenstockColumn *column, const PenstockRow *a,
			  const PenstockRow *b)
{
	Datum value_a = a->values[column->source];
	Datum value_b = b->values[column->source];

	if (a->nulls[column->source] || b->nulls[column->source])
		return a->nulls[column->source] == b->nulls[column->source];
	if (column->typlen == -1 && (VARATT_IS_EXTERNAL(DatumGetPointer(value_a)) ||
								 VARATT_IS_EXTERNAL(DatumGetPointer(value_b))))
		return false;
	return datumIsEqual(value_a, value_b, column->byval, column->typlen);
}

/*
 * The server logs the old key not only if it changed, but also if part of it is
 * stored out of line, and a partition may log its whole old row although the
 * ancestor has a key.
 */
static bool
key_changed(const PenstockRelInfo *info)
{
	for (int i = 0; i < info->key.ncolumns; i++)
	{
		if (!is_same_value(info->key.columns[i], &info->old_row,
						   &info->new_row))
			return true;
	}
	return false;
}

/* Appends the old row of an update, if the reader needs it. */
static void
append_old_row(PenstockSession *session, StringInfo buf, PenstockRelInfo *info,
			   int length_bytes)
{
	bool is_full = info->identity == PENSTOCK_REPLICA_IDENTITY_FULL;
	int mark;

	if (!is_full && !key_changed(info))
		return;
	mark = penstock_wire_begin(buf, PENSTOCK_CHANGE_OLD, length_bytes);
	append_row(session, buf, &row_fields, is_full ? &info->full : &info->key,
			   &info->old_row, false);
	penstock_wire_end(buf, mark, length_bytes);
}

/* A published row change, ready to be written. */
typedef struct RowChange
{
	PenstockOperation operation;
	PenstockRelInfo *info;
	bool has_old;
	Size stored_bytes; /* of its rows, without large values */
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
	uint32 number = info->published->number;
	int mark;

	error_context_stack = &context;
	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES, length_bytes);
	switch (change->operation)
	{
		case PENSTOCK_INSERT:
			penstock_wire_uint(buf, PENSTOCK_CHANGE_INSERT, number);
			append_row(session, buf, &change_fields, &info->full,
					   &info->new_row, false);
			break;
		case PENSTOCK_UPDATE:
			penstock_wire_uint(buf, PENSTOCK_CHANGE_UPDATE, number);
			append_row(session, buf, &change_fields, &info->full,
					   &info->new_row, true);
			if (change->has_old)
				append_old_row(session, buf, info, length_bytes);
			break;
		case PENSTOCK_DELETE:
			penstock_wire_uint(buf, PENSTOCK_CHANGE_DELETE, number);
			append_row(session, buf, &change_fields,
					   info->identity == PENSTOCK_REPLICA_IDENTITY_FULL
						   ? &info->full
						   : &info->key,
					   &info->old_row, false);
			break;
		case PENSTOCK_TRUNCATE:
			Assert(false);
			break;
	}
	penstock_wire_end(buf, mark, length_bytes);
	session->frames->change_count++;
	session->current_value = NULL;
	error_context_stack = context.previous;
}

/* Bytes of the row's values that were stored out of line. */
static Size
external_bytes(const PenstockShape *shape, const PenstockRow *row)
{
	Size bytes = 0;

	if (!row->maybe_external)
		return 0;
	for (int i = 0; i < shape->nvalues; i++)
	{
		const PenstockColumn *column = shape->values[i];
		Datum value = row->values[column->source];

		if (row->nulls[column->source] || column->typlen != -1 ||
			!VARATT_IS_EXTERNAL_INDIRECT(DatumGetPointer(value)))
			continue;
		bytes += toast_raw_datum_size(value);
	}
	return bytes;
}

/* Whether it is worth to write the change to the output buffer directly. */
static bool
is_large(const PenstockSession *session, const RowChange *change)
{
	const PenstockRelInfo *info = change->info;
	Size bytes = change->stored_bytes;

	if (change->operation != PENSTOCK_DELETE)
		bytes += external_bytes(&info->full, &info->new_row);
	if (change->has_old)
		bytes += external_bytes(&info->full, &info->old_row);
	return bytes >= (Size) session->options.frame_size;
}

static void
send_large_change(PenstockSession *session, const RowChange *change)
{
	PenstockFrames *frames = session->frames;
	LogicalDecodingContext *ctx = session->ctx;

	OutputPluginPrepareWrite(ctx, true);
	penstock_wire_raw(ctx->out, frames->buf.data, (Size) frames->buf.len);
	buffer_reset(session, &frames->buf);
	append_change(session, ctx->out, change, PENSTOCK_WIRE_LENGTH_ANY);
	frames->changes_unsent = 0;
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
		 errhint("Set a replica identity that fits what is published, "
				 "with ALTER TABLE ... REPLICA IDENTITY.")));
}

/* Checks that the log has the old row, as far as the reader needs it. */
static void
check_identity(const RowChange *change)
{
	const PenstockRelInfo *info = change->info;

	if (info->identity_problem != NULL)
		raise_no_identity(change, info->identity_problem);
	if (!change->has_old && (change->operation == PENSTOCK_DELETE ||
							 info->identity == PENSTOCK_REPLICA_IDENTITY_FULL))
		raise_no_identity(change, "The old row is not in the log.");
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

	/* The rows' arrays are as long as the table was wide when last seen. */
	if (unlikely(desc->natts != change->info->natts))
		elog(ERROR, "table %s changed without notice", change->info->name);

	change->stored_bytes = 0;
	if (change->operation != PENSTOCK_DELETE)
	{
		if (new_tuple == NULL)
			elog(ERROR, "new row of table %s is missing", change->info->name);
		form_row(&change->info->new_row, new_tuple, desc);
		change->stored_bytes += new_tuple->t_len;
	}

	change->has_old = change->operation != PENSTOCK_INSERT && old_tuple != NULL;
	if (change->has_old)
	{
		form_row(&change->info->old_row, old_tuple, desc);
		change->stored_bytes += old_tuple->t_len;
	}
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

	keep_alive(session);
	change.info = penstock_relinfo_get(session, relation);
	change.operation = operation_of(source);
	if (!change.info->publish.operations[change.operation])
		return;

	form_rows(&change, source, RelationGetDescr(relation));
	if (change.operation != PENSTOCK_INSERT)
		check_identity(&change);
	if (change.info->publish.filter != NULL && !passes_filter(&change))
		return;

	ensure_begun(session, txn);
	ensure_relation_sent(session, change.info->published);
	if (unlikely(is_large(session, &change)))
		send_large_change(session, &change);
	else
	{
		append_change(session, &session->frames->buf, &change,
					  choose_length_bytes(change.stored_bytes));
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
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->change_count++;
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
		send_frame_if_full(session);
	}
	else
		send_frame(session);
}

void
penstock_frame_begin(PenstockSession *session)
{
	session->frames->begin_written = false;
	session->frames->change_count = 0;
	session->settings_applied = false;
}

void
penstock_frame_commit(PenstockSession *session)
{
	PenstockFrames *frames = session->frames;
	StringInfo buf = &frames->buf;
	int mark;

	update_progress_compat(session->ctx, !frames->begin_written);
	if (!frames->begin_written)
		return;

	mark = penstock_wire_begin(buf, PENSTOCK_FRAME_COMMIT,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	penstock_wire_uint(buf, PENSTOCK_COMMIT_CHANGE_COUNT, frames->change_count);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	frames->begin_written = false;
	send_frame(session);
}
