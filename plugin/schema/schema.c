/*
 * schema.c
 *		Reads which catalog rows a transaction has written; see schema.h.
 *
 * The rows
 * --------
 *
 * For each row of a catalog that a transaction inserts or removes, the server
 * keeps an entry with the file of the row, its place in the file, and the
 * position in the WAL.  An update has two entries in a row, of the old and the
 * new version.
 *
 * The rows themselves still exist, because the slot keeps the server from
 * removing rows that decoding may have to see.  So this file fetches each row,
 * whether or not any snapshot sees it.  The place may have been used again: a
 * row is ignored if another transaction has written it, or a subtransaction
 * that was rolled back.
 *
 * An entry says whether it is about the insertion or the removal of the row: if
 * it has the number of a command that removed the row, it is about the removal.
 * The old version of an updated row points to the new one.  From all this
 * follows which objects were created and which were dropped.
 *
 *
 * Catalogs that were rewritten
 * ----------------------------
 *
 * VACUUM FULL of a catalog moves its rows to another file, so the places in
 * entries that were made before are wrong.  The rows that the slot may have to
 * see still exist.  So such a catalog is read as a whole, and the rows that the
 * transaction has written are found in it.
 *
 * Before a change of the transaction, two kinds of rows are looked for: those
 * that can be seen at the change's position, and those of other transactions
 * that this one has removed, which cannot be seen any more.  At the end of the
 * transaction, all its rows are looked for.
 *
 * The order in which the rows were written is not known then, and the stream
 * may tell of objects that have not changed.  An object that the transaction
 * has made and dropped before a change is only found at the transaction's end.
 *
 *
 * What other transactions change at the same time
 * ------------------------------------------------
 *
 * Not every change locks its object: two transactions can change the same
 * domain, or one can change an index and the other its table.  When one of them
 * has committed, the other sees what it has done.
 *
 * So a definition that was sent earlier in the transaction is sent again with
 * the next definitions, or at the end, if another transaction has changed the
 * catalogs since.  The position of a definition is the one at which it was
 * read, not that of the change.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "schema/catalog_row.h"
#include "schema/objects.h"
#include "schema/schema.h"

struct PenstockSchema
{
	MemoryContext context; /* owns all memory of this struct */
	ReorderBufferTXN *txn;
	const List *publications; /* names of the session's */

	/*
	 * The last entry that was read, and its position.  The entry is valid until
	 * the current piece of a transaction in progress ends.
	 */
	dlist_node *last;
	XLogRecPtr last_lsn;

	XLogRecPtr next_lsn; /* position of the entry after `last`; NO_LSN: there is
						  * none */

	PenstockOwnXids own; /* the transaction and its subtransactions */

	/*
	 * Definitions that were sent, as PenstockSchemaObject; and the other
	 * transactions whose changes were visible then: all before told_xmin, and
	 * those in told_xids, which is sorted.
	 */
	List *told;
	TransactionId told_xmin;
	TransactionId *told_xids;
	int told_xid_count;

	List *moved; /* OIDs of catalogs that were rewritten; see the head of this
				  * file */
	List *rewritten; /* OIDs of new heaps of rewritten tables whose rows were
					  * sent */
	List *emptied;   /* PenstockEmptied that are to be sent, in order */
};

/* State while entries are read. */
typedef struct Walk
{
	PenstockSchema *schema;
	PenstockObjects objects;

	List *catalogs; /* an OpenCatalog for each file that was met */
	bool missed;    /* whether an entry was of a catalog that was rewritten */

	/*
	 * If the last entry was of the old version of an updated row: that version,
	 * which the next entry replaces.  Else NULL.
	 */
	Oid old_catalog;
	HeapTuple old;
} Walk;

typedef struct OpenCatalog
{
	RelFileCompat file;
	Relation relation;  /* NULL: rows in this file are ignored */
	BlockNumber blocks; /* length of the file */
} OpenCatalog;

#define NO_LSN PG_UINT64_MAX

/* ---- what is known of a transaction ---- */

