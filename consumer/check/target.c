/*
 * target.c
 *    Compares the target's server with the source's, and checks the privileges
 *    of the role on the target.
 */
#include "check/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "check/connect.h"
#include "check/query.h"
#include "check/tables.h"
#include "control/schema.h"
#include "net/target_name.h"

/* Query that warns if the role has no privilege to set
 * session_replication_role.  `may` is a condition for the privilege, and `fix`
 * the statement that grants it, with the role as %I. */
#define REPLICATION_ROLE_SQL(may, fix)                                         \
	"SELECT 'warning', format('role %I', current_user),"                       \
	" format('role \"%s\" may not set session_replication_role: triggers and " \
	"foreign keys of the target act on rows that are applied, and rows are "   \
	"applied strictly in order', current_user),"                               \
	" format(" fix ", current_user) WHERE NOT " may

static const CheckQuery queries[] = {
	{
		.code = "target_recovery",
		.sql = "SELECT 'error', NULL, 'the target is a standby and cannot be "
			   "written', '-- connect to its primary'"
			   " WHERE pg_is_in_recovery()",
	},
	{
		/* The session of the check has set default_transaction_read_only, so
		 * the query reads reset_val. */
		.code = "target_read_only",
		.sql =
			"SELECT 'warning', 'setting default_transaction_read_only',"
			" format('new transactions of role \"%s\" are read only: penstock "
			"overrides that for itself, but not for pg_restore, which "
			"\"penstock clone\" runs', current_user),"
			" format('ALTER ROLE %I IN DATABASE %I SET "
			"default_transaction_read_only = off;', current_user,"
			"  current_database())"
			" FROM pg_settings WHERE name = 'default_transaction_read_only'"
			" AND reset_val = 'on'",
	},
	{
		/* We use DO statements to empty tables, and to clean up the schema
		 * "penstock". */
		.code = "plpgsql",
		.sql = "SELECT 'error', 'language plpgsql',"
			   " CASE WHEN l.oid IS NULL THEN 'the database has no language "
			   "plpgsql, in which some statements are'"
			   " ELSE format('role \"%s\" may not use the language plpgsql, in "
			   "which some statements are', current_user) END,"
			   " CASE WHEN l.oid IS NULL THEN 'CREATE EXTENSION plpgsql;'"
			   " ELSE format('GRANT USAGE ON LANGUAGE plpgsql TO %I;',"
			   "  current_user) END"
			   " FROM (SELECT) one LEFT JOIN pg_language l"
			   "  ON l.lanname = 'plpgsql'"
			   " WHERE l.oid IS NULL"
			   " OR NOT has_language_privilege(l.oid, 'USAGE')",
	},
	{
		.code = "session_replication_role",
		.major_max = 14,
		.ok = "the role may set session_replication_role",
		.sql = REPLICATION_ROLE_SQL("current_setting('is_superuser')::bool",
									"'ALTER ROLE %I SUPERUSER;'"),
	},
	{
		.code = "session_replication_role",
		.major_min = 15,
		.ok = "the role may set session_replication_role",
		.sql = REPLICATION_ROLE_SQL(
			"has_parameter_privilege('session_replication_role', 'SET')",
			"'GRANT SET ON PARAMETER session_replication_role TO %I;'"),
	},
	{
		/* Before PostgreSQL 14, only a superuser can set a replication
		 * origin. */
		.code = "replication_origin",
		.major_min = 14,
		.ok = "the role may mark what it writes with a replication origin",
		.sql =
			"SELECT 'info', format('role %I', current_user),"
			" format('role \"%s\" may not set a replication origin: a pipeline "
			"that starts at the target cannot tell what is applied from what "
			"others write there', current_user),"
			" format('GRANT EXECUTE ON FUNCTION %s TO %I;',"
			"  string_agg(p.oid::regprocedure::text, ', ' ORDER BY proname),"
			"  current_user)"
			" FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace"
			" AND proname IN ('pg_replication_origin_create',"
			"  'pg_replication_origin_drop', 'pg_replication_origin_oid',"
			"  'pg_replication_origin_session_is_setup',"
			"  'pg_replication_origin_session_reset',"
			"  'pg_replication_origin_session_setup')"
			" AND NOT has_function_privilege(p.oid, 'EXECUTE')"
			" HAVING count(*) > 0",
	},
	{
		.code = "progress_table",
		.ok = "the role may keep progress",
		.sql = control_privileges_sql,
	},
};

static bool
same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/*
 * Adds an error if the target is the source's database.  The start time, in
 * microseconds, distinguishes a server from a copy of it, which has the same
 * system identifier and may be a target of the server.
 */
static void
compare_identity(CheckContext *context, const CheckServer *target,
				 const ServerFacts *facts)
{
	const ServerFacts *source = &context->source;

	if (!same_text(source->system_identifier, facts->system_identifier) ||
		!same_text(source->start_time, facts->start_time) ||
		!same_text(source->database_oid, facts->database_oid))
		return;
	findings_add(context->findings,
				 &(Finding){
					 .level = FINDING_ERROR,
					 .code = "same_database",
					 .server = target->name,
					 .object = "database",
					 .message = "source and target are the same database",
					 .fix = "-- name another database with --target",
				 });
}

