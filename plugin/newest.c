/*
 * newest.c
 *		Snapshots of the newest state.
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

#include "compat.h"
#include "newest.h"
#include "schema.h"

static bool
is_own(const PenstockSession *session, TransactionId xid)
{
	return session->schema != NULL &&
		   penstock_schema_is_own(session->schema, xid);
}

Snapshot
penstock_newest_make(PenstockSession *session, Snapshot active)
{
	Snapshot newest = newest_snapshot_compat(session->ctx);
	Snapshot snapshot = palloc(sizeof(SnapshotData));

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

/* Snapshots of one reader of the WAL are alike if they have the same of these.
 */
static bool
sees_the_same(Snapshot one, Snapshot other)
{
	return one->xmin == other->xmin && one->xmax == other->xmax &&
		   one->xcnt == other->xcnt;
}

/* NULL: it sees what the active one does. */
static Snapshot
make_other(PenstockSession *session, Snapshot active)
{
	Snapshot newest = penstock_newest_make(session, active);

	return sees_the_same(active, newest) ? NULL : newest;
}

/* A row of a catalog, to be freed; NULL: it is not there. */
static HeapTuple
read_row(Oid catalog_oid, Oid oid, Snapshot snapshot)
{
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

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

/* The same from the server's cache, if there is no snapshot. */
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
		newest = make_other(session, GetCatalogSnapshot(InvalidOid));
	tuple = find_row(catalog, oid, newest);
	if (tuple == NULL)
		return name;
	name.name = pstrdup(NameStr(*DatumGetName(SysCacheGetAttr(
		cache, tuple, get_object_attnum_name(catalog), &isnull))));
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
	if (newest == NULL)
		return NULL;
	InvalidateSystemCaches();
	SetupHistoricSnapshot(newest, HistoricSnapshotGetTupleCids());
	return active;
}

void
penstock_newest_leave(Snapshot outer)
{
	if (outer == NULL)
		return;
	SetupHistoricSnapshot(outer, HistoricSnapshotGetTupleCids());
	InvalidateSystemCaches();
}
