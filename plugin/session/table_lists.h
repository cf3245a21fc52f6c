/*
 * table_lists.h
 *		The values of the options `distribution` and `leave_out`.
 *
 * Both are lists of tables, with names quoted as in SQL.  What they mean is
 * said in tables/route.h and tables/left_out.h.
 */
#ifndef PENSTOCK_TABLE_LISTS_H
#define PENSTOCK_TABLE_LISTS_H

#include "access/xlogdefs.h"
#include "nodes/pg_list.h"

/* What `distribution` says about one column of a table. */
typedef struct PenstockDistributionColumn
{
	List *names;   /* of char *, the newest first; not empty */
	uint32 attnum; /* of the table with the OID; 0: not told */
} PenstockDistributionColumn;

/* What `distribution` says about one table. */
typedef struct PenstockDistribution
{
	const char *schema;
	const char *table;
	Oid oid;       /* InvalidOid: not told */
	List *columns; /* of PenstockDistributionColumn; not empty */
} PenstockDistribution;

/* The position of a table that is left out for good. */
#define PENSTOCK_FOREVER PG_UINT64_MAX

/* What `leave_out` says about one table. */
typedef struct PenstockLeftOutTable
{
	const char *schema;
	const char *name;
	XLogRecPtr until; /* the last end_lsn that is left out */
} PenstockLeftOutTable;

/*
 * Reads the value of `distribution` into a list of PenstockDistribution,
 * allocated in the current memory context.  False if it cannot be read; a table
 * that is named twice cannot.
 */
extern bool penstock_parse_distribution(const char *value,
										List **distributions);

/* The entry of a table in such a list; NULL: it has none. */
extern const PenstockDistribution *penstock_find_distribution(
	const List *distributions, const char *schema, const char *table);

/*
 * Reads the value of `leave_out` into a list of PenstockLeftOutTable, allocated
 * in the current memory context.  False if it cannot be read.
 */
extern bool penstock_parse_left_out(const char *value, List **tables);

#endif /* PENSTOCK_TABLE_LISTS_H */
