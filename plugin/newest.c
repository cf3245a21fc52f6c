/*
 * newest.c
 *		Snapshots of the newest state.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

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

/* Snapshots of one reader of the log: those with the same of these are alike.
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

static char *
read_namespace(Oid oid, Snapshot snapshot)
{
	Relation catalog = table_open(NamespaceRelationId, AccessShareLock);
	char *name = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_namespace_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, NamespaceOidIndexId, true, snapshot, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		name = pstrdup(
			NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return name;
}

char *
penstock_newest_namespace(PenstockSession *session, Oid oid)
{
	Snapshot newest = NULL;
	char *name = NULL;

	if (session->options.schema_changes && HistoricSnapshotActive())
		newest = make_other(session, GetCatalogSnapshot(InvalidOid));
	if (newest != NULL)
		name = read_namespace(oid, newest);
	return name != NULL ? name : get_namespace_name(oid);
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
