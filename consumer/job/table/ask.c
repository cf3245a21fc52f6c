/*
 * ask.c
 *    Chooses the questions: a target may have the table already, or get it as a
 *    partition of a table that it has, or get all of its definition.
 */
#include "job/table/ask.h"

#include <stdio.h>

#include "check/obstacles.h"
#include "net/sql.h"

/* How a target gets the table. */
typedef enum TableOrigin
{
	ORIGIN_DUMPED,    /* it is created from the source's definition */
	ORIGIN_PARTITION, /* it is created as a partition of a table there */
	ORIGIN_THERE,     /* it exists there */
} TableOrigin;

static MUST_CHECK Rc
exists_there(const TableTarget *target, const char *name, bool *exists,
			 Error *err)
{
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target->conn,
							   "SELECT to_regclass($1) IS NOT NULL",
							   LENGTH_OF(params), params, &result, err);

	*exists = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/* Whether the current table is a partition whose parent is on the target. */
static MUST_CHECK Rc
has_parent_there(const TableWork *work, const TableTarget *target, bool *has,
				 Error *err)
{
	static const char sql[] =
		"SELECT format('%I.%I', n.nspname, p.relname) FROM pg_class c"
		" JOIN pg_inherits i ON i.inhrelid = c.oid"
		" JOIN pg_class p ON p.oid = i.inhparent"
		" JOIN pg_namespace n ON n.oid = p.relnamespace"
		" WHERE c.relispartition AND c.oid = $1::oid";
	char oid[16];
	const char *params[] = {oid};
	PGresult *result = NULL;
	Rc rc;

	snprintf(oid, sizeof(oid), "%u", work->oid);
	rc = pgconn_exec_params(work->source, sql, LENGTH_OF(params), params,
							&result, err);
	*has = false;
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = exists_there(target, PQgetvalue(result, 0, 0), has, err);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
find_origin(const TableWork *work, const TableTarget *target,
			TableOrigin *origin, Error *err)
{
	bool there;
	bool has_parent = false;
	Rc rc = exists_there(target, work->qualified, &there, err);

	if (rc == RC_OK && !there)
		rc = has_parent_there(work, target, &has_parent, err);
	*origin = there        ? ORIGIN_THERE
			  : has_parent ? ORIGIN_PARTITION
						   : ORIGIN_DUMPED;
	return rc;
}

static MUST_CHECK Rc
ask_target(const TableTarget *target, TableOrigin origin, CopyPlan *plan,
		   Error *err)
{
	/* What an interrupted copy has created is dropped, and created again. */
	if (target->row.created || origin == ORIGIN_PARTITION)
		return RC_OK;
	plan->target = target->conn;
	plan->data_only = origin == ORIGIN_THERE;
	return obstacles_check(plan, COPY_SIDE_TARGET, err);
}

Rc
table_ask(const TableWork *work, CopyCatalog *catalog, Error *err)
{
	const Config *config = work->config;
	CopyPlan plan = {
		.catalog = catalog,
		.limits = {.no_owner = config->no_owner,
				   .no_privileges = config->no_privileges,
				   .no_tablespaces = config->no_tablespaces},
		.source = work->source,
		.of_table = true,
	};
	TableOrigin origins[CONFIG_TARGETS_MAX];
	bool dumped = false;
	Rc rc = RC_OK;

	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
	{
		rc = find_origin(work, &work->targets[i], &origins[i], err);
		dumped |= rc == RC_OK && origins[i] == ORIGIN_DUMPED;
	}
	plan.data_only = !dumped;
	if (rc == RC_OK)
		rc = obstacles_check(&plan, COPY_SIDE_SOURCE, err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = ask_target(&work->targets[i], origins[i], &plan, err);
	return rc;
}