static bool
is_own(PenstockSchema *schema, TransactionId xid)
{
	return penstock_own_xids_have(&schema->own, xid);
}

static inline const ReorderBufferChange *
entry_of(dlist_node *node)
{
	return dlist_container(ReorderBufferChange, node, node);
}

/* Returns the entry after `last`; NULL: there is none. */
static dlist_node *
next_entry(const PenstockSchema *schema)
{
	dlist_head *entries = &schema->txn->tuplecids;

	if (schema->last != NULL)
		return dlist_has_next(entries, schema->last)
				   ? dlist_next_node(entries, schema->last)
				   : NULL;
	return dlist_is_empty(entries) ? NULL : dlist_head_node(entries);
}

static void
set_next(PenstockSchema *schema)
{
	dlist_node *next = next_entry(schema);

	schema->next_lsn = next != NULL ? entry_of(next)->lsn : NO_LSN;
}

PenstockSchema *
penstock_schema_new(PenstockSession *session, ReorderBufferTXN *txn)
{
	MemoryContext context;
	PenstockSchema *schema;

	if (!session->options.schema_changes || dlist_is_empty(&txn->tuplecids))
		return NULL;
	context = AllocSetContextCreate(session->context, "penstock schema",
									PENSTOCK_SMALL_CONTEXT_SIZES);
	schema = MemoryContextAllocZero(context, sizeof(PenstockSchema));
	schema->context = context;
	schema->txn = txn;
	schema->publications = session->options.publications;
	penstock_own_xids_init(&schema->own, context, txn);
	set_next(schema);
	return schema;
}

void
penstock_schema_free(PenstockSchema *schema)
{
	if (schema != NULL)
		MemoryContextDelete(schema->context);
}

void
penstock_schema_resume(PenstockSchema *schema, ReorderBufferTXN *txn)
{
	dlist_iter iter;

	schema->txn = txn;
	schema->last = NULL;
	dlist_foreach (iter, &txn->tuplecids)
	{
		if (entry_of(iter.cur)->lsn > schema->last_lsn)
			break;
		schema->last = iter.cur;
	}
	penstock_own_xids_resume(&schema->own, txn);
	set_next(schema);
}

void
penstock_schema_restart(PenstockSchema *schema)
{
	schema->last_lsn = InvalidXLogRecPtr;
	list_free_deep(schema->told);
	schema->told = NIL;
}

PenstockOwnXids *
penstock_schema_own_xids(PenstockSchema *schema)
{
	return &schema->own;
}

bool
penstock_schema_is_left(const PenstockSchema *schema, ReorderBufferTXN *txn)
{
	dlist_head *entries = &txn->tuplecids;

	return !dlist_is_empty(entries) &&
		   entry_of(dlist_tail_node(entries))->lsn > schema->last_lsn;
}

bool
penstock_schema_has_news(const PenstockSchema *schema, XLogRecPtr lsn)
{
	return schema->next_lsn <= lsn;
}

bool
penstock_schema_note_rewrite(PenstockSchema *schema, Oid heap)
{
	MemoryContext outer;

	if (schema->rewritten != NIL && (linitial_oid(schema->rewritten) == heap ||
									 list_member_oid(schema->rewritten, heap)))
		return false;
	outer = MemoryContextSwitchTo(schema->context);
	schema->rewritten = lcons_oid(heap, schema->rewritten);
	MemoryContextSwitchTo(outer);
	return true;
}

const PenstockEmptied *
penstock_schema_first_emptied(PenstockSchema *schema)
{
	/*
	 * Ignore tables that were emptied by subtransactions that were rolled back
	 * since.
	 */
	while (schema->emptied != NIL)
	{
		const PenstockEmptied *first = linitial(schema->emptied);

		if (is_own(schema, first->xid))
			return first;
		penstock_schema_forget_emptied(schema);
	}
	return NULL;
}

void
penstock_schema_forget_emptied(PenstockSchema *schema)
{
	pfree(linitial(schema->emptied));
	schema->emptied = list_delete_first(schema->emptied);
}

/* ---- entries ---- */

