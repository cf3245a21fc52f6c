/*
 * place.c
 *    Reads the published tables from the source, and the directory from a
 *    target.
 */
#include "pipeline/beside/place.h"

#include <inttypes.h>
#include <stdio.h>
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

void
place_append_columns(const Placed *placed, Buf *buf)
{
	Json json;

	json_init(&json, buf);
	json_begin_object(&json);
	for (int i = 0; i < placed->table_count; i++)
	{
		const PlacedColumns *columns = &placed->tables[i].columns;
		char oid[16];

		if (columns->oid == 0)
			continue;
		snprintf(oid, sizeof(oid), "%" PRIu32, columns->oid);
		json_key(&json, oid);
		json_begin_array(&json);
		for (int k = 0; k < columns->count; k++)
			json_int(&json, columns->attnums[k]);
		json_end_array(&json);
	}
	json_end_object(&json);
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

Rc
place_read(Place *place, const Config *config, PgConn *source, Error *err)
{
	const CatalogOptions options = {.publications = config->publications};
	CopyCatalog *catalog = NULL;
	Placed *placed = NULL;
	Rc rc;

	buf_init(&place->distribution, PLACE_TEXT_MAX);
	buf_init(&place->places, PLACE_TEXT_MAX);
	buf_init(&place->columns, PLACE_TEXT_MAX);
	if (config->placement == NULL)
		return RC_OK;
	rc = catalog_read(&catalog, source, &options, err);
	if (rc == RC_OK)
		rc = placed_read(&placed, catalog, config->placement, source, err);
	if (rc == RC_OK)
		rc = placed_require_good(placed, err);
	if (rc == RC_OK)
	{
		placed_append_distribution(placed, config->placement,
								   &place->distribution);
		place_append_places(placed, &place->places);
		place_append_columns(placed, &place->columns);
		placed_list_columns(placed, &place->column_list);
		place->directory_oid = find_directory_oid(catalog, config->placement);
		if (place->distribution.overflowed || place->places.overflowed ||
			place->columns.overflowed)
			rc = error_set(err, ERR_LIMIT,
						   "the names of the published tables that section "
						   "[placement] places are longer than %zu bytes",
						   (size_t) BUF_TEXT_MAX);
	}
	placed_free(placed);
	catalog_free(catalog);
	return rc;
}

void
place_release(Place *place)
{
	buf_release(&place->distribution);
	buf_release(&place->places);
	buf_release(&place->columns);
	placed_columns_release(&place->column_list);
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
		   const Buf *columns, NodeIdentity *node)
{
	if (config->placement == NULL)
		return false;
	ASSERT(target >= 0 && config->node_count > 0);
	*node = (NodeIdentity){
		.modulus = config->node_count,
		.remainder = target < config->node_count ? target : NODE_REMAINDER_NONE,
		.places = places->data,
		.columns = columns->data,
	};
	return true;
}
