/*
 * route.h
 *		The distribution hash of a row: to which node it belongs.
 *
 * The hash is the one of PostgreSQL's own hash partitioning, computed by the
 * server's own function, so that a row goes to the node of remainder r out of m
 * exactly if satisfies_hash_partition() says so, and nodes can be put together
 * under a table that is PARTITION BY HASH on the same columns.
 *
 * Which tables are distributed, and by which columns, is said by the option
 * `distribution`, a list of
 *
 *	 schema.table(column, column...), ...
 *
 * with names quoted as in SQL.  A table in it that does not exist, or not yet,
 * changes nothing.  For a column that was renamed, there is
 *
 *	 name formerly name...
 *
 * instead, and it is the one of these names that the table has, at the position
 * in the WAL that is decoded.  A table that has columns with two of them there,
 * because names were swapped, or a column got the name of another one that was
 * dropped, raises an error, unless
 *
 *	 schema.table oid number (name formerly name attnum number, ...)
 *
 * says which it is.  In the table with that OID it is the column with that
 * attnum, which never changes, if it has one of the names.
 */
#ifndef PENSTOCK_ROUTE_H
#define PENSTOCK_ROUTE_H

#include "fmgr.h"
#include "utils/relcache.h"

#include "session/session.h"
#include "tables/table.h"

/* How the rows of a distributed table are hashed. */
typedef struct PenstockRoute
{
	int ncolumns;
	PenstockColumn **columns; /* of the table's shape */
	int *attnums;             /* of the published table */
	FmgrInfo *functions;
	Oid *collations;
	Datum *values; /* scratch */
	bool *nulls;
} PenstockRoute;

/*
 * How the rows of `target`, whose columns `info` knows, are hashed; NULL if
 * they are not.  Allocated in the current memory context.  Raises an error if
 * a column is not there or cannot be hashed.
 */
extern PenstockRoute *penstock_route_new(PenstockSession *session,
										 const PenstockRelInfo *info,
										 Relation target);

/*
 * The name of a column by which rows are distributed and which is not in the
 * key, so that the old row's place could not be told; NULL if there is none.
 */
extern const char *penstock_route_column_outside_key(
	const PenstockRoute *route);

/*
 * The hash of a row.  A large value that an update left as it is, is taken from
 * `old_row` (NULL: there is none).
 */
extern uint64 penstock_route_hash(const PenstockRoute *route,
								  const PenstockRow *row,
								  const PenstockRow *old_row);

#endif /* PENSTOCK_ROUTE_H */
