/*
 * node_table.c
 *    SQL on penstock.node, and the comparison of placements.
 */
#include "control/node_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/schema.h"

Rc
node_table_write(PgConn *target, const char *pipeline, const NodeIdentity *node,
				 Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.node (pipeline, modulus, remainder, places)"
		" VALUES ($1, $2::integer, $3::integer, $4::jsonb)"
		" ON CONFLICT (pipeline) DO UPDATE SET modulus = excluded.modulus,"
		" remainder = excluded.remainder, places = excluded.places";
	char modulus[16];
	char remainder[16];
	const char *params[] = {pipeline, modulus,
							node->remainder == NODE_REMAINDER_NONE ? NULL
																   : remainder,
							node->places};

	ASSERT(node->modulus > 0 && node->remainder < node->modulus);
	ASSERT(node->places != NULL);
	snprintf(modulus, sizeof(modulus), "%d", node->modulus);
	snprintf(remainder, sizeof(remainder), "%d", node->remainder);
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

/* ---- checking ----------------------------------------------------------- */

/* Writes "remainder 1 of 4 nodes" or "beside 4 nodes". */
static void
describe(const NodeIdentity *node, char *text, size_t size)
{
	ASSERT(node->remainder >= NODE_REMAINDER_NONE);
	if (node->remainder == NODE_REMAINDER_NONE)
		snprintf(text, size, "beside %d nodes", node->modulus);
	else
		snprintf(text, size, "remainder %d of %d nodes", node->remainder,
				 node->modulus);
}

/* The place of a table that is on no node. */
#define NOWHERE "none"

static MUST_CHECK Rc
check_number(PgConn *target, const NodeIdentity *was, const NodeIdentity *is,
			 Error *err)
{
	char was_text[64];
	char is_text[64];
	Rc rc;

	if (was->modulus == is->modulus && was->remainder == is->remainder)
		return RC_OK;
	describe(was, was_text, sizeof(was_text));
	describe(is, is_text, sizeof(is_text));
	rc = error_set(err, ERR_CONFIG,
				   "%s was loaded with another number of nodes, or as another "
				   "of them",
				   pgconn_label(target));
	error_detail(err, "It was loaded as %s; now it is %s.", was_text, is_text);
	error_hint(err, "Give the targets as they were when they were loaded, or "
					"load new ones.");
	return rc;
}

/*
 * Adds tables that the target does not know to its row; refuses tables that
 * were placed differently.  One that was not copied may be placed nowhere, for
 * good: it was published since, and then that is the way to go on without it.
 */
static MUST_CHECK Rc
check_places(PgConn *target, const char *pipeline, const NodeIdentity *node,
			 Error *err)
{
	static const char differs_sql[] =
		"SELECT g.key, n.places->>g.key, g.value FROM penstock.node n,"
		" jsonb_each_text($2::jsonb) g WHERE n.pipeline = $1"
		" AND n.places->>g.key <> g.value"
		" AND NOT (g.value = '" NOWHERE "' AND NOT EXISTS (SELECT"
		"  FROM penstock.copied k WHERE k.pipeline = $1 AND k.copied"
		"  AND g.key = concat('\"', replace(k.schema_name, '\"', '\"\"'),"
		"   '\".\"', replace(k.table_name, '\"', '\"\"'), '\"')))"
		" ORDER BY g.key LIMIT 1";
	static const char note_sql[] =
		"UPDATE penstock.node SET places = $2::jsonb || places ||"
		" (SELECT coalesce(jsonb_object_agg(g.key, g.value), '{}')"
		"  FROM jsonb_each_text($2::jsonb) g WHERE g.value = '" NOWHERE "')"
		" WHERE pipeline = $1 AND NOT places @> $2::jsonb";
	const char *params[] = {pipeline, node->places};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, differs_sql, LENGTH_OF(params), params,
							   &result, err);

	ASSERT(node->places != NULL);
	if (rc != RC_OK)
		return rc;
	if (PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "table %s was placed otherwise when %s was loaded",
					   PQgetvalue(result, 0, 0), pgconn_label(target));
		error_detail(err, "It was placed by \"%s\"; now it is by \"%s\".",
					 PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
	}
	PQclear(result);
	if (rc == RC_OK)
		rc = pgconn_exec_params(target, note_sql, LENGTH_OF(params), params,
								NULL, err);
	return rc;
}

static MUST_CHECK Rc
refuse_unplaced(PgConn *target, bool was_placed, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "%s was loaded with%s a placement",
					  pgconn_label(target), was_placed ? "" : "out");

	error_hint(err, was_placed
						? "Use the configuration file that it was loaded with."
						: "It has rows that the placement puts on other "
						  "nodes.  Clone to new targets.");
	return rc;
}

/* Reads a pipeline's row; *exists is false if there is none. */
static MUST_CHECK Rc
read_row(PgConn *target, const char *pipeline, NodeIdentity *was, bool *exists,
		 Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = control_has(target, "node", exists, err);

	if (rc != RC_OK || !*exists)
		return rc;
	rc = pgconn_exec_params(target,
							"SELECT modulus, coalesce(remainder, -1)"
							" FROM penstock.node WHERE pipeline = $1",
							LENGTH_OF(params), params, &result, err);
	*exists = rc == RC_OK && PQntuples(result) > 0;
	if (*exists)
		*was = (NodeIdentity){
			.modulus = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10),
			.remainder = (int) strtol(PQgetvalue(result, 0, 1), NULL, 10),
		};
	PQclear(result);
	return rc;
}

Rc
node_table_check(PgConn *target, const char *pipeline, const NodeIdentity *node,
				 Error *err)
{
	NodeIdentity was = {0};
	bool exists;
	Rc rc = read_row(target, pipeline, &was, &exists, err);

	if (rc != RC_OK || (!exists && node == NULL))
		return rc;
	if (!exists || node == NULL)
		return refuse_unplaced(target, exists, err);
	rc = check_number(target, &was, node, err);
	if (rc == RC_OK)
		rc = check_places(target, pipeline, node, err);
	return rc;
}

Rc
node_table_list_places(PgConn *server, PGresult **result, Error *err)
{
	static const char sql[] = "SELECT g.key, g.value FROM penstock.node n,"
							  " pg_catalog.jsonb_each_text(n.places) g"
							  " WHERE g.value NOT IN ('all', 'none')";
	bool exists;
	Rc rc = control_has(server, "node", &exists, err);

	*result = NULL;
	if (rc == RC_OK && exists)
		rc = pgconn_exec(server, sql, result, err);
	return rc;
}
