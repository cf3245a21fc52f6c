/*
 * placed_columns.h
 *    By which columns of the source's tables rows are placed, by attnum.
 *
 * A rule of a placement gives names, and names can be given to other columns.
 * The OID of a table and the attnum of a column never change.  Each target
 * therefore has, in penstock.placed_column, by which columns its rows are
 * placed, and that is never changed.  It is written with the copy; for a table
 * that was not copied, in the transaction of its first row, by what the names
 * mean in the table as it was then.  What the names mean in the source's
 * catalog is of a later time than the rows, and decides nothing.
 *
 * So a target has the columns of each table of which a row came at or before
 * its progress; also if the row is on another target, or the columns would be
 * lost with a target that is unreachable.
 */
#ifndef PENSTOCK_MODEL_PLACED_COLUMNS_H
#define PENSTOCK_MODEL_PLACED_COLUMNS_H

#include <stdbool.h>
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

/* Columns of penstock.placed_column, in this order. */
typedef enum PlacedColumnField
{
	PLACED_PIPELINE,
	PLACED_OID,
	PLACED_NUMBER, /* number of the column in the rule, from 0 */
	PLACED_ATTNUM,
	PLACED_FIELD_COUNT,
} PlacedColumnField;

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

/* Whether they are the same columns, in the same order. */
bool placed_columns_equal(const PlacedColumns *a, const PlacedColumns *b);

/*
 * Returns a Relation for penstock.placed_column, as if it were a table of the
 * source, so that its inserts are applied in the transaction of a row.  The
 * caller holds its one reference.
 */
Relation *placed_columns_relation_new(void);

#endif /* PENSTOCK_MODEL_PLACED_COLUMNS_H */
