/*
 * rows.c
 *		Reads rows of system catalogs by an index; see rows.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "catalogs/rows.h"

List *
penstock_read_rows(PenstockCatalogKey key, TupleDesc *desc)
{
	Relation catalog = table_open(key.catalog, AccessShareLock);
	ScanKeyData keys[2];
	int nkeys = 0;
	SysScanDesc scan;
	HeapTuple tuple;
	List *rows = NIL;

	Assert(key.attnums[0] != 0);
	while (nkeys < 2 && key.attnums[nkeys] != 0)
	{
		ScanKeyInit(&keys[nkeys], key.attnums[nkeys], BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(key.values[nkeys]));
		nkeys++;
	}
	scan = systable_beginscan(catalog, key.index, true, NULL, nkeys, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		rows = lappend(rows, heap_copytuple(tuple));
	systable_endscan(scan);
	*desc = CreateTupleDescCopy(RelationGetDescr(catalog));
	table_close(catalog, AccessShareLock);
	return rows;
}
