/*
 * same_tables.h
 *    Checks whether several sources have the same tables and columns, so that
 *    their rows can be copied into the same tables of the targets.
 */
#ifndef PENSTOCK_CATALOG_SAME_TABLES_H
#define PENSTOCK_CATALOG_SAME_TABLES_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "model/placement.h"

/* Tables, placement and name of a source. */
typedef struct SameTablesSide
{
	const CopyCatalog *catalog;
	const Placement *placement; /* placement_share() for the source */
	const char *label;          /* name of the source in messages */
} SameTablesSide;

/*
 * Fails with ERR_CONFIG if a table whose rows come from both sources is
 * published by one of them only, or with other columns or types.
 */
MUST_CHECK Rc same_tables_check(const SameTablesSide *first,
								const SameTablesSide *other, Error *err);

#endif /* PENSTOCK_CATALOG_SAME_TABLES_H */
