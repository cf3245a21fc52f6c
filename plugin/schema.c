/*
 * schema.c
 *		Reads which catalog rows a transaction has written; see schema.h.
 *
 * The rows
 * --------
 *
 * For each row of a catalog that a transaction inserts or removes, the server
 * has an entry with the file, the place in it, and the position in the log; an
 * update has two in a row, of the old and the new version.  The rows themselves
 * are still there: the slot keeps the server from removing what it may have to
 * see.  So each is fetched, whether or not it is visible to anybody.  What was
 * not written by this transaction, or was by a subtransaction that was rolled
 * back, is passed over: the place may have been used again.
 *
 * The entry also says which of the two it was: one with a command that removed
 * the row is about that, else it is about its insertion.  An old version points
 * to the new one.  From that follows what was created and what is gone.
 *
 *
 * Catalogs that were rewritten
 * ----------------------------
 *
 * VACUUM FULL of a catalog puts its rows elsewhere, and the places that were
 * noted before are good for nothing.  Then the transaction is looked at with
 * less precision: it has a list of what it invalidates in caches, and that
 * names tables; types and schemas by a hash.  All of them are told of when it
 * ends, when they are locked by it, so that nothing that another transaction
 * has done since can be undone; before its changes only those that have rows of
 * its own in pg_class or pg_attribute.  That may tell more than has changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog_row.h"
#include "compat.h"
#include "objects.h"
#include "schema.h"

struct PenstockSchema
{
	MemoryContext context; /* of all of it */
	ReorderBufferTXN *txn;

	/*
	 * The last entry that was looked at, and its position.  The entry is valid
	 * until the piece of a transaction in progress ends.
	 */
	dlist_node *last;
	XLogRecPtr last_lsn;

	XLogRecPtr next_lsn; /* of the next; the greatest of all: there is none */

	/* The transaction and its subtransactions, sorted. */
	TransactionId *xids;
	int xid_count;

	bool blind;      /* entries could not be used */
	List *rewritten; /* OIDs of heaps */
};

/* A walk over entries. */
typedef struct Walk
{
	PenstockSchema *schema;
	PenstockObjects objects;

	List *catalogs; /* those that are open, as OpenCatalog */

	/* The version of a row that the next one replaces; NULL: none. */
	Oid old_catalog;
	HeapTuple old;
} Walk;

typedef struct OpenCatalog
{
	RelFileCompat file;
	Relation relation;  /* NULL: its rows are not looked at */
	BlockNumber blocks; /* of its file */
} OpenCatalog;

#define NO_LSN PG_UINT64_MAX

/* ---- what is known of a transaction ---- */

static int
compare_xids(const void *a, const void *b)
{
	TransactionId left = *(const TransactionId *) a;
	TransactionId right = *(const TransactionId *) b;

	return left < right ? -1 : left > right;
}

static void
collect_xids(PenstockSchema *schema)
{
	ReorderBufferTXN *txn = schema->txn;
	Size count = 1;
	dlist_iter iter;

	dlist_foreach (iter, &txn->subtxns)
	{
		count++;
	}
	if (schema->xids != NULL)
		pfree(schema->xids);
	schema->xids = MemoryContextAlloc(schema->context,
									  sizeof(TransactionId) * count);
	schema->xid_count = 0;
	schema->xids[schema->xid_count++] = txn->xid;
	dlist_foreach (iter, &txn->subtxns)
	{
		const ReorderBufferTXN *subtxn = dlist_container(ReorderBufferTXN, node,
														 iter.cur);

		schema->xids[schema->xid_count++] = subtxn->xid;
	}
	qsort(schema->xids, (Size) schema->xid_count, sizeof(TransactionId),
		  compare_xids);
}

static bool
is_own(const PenstockSchema *schema, TransactionId xid)
{
	return bsearch(&xid, schema->xids, (Size) schema->xid_count,
				   sizeof(TransactionId), compare_xids) != NULL;
}

static inline const ReorderBufferChange *
entry_of(dlist_node *node)
{
	return dlist_container(ReorderBufferChange, node, node);
}

/* The entry after the last one; NULL: there is none. */
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
	if (schema->xids != NULL)
		collect_xids(schema);
	set_next(schema);
}