static void
compare_version(CheckContext *context, const CheckServer *target,
				const ServerFacts *facts)
{
	int source_major = context->source.version_num / 10000;
	int target_major = facts->version_num / 10000;

	if (target_major >= source_major)
		return;
	findings_add(
		context->findings,
		&(Finding){
			.level = FINDING_WARNING,
			.code = "target_version",
			.server = target->name,
			.object = "server",
			.message = arena_printf(
				findings_arena(context->findings),
				"the target's version %d is older than the source's, %d: "
				"pg_restore may stop at what it does not know",
				target_major, source_major),
			.fix = "-- upgrade the target, or create the tables there and use "
				   "\"penstock clone --data-only\"",
		});
}

static void
compare_encoding(CheckContext *context, const CheckServer *target,
				 const ServerFacts *facts)
{
	const char *encoding = facts->encoding;

	/* UTF8 has all characters, and SQL_ASCII accepts all bytes. */
	if (same_text(encoding, context->source.encoding) ||
		same_text(encoding, "UTF8") || same_text(encoding, "SQL_ASCII"))
		return;
	findings_add(
		context->findings,
		&(Finding){
			.level = FINDING_WARNING,
			.code = "target_encoding",
			.server = target->name,
			.object = "database",
			.message = arena_printf(findings_arena(context->findings),
									"the encoding is %s, the source's is %s: a "
									"character that %s does not have stops the "
									"pipeline",
									encoding, context->source.encoding,
									encoding),
			.fix = "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0; "
				   "-- and use it as the target",
		});
}

static void
compare_with_source(CheckContext *context, const CheckServer *target,
					const ServerFacts *facts)
{
	if (!context->source.known)
		return;
	compare_identity(context, target, facts);
	compare_version(context, target, facts);
	compare_encoding(context, target, facts);
}

/* Reads the target's progress.  An SQL error is ignored: the query
 * "progress_table" adds a finding about missing privileges. */
static Rc
read_progress(CheckContext *context, int index, CheckServer *target, Error *err)
{
	ProgressRow *row = &context->progress[index];
	Rc rc = progress_table_read(target->conn, context->config->name, row, err);

	target->progress_known = rc == RC_OK;
	context->progress_known[index] = target->progress_known;
	target->has_progress = rc == RC_OK && row->exists;
	if (rc == RC_FAIL && err->code == ERR_SQL)
	{
		error_reset(err);
		rc = RC_OK;
	}
	return rc;
}

/* Adds an error if the target's progress is that of another source: LSNs of one
 * server's WAL have no meaning in another's. */
static void
compare_progress(CheckContext *context, const CheckServer *target,
				 const ProgressRow *row)
{
	const char *ours = context->source.system_identifier;
	const char *theirs = row->source.system_identifier;
	const char *name = context->config->name;
	Arena *arena = findings_arena(context->findings);

	if (!target->has_progress || ours == NULL || same_text(ours, theirs))
		return;
	findings_add(
		context->findings,
		&(Finding){
			.level = FINDING_ERROR,
			.code = "progress",
			.server = target->name,
			.object = "progress",
			.message = arena_printf(
				arena,
				"the progress of pipeline \"%s\" is of another source: system "
				"identifier %s, where the source's is %s",
				name, theirs, ours),
			.fix = arena_printf(
				arena,
				"-- choose another --name, or if that source is no more "
				"remove the progress of its pipeline, without --source:\n"
				"penstock drop --name=%s",
				name),
		});
}

static Rc
check_reached(CheckContext *context, int index, CheckServer *target,
			  const ServerFacts *facts, Error *err)
{
	Rc rc;

	compare_with_source(context, target, facts);
	rc = read_progress(context, index, target, err);
	if (rc == RC_OK)
	{
		compare_progress(context, target, &context->progress[index]);
		rc = check_run_queries(context, target, queries, LENGTH_OF(queries),
							   err);
	}
	if (rc == RC_OK)
		rc = check_tables(context, target, err);
	return rc;
}

char *
check_target_name(const Config *config, int index)
{
	char label[CONFIG_LABEL_SIZE];

	if (config->target_names[index] == NULL)
		return target_name(config->targets[index]);
	config_label_target(config, index, label);
	return xstrdup(label);
}

Rc
check_target(CheckContext *context, int index, Error *err)
{
	const char *conninfo = context->config->targets[index];
	char *name = check_target_name(context->config, index);
	CheckServer target = {.name = name};
	ServerFacts facts = {0};
	Rc rc = check_connect(context, conninfo, &target, &facts, err);

	if (rc == RC_OK)
		rc = check_reached(context, index, &target, &facts, err);
	pgconn_close(target.conn);
	rc = check_finish_server(context, &target, rc, err);
	free(name);
	return rc;
}
