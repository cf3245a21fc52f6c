/*
 * spread.c
 *    Spreading rows, and what is to be known before.
 */
#include "cmd/clone/spread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/place.h"
#include "copy/match.h"
#include "copy/spread.h"

/* Which database of which server it is. */
static MUST_CHECK Rc
read_identity(PgConn *conn, Arena *arena, char **identity, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		conn,
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

/* Two names of one database: its rows would be there, or be read, twice. */
static MUST_CHECK Rc
check_distinct(PgConn *const *conns, int count, Arena *arena, Error *err)
{
	char *identities[CONFIG_TARGETS_MAX];

	for (int i = 0; i < count; i++)
	{
		Rc rc = read_identity(conns[i], arena, &identities[i], err);

		if (rc != RC_OK)
			return rc;
		for (int n = 0; n < i; n++)
			if (strcmp(identities[i], identities[n]) == 0)
				return error_set(
					err, ERR_CONFIG, "%s and %s are the same database",
					pgconn_label(conns[n]), pgconn_label(conns[i]));
	}
	return RC_OK;
}

_Static_assert(CONFIG_SOURCES_MAX <= CONFIG_TARGETS_MAX,
			   "sources fit where targets do");

static MUST_CHECK Rc
check_ends(Clone *clone, Error *err)
{
	PgConn *conns[CONFIG_TARGETS_MAX];
	Rc rc;

	for (int i = 0; i < clone->config->target_count; i++)
		conns[i] = clone->targets[i].conn;
	rc = check_distinct(conns, clone->config->target_count, clone->arena, err);
	conns[0] = clone->source;
	for (int i = 0; i < clone->other_count; i++)
		conns[i + 1] = clone->others[i].source;
	if (rc == RC_OK)
		rc = check_distinct(conns, clone->other_count + 1, clone->arena, err);
	return rc;
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
	if (clone->config->target_count > 1 || clone->other_count > 0)
		rc = check_ends(clone, err);
	if (rc == RC_OK)
		rc = place_read(&place, clone->config, clone->source, err);
	place_release(&place);
	return rc;
}

/*
 * Each table of a source in a format, and only if it has no rows, that suits
 * all targets.
 */
static MUST_CHECK Rc
match_targets(const Clone *clone, CopyCatalog *catalog, Error *err)
{
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

/* What is said of a source's rows. */
static void
describe_source(const Clone *clone, const Clone *source,
				char text[static CONFIG_LABEL_SIZE])
{
	text[0] = '\0';
	if (clone->other_count > 0)
		snprintf(text, CONFIG_LABEL_SIZE, " of source \"%s\"",
				 source->config->source_name);
}

/* The rows of one of the sources. */
static MUST_CHECK Rc
spread_rows(Clone *clone, const Clone *source, const Placed *placed, Error *err)
{
	const Config *config = clone->config;
	char of_source[CONFIG_LABEL_SIZE];
	SpreadTarget targets[CONFIG_TARGETS_MAX];
	const SpreadOptions options = {
		.job =
			{
				.source = source->config->source,
				.pipeline = clone->config->name,
				.snapshot = source->snapshot.name,
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
	describe_source(clone, source, of_source);
	log_info("clone", "copying %d tables%s to %d targets",
			 source->catalog->table_count, of_source, config->target_count);
	rc = spread_copy(source->catalog, placed, &options, &report, err);
	for (int i = 0; i < config->target_count; i++)
		clone->targets[i].tables_touched += report.tables_touched;
	if (rc == RC_OK)
		log_info("clone",
				 "copied %d tables%s to %d targets: %" PRId64
				 " rows, %.1f MB, %.1f MB/s",
				 report.tables, of_source, config->target_count, report.rows,
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

static MUST_CHECK Rc
place_rows(Clone *clone, Clone *source, Error *err)
{
	Placed *placed = NULL;
	Rc rc = placed_read(&placed, source->catalog, source->config->placement,
						source->source, err);

	if (rc == RC_OK)
		rc = placed_require_good(placed, err);
	if (rc == RC_OK)
	{
		buf_init(&source->places, BUF_TEXT_MAX);
		place_append_places(placed, &source->places);
		rc = spread_rows(clone, source, placed, err);
	}
	placed_free(placed);
	return rc;
}

/* The targets are looked at before the first source's rows are there. */
Rc
clone_spread_rows(Clone *clone, Error *err)
{
	Rc rc = match_targets(clone, clone->catalog, err);

	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
		rc = match_targets(clone, clone->others[i].catalog, err);
	if (rc == RC_OK)
		rc = place_rows(clone, clone, err);
	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
		rc = place_rows(clone, &clone->others[i], err);
	if (rc == RC_OK)
		start_builds(clone);
	return rc;
}

Rc
clone_spread_note(const Clone *source, int number, PgConn *target, Error *err)
{
	NodeIdentity node;
	Rc rc;

	if (!place_node(source->config, number, &source->places, &node))
		return RC_OK;
	rc = node_table_create(target, err);
	if (rc == RC_OK)
		rc = node_table_write(target, source->config->name, &node, err);
	return rc;
}
