/*
 * cloning.c
 *    The clone's own questions, with all their answers.
 *
 * Tables that are on the target already may be there for "penstock clone
 * --data-only"; if they are fit for that, they are no obstacle.
 */
#include "check/cloning.h"

#include <stdlib.h>

#include "check/connect.h"
#include "check/target.h"
#include "copy/match.h"
#include "copy/obstacles.h"

/* Whose answers are being added. */
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

/* As the clone would do it with the options that check was given. */
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

/* Whether the target holds the tables already, ready to be filled. */
static Rc
is_prepared(const CopyPlan *plan, bool *prepared, Error *err)
{
	Rc rc;

	*prepared = false;
	rc = match_check_absent(plan->catalog, plan->target, err);
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

/* Whether "penstock clone" is the next step. */
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
