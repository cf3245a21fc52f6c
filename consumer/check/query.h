/*
 * query.h
 *    Checks that are queries.
 *
 * Most of what must be known of a server is in its catalogs, and the server
 * quotes names and compares privileges better than we could.  So most checks
 * are one query each, whose rows are the findings.  Its columns are
 *
 *     level, object, message, fix
 *
 * as in Finding; object and fix may be null.  No row means that all is well.
 *
 * A query that needs to know what is asked for refers to $1, a JSON object:
 *
 *     name           of the pipeline and the slot
 *     publications   array of names, or null
 *     tables         array as in published.h, or null
 *     progress       whether the target that is asked has progress; null if it
 *                    does not say
 *
 * Queries run in sessions whose search_path is pg_catalog alone, so that names
 * in them need no schema and names in their results have one.
 */
#ifndef PENSTOCK_CHECK_QUERY_H
#define PENSTOCK_CHECK_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "check/context.h"
#include "net/pgconn.h"

/* Bytes of that object: a table with ten columns takes about 800. */
#define CHECK_INPUT_MAX (512 * MB)

typedef struct CheckQuery
{
	const char *code;
	int major_min;  /* of the server; 0: any */
	int major_max;  /* 0: any */
	const char *ok; /* message of an "ok" finding if there is no row, or NULL */
	const char *sql;
} CheckQuery;

/* Where to ask, and what to say about it. */
typedef struct CheckServer
{
	PgConn *conn;
	const char *name;    /* as in Finding.server */
	bool progress_known; /* of a target; has_progress is set */
	bool has_progress;
} CheckServer;

/*
 * Runs queries and adds their findings.  A query that the server refuses is a
 * warning.  RC_FAIL: the connection is lost, or a stop was asked for.
 */
MUST_CHECK Rc check_run_queries(CheckContext *context,
								const CheckServer *server,
								const CheckQuery *queries, size_t query_count,
								Error *err);

/* Asks a server who it is.  A server that is not asked stays unknown. */
MUST_CHECK Rc check_read_facts(CheckContext *context, const CheckServer *server,
							   ServerFacts *facts, Error *err);

#endif /* PENSTOCK_CHECK_QUERY_H */
