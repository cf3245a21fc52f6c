/*
 * rows.h
 *		Reads the rows of a system catalog that belong to an object.
 */
#ifndef PENSTOCK_ROWS_H
#define PENSTOCK_ROWS_H

#include "access/tupdesc.h"
#include "nodes/pg_list.h"

/* What identifies rows of a catalog: leading columns of an index of it. */
typedef struct PenstockCatalogKey
{
	Oid catalog;
	Oid index;
	AttrNumber attnums[2]; /* the second is 0 if one column is enough */
	Oid values[2];
} PenstockCatalogKey;

/*
 * Reads the rows of a catalog that a key identifies: a list of HeapTuple,
 * copies in the current memory context, in the order of the index.  *desc is
 * set to a copy of the catalog's descriptor.
 */
extern List *penstock_read_rows(PenstockCatalogKey key, TupleDesc *desc);

#endif /* PENSTOCK_ROWS_H */
