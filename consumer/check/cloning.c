/*
 * cloning.c
 *    Makes findings of all obstacles that "penstock clone" would find.
 *
 * If the published tables exist on the target already, and are empty, the user
 * may want to run "penstock clone --data-only"; then the tables are not an
 * obstacle.
 */
#include "check/cloning.h"

#include <stdlib.h>

#include "catalog/match.h"
#include "check/connect.h"
#include "check/obstacles.h"
#include "check/target.h"
#include "net/foreign_actions.h"
#include "net/sql.h"

/* Context of add_obstacle(), which obstacles_find() calls. */
typedef struct Asked
{
	CheckContext *context;
	const char *server;
} Asked;

static Rc
add_obstacle(void *data, Error *err)
{
	const Asked *asked = data;

	findings_add_error(asked->context->findings,
					   &(Finding){.level = FINDING_ERROR,
								  .code = "clone",
								  .server = asked->server,
								  .object = "clone"},
					   err);
	return RC_OK;
}

/* Returns the plan of a clone with the options that check was given. */
static CopyPlan
plan_of(const CheckContext *context, CopyCatalog *catalog, PgConn *source)
{
	const Config *config = context->config;

	return (CopyPlan){
		.catalog = catalog,
		.limits =
			{
				.no_owner = config->no_owner,
				.no_privileges = config->no_privileges,
				.no_tablespaces = config->no_tablespaces,
			},
		.source = source,
		.data_only = config->data_only,
	};
}

/* Sets *prepared to whether the tables exist on the target already, and can be
 * filled by a clone with --data-only. */
static Rc
is_prepared(const CopyPlan *plan, bool *prepared, Error *err)
{
	Rc rc;

	*prepared = false;
	rc = match_check_missing(plan->catalog, plan->target, err);
	if (rc == RC_OK || err->code != ERR_CONFIG)
		return rc;
	error_reset(err);
	rc = match_target(plan->catalog, plan->target, err);
	*prepared = rc == RC_OK;
	if (rc == RC_FAIL && err->code == ERR_CONFIG)
	{
		error_reset(err);
		rc = RC_OK;
	}
	return rc;
}

/* ---- foreign keys with actions ------------------------------------------ */

/* First major version that can grant the privilege to SET a GUC to a role. */
#define REPLICATION_ROLE_MAJOR 15

static MUST_CHECK Rc
may_set_replication_role(PgConn *target, bool *may, Error *err)
{
	bool is_grantable = pgconn_server_version_num(target) / 10000 >=
						REPLICATION_ROLE_MAJOR;
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		target,
		is_grantable
			? "SELECT has_parameter_privilege('session_replication_role', "
			  "'SET')"
			: "SELECT current_setting('is_superuser')::bool",
		&result, err);

	*may = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
read_actions(const CopyPlan *plan, PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql,
					  "SELECT DISTINCT format('foreign key \"%s\" of table %s',"
					  " f.conname, f.conrelid::regclass),"
					  " f.conrelid::regclass,"
					  " quote_ident(f.conname)" FOREIGN_ACTIONS_SQL
					  " AND c.oid = ANY (");
	catalog_append_tables(plan->catalog, &sql);
	buf_append_string(&sql, ") AND EXISTS (SELECT FROM (SELECT f.confrelid"
							"  UNION SELECT relid"
							"  FROM pg_partition_tree(f.confrelid)) p (oid)"
							" WHERE p.oid = ANY (");
	catalog_append_tables(plan->catalog, &sql);
	buf_append_string(&sql, ")) ORDER BY 1");
	return sql_run(plan->source, &sql, result, err);
}

/*
 * Adds findings about the source's foreign keys with actions, such as ON DELETE
 * CASCADE: after the clone has created them on the target, a follower refuses
 * to start unless the role can set session_replication_role.  For foreign keys
 * that exist on the target already see tables.c.
 */
