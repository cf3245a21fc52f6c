/*
 * placed_columns.h
 *    By which columns of the source's tables rows are placed, by attnum.
 *
 * A rule of a placement gives names, and names can be given to other columns.
 * The OID of a table and the attnum of a column never change.  So what a name
 * means is looked up once, in the source's catalog, and kept in this form.
 */
#ifndef PENSTOCK_MODEL_PLACED_COLUMNS_H
#define PENSTOCK_MODEL_PLACED_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "model/relation.h"

/* The columns of one table, in the order of its rule. */
typedef struct PlacedColumns
{
	uint32_t oid; /* OID of the table on the source; 0: the table has no columns
				   * by which rows are placed */
	int count;
	uint16_t attnums[RELATION_DISTRIBUTION_MAX];
} PlacedColumns;

typedef struct PlacedColumnsList
{
	PlacedColumns *tables; /* in the order of `oid`; owned by the list */
	size_t count;
} PlacedColumnsList;

/* Adds a table, whose OID must be greater than those in the list. */
void placed_columns_add(PlacedColumnsList *list, const PlacedColumns *columns);

/* Returns the columns of a table; NULL: the list does not have it.  `list` may
 * be NULL. */
const PlacedColumns *placed_columns_find(const PlacedColumnsList *list,
										 uint32_t oid);

/* Frees the memory of a list, which is empty then. */
void placed_columns_release(PlacedColumnsList *list);

#endif /* PENSTOCK_MODEL_PLACED_COLUMNS_H */
