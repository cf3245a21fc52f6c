/*
 * same_tables.h
 *    Whether several sources have the same tables, so that rows of all of them
 *    can be put together.
 */
#ifndef PENSTOCK_CATALOG_SAME_TABLES_H
#define PENSTOCK_CATALOG_SAME_TABLES_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "model/placement.h"

/* A source's tables, where they are placed, and what it is called. */
typedef struct SameTablesSide
{
	const CopyCatalog *catalog;
	const Placement *placement; /* as placement_share() has it */
	const char *label;
} SameTablesSide;

/*
 * RC_FAIL with ERR_CONFIG: a table that has rows from both sources is on one of
 * them only, or not with the same columns.
 */
MUST_CHECK Rc same_tables_check(const SameTablesSide *first,
								const SameTablesSide *other, Error *err);

#endif /* PENSTOCK_CATALOG_SAME_TABLES_H */
