/*
 * compare.h
 *    Compares the schemas of source and target, and makes statements that turn
 *    the target's into the source's.
 *
 * Tables, sequences, types and schemas are compared as definitions
 * (ddl/diff/diff.h), all other objects as texts (ddl/text_objects.h).  The
 * result is a list of statements in an order that works.  A view is recreated
 * if a table that it reads changes in a way that the server refuses while the
 * view exists. A difference for which there is no statement, such as a missing
 * operator, is described in words.
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

	/*
	 * Compare only tables of these publications, and objects that depend on
	 * them, unless one of the publications is FOR ALL TABLES.  NULL: compare
	 * all.
	 */
	const Publications *publications;
	bool owners; /* whether owners are compared */
	bool privileges;
	int stride; /* see ddl_undo_stride() */
} DdlCompareOptions;

typedef struct DdlDifference
{
	const char *sql;    /* one or more statements; no semicolon after the
						 * last */
	const char *note;   /* in place of `sql`: the difference in words; NULL:
						 * there is a statement */
	bool loses_rows;    /* whether rows, or the values of a column, are
						 * deleted */
	bool commits_first; /* whether it must be committed before the next
						 * statement */
} DdlDifference;

typedef struct DdlDifferences
{
	int count;
	int capacity;
	DdlDifference *list; /* in the order in which to run them */
	Arena *arena;
	int notes;       /* number of differences without a statement */
	int losing_rows; /* number of statements that delete rows or values */
} DdlDifferences;

/*
 * Compares two databases; waits for both.  Both connections must be in a
 * transaction as for ddl_read().  The result is allocated in the arena.
 * RC_FAIL with ERR_CONFIG: the target's version does not support something that
 * its tables need.
 */
MUST_CHECK Rc ddl_compare(PgConn *source, PgConn *target,
						  const DdlCompareOptions *options, Arena *arena,
						  DdlDifferences *differences, Error *err);

#endif /* PENSTOCK_DDL_COMPARE_H */
