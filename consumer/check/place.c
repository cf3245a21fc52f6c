/*
 * place.c
 *    Makes findings of the problems of a placement.
 */
#include "check/place.h"

#include "catalog/catalog.h"
#include "catalog/foreign_keys.h"
#include "catalog/placed.h"
#include "check/parts.h"

static void
add_problems(CheckContext *context, const CheckServer *source,
			 const Placed *placed)
{
	for (int i = 0; i < placed->problem_count; i++)
	{
		const PlacedProblem *problem = &placed->problems[i];

		findings_add(
			context->findings,
			&(Finding){
				.level = problem->is_error ? FINDING_ERROR : FINDING_WARNING,
				.code = "placement",
				.server = source->name,
				.object = problem->object,
				.message = problem->message,
				.fix = problem->fix,
			});
	}
	if (placed->problem_count == 0)
		findings_add(context->findings,
					 &(Finding){
						 .level = FINDING_OK,
						 .code = "placement",
						 .server = source->name,
						 .message = "all published tables can be placed",
					 });
}

/* Whether there is a published table to which the rule applies. */
static bool
is_used(const Placed *placed, const PlacementRule *rule)
{
	for (int i = 0; i < placed->table_count; i++)
		if (placed->tables[i].rule == rule)
			return true;
	return false;
}

/* Adds a warning for each rule that applies to no published table, because its
 * name may be misspelled.  The rule for all tables is left out. */
static void
add_unused(CheckContext *context, const CheckServer *source,
		   const Placed *placed)
{
	const Placement *placement = context->config->placement;
	Arena *arena = findings_arena(context->findings);

	for (int i = 0; i < placement_rule_count(placement); i++)
	{
		const PlacementRule *rule = placement_rule(placement, i);

		if (rule->schema[0] == '\0' || is_used(placed, rule))
			continue;
		findings_add(
			context->findings,
			&(Finding){
				.level = FINDING_WARNING,
				.code = "placement_unused",
				.server = source->name,
				.object = arena_printf(arena, "line %d of \"%s\"", rule->line,
									   context->config->file),
				.message = arena_printf(
					arena,
					"line %d of [placement] is for no published "
					"table: no table's name is, or starts with, "
					"\"%s\".\"%s\"",
					rule->line, rule->schema, rule->name),
			});
	}
}

static bool
is_good(const Placed *placed)
{
	for (int i = 0; i < placed->problem_count; i++)
		if (placed->problems[i].is_error)
			return false;
	return true;
}

/* Adds a warning if rows may be on nodes without the rows to which a foreign
 * key refers.  It is no error because a clone with --data-only can be made. */
static Rc
add_foreign_key(CheckContext *context, const CheckServer *source,
				const CopyCatalog *catalog, const Placed *placed, Error *err)
{
	Arena *arena = findings_arena(context->findings);
	Rc rc = RC_OK;

	if (is_good(placed))
		rc = foreign_keys_check_places(catalog, placed, source->conn, err);
	if (rc != RC_FAIL || err->code != ERR_CONFIG)
		return rc;
	findings_add(
		context->findings,
		&(Finding){
			.level = FINDING_WARNING,
			.code = "placement_foreign_key",
			.server = source->name,
			.object = "foreign keys",
			.message = arena_printf(arena, "%s: %s", err->message, err->detail),
		});
	error_reset(err);
	return RC_OK;
}

/* Adds an error if there are several sources, and the placement takes a table
 * from one of them of which that one has only some of the rows. */
static Rc
add_parts(CheckContext *context, const CheckServer *source,
		  const CopyCatalog *catalog, Error *err)
{
	Rc rc = RC_OK;

	if (context->config->source_count > 1)
		rc = parts_check(catalog, context->config->placement, source->conn,
						 err);
	if (rc != RC_FAIL || err->code != ERR_CONFIG)
		return rc;
	findings_add_error(context->findings,
					   &(Finding){.level = FINDING_ERROR,
								  .code = "placement_parts",
								  .server = source->name,
								  .object = "section [placement]"},
					   err);
	return RC_OK;
}

Rc
check_place(CheckContext *context, const CheckServer *source, Error *err)
{
	const CatalogOptions options = {
		.publications = context->config->publications,
	};
	CopyCatalog *catalog = NULL;
	Placed *placed = NULL;
	Rc rc;

	if (context->config->placement == NULL)
		return RC_OK;
	rc = catalog_read(&catalog, source->conn, &options, err);
	if (rc == RC_OK)
		rc = placed_read(&placed, catalog, context->config->placement,
						 source->conn, err);
	if (rc == RC_OK)
	{
		add_problems(context, source, placed);
		add_unused(context, source, placed);
		rc = add_foreign_key(context, source, catalog, placed, err);
	}
	if (rc == RC_OK)
		rc = add_parts(context, source, catalog, err);
	placed_free(placed);
	catalog_free(catalog);
	if (rc == RC_FAIL && err->code == ERR_CONFIG)
	{
		/* There is a finding already about publications that do not exist. */
		error_reset(err);
		rc = RC_OK;
	}
	return rc;
}
