/*
 * compare.h
 *    What makes the schema of a target like that of the source.
 *
 * Tables, sequences, types and schemas are compared as definitions
 * (ddl/diff/diff.h), everything else by what it is called and how the server
 * writes it (ddl/others.h).  The outcome is statements in an order that works.
 *
 * A view is made again if a table that it reads changes in a way that the
 * server does not let a view see.  What cannot be said in a statement, such as
 * an operator that is missing, is said in words.
 */
#ifndef PENSTOCK_DDL_COMPARE_H
#define PENSTOCK_DDL_COMPARE_H

#include "base/arena.h"
#include "base/error.h"
#include "catalog/publications.h"
#include "model/selection.h"
#include "net/pgconn.h"

typedef struct DdlCompareOptions
{
	const Selection *selection; /* as for ddl_read() */

	/* Only tables that one of them has, and what is on these, unless one has
	 * all tables; NULL: all. */
	const Publications *publications;
	bool owners; /* whether these are compared */
	bool privileges;
	int stride; /* see ddl_undo_stride() */
} DdlCompareOptions;

typedef struct DdlDifference
{
	const char *sql;    /* one or more statements, the last without semicolon */
	const char *note;   /* in place of that: what differs, in words; or NULL */
	bool loses_rows;    /* rows, or values of a column, are gone with it */
	bool commits_first; /* it is to be committed before the next one */
} DdlDifference;

typedef struct DdlDifferences
{
	int count;
	int capacity;
	DdlDifference *list; /* in the order in which they are to be run */
	Arena *arena;
	int notes;       /* how many are words only */
	int losing_rows; /* how many lose rows */
} DdlDifferences;

/*
 * Compares two databases.  Both connections are in transactions, as for
 * ddl_read().  The outcome is allocated in the arena.  ERR_CONFIG: the target's
 * server has no statement for something that its tables would need.  Waits.
 */
MUST_CHECK Rc ddl_compare(PgConn *source, PgConn *target,
						  const DdlCompareOptions *options, Arena *arena,
						  DdlDifferences *differences, Error *err);

#endif /* PENSTOCK_DDL_COMPARE_H */
