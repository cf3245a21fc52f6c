/*
 * schema_changes.c
 *		Appends schema changes, rewrites and emptied tables to the frame.
 */
#include "postgres.h"

#include "replication/logical.h"
#include "utils/snapmgr.h"

#include "catalogs/lookup.h"
#include "catalogs/newest.h"
#include "compat.h"
#include "schema/describe.h"
#include "send/frame_buffer.h"
#include "send/schema_changes.h"
#include "tables/relinfo.h"
#include "tables/value.h"
#include "wire/wire.h"

static void
append_schema_change(PenstockSession *session,
					 const PenstockSchemaObject *object)
{
	StringInfo buf = &session->frames->buf;
	int mark = penstock_wire_begin(buf, PENSTOCK_FRAME_CHANGES,
								   PENSTOCK_WIRE_LENGTH_MEDIUM);
	int mark_schema = penstock_wire_begin(buf, PENSTOCK_CHANGE_SCHEMA_CHANGE,
										  PENSTOCK_WIRE_LENGTH_MEDIUM);

	Assert(session->frames->begin_written);
	penstock_describe(session, buf, object);
	penstock_wire_end(buf, mark_schema, PENSTOCK_WIRE_LENGTH_MEDIUM);
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID,
					   penstock_frames_subxid(session, object->xid));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_MEDIUM);
	session->frames->change_count++;
	penstock_frames_mark_complete(session->frames);
	penstock_frames_send_if_full(session);
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

	Assert(session->schema != NULL);
	if (objects != NIL)
	{
		penstock_value_apply_settings(session);
		penstock_frames_ensure_begun(session, lookup->txn);
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

	Assert(session->frames->begin_written && info->published->number != 0);
	penstock_wire_uint(buf, PENSTOCK_CHANGE_REWRITE, info->published->number);
	penstock_wire_uint(buf, PENSTOCK_CHANGE_SUBXID, subxid);
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
	session->frames->change_count++;
	penstock_frames_mark_complete(session->frames);
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
	penstock_frames_ensure_begun(session, txn);
	penstock_frames_ensure_relation(session, info->published);
	append_rewrite(session, info,
				   penstock_frames_subxid(session, emptied->xid));
	penstock_frames_send_if_full(session);
}

void
penstock_schema_changes_send(PenstockSession *session,
							 const ReorderBufferTXN *txn, XLogRecPtr lsn,
							 PenstockTaking taking)
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

void
penstock_schema_changes_ensure_rewrite(PenstockSession *session,
									   const PenstockRelInfo *info,
									   TransactionId subxid)
{
	if (penstock_schema_note_rewrite(session->schema, info->relid))
		append_rewrite(session, info, subxid);
}

void
penstock_schema_changes_set(PenstockSession *session, PenstockSchema *schema)
{
	session->schema = schema;
	session->own_xids = schema != NULL ? penstock_schema_own_xids(schema)
									   : NULL;
}

void
penstock_schema_changes_end(PenstockSession *session)
{
	if (likely(session->schema == NULL))
		return;
	penstock_schema_free(session->schema);
	penstock_schema_changes_set(session, NULL);
}
