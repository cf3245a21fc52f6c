/*
 * catalog_row.h
 *		What a row of a catalog that was written says of objects of the schema.
 *
 * From row to object there are a few steps: a column's row is about its table,
 * an index's too, and so on.  Of the catalogs that also have what is not told
 * (the file of a table, say), or is told in another way (owners, privileges),
 * the old and the new version of a row are compared.
 */
#ifndef PENSTOCK_CATALOG_ROW_H
#define PENSTOCK_CATALOG_ROW_H

#include "utils/relcache.h"

#include "objects.h"

/* Whether nothing is told of a catalog's rows, or others tell more. */
extern bool penstock_catalog_is_passed_over(Oid catalog);

/*
 * Notes what a row says, in `objects`.  `old` is the version that it replaces,
 * of the catalogs that need it, else NULL.
 */
extern void penstock_catalog_row_note(PenstockObjects *objects,
									  Relation catalog, HeapTuple old,
									  HeapTuple tuple, PenstockRowEvent event);

/* Whether penstock_catalog_row_note() needs the version that was replaced. */
extern bool penstock_catalog_needs_old(Oid catalog);

#endif /* PENSTOCK_CATALOG_ROW_H */
