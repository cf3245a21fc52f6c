/*
 * placed_column_table.h
 *    The table penstock.placed_column on a target: by which columns of the
 *    source's tables rows are placed, by OID and attnum.
 *
 * See model/placed_columns.h for what its rows mean.  A follower adds rows in
 * the stream of changes (route/router.h); the functions here are for the rest.
 */
#ifndef PENSTOCK_CONTROL_PLACED_COLUMN_TABLE_H
#define PENSTOCK_CONTROL_PLACED_COLUMN_TABLE_H

#include "base/error.h"
#include "model/placed_columns.h"
#include "net/pgconn.h"

/* Adds a pipeline's tables to an empty list.  Waits. */
MUST_CHECK Rc placed_column_table_read(PgConn *target, const char *pipeline,
									   PlacedColumnsList *list, Error *err);

/* Adds the tables that the pipeline does not have; changes no other.  Waits. */
MUST_CHECK Rc placed_column_table_add(PgConn *target, const char *pipeline,
									  const PlacedColumnsList *list,
									  Error *err);

/* Removes all tables of a pipeline; none need be there.  Waits. */
MUST_CHECK Rc placed_column_table_forget(PgConn *target, const char *pipeline,
										 Error *err);

#endif /* PENSTOCK_CONTROL_PLACED_COLUMN_TABLE_H */