/*
 * Records that a catalog was rewritten, so that its rows are not where the
 * entries say.
 */
static void
note_moved(Walk *walk, Oid catalog)
{
	PenstockSchema *schema = walk->schema;
	MemoryContext outer = MemoryContextSwitchTo(schema->context);

	schema->moved = list_append_unique_oid(schema->moved, catalog);
	walk->missed = true;
	MemoryContextSwitchTo(outer);
}

/*
 * Records that any mapped catalog may have been rewritten.  pg_class does not
 * have the files of mapped catalogs, so the server cannot say to which of them
 * a file belonged that belongs to no catalog any more.
 */
static void
note_mapped_moved(Walk *walk)
{
	note_moved(walk, RelationRelationId);
	note_moved(walk, AttributeRelationId);
	note_moved(walk, TypeRelationId);
	note_moved(walk, ProcedureRelationId);
}

/*
 * Opens the catalog to which a file belongs, if its rows define objects and are
 * still in this file.
 */
static OpenCatalog *
open_catalog(Walk *walk, const RelFileCompat *file)
{
	OpenCatalog *open = palloc0(sizeof(OpenCatalog));
	Oid oid = relid_by_relfile_compat(file);
	Relation relation;

	open->file = *file;
	if (!OidIsValid(oid))
		note_mapped_moved(walk);
	if (!OidIsValid(oid) || penstock_catalog_is_passed_over(oid))
		return open;

	/* A catalog that was rewritten has another file by now. */
	relation = table_open(oid, AccessShareLock);
	if (relation->rd_rel->relkind == RELKIND_RELATION &&
		relfile_equals_compat(relation_file_compat(relation), file))
	{
		open->relation = relation;
		open->blocks = RelationGetNumberOfBlocks(relation);
		return open;
	}
	if (relation->rd_rel->relkind == RELKIND_RELATION)
		note_moved(walk, oid);
	table_close(relation, AccessShareLock);
	return open;
}

static const OpenCatalog *
get_catalog(Walk *walk, const RelFileCompat *file)
{
	ListCell *cell;
	OpenCatalog *open;

	foreach (cell, walk->catalogs)
	{
		open = lfirst(cell);
		if (relfile_equals_compat(&open->file, file))
			return open;
	}
	open = open_catalog(walk, file);
	walk->catalogs = lappend(walk->catalogs, open);
	return open;
}

static void
close_catalogs(Walk *walk)
{
	ListCell *cell;

	foreach (cell, walk->catalogs)
	{
		const OpenCatalog *open = lfirst(cell);

		if (open->relation != NULL)
			table_close(open->relation, AccessShareLock);
	}
}

static void
forget_old(Walk *walk)
{
	if (walk->old != NULL)
		heap_freetuple(walk->old);
	walk->old = NULL;
}

/*
 * Records what an inserted row, or the new version of an updated row, says of
 * objects.
 */
static void
visit_inserted(Walk *walk, Relation catalog, HeapTuple tuple)
{
	HeapTuple old = NULL;

	walk->objects.xid = HeapTupleHeaderGetRawXmin(tuple->t_data);
	if (!is_own(walk->schema, walk->objects.xid))
		return;
	if (walk->old != NULL && walk->old_catalog == RelationGetRelid(catalog) &&
		ItemPointerEquals(&walk->old->t_data->t_ctid, &tuple->t_self))
		old = walk->old;
	penstock_catalog_row_note(&walk->objects, catalog, old, tuple,
							  PENSTOCK_ROW_INSERTED);
}

/*
 * Records what a deleted row, or the old version of an updated row, says of
 * objects.
 */
