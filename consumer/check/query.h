/*
 * query.h
 *    Runs checks that are queries.
 *
 * Most facts that we check are in the server's catalogs, and the server can
 * quote names and compare privileges better than we could.  So most checks are
 * one query each, whose rows are the findings.  The columns of a query are
 *
 *     level, object, message, fix
 *
 * as in Finding; object and fix may be null.  The check has passed if the query
 * returns no rows.
 *
 * A query can refer to $1, a JSON object with the members
 *
 *     name           name of the pipeline and its slot
 *     publications   array of names, or null
 *     tables         array as in published.h, or null
 *     nowhere        array of those tables, with schema and name, that the
 *                    placement assigns to no target
 *     progress       whether the target that is checked has progress; null if
 *                    that is unknown
 *
 * Queries run in sessions whose search_path is pg_catalog, so that names of
 * catalogs in a query need no schema, and all other names in its result are
 * schema-qualified.
 */
#ifndef PENSTOCK_CHECK_QUERY_H
#define PENSTOCK_CHECK_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "check/context.h"
#include "net/pgconn.h"

/* Maximum size of the JSON object $1; a table with ten columns takes about 800
 * bytes. */
#define CHECK_INPUT_MAX (512 * MB)

typedef struct CheckQuery
{
	const char *code;
	int major_min;  /* oldest major version of the server; 0: any */
	int major_max;  /* newest major version of the server; 0: any */
	const char *ok; /* message of the "ok" finding that is added if the query
					 * returns no rows; NULL: none */
	const char *sql;
} CheckQuery;

/* A server that is checked. */
typedef struct CheckServer
{
	PgConn *conn;        /* session in which the queries run */
	const char *name;    /* name of the server, as in Finding.server */
	bool progress_known; /* whether `has_progress` is set; only of a target */
	bool has_progress;   /* whether the target has progress of the pipeline */
} CheckServer;

/*
 * Runs the queries that are for the server's version, and adds their findings;
 * blocks.  An error of a query is a warning among the findings.  Returns
 * RC_FAIL if the connection is lost, or the user has asked us to stop.
 */
MUST_CHECK Rc check_run_queries(CheckContext *context,
								const CheckServer *server,
								const CheckQuery *queries, size_t query_count,
								Error *err);

/* Reads *facts from a server; blocks. */
MUST_CHECK Rc check_read_facts(CheckContext *context, const CheckServer *server,
							   ServerFacts *facts, Error *err);

#endif /* PENSTOCK_CHECK_QUERY_H */
