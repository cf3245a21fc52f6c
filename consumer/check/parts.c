/*
 * parts.c
 *    Compares a placement with the source's table penstock.node, in which the
 *    pipelines record the tables whose rows they have spread.
 */
#include "check/parts.h"

#include <string.h>

#include "base/buf.h"
#include "control/node_table.h"

/* Returns the place of a table in the source's penstock.node, such as
 * hash("a"), or NULL if the table is not there. */
static const char *
find_place(const PGresult *places, const char *qualified)
{
	for (int row = 0; row < PQntuples(places); row++)
		if (strcmp(PQgetvalue(places, row, 0), qualified) == 0)
			return PQgetvalue(places, row, 1);
	return NULL;
}

static MUST_CHECK Rc
refuse(const CopyTable *table, const PlacementRule *rule, const char *place,
	   const PgConn *source, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "table %s is spread over several databases, and the "
					  "placement takes it from source \"%s\" alone",
					  table->qualified, rule->source_name);

	error_detail(err,
				 "%s has only the rows that \"%s\" has put there: those on the "
				 "other databases would go nowhere.",
				 pgconn_label(source), place);
	error_hint(err,
			   "Give it a line in section [placement] that takes its rows from "
			   "all sources, such as %s = %s.",
			   table->qualified,
			   strncmp(place, "hash", 4) == 0 ? place : "only NAME");
	return rc;
}

Rc
parts_check(const CopyCatalog *catalog, const Placement *placement,
			PgConn *source, Error *err)
{
	PGresult *places = NULL;
	Rc rc = node_table_list_places(source, &places, err);

	for (int i = 0; places != NULL && i < catalog->table_count && rc == RC_OK;
		 i++)
	{
		const CopyTable *table = &catalog->tables[i];
		const PlacementRule *rule = placement_find(placement, table->schema,
												   table->name);
		const char *place = find_place(places, table->qualified);

		if (rule != NULL && rule->source_name != NULL && place != NULL)
			rc = refuse(table, rule, place, source, err);
	}
	PQclear(places);
	return rc;
}
