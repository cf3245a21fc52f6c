/*
 * place.c
 *    Reads the published tables from the source, and the directory from a
 *    target.
 */
#include "pipeline/beside/place.h"

#include <string.h>

#include "base/json.h"
#include "net/sql.h"
#include "pipeline/beside/reach.h"

/* Largest size in bytes of each text of a Place; a table needs about 100. */
#define PLACE_TEXT_MAX (256 * MB)

void
place_append_places(const Placed *placed, Buf *buf)
{
	Buf text;
	Json json;

	buf_init(&text, BUF_TEXT_MAX);
	json_init(&json, buf);
	json_begin_object(&json);
	for (int i = 0; i < placed->table_count; i++)
	{
		if (placed->tables[i].rule == NULL)
			continue;
		buf_reset(&text);
		placement_append_place(placed->tables[i].rule, &text);
		json_key(&json, placed->tables[i].table->qualified);
		json_text(&json, text.data);
	}
	json_end_object(&json);
	buf_release(&text);
}

/* Returns the source's OID of the directory's table; 0: there is none. */
static uint32_t
find_directory_oid(const CopyCatalog *catalog, const Placement *placement)
{
	const PlacementDirectory *directory = placement_find_directory(placement);

	for (int i = 0; directory != NULL && i < catalog->table_count; i++)
		if (strcmp(catalog->tables[i].schema, directory->schema) == 0 &&
			strcmp(catalog->tables[i].name, directory->table) == 0)
			return catalog->tables[i].oid;
	return 0;
}

static MUST_CHECK Rc
require_room(const Buf *text, Error *err)
{
	if (!text->overflowed)
		return RC_OK;
	return error_set(err, ERR_LIMIT,
					 "the names of the published tables that section "
					 "[placement] places are longer than %zu bytes",
					 (size_t) PLACE_TEXT_MAX);
}

Rc
place_read(Place *place, const Config *config, PgConn *source, Error *err)
{
	const CatalogOptions options = {.publications = config->publications};
	Rc rc;

	buf_init(&place->distribution, PLACE_TEXT_MAX);
	buf_init(&place->places, PLACE_TEXT_MAX);
	if (config->placement == NULL)
		return RC_OK;
	rc = catalog_read(&place->catalog, source, &options, err);
	if (rc == RC_OK)
		rc = placed_read(&place->placed, place->catalog, config->placement,
						 source, err);
	if (rc == RC_OK)
		rc = placed_require_good(place->placed, err);
	if (rc == RC_OK)
	{
		placed_append_distribution(place->placed, config->placement, NULL, 0,
								   &place->distribution);
		place_append_places(place->placed, &place->places);
		place->directory_oid = find_directory_oid(place->catalog,
												  config->placement);
		rc = require_room(&place->distribution, err);
	}
	if (rc == RC_OK)
		rc = require_room(&place->places, err);
	return rc;
}

static void
forget_tables(Place *place)
{
	placed_free(place->placed);
	catalog_free(place->catalog);
	place->placed = NULL;
	place->catalog = NULL;
}

void
place_release(Place *place)
{
	buf_release(&place->distribution);
	buf_release(&place->places);
	forget_tables(place);
}

/* ---- what the targets have noted ---------------------------------------- */

static void
append_attnums(const PlacedColumns *columns, Buf *buf)
{
	for (int i = 0; i < columns->count; i++)
		buf_printf(buf, "%s%d", i > 0 ? ", " : "", columns->attnums[i]);
}

static MUST_CHECK Rc
refuse_other_columns(const PlacedTable *table, const PlacedColumns *noted,
					 Error *err)
{
	Buf was;
	Buf is;
	Rc rc = error_set(err, ERR_CONFIG,
					  "rows of table %s are placed by another column than the "
					  "one that section [placement] names",
					  table->table->qualified);

	buf_init(&was, BUF_TEXT_MAX);
	buf_init(&is, BUF_TEXT_MAX);
	append_attnums(noted, &was);
	append_attnums(&table->columns, &is);
	error_detail(err,
				 "They are placed by attnum %s; the names in line %d mean "
				 "attnum %s on the source now.",
				 was.data, table->rule->line, is.data);
	error_hint(err,
			   "SELECT attnum, attname FROM pg_attribute WHERE attrelid = %u "
			   "AND attnum IN (%s), run on the source, gives the name that it "
			   "has now.  Write that into section [placement], followed by "
			   "\"formerly\" and the older names, the oldest one last; if the "
			   "column was dropped, clone again.",
			   noted->oid, was.data);
	buf_release(&was);
	buf_release(&is);
	return rc;
}

Rc
place_require_noted(const Placed *placed, const PlacedColumnsList *list,
					Error *err)
{
	for (int i = 0; i < placed->table_count; i++)
	{
		const PlacedTable *table = &placed->tables[i];
		const PlacedColumns *noted = placed_columns_find(list,
														 table->columns.oid);

		if (noted != NULL && !placed_columns_equal(noted, &table->columns))
			return refuse_other_columns(table, noted, err);
	}
	return RC_OK;
}

Rc
place_learn(Place *place, const Config *config,
			const PlacedColumnsList *const *noted, int count, bool *learnt,
			Error *err)
{
	Buf distribution;
	Rc rc = RC_OK;

	*learnt = false;
	if (config->placement == NULL)
		return RC_OK;
	for (int i = 0; i < count && rc == RC_OK; i++)
		rc = place_require_noted(place->placed, noted[i], err);
	if (rc != RC_OK)
		return rc;
	buf_init(&distribution, PLACE_TEXT_MAX);
	placed_append_distribution(place->placed, config->placement, noted, count,
							   &distribution);
	rc = require_room(&distribution, err);
	/* Before, it had no OIDs and attnums. */
	*learnt = distribution.length > place->distribution.length;
	forget_tables(place);
	buf_release(&place->distribution);
	place->distribution = distribution;
	return rc;
}

/* Reads the directory's table on a target. */
static MUST_CHECK Rc
select_directory(const PlacementDirectory *place, PgConn *conn,
				 PGresult **result, Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT ");
	buf_append_identifier(&sql, place->key);
	buf_append_string(&sql, "::text, ");
	buf_append_identifier(&sql, place->node);
	buf_append_string(&sql, "::text FROM ");
	sql_append_qualified(&sql, place->schema, place->table);
	rc = sql_run(conn, &sql, result, err);
	return rc;
}

Rc
place_read_directory(const Config *config, int target, Lsn lsn,
					 Directory **directory, Error *err)
{
	const PlacementDirectory *place;
	PGresult *result = NULL;
	PgConn *conn = NULL;
	Rc rc;

	if (config->placement == NULL ||
		!placement_uses_directory(config->placement))
		return RC_OK;
	place = placement_find_directory(config->placement);
	rc = reach_target(config, target, &conn, err);
	if (rc == RC_OK)
		rc = select_directory(place, conn, &result, err);
	if (rc == RC_OK)
		*directory = directory_new(place, lsn);
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
		if (!PQgetisnull(result, row, 0) && !PQgetisnull(result, row, 1))
			rc = directory_add(*directory, PQgetvalue(result, row, 0),
							   PQgetvalue(result, row, 1), err);
	PQclear(result);
	pgconn_close(conn);
	return rc;
}

bool
place_node(const Config *config, int target, const Buf *places,
		   NodeIdentity *node)
{
	if (config->placement == NULL)
		return false;
	ASSERT(target >= 0 && config->node_count > 0);
	*node = (NodeIdentity){
		.modulus = config->node_count,
		.remainder = target < config->node_count ? target : NODE_REMAINDER_NONE,
		.places = places->data,
	};
	return true;
}