static Rc
ask_about_actions(const CopyPlan *plan, const Asked *asked, Error *err)
{
	Findings *findings = asked->context->findings;
	Arena *arena = findings_arena(findings);
	PGresult *result = NULL;
	bool may = false;
	Rc rc = may_set_replication_role(plan->target, &may, err);

	if (rc == RC_OK && !may)
		rc = read_actions(plan, &result, err);
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
		findings_add(
			findings,
			&(Finding){
				.level = FINDING_ERROR,
				.code = "target_foreign_action",
				.server = asked->server,
				.object = PQgetvalue(result, row, 0),
				.message = arena_printf(
					arena,
					"%s on the source changes rows by itself, and would on the "
					"target, too, where the role may not set "
					"session_replication_role: \"penstock follow\" refuses "
					"that",
					PQgetvalue(result, row, 0)),
				.fix = arena_printf(
					arena,
					"-- let the role set session_replication_role (above); or, "
					"on the target, when it is\n-- copied, for as long as it "
					"is followed:\nALTER TABLE %s DROP CONSTRAINT %s;",
					PQgetvalue(result, row, 1), PQgetvalue(result, row, 2)),
			});
	PQclear(result);
	return rc;
}

/* ---- obstacles ---------------------------------------------------------- */

static Rc
ask_about_target(CheckContext *context, CopyPlan plan, int index, Error *err)
{
	char *name = check_target_name(context->config, index);
	Asked asked = {.context = context, .server = name};
	Rc rc = check_open_session(&plan.target, context->config->targets[index],
							   name, err);

	if (rc == RC_OK && !plan.data_only)
		rc = is_prepared(&plan, &plan.data_only, err);
	if (rc == RC_OK)
		rc = obstacles_find(&plan, COPY_SIDE_TARGET, add_obstacle, &asked, err);
	if (rc == RC_OK && !plan.data_only)
		rc = ask_about_actions(&plan, &asked, err);
	pgconn_close(plan.target);
	free(name);
	return rc;
}

static bool
has_no_progress(const CheckContext *context, int index)
{
	return context->progress_known[index] && !context->progress[index].exists;
}

static Rc
ask_all(CheckContext *context, CopyCatalog *catalog, PgConn *source, Error *err)
{
	const CopyPlan plan = plan_of(context, catalog, source);
	Asked asked = {.context = context, .server = CHECK_SOURCE};
	Rc rc = obstacles_find(&plan, COPY_SIDE_SOURCE, add_obstacle, &asked, err);

	for (int i = 0; i < context->config->target_count && rc == RC_OK; i++)
		if (has_no_progress(context, i))
			rc = ask_about_target(context, plan, i, err);
	return rc;
}

static Rc
ask_with_source(CheckContext *context, PgConn *source, Error *err)
{
	const Config *config = context->config;
	const CatalogOptions options = {
		.publications = config->publications,
		.selection = &config->selection,
		.placement = config->placement,
		.without_unlogged = config->no_unlogged_data,
	};
	CopyCatalog *catalog = NULL;
	Rc rc = catalog_read(&catalog, source, &options, err);

	if (rc == RC_OK)
		rc = ask_all(context, catalog, source, err);
	catalog_free(catalog);
	return rc;
}

/* Whether the user's next step is "penstock clone". */
static bool
is_to_be_cloned(const CheckContext *context)
{
	if (!context->source.known || !context->slot_known || context->slot.exists)
		return false;
	if (findings_have_error(context->findings, "publication_missing"))
		return false;
	for (int i = 0; i < context->config->target_count; i++)
		if (has_no_progress(context, i))
			return true;
	return false;
}

Rc
check_cloning(CheckContext *context, Error *err)
{
	Asked asked = {.context = context, .server = CHECK_SOURCE};
	PgConn *source = NULL;
	Rc rc;

	if (!is_to_be_cloned(context))
		return RC_OK;
	rc = check_open_session(&source, context->config->source, CHECK_SOURCE,
							err);
	if (rc == RC_OK)
		rc = ask_with_source(context, source, err);
	pgconn_close(source);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
		rc = add_obstacle(&asked, err);
	return rc;
}