void
penstock_schema_restart(PenstockSchema *schema)
{
	schema->last_lsn = InvalidXLogRecPtr;
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

/* ---- entries ---- */

/* Opens the catalog whose file it is, if its rows can be looked at. */
static OpenCatalog *
open_catalog(Walk *walk, const RelFileCompat *file)
{
	OpenCatalog *open = palloc0(sizeof(OpenCatalog));
	Oid oid = relid_by_relfile_compat(file);
	Relation relation;
	bool is_moved;

	open->file = *file;
	walk->schema->blind |= !OidIsValid(oid);
	if (!OidIsValid(oid) || penstock_catalog_is_passed_over(oid))
		return open;

	/* Catalogs are opened where they are now. */
	relation = table_open(oid, AccessShareLock);
	is_moved = !relfile_equals_compat(relation_file_compat(relation), file);
	walk->schema->blind |= is_moved;
	if (is_moved || relation->rd_rel->relkind != RELKIND_RELATION)
		table_close(relation, AccessShareLock);
	else
	{
		open->relation = relation;
		open->blocks = RelationGetNumberOfBlocks(relation);
	}
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

/* Looks at a row that the transaction has inserted. */
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

/* Looks at a row that the transaction has deleted or replaced. */
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
 * Fetches the row of an entry; false if it is not there.  VACUUM may even have
 * cut off its place, if a subtransaction that was rolled back had written it.
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

/* Whether a row of the relation is one that the transaction has written. */
static bool
has_own_row(const PenstockSchema *schema, HeapTuple class_tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(class_tuple);

	if (is_own(schema, HeapTupleHeaderGetRawXmin(class_tuple->t_data)))
		return true;
	for (AttrNumber i = 1; i <= form->relnatts; i++)
	{
		HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(form->oid),
										  Int16GetDatum(i));
		bool own;

		if (!HeapTupleIsValid(tuple))
			continue;
		own = is_own(schema, HeapTupleHeaderGetRawXmin(tuple->t_data));
		ReleaseSysCache(tuple);
		if (own)
			return true;
	}
	return false;
}

static void
guess_relation(Walk *walk, Oid oid, bool at_end)
{
	HeapTuple tuple;
	bool touched;

	if (oid < FirstNormalObjectId)
		return;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	touched = at_end;
	if (HeapTupleIsValid(tuple))
	{
		touched |= has_own_row(walk->schema, tuple);
		ReleaseSysCache(tuple);
	}
	if (touched)
		penstock_objects_touch_relation(&walk->objects, oid);
}

/* Touches the rows of a catalog whose key has one of the hash values. */
static void
guess_by_hash(Walk *walk, Oid catalog_oid, Oid index, int cache)
{
	const ReorderBufferTXN *txn = walk->schema->txn;
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, index, true, NULL, 0, NULL);
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		Datum oid = heap_getattr(tuple, 1, RelationGetDescr(catalog), &isnull);
		uint32 hash = GetSysCacheHashValue1(cache, oid);

		for (uint32 i = 0; i < txn->ninvalidations; i++)
		{
			const SharedInvalidationMessage *message = &txn->invalidations[i];

			if (message->id == cache && message->cc.hashValue == hash)
			{
				penstock_objects_touch(&walk->objects, catalog_oid,
									   DatumGetObjectId(oid));
				break;
			}
		}
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* See the top of the file. */
static void
guess_objects(Walk *walk, XLogRecPtr lsn, bool at_end)
{
	const ReorderBufferTXN *txn = walk->schema->txn;

	walk->objects.lsn = lsn;
	walk->objects.xid = txn->xid;
	for (uint32 i = 0; i < txn->ninvalidations; i++)
	{
		const SharedInvalidationMessage *message = &txn->invalidations[i];

		if (message->id == SHAREDINVALRELCACHE_ID)
			guess_relation(walk, message->rc.relId, at_end);
	}
	if (!at_end)
		return;
	guess_by_hash(walk, TypeRelationId, TypeOidIndexId, TYPEOID);
	guess_by_hash(walk, NamespaceRelationId, NamespaceOidIndexId, NAMESPACEOID);
}

List *
penstock_schema_take(PenstockSchema *schema, XLogRecPtr lsn, bool at_end)
{
	Walk walk = {.schema = schema};
	bool was_blind = schema->blind;
	dlist_node *node;

	if (schema->xids == NULL)
		collect_xids(schema);
	penstock_objects_init(&walk.objects);
	schema->blind = false;
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
	if (schema->blind || (at_end && was_blind))
		guess_objects(&walk, lsn, at_end);
	schema->blind |= was_blind;
	return penstock_objects_tell(&walk.objects);
}
