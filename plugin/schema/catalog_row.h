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

#include "schema/objects.h"

/*
 * Whether rows of a catalog need not be looked at: the stream tells nothing of
 * them, or rows of another catalog say more.
 */
extern bool penstock_catalog_is_passed_over(Oid catalog);

/*
 * Notes in `objects` what a row says of an object.  `old` is the version of the
 * row that this one replaces.  It is NULL if there is none, or if
 * penstock_catalog_needs_old() says that it is not needed.
 */
extern void penstock_catalog_row_note(PenstockObjects *objects,
									  Relation catalog, HeapTuple old,
									  HeapTuple tuple, PenstockRowEvent event);

/*
 * Whether penstock_catalog_row_note() needs the replaced version of rows of
 * this catalog.
 */
extern bool penstock_catalog_needs_old(Oid catalog);

#endif /* PENSTOCK_CATALOG_ROW_H */
