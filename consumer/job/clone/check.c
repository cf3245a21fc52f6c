/*
 * check.c
 *    Connections, and the checks before anything is written.
 */
#include "job/clone/check.h"

#include <string.h>

#include "base/log.h"
#include "base/own_command.h"
#include "check/ends.h"
#include "check/obstacles.h"
#include "check/rules.h"
#include "copy/rows/standby.h"
#include "net/pgconn_open.h"
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

	ASSERT(target->conn == NULL);
	config_label_target(clone->config, number, target->label);
	if (!clone_writes_rows(clone->config))
		return pgconn_open(&target->conn, &options, err);
	return writer_open(&target->conn, &options, clone->config->name, &marked,
					   err);
}

/*
 * Turns JIT compilation off: our queries of the catalogs are long and run once,
 * so compiling would take much longer than running them.
 */
static Rc
set_up_session(PgConn *conn, Error *err)
{
	return pgconn_exec(conn, "SET jit = off", NULL, err);
}

/* Opens the source's other connections: for replication, and to the standby. */
static Rc
open_further(CloneSource *source, Error *err)
{
	Rc rc = RC_OK;

	if (!source->config->schema_only)
		rc = clone_open_source(&source->replication, source->config,
							   PGCONN_REPLICATION, err);
	if (rc == RC_OK && source->config->copy_from != NULL)
		rc = standby_open(&source->standby, source->config->copy_from, err);
	return rc;
}

Rc
clone_open_all(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
	{
		CloneSource *source = &clone->sources[i];

		rc = clone_open_source(&source->conn, source->config, PGCONN_DATA, err);
		if (rc == RC_OK)
			rc = set_up_session(source->conn, err);
	}
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		rc = clone_open_target(clone, i, err);
		if (rc == RC_OK)
			rc = set_up_session(clone->targets[i].conn, err);
	}
	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = open_further(&clone->sources[i], err);
	return rc;
}

Rc
clone_read_catalog(CloneSource *source, Error *err)
{
	const CatalogOptions options = {
		.publications = source->config->publications,
		.selection = &source->config->selection,
		.placement = source->placement,
		.without_unlogged = source->config->no_unlogged_data,
	};

	catalog_free(source->catalog);
	source->catalog = NULL;
	return catalog_read(&source->catalog, source->conn, &options, err);
}

/*
 * Whether a server with this wal_level can decode.  From PostgreSQL 19 on, a
 * server with wal_level = replica writes the WAL that decoding needs while
 * there is a logical slot.
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

	for (int n = 0; n < clone->source_count && rc == RC_OK; n++)
	{
		const CloneSource *source = &clone->sources[n];

		for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
			rc = ends_check(source->conn, clone->targets[i].conn,
							source->config->name, source->config->publications,
							err);
	}
	return rc;
}

/* Sets *known to whether a target has progress of the source's pipeline, or an
 * unfinished clone of it. */
static Rc
is_on_targets(const Clone *clone, const CloneSource *source, bool *known,
			  Error *err)
{
	Rc rc = RC_OK;

	*known = false;
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		ProgressRow row;

		rc = progress_table_read(clone->targets[i].conn, source->config->name,
								 &row, err);
		*known |= rc == RC_OK && (row.exists || clone->targets[i].run.exists);
	}
	return rc;
}

