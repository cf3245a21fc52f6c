/*
 * check.c
 *    What is looked at before anything is written.
 */
#include "job/clone/check.h"

#include <string.h>

#include "base/own_command.h"
#include "check/ends.h"
#include "check/obstacles.h"
#include "check/rules.h"
#include "copy/rows/standby.h"
#include "net/writer.h"
#include "pipeline/remember.h"

#define APPLICATION_NAME "penstock clone"

Rc
clone_open_source(PgConn **conn, const Config *config, PgConnKind kind,
				  Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	const PgConnOptions options = {
		.conninfo = config->source,
		.label = label,
		.application_name = APPLICATION_NAME,
		.kind = kind,
	};

	config_label_source(config, label);
	return pgconn_open(conn, &options, err);
}

bool
clone_writes_rows(const Config *config)
{
	return !config->schema_only && !config->dry_run;
}

Rc
clone_open_target(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];
	PgConnOptions options = {
		.conninfo = clone->config->targets[number],
		.label = target->label,
		.application_name = APPLICATION_NAME,
		.kind = PGCONN_DATA,
	};

	bool marked;

	config_label_target(clone->config, number, target->label);
	if (!clone_writes_rows(clone->config))
		return pgconn_open(&target->conn, &options, err);
	return writer_open(&target->conn, &options, clone->config->name, &marked,
					   err);
}

/*
 * Our statements about the catalogs are long and run once: compiling them takes
 * many times as long as running them.
 */
static Rc
set_up_session(PgConn *conn, Error *err)
{
	return pgconn_exec(conn, "SET jit = off", NULL, err);
}

Rc
clone_open_all(Clone *clone, Error *err)
{
	Rc rc = clone_open_source(&clone->source, clone->config, PGCONN_DATA, err);

	if (rc == RC_OK)
		rc = set_up_session(clone->source, err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		rc = clone_open_target(clone, i, err);
		if (rc == RC_OK)
			rc = set_up_session(clone->targets[i].conn, err);
	}
	if (rc == RC_OK && !clone->config->schema_only)
		rc = clone_open_source(&clone->replication, clone->config,
							   PGCONN_REPLICATION, err);
	if (rc == RC_OK && clone->config->copy_from != NULL)
		rc = standby_open(&clone->standby, clone->config->copy_from, err);
	return rc;
}

Rc
clone_read_catalog(Clone *clone, bool warn, Error *err)
{
	const CatalogOptions options = {
		.publications = clone->config->publications,
		.selection = &clone->config->selection,
		.placement = clone->placement != NULL ? clone->placement
											  : clone->config->placement,
		.without_unlogged = clone->config->no_unlogged_data,
		.warn = warn,
	};

	catalog_free(clone->catalog);
	clone->catalog = NULL;
	return catalog_read(&clone->catalog, clone->source, &options, err);
}

/*
 * From PostgreSQL 19 on the first logical slot has a server whose wal_level is
 * replica log what it takes, as long as there is one.
 */
static bool
can_decode(const PgConn *source, const char *wal_level)
{
	return strcmp(wal_level, "logical") == 0 ||
		   (strcmp(wal_level, "replica") == 0 &&
			pgconn_server_version_num(source) >= 190000);
}

static Rc
check_wal_level(PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source, "SHOW wal_level", &result, err);

	if (rc != RC_OK)
		return rc;
	if (!can_decode(source, PQgetvalue(result, 0, 0)))
	{
		rc = error_set(err, ERR_CONFIG,
					   "wal_level of the source is \"%s\", not \"logical\"",
					   PQgetvalue(result, 0, 0));
		error_hint(err, "Run there: ALTER SYSTEM SET wal_level = logical; "
						"and restart the server.");
	}
	PQclear(result);
	return rc;
}

Rc
clone_check_ends(const Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		rc = ends_check(clone->source, clone->targets[i].conn,
						clone->config->name, clone->config->publications, err);
	for (int n = 0; n < clone->other_count && rc == RC_OK; n++)
		for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
			rc = ends_check(clone->others[n].source, clone->targets[i].conn,
							clone->others[n].config->name,
							clone->config->publications, err);
	return rc;
}

/* Whether the pipeline is known on any of the targets. */
static Rc
is_on_targets(const Clone *clone, bool *known, Error *err)
{
	Rc rc = RC_OK;

	*known = false;
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		ProgressRow row;

		rc = progress_table_read(clone->targets[i].conn, clone->config->name,
								 &row, err);
		*known |= rc == RC_OK && (row.exists || clone->targets[i].run.exists);
	}
	return rc;
}

