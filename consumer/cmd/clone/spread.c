/*
 * spread.c
 *    Spreading rows, and what is to be known before.
 */
#include "cmd/clone/spread.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/place.h"
#include "copy/match.h"
#include "copy/spread.h"

/* Which database of which server a target is. */
static MUST_CHECK Rc
read_identity(CloneTarget *target, Arena *arena, char **identity, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		target->conn,
		"SELECT pg_catalog.pg_postmaster_start_time() || ' '"
		" || coalesce(pg_catalog.inet_server_port()::text,"
		"  pg_catalog.current_setting('port'))"
		" || ' ' || pg_catalog.current_setting('data_directory', true)"
		" || ' ' || (SELECT oid FROM pg_catalog.pg_database"
		"  WHERE datname = current_database())",
		&result, err);

	if (rc == RC_OK)
		*identity = arena_strdup(arena, PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

/* Two names of one database would get rows twice. */
static MUST_CHECK Rc
check_distinct(Clone *clone, Error *err)
{
	char *identities[CONFIG_TARGETS_MAX];

	for (int i = 0; i < clone->config->target_count; i++)
	{
		Rc rc = read_identity(&clone->targets[i], clone->arena, &identities[i],
							  err);

		if (rc != RC_OK)
			return rc;
		for (int n = 0; n < i; n++)
			if (strcmp(identities[i], identities[n]) == 0)
				return error_set(
					err, ERR_CONFIG, "%s and %s are the same database",
					clone->targets[n].label, clone->targets[i].label);
	}
	return RC_OK;
}

Rc
clone_spread_check(Clone *clone, Error *err)
{
	Place place = {0};
	Rc rc = RC_OK;

	if (clone->config->placement != NULL && clone->resumed)
	{
		rc = error_set(err, ERR_CONFIG,
					   "a clone with a placement cannot go on where it was "
					   "broken off");
		error_hint(err, "Start it over with --restart.");
		return rc;
	}
	if (clone->config->target_count > 1)
		rc = check_distinct(clone, err);
	if (rc == RC_OK)
		rc = place_read(&place, clone->config, clone->source, err);
	place_release(&place);
	return rc;
}

/* Each table in a format, and only if it has no rows, that suits all. */
static MUST_CHECK Rc
match_targets(Clone *clone, Error *err)
{
	CopyCatalog *catalog = clone->catalog;
	bool *binary = arena_calloc(clone->arena, (size_t) catalog->table_count,
								sizeof(bool));

	for (int i = 0; i < clone->config->target_count; i++)
	{
		Rc rc = match_target(catalog, clone->targets[i].conn, err);

		if (rc != RC_OK)
			return rc;
		for (int n = 0; n < catalog->table_count; n++)
			binary[n] = catalog->tables[n].binary && (i == 0 || binary[n]);
	}
	for (int n = 0; n < catalog->table_count; n++)
		catalog->tables[n].binary = binary[n];
	return RC_OK;
}

static MUST_CHECK Rc
spread_rows(Clone *clone, const Placed *placed, Error *err)
{
	const Config *config = clone->config;
	SpreadTarget targets[CONFIG_TARGETS_MAX];
	const SpreadOptions options = {
		.job =
			{
				.source = config->source,
				.snapshot = clone->snapshot.name,
				.targets = targets,
				.target_count = config->target_count,
				.node_count = config->node_count,
			},
		.jobs = config->jobs,
		.expects_quiet = config->data_only,
	};
	DataReport report;
	Rc rc;

	for (int i = 0; i < config->target_count; i++)
		targets[i] = (SpreadTarget){.conninfo = config->targets[i],
									.label = clone->targets[i].label};
	log_info("clone", "copying %d tables to %d targets",
			 clone->catalog->table_count, config->target_count);
	rc = spread_copy(clone->catalog, placed, &options, &report, err);
	for (int i = 0; i < config->target_count; i++)
		clone->targets[i].tables_touched = report.tables_touched;
	if (rc == RC_OK)
		log_info("clone",
				 "copied %d tables to %d targets: %" PRId64
				 " rows, %.1f MB, %.1f MB/s",
				 report.tables, config->target_count, report.rows,
				 (double) report.bytes / (double) MB, report.rate);
	return rc;
}

static void
start_builds(Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
		for (int n = 0; n < clone->catalog->table_count; n++)
			build_table_copied(clone->targets[i].build,
							   &clone->catalog->tables[n]);
}

Rc
clone_spread_rows(Clone *clone, Error *err)
{
	Placed *placed = NULL;
	Rc rc = match_targets(clone, err);

	if (rc == RC_OK)
		rc = placed_read(&placed, clone->catalog, clone->config->placement,
						 clone->source, err);
	if (rc == RC_OK)
		rc = placed_require_good(placed, err);
	if (rc == RC_OK)
	{
		buf_init(&clone->places, BUF_TEXT_MAX);
		place_append_places(placed, &clone->places);
		rc = spread_rows(clone, placed, err);
	}
	if (rc == RC_OK)
		start_builds(clone);
	placed_free(placed);
	return rc;
}

Rc
clone_spread_note(Clone *clone, int number, Error *err)
{
	PgConn *conn = clone->targets[number].conn;
	NodeIdentity node;
	Rc rc;

	if (!place_node(clone->config, number, &clone->places, &node))
		return RC_OK;
	rc = node_table_create(conn, err);
	if (rc == RC_OK)
		rc = node_table_write(conn, clone->config->name, &node, err);
	return rc;
}