static Rc
check_no_slot(const Clone *clone, const CloneSource *source, Error *err)
{
	const char *name = source->config->name;
	SlotInfo slot;
	bool known;
	Rc rc = slot_read(source->conn, name, &slot, err);

	if (rc != RC_OK || !slot.exists)
		return rc;
	/* The hint below must not advise to drop the slot of another database or
	 * of another plugin. */
	rc = slot_require_usable(&slot, name, err);
	if (rc != RC_OK && !slot.lost)
		return rc;
	rc = is_on_targets(clone, source, &known, err);
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
clone_check_no_progress(const CloneSource *source, const CloneTarget *target,
						Error *err)
{
	const char *name = source->config->name;
	ProgressRow row;
	Rc rc = progress_table_read(target->conn, name, &row, err);

	if (rc != RC_OK || !row.exists)
		return rc;
	rc = error_set(err, ERR_CONFIG, "pipeline \"%s\" already ends at %s", name,
				   target->label);
	if (strcmp(row.source.system_identifier,
			   source->history.identity.system_identifier) != 0)
	{
		error_detail(err, "Its source is another server.");
		error_hint(err, "Choose another --name.");
	}
	else
		error_hint(err, "Go on with \"%s\", or remove it with \"%s\".",
				   OWN_COMMAND("follow"), OWN_COMMAND("drop"));
	return rc;
}

/* Returns the plan of the clone to a target; NULL: only for the source. */
static CopyPlan
plan_of(const CloneSource *source, PgConn *target)
{
	const Config *config = source->config;

	return (CopyPlan){
		.catalog = source->catalog,
		.limits =
			{
				.no_owner = config->no_owner,
				.no_privileges = config->no_privileges,
				.no_tablespaces = config->no_tablespaces,
			},
		.source = source->conn,
		.target = target,
		.schema_only = config->schema_only,
		.data_only = config->data_only,
	};
}

/* Refuses a target that cannot receive the tables of the catalog. */
static Rc
check_target(const Clone *clone, const CloneTarget *target, Error *err)
{
	const CopyPlan plan = plan_of(clone->lead, target->conn);
	Rc rc = RC_OK;

	if (!clone->config->schema_only)
		rc = clone_check_no_progress(clone->lead, target, err);
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

Rc
clone_find_programs(Clone *clone, Error *err)
{
	int major = pgconn_server_version_num(clone->lead->conn) / 10000;

	if (clone->config->data_only)
		return RC_OK;
	for (int i = 0; i < clone->config->target_count; i++)
	{
		int other = pgconn_server_version_num(clone->targets[i].conn) / 10000;

		major = other > major ? other : major;
	}
	return programs_find(&clone->programs, clone->config->pg_bindir, major,
						 clone->arena, err);
}

/* Warns of tables without a replica identity with one message, because there
 * may be hundreds of them. */
static void
say_without_identity(const CatalogFindings *findings)
{
	int count = findings->without_identity_count;

	if (count == 1)
		log_warning("copy.no-identity",
					"table %s has no usable replica identity: the source "
					"refuses updates and deletes of its rows",
					findings->without_identity);
	else if (count > 1)
		log_warning("copy.no-identity",
					"%d tables, such as %s, have no usable replica identity: "
					"the source refuses updates and deletes of their rows "
					"(\"%s\" lists them)",
					count, findings->without_identity,
					OWN_COMMAND("check --verbose"));
}

static void
say_findings(const CopyCatalog *catalog, const Config *config)
{
	const CatalogFindings *findings = &catalog->findings;

	if (findings->left_out_count > 0)
		log_warning(
			"copy.table-left-out",
			"table %s%s published but left out of the copy: following "
			"will stop at the first change to it unless you take it out "
			"of the publication (ALTER PUBLICATION … DROP TABLE …, or "
			"one that is not FOR ALL TABLES) before you clone",
			findings->left_out,
			findings->left_out_count > 1 ? " and others are" : " is");
	if (catalog->table_count == 0)
		log_warning("copy.nothing-published",
					"publications %s publish no table%s", config->publications,
					catalog->selected.all ? "" : " that is selected");
	say_without_identity(findings);
}

Rc
clone_check_source(CloneSource *source, Error *err)
{
	CopyPlan plan;
	Rc rc = RC_OK;

	if (!source->config->schema_only)
		rc = check_wal_level(source->conn, err);
	if (rc == RC_OK)
		rc = clone_read_catalog(source, err);
	if (rc != RC_OK)
		return rc;
	say_findings(source->catalog, source->config);
	plan = plan_of(source, NULL);
	return obstacles_check(&plan, COPY_SIDE_SOURCE, err);
}

Rc
clone_check_unused(const Clone *clone, const CloneSource *source, Error *err)
{
	Rc rc = RC_OK;

	if (!source->config->schema_only)
		rc = check_no_slot(clone, source, err);
	if (rc == RC_OK)
		rc = rules_check(source->config, &(Words){0}, false, source->conn, err);
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