static void
visit_removed(Walk *walk, Relation catalog, HeapTuple tuple)
{
	walk->objects.xid = HeapTupleHeaderGetUpdateXid(tuple->t_data);
	if (!is_own(walk->schema, walk->objects.xid))
		return;
	if (ItemPointerEquals(&tuple->t_data->t_ctid, &tuple->t_self))
	{
		penstock_catalog_row_note(&walk->objects, catalog, NULL, tuple,
								  PENSTOCK_ROW_DELETED);
		return;
	}
	penstock_catalog_row_note(&walk->objects, catalog, NULL, tuple,
							  PENSTOCK_ROW_REPLACED);
	if (penstock_catalog_needs_old(RelationGetRelid(catalog)))
	{
		forget_old(walk);
		walk->old_catalog = RelationGetRelid(catalog);
		walk->old = heap_copytuple(tuple);
	}
}

/*
 * Fetches the row of an entry; false: it does not exist.  VACUUM may even have
 * truncated the file before its place, if a subtransaction that was rolled back
 * had written the row.
 */
static bool
fetch_row(const OpenCatalog *catalog, HeapTuple tuple, Buffer *buffer)
{
	return ItemPointerGetBlockNumber(&tuple->t_self) < catalog->blocks &&
		   heap_fetch_compat(catalog->relation, tuple, buffer);
}

static void
visit_entry(Walk *walk, const ReorderBufferChange *entry)
{
	const OpenCatalog *catalog = get_catalog(walk, tuplecid_file_compat(entry));
	HeapTupleData tuple = {.t_self = entry->data.tuplecid.tid};
	Buffer buffer = InvalidBuffer;

	if (catalog->relation == NULL || !fetch_row(catalog, &tuple, &buffer))
		return;
	walk->objects.lsn = entry->lsn;
	if (entry->data.tuplecid.cmax == InvalidCommandId)
	{
		visit_inserted(walk, catalog->relation, &tuple);
		forget_old(walk);
	}
	else
		visit_removed(walk, catalog->relation, &tuple);
	ReleaseBuffer(buffer);
}

/* ---- without entries ---- */

static void
visit_found(Walk *walk, Relation catalog, HeapTuple tuple, TransactionId xid,
			PenstockRowEvent event)
{
	walk->objects.xid = xid;
	penstock_catalog_row_note(&walk->objects, catalog, NULL, tuple, event);
}

/*
 * Reads a catalog that was rewritten, and records the rows of the transaction
 * that are visible at the position.
 */
static void
scan_visible(Walk *walk, Oid catalog_oid)
{
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TransactionId xid = HeapTupleHeaderGetRawXmin(tuple->t_data);

		if (is_own(walk->schema, xid))
			visit_found(walk, catalog, tuple, xid, PENSTOCK_ROW_INSERTED);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * Returns the transaction that has deleted or replaced a row;
 * InvalidTransactionId: none.
 */
static TransactionId
removed_by(HeapTupleHeader row)
{
	if ((row->t_infomask & HEAP_XMAX_INVALID) != 0 ||
		HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask))
		return InvalidTransactionId;
	return HeapTupleHeaderGetUpdateXid(row);
}

