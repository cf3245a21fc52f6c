/*
 * row_changes.c
 *		Decides whether a row change is sent, and appends it to the frame.
 */
#include "postgres.h"

#include "replication/logical.h"
#include "utils/rel.h"

#include "compat.h"
#include "send/bundle.h"
#include "send/frame_buffer.h"
#include "send/row_changes.h"
#include "send/schema_changes.h"
#include "tables/relinfo.h"
#include "tables/route.h"
#include "tables/row.h"
#include "tables/value.h"
#include "wire/wire.h"

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

	Assert(info->identity_problem == NULL);
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

	Assert(number != 0 && session->frames->begin_written);
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

	Assert(session->compressor == NULL && frames->begin_written);
	penstock_bundle_end_holding(session);
	OutputPluginPrepareWrite(ctx, true);
	penstock_wire_raw(ctx->out, frames->buf.data, (Size) frames->buf.len);
	append_change(session, ctx->out, change, PENSTOCK_WIRE_LENGTH_ANY);
	penstock_frames_sent(session);
	OutputPluginWrite(ctx, true);
}

/*
 * An update or delete that a reader could not apply, because it could not tell
 * which row is meant.
 */
static void
raise_no_identity(const RowChange *change, const char *problem)
{
	Assert(change->operation == PENSTOCK_UPDATE ||
		   change->operation == PENSTOCK_DELETE);
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

static bool
passes_filter(RowChange *change)
{
	PenstockRelInfo *info = change->info;
	PenstockOperation operation = change->operation;

	Assert(operation == PENSTOCK_INSERT || info->identity_problem == NULL);
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

	penstock_frames_keep_alive(session);
	penstock_schema_changes_ensure(session, txn, source->lsn);
	change.info = penstock_relinfo_get(session, relation);
	change.operation = operation_of(source);
	if (!change.info->publish.operations[change.operation])
		return;

	form_rows(&change, source, RelationGetDescr(relation));
	if (change.operation != PENSTOCK_INSERT)
		check_identity(&change);
	if (change.info->publish.filter != NULL && !passes_filter(&change))
		return;

	Assert(change.operation < PENSTOCK_ROW_OPERATIONS);
	Assert(change.has_old || change.operation != PENSTOCK_DELETE);
	change.subxid = penstock_frames_subxid_of(session, source);
	penstock_frames_ensure_begun(session, txn);
	penstock_frames_ensure_relation(session, change.info->published);
	if (unlikely(change.info->rewrites))
		penstock_schema_changes_ensure_rewrite(session, change.info,
											   change.subxid);
	large = is_large(session, &change);
	if (unlikely(large) && session->compressor == NULL)
		send_large_change(session, &change);
	else
	{
		append_change(session, &session->frames->buf, &change,
					  large
						  ? PENSTOCK_WIRE_LENGTH_ANY
						  : penstock_frames_length_bytes(change.stored_bytes));
		penstock_frames_mark_complete(session->frames);
		penstock_frames_send_if_full(session);
	}
}
