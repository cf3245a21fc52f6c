/*
 * several.c
 *    Compares each source with the lead.
 */
#include "job/clone/several.h"

#include "base/log.h"
#include "catalog/same_tables.h"
#include "check/parts.h"

Rc
clone_check_same_tables(const Clone *clone, const CloneSource *source,
						Error *err)
{
	const CloneSource *lead = clone->lead;

	return same_tables_check(
		&(SameTablesSide){lead->catalog, lead->config->placement,
						  pgconn_label(lead->conn)},
		&(SameTablesSide){source->catalog, source->config->placement,
						  pgconn_label(source->conn)},
		err);
}

/* Refuses a source with large objects, whose OIDs may exist on the lead. */
static MUST_CHECK Rc
check_large_objects(const CloneSource *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		source->conn, "SELECT FROM pg_catalog.pg_largeobject_metadata LIMIT 1",
		&result, err);

	if (rc == RC_OK && PQntuples(result) > 0)
		log_warning("clone.large-objects-left-out",
					"large objects of %s are not copied: those of the first "
					"source are, and no others",
					pgconn_label(source->conn));
	PQclear(result);
	return rc;
}

/* Checks that a source has the tables that are taken from it alone. */
static MUST_CHECK Rc
check_taken(const Clone *clone, const CloneSource *source, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < source->catalog->table_count && rc == RC_OK; i++)
	{
		const CopyTable *table = &source->catalog->tables[i];
		const PlacementRule *rule = placement_find(source->placement,
												   table->schema, table->name);

		if (rule == NULL || rule->source_name == NULL ||
			catalog_find_table(clone->lead->catalog, table->qualified) != NULL)
			continue;
		rc = error_set(err, ERR_CONFIG,
					   "table %s is published by %s alone, and the placement "
					   "takes it from source \"%s\"",
					   table->qualified, pgconn_label(source->conn),
					   rule->source_name);
		error_hint(err, "Place it by a line of its own: none, only TARGET, or "
						"hash(COLUMN, ...).");
	}
	return rc;
}

/* Checks one source that is not the lead. */
static MUST_CHECK Rc
check_beside(const Clone *clone, const CloneSource *source, Error *err)
{
	Rc rc = clone_check_same_tables(clone, source, err);

	if (rc == RC_OK)
		rc = check_taken(clone, source, err);
	if (rc == RC_OK && catalog_has_large_objects(clone->lead->catalog))
		rc = check_large_objects(source, err);
	return rc;
}

Rc
clone_check_several(const Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (!clone_has_several(clone))
		return RC_OK;
	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
	{
		const CloneSource *source = &clone->sources[i];

		rc = parts_check(source->catalog, source->placement, source->conn, err);
		if (rc == RC_OK && source != clone->lead)
			rc = check_beside(clone, source, err);
		if (rc == RC_FAIL && err->code != ERR_INTERRUPTED &&
			source != clone->lead)
			error_context(err, "%s", pgconn_label(source->conn));
	}
	return rc;
}