/* Whether the current row of a scan is visible at the position. */
static bool
is_visible(TableScanDesc scan, HeapTuple tuple)
{
	Buffer buffer = ((HeapScanDesc) scan)->rs_cbuf;
	Snapshot now = GetCatalogSnapshot(RelationGetRelid(scan->rs_rd));
	bool visible;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	visible = HeapTupleSatisfiesVisibility(tuple, now, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return visible;
}

/*
 * Reads a catalog that was rewritten, and records rows of other transactions
 * that this transaction has removed up to the position.
 */
static void
scan_gone(Walk *walk, Oid catalog_oid)
{
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	TableScanDesc scan = beginscan_any_compat(catalog);
	HeapTuple tuple;

	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		TransactionId xmax = removed_by(tuple->t_data);

		if (is_own(walk->schema, xmax) && !is_own(walk->schema, xmin) &&
			!is_visible(scan, tuple))
			visit_found(walk, catalog, tuple, xmax, PENSTOCK_ROW_DELETED);
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * Reads a catalog that was rewritten, at the end of the transaction.  With
 * `removed`, records all rows that the transaction has removed; otherwise, all
 * that it has written and not removed.  The latter are recorded last, because
 * they say what an object has become.
 */
static void
scan_all(Walk *walk, Oid catalog_oid, bool removed)
{
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	TableScanDesc scan = beginscan_any_compat(catalog);
	HeapTuple tuple;

	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		TransactionId xmax = removed_by(tuple->t_data);
		bool is_removed = is_own(walk->schema, xmax);

		if (removed && is_removed)
			visit_found(walk, catalog, tuple, xmax, PENSTOCK_ROW_DELETED);
		else if (!removed && !is_removed && is_own(walk->schema, xmin))
			visit_found(walk, catalog, tuple, xmin, PENSTOCK_ROW_INSERTED);
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * Reads all catalogs that were rewritten; see "Catalogs that were rewritten" at
 * the head of this file.
 */
static void
scan_moved(Walk *walk, XLogRecPtr lsn, bool at_end)
{
	ListCell *cell;

	walk->objects.lsn = lsn;
	foreach (cell, walk->schema->moved)
	{
		if (!at_end)
		{
			scan_gone(walk, lfirst_oid(cell));
			scan_visible(walk, lfirst_oid(cell));
		}
		else
		{
			scan_all(walk, lfirst_oid(cell), true);
			scan_all(walk, lfirst_oid(cell), false);
		}
	}
	penstock_objects_sort(&walk->objects);
}

/* ---- tables that are logged again, and empty ---- */

static void
add_emptied(PenstockSchema *schema, const PenstockObject *heap)
{
	MemoryContext outer = MemoryContextSwitchTo(schema->context);
	PenstockEmptied *emptied = palloc(sizeof(PenstockEmptied));

	emptied->table = heap->rewritten_table;
	emptied->heap = heap->key.oid;
	emptied->xid = heap->xid;
	emptied->late = !heap->made_logged;
	schema->emptied = lappend(schema->emptied, emptied);
	MemoryContextSwitchTo(outer);
}

/*
 * Collects tables that were made logged and for whose new heap no row was
 * sent.  The WAL does not have what became of their rows while they were
 * unlogged; now they have none.  With `late`, also collects tables for which
 * the position of the change is not known, because pg_class was rewritten.
 */
static void
collect_emptied(Walk *walk, bool late)
{
	ListCell *cell;

	foreach (cell, walk->objects.list)
	{
		const PenstockObject *heap = lfirst(cell);
		bool is_meant = heap->made_logged ||
						(late && heap->was_logged && heap->ended_unlogged);

		if (is_meant &&
			penstock_schema_note_rewrite(walk->schema, heap->key.oid))
			add_emptied(walk->schema, heap);
	}
}

/* ---- telling again ---- */

static bool
was_seen(const PenstockSchema *schema, TransactionId xid)
{
	return TransactionIdPrecedes(xid, schema->told_xmin) ||
		   bsearch(&xid, schema->told_xids, (Size) schema->told_xid_count,
				   sizeof(TransactionId), penstock_compare_xids) != NULL;
}

/*
 * Whether other transactions have changed the catalogs since definitions were
 * sent, so that the definitions may have changed.  At the end of the
 * transaction, the snapshot also contains the transaction itself, which does
 * not count.
 */
static bool
is_told_otherwise(PenstockSchema *schema)
{
	Snapshot now = GetCatalogSnapshot(InvalidOid);

	if (schema->told == NIL)
		return false;
	for (uint32 i = 0; i < now->xcnt; i++)
		if (!is_own(schema, now->xip[i]) && !was_seen(schema, now->xip[i]))
			return true;
	return false;
}

static void
note_seen(PenstockSchema *schema)
{
	Snapshot now = GetCatalogSnapshot(InvalidOid);
	Size bytes = sizeof(TransactionId) * now->xcnt;

	if (schema->told_xids != NULL)
		pfree(schema->told_xids);
	schema->told_xids = MemoryContextAlloc(schema->context, bytes + 1);
	if (bytes > 0)
		memcpy(schema->told_xids, now->xip, bytes);
	schema->told_xmin = now->xmin;
	schema->told_xid_count = (int) now->xcnt;
	qsort(schema->told_xids, now->xcnt, sizeof(TransactionId),
		  penstock_compare_xids);
}

static bool
is_same_object(const PenstockSchemaObject *a, const PenstockSchemaObject *b)
{
	return a->catalog == b->catalog && a->oid == b->oid &&
		   a->form != PENSTOCK_SCHEMA_UNTRANSLATED &&
		   b->form != PENSTOCK_SCHEMA_UNTRANSLATED;
}

static bool
has_object(const List *objects, const PenstockSchemaObject *object)
{
	ListCell *cell;

	foreach (cell, objects)
	{
		if (is_same_object(lfirst(cell), object))
			return true;
	}
	return false;
}

/*
 * Whether an object still exists.  The subtransaction that made it may have
 * been rolled back.
 */
static bool
object_exists(const PenstockSchemaObject *object)
{
	Datum oid = ObjectIdGetDatum(object->oid);

	switch (object->catalog)
	{
		case NamespaceRelationId:
			return SearchSysCacheExists1(NAMESPACEOID, oid);
		case RelationRelationId:
			return SearchSysCacheExists1(RELOID, oid);
		default:
			return SearchSysCacheExists1(TYPEOID, oid);
	}
}

/*
 * Adds to `objects` those whose definitions were sent before, to be sent again.
 */
static List *
tell_again(const PenstockSchema *schema, List *objects)
{
	List *result = objects;
	ListCell *cell;

	foreach (cell, schema->told)
	{
		const PenstockSchemaObject *object = lfirst(cell);
		PenstockSchemaObject *copy;

		if (has_object(objects, object) || !object_exists(object))
			continue;
		copy = palloc(sizeof(PenstockSchemaObject));
		*copy = *object;
		result = lappend(result, copy);
	}
	return result;
}

static void
note_told(PenstockSchema *schema, const PenstockSchemaObject *object)
{
	MemoryContext outer = MemoryContextSwitchTo(schema->context);
	PenstockSchemaObject *copy = palloc(sizeof(PenstockSchemaObject));
	ListCell *cell;

	*copy = *object;
	foreach (cell, schema->told)
	{
		if (is_same_object(lfirst(cell), object))
			schema->told = foreach_delete_current(schema->told, cell);
	}
	if (object->form == PENSTOCK_SCHEMA_DEFINED)
		schema->told = lappend(schema->told, copy);
	MemoryContextSwitchTo(outer);
}

/* Records the definitions that are sent now, as they are at `lsn`. */
static void
note_all_told(PenstockSchema *schema, const List *objects, XLogRecPtr lsn)
{
	ListCell *cell;

	foreach (cell, objects)
	{
		PenstockSchemaObject *object = lfirst(cell);

		if (object->form == PENSTOCK_SCHEMA_UNTRANSLATED)
			continue;
		object->lsn = lsn;
		note_told(schema, object);
	}
	note_seen(schema);
}

List *
penstock_schema_take(PenstockSchema *schema, XLogRecPtr lsn,
					 PenstockTaking taking)
{
	Walk walk = {.schema = schema};
	bool at_end = taking != PENSTOCK_TAKE_TO_POSITION;
	dlist_node *node;
	List *objects;

	penstock_objects_init(&walk.objects);
	walk.objects.publications = schema->publications;
	while ((node = next_entry(schema)) != NULL)
	{
		const ReorderBufferChange *entry = entry_of(node);

		if (!at_end && entry->lsn > lsn)
			break;
		schema->last = node;
		schema->last_lsn = entry->lsn;
		visit_entry(&walk, entry);
	}
	set_next(schema);
	close_catalogs(&walk);
	if (walk.missed || (at_end && schema->moved != NIL))
		scan_moved(&walk, lsn, at_end);
	collect_emptied(&walk, taking == PENSTOCK_TAKE_TRANSACTION &&
							   schema->moved != NIL);
	objects = penstock_objects_tell(&walk.objects);
	if (is_told_otherwise(schema))
		objects = tell_again(schema, objects);
	if (objects != NIL)
		note_all_told(schema, objects, lsn);
	return objects;
}
