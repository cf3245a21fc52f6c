/*
 * newest.c
 *		Makes newest snapshots; see newest.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalogs/newest.h"
#include "catalogs/own_xids.h"
#include "compat.h"

static bool
is_own(const PenstockSession *session, TransactionId xid)
{
	return session->own_xids != NULL &&
		   penstock_own_xids_have(session->own_xids, xid);
}

Snapshot
penstock_newest_make(PenstockSession *session, Snapshot active)
{
	Snapshot newest = newest_snapshot_compat(session->ctx);
	Snapshot snapshot = palloc(sizeof(SnapshotData));

	Assert(active != NULL && newest != NULL);
	*snapshot = *active;
	snapshot->xmin = newest->xmin;
	snapshot->xmax = newest->xmax;
	snapshot->xip = palloc(sizeof(TransactionId) * (newest->xcnt + 1));
	snapshot->xcnt = 0;
	for (uint32 i = 0; i < newest->xcnt; i++)
	{
		if (!is_own(session, newest->xip[i]))
			snapshot->xip[snapshot->xcnt++] = newest->xip[i];
	}
	snapshot->copied = false;
	snapshot->active_count = 0;
	snapshot->regd_count = 0;
	return snapshot;
}

/*
 * Returns how many transactions since the snapshot's xmin have changed catalogs
 * and are seen by it, not counting the one that is handed out.
 */
static uint32
count_other_xids(PenstockSession *session, Snapshot snapshot)
{
	uint32 count = 0;

	if (session->own_xids == NULL)
		return snapshot->xcnt;
	for (uint32 i = 0; i < snapshot->xcnt; i++)
	{
		if (!is_own(session, snapshot->xip[i]))
			count++;
	}
	return count;
}

/*
 * Whether two snapshots that the server has made while it read the WAL see the
 * same.  If they have the same xmin, the later one sees all that the earlier
 * one sees, so it is enough to compare the number of transactions.
 */
static bool
sees_the_same(PenstockSession *session, Snapshot one, Snapshot other)
{
	return one->xmin == other->xmin &&
		   count_other_xids(session, one) == count_other_xids(session, other);
}

/* Returns the newest snapshot; NULL: it sees the same as the active one. */
static Snapshot
make_other(PenstockSession *session, Snapshot active)
{
	Snapshot newest = newest_snapshot_compat(session->ctx);

	return sees_the_same(session, active, newest)
			   ? NULL
			   : penstock_newest_make(session, active);
}

void
penstock_newest_begin(PenstockSession *session)
{
	if (!session->options.schema_changes || session->caches_mixed)
		return;
	session->caches_mixed = !HistoricSnapshotActive() ||
							!sees_the_same(
								session, GetCatalogSnapshot(InvalidOid),
								newest_snapshot_compat(session->ctx));
}

/*
 * Reads a row of a catalog by its OID with a snapshot.  Returns a copy; NULL:
 * there is no such row.
 */
static HeapTuple
read_row(Oid catalog_oid, Oid oid, Snapshot snapshot)
{
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	Assert(OidIsValid(oid));
	ScanKeyInit(&key, get_object_attnum_oid(catalog_oid), BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, get_object_oid_index(catalog_oid), true,
							  snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return tuple;
}

/*
 * Finds a row of a catalog by its OID with a snapshot.  If the snapshot is NULL
 * or does not see the row, the row comes from the server's cache.  Returns a
 * copy; NULL: there is no such row.
 */
static HeapTuple
find_row(Oid catalog, Oid oid, Snapshot snapshot)
{
	HeapTuple tuple = NULL;

	if (snapshot != NULL)
		tuple = read_row(catalog, oid, snapshot);
	if (tuple == NULL)
		tuple = SearchSysCacheCopy1(get_object_catcache_oid(catalog),
									ObjectIdGetDatum(oid));
	return tuple;
}

static char *
find_namespace(Oid oid, Snapshot snapshot)
{
	HeapTuple tuple = find_row(NamespaceRelationId, oid, snapshot);

	if (tuple == NULL)
		return NULL;
	return pstrdup(NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname));
}

PenstockName
penstock_newest_name(PenstockSession *session, Oid catalog, Oid oid)
{
	PenstockName name = {NULL, NULL};
	int cache = get_object_catcache_oid(catalog);
	Snapshot newest = NULL;
	HeapTuple tuple;
	bool isnull;

	if (oid >= FirstNormalObjectId && session->options.schema_changes &&
		HistoricSnapshotActive())
	{
		Snapshot active = GetCatalogSnapshot(InvalidOid);

		newest = make_other(session, active);
		if (newest == NULL && session->caches_mixed)
			newest = active;
	}
	tuple = find_row(catalog, oid, newest);
	if (tuple == NULL)
		return name;
	name.name = pstrdup(NameStr(*DatumGetName(SysCacheGetAttr(
		cache, tuple, get_object_attnum_name(catalog), &isnull))));
	Assert(!isnull);
	name.schema = find_namespace(
		DatumGetObjectId(SysCacheGetAttr(
			cache, tuple, get_object_attnum_namespace(catalog), &isnull)),
		newest);
	return name;
}

Snapshot
penstock_newest_enter(PenstockSession *session)
{
	Snapshot active;
	Snapshot newest;

	if (!HistoricSnapshotActive())
		return NULL;
	active = GetCatalogSnapshot(InvalidOid);
	newest = make_other(session, active);
	if (newest == NULL && !session->caches_mixed)
		return NULL;
	InvalidateSystemCaches();
	session->caches_mixed = newest != NULL;
	if (newest == NULL)
		return NULL;
	SetupHistoricSnapshot(newest, HistoricSnapshotGetTupleCids());
	return active;
}

void
penstock_newest_leave(Snapshot outer)
{
	if (outer == NULL)
		return;
	Assert(HistoricSnapshotActive());
	SetupHistoricSnapshot(outer, HistoricSnapshotGetTupleCids());
	InvalidateSystemCaches();
}