static Rc
check_no_slot(const Clone *clone, Error *err)
{
	const char *name = clone->config->name;
	SlotInfo slot;
	bool known;
	Rc rc = slot_read(clone->source, name, &slot, err);

	if (rc != RC_OK || !slot.exists)
		return rc;
	/* One of another database, or of others, is not to be dropped by us. */
	rc = slot_require_usable(&slot, name, err);
	if (rc != RC_OK && !slot.lost)
		return rc;
	rc = is_on_targets(clone, &known, err);
	if (rc != RC_OK)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "replication slot \"%s\" already exists on the source",
				   name);
	if (known)
		error_hint(err,
				   "If its pipeline is not needed any more, remove it with "
				   "\"%s\"; else choose another --name.",
				   OWN_COMMAND("drop"));
	else
		error_hint(err,
				   "Another target may be fed from it: choose another --name.  "
				   "If none is, \"%s\" removes it.",
				   OWN_COMMAND("drop --force"));
	return rc;
}

Rc
clone_check_no_progress(const Clone *clone, const CloneTarget *target,
						Error *err)
{
	const char *name = clone->config->name;
	ProgressRow row;
	Rc rc = progress_table_read(target->conn, name, &row, err);

	if (rc != RC_OK || !row.exists)
		return rc;
	rc = error_set(err, ERR_CONFIG, "pipeline \"%s\" already ends at %s", name,
				   target->label);
	if (strcmp(row.source.system_identifier,
			   clone->history.identity.system_identifier) != 0)
	{
		error_detail(err, "Its source is another server.");
		error_hint(err, "Choose another --name.");
	}
	else
		error_hint(err, "Go on with \"%s\", or remove it with \"%s\".",
				   OWN_COMMAND("follow"), OWN_COMMAND("drop"));
	return rc;
}

/* What the clone is to do; with a target or, for the source alone, NULL. */
static CopyPlan
plan_of(const Clone *clone, PgConn *target)
{
	return (CopyPlan){
		.catalog = clone->catalog,
		.limits =
			{
				.no_owner = clone->config->no_owner,
				.no_privileges = clone->config->no_privileges,
				.no_tablespaces = clone->config->no_tablespaces,
			},
		.source = clone->source,
		.target = target,
		.schema_only = clone->config->schema_only,
		.data_only = clone->config->data_only,
	};
}

/* Whether the target can take what the catalog has. */
static Rc
check_target(const Clone *clone, const CloneTarget *target, Error *err)
{
	const CopyPlan plan = plan_of(clone, target->conn);
	Rc rc = RC_OK;

	if (!clone->config->schema_only)
		rc = clone_check_no_progress(clone, target, err);
	if (rc == RC_OK)
		rc = obstacles_check(&plan, COPY_SIDE_TARGET, err);
	return rc;
}

Rc
clone_check_targets(const Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		rc = check_target(clone, &clone->targets[i], err);
	return rc;
}

static Rc
find_programs(Clone *clone, Error *err)
{
	int major = pgconn_server_version_num(clone->source) / 10000;

	for (int i = 0; i < clone->config->target_count; i++)
	{
		int other = pgconn_server_version_num(clone->targets[i].conn) / 10000;

		major = other > major ? other : major;
	}
	return programs_find(&clone->programs, clone->config->pg_bindir, major,
						 clone->arena, err);
}

Rc
clone_check_source(Clone *clone, Error *err)
{
	const Config *config = clone->config;
	CopyPlan plan;
	Rc rc = RC_OK;

	if (!config->schema_only)
		rc = check_wal_level(clone->source, err);
	if (rc == RC_OK)
		rc = clone_read_catalog(clone, true, err);
	if (rc == RC_OK)
	{
		plan = plan_of(clone, NULL);
		rc = obstacles_check(&plan, COPY_SIDE_SOURCE, err);
	}
	if (rc == RC_OK && !config->data_only)
		rc = find_programs(clone, err);
	return rc;
}

Rc
clone_check_fresh(const Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (!clone->config->schema_only)
		rc = check_no_slot(clone, err);
	if (rc == RC_OK)
		rc = rules_check(clone->config, &(Words){0}, clone->source, err);
	if (rc == RC_OK)
		rc = clone_check_targets(clone, err);
	return rc;
}

Rc
clone_note_options(const Config *config, PgConn *target, Arena *arena,
				   Error *err)
{
	PipelineMemory memory;

	remember_copied(config, arena, &memory);
	return pipeline_table_write(target, config->name, &memory, err);
}
