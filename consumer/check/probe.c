/*
 * probe.c
 *    Creates a temporary slot with the plugin.
 *
 * We cannot query whether the plugin is installed: only superusers can list the
 * directories of the server's libraries, and a library may be for another
 * server version.  The pipeline will create a slot, too, so the trial needs no
 * privileges that the pipeline does not need, and it tests the replication
 * connection, the role, the library and its version at once.  The slot is
 * temporary, so that the server drops it when the connection ends, for whatever
 * reason.
 *
 * To create a slot, the server waits until all transactions have ended that
 * were open when it began.  It loads the plugin before it waits.  So a trial
 * that takes too long has shown that the plugin can be loaded, and we can
 * report which transactions "penstock clone" would wait for.
 */
#include "check/probe.h"

#include "net/pgconn_open.h"

#include <string.h>

/* SQLSTATEs for which there are special findings. */
#define SQLSTATE_NO_SLOT_FREE "53400" /* configuration_limit_exceeded */
#define SQLSTATE_NO_LIBRARY   "58P01" /* undefined_file */

static void
add_finding(CheckContext *context, FindingLevel level, const char *message)
{
	findings_add(context->findings, &(Finding){
										.level = level,
										.code = "plugin",
										.server = CHECK_SOURCE,
										.object = "plugin " SLOT_PLUGIN,
										.message = message,
									});
}

static const char replication_role_sql[] =
	"SELECT 'error', format('role %I', rolname), format('role \"%s\" may not "
	"replicate', rolname), format('ALTER ROLE %I REPLICATION;', rolname)"
	" FROM pg_roles WHERE rolname = current_user"
	" AND NOT rolreplication AND NOT rolsuper";

/*
 * Adds findings about a replication connection that was refused.  We query the
 * role's attribute REPLICATION only then, because a managed server may allow
 * the connection without it.
 */
static Rc
explain_refusal(CheckContext *context, const CheckServer *server,
				Error *refusal, Error *err)
{
	static const CheckQuery query = {.code = "replication_role",
									 .sql = replication_role_sql};
	size_t errors = findings_count(context->findings, FINDING_ERROR);
	Rc rc = check_run_queries(context, server, &query, 1, err);

	if (rc == RC_OK &&
		findings_count(context->findings, FINDING_ERROR) == errors &&
		!findings_have_error(context->findings, "wal_senders"))
		findings_add_error(
			context->findings,
			&(Finding){.level = FINDING_ERROR,
					   .code = "replication_connection",
					   .server = CHECK_SOURCE,
					   .object = "server",
					   .fix = "-- see that pg_hba.conf of the source lets this "
							  "role in, and that max_wal_senders has room"},
			refusal);
	error_reset(refusal);
	return rc;
}

/*
 * Creates the slot; blocks.  Returns RC_AGAIN if it takes longer than
 * CHECK_PROBE_TIMEOUT_S; then the caller has to close the connection, which
 * cancels the command.
 */
static Rc
make_slot(PgConn *replication, Error *err)
{
	PGconn *pg = pgconn_raw(replication);
	char name[SLOT_NAME_SIZE];
	PGresult *result = NULL;
	Buf sql;
	int sent;
	Rc rc;

	slot_make_temporary_name(name, replication, "penstock", "check");
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   "CREATE_REPLICATION_SLOT %s TEMPORARY LOGICAL "
			   "\"" SLOT_PLUGIN "\" NOEXPORT_SNAPSHOT",
			   name);
	sent = PQsendQuery(pg, sql.data);
	buf_release(&sql);
	if (!sent)
		return pgconn_connection_error(replication, "lost the connection to",
									   err);
	rc = pgconn_await_result(replication,
							 (int64_t) CHECK_PROBE_TIMEOUT_S * 1000, err);
	if (rc == RC_OK)
		rc = pgconn_get_result(replication, &result, err);
	if (rc == RC_OK)
		rc = pgconn_check_result(replication, result, err);
	PQclear(result);
	return rc;
}

/* Query of the transactions for which the walsender waits.  %1$d is the PID of
 * the walsender, and %2$d CHECK_PROBE_TIMEOUT_S. */
static const char blockers_sql[] =
	"WITH blocker AS (SELECT DISTINCT unnest(pg_blocking_pids(%1$d)) AS pid),"
	" found AS (SELECT format('transaction of PID %%s', pid) AS object,"
	"   format('PID %%s, role %%s, database %%s%%s', pid, usename, datname,"
	"    ', open for ' || date_trunc('second', now() - xact_start)) AS who,"
	"   format('SELECT pg_terminate_backend(%%s);', pid) AS fix"
	"  FROM blocker JOIN pg_stat_activity USING (pid)"
	"  UNION ALL SELECT format('prepared transaction %%L', gid),"
	"   format('prepared transaction %%L, role %%s, database %%s', gid, owner,"
	"    database), format('ROLLBACK PREPARED %%L;', gid)"
	"  FROM pg_prepared_xacts WHERE EXISTS ("
	"   SELECT FROM blocker WHERE pid = 0)"
	"  UNION ALL SELECT NULL, 'it cannot be said which', NULL"
	"  WHERE NOT EXISTS (SELECT FROM blocker))"
	" SELECT 'warning', object, format('a slot could not be made within %2$d "
	"seconds, because a transaction is open on the source: %%s; \"penstock "
	"clone\" would wait for it', who),"
	" E'-- wait for it to end, or end it:\n' || fix FROM found";

static Rc
name_blockers(CheckContext *context, const CheckServer *server,
			  int walsender_pid, Error *err)
{
	CheckQuery query = {.code = "open_transaction"};

	query.sql = arena_printf(findings_arena(context->findings), blockers_sql,
							 walsender_pid, CHECK_PROBE_TIMEOUT_S);
	return check_run_queries(context, server, &query, 1, err);
}

/*
 * Fix for a plugin that is not in output_plugin_libraries.  Only privileged
 * roles can read that GUC, so the query in source.c does not find it for other
 * roles; the fix has the server quote its value.
 */
static const char fix_hidden_list[] =
	"-- as a superuser, in psql:\n"
	"SELECT format('ALTER SYSTEM SET output_plugin_libraries = %s, %I',"
	" current_setting('output_plugin_libraries'), 'penstock') \\gexec\n"
	"SELECT pg_reload_conf();";

static void
add_slot_failure(CheckContext *context, Error *failure)
{
	Finding finding = {
		.level = FINDING_ERROR,
		.code = "plugin",
		.server = CHECK_SOURCE,
		.object = "plugin " SLOT_PLUGIN,
	};

	if (strcmp(failure->sqlstate, SQLSTATE_NO_SLOT_FREE) == 0)
	{
		/* A pipeline that has its slot needs no other; for one that has not,
		 * there is a finding already. */
		error_reset(failure);
		add_finding(context, FINDING_INFO,
					"the plugin was not tried, because no slot is free");
		return;
	}
	if (failure->hint != NULL &&
		strstr(failure->hint, "output_plugin_libraries") != NULL)
	{
		finding.code = "output_plugin_libraries";
		finding.fix = fix_hidden_list;
	}
	if (strcmp(failure->sqlstate, SQLSTATE_NO_LIBRARY) == 0)
		finding.fix = "-- install the plugin on the machine of the source "
					  "server: make install";
	findings_add_error(context->findings, &finding, failure);
}

static Rc
try_slot(CheckContext *context, const CheckServer *server, PgConn *replication,
		 Error *err)
{
	Error failure = {0};
	Rc rc = make_slot(replication, &failure);

	if (rc == RC_OK || rc == RC_AGAIN)
		add_finding(context, FINDING_OK,
					"the role may replicate, and the server has the plugin");
	if (rc == RC_AGAIN)
		return name_blockers(context, server,
							 PQbackendPID(pgconn_raw(replication)), err);
	if (rc == RC_FAIL && failure.code == ERR_INTERRUPTED)
	{
		error_take(err, &failure);
		return rc;
	}
	if (rc == RC_FAIL)
		add_slot_failure(context, &failure);
	return RC_OK;
}

Rc
check_plugin(CheckContext *context, const CheckServer *server, Error *err)
{
	size_t errors = findings_count(context->findings, FINDING_ERROR);
	PgConn *replication = NULL;
	Error refusal = {0};
	Rc rc = pgconn_open(&replication,
						&(PgConnOptions){
							.conninfo = context->config->source,
							.label = CHECK_SOURCE,
							.application_name = "penstock check",
							.kind = PGCONN_REPLICATION,
						},
						&refusal);

	if (rc == RC_FAIL && refusal.code == ERR_INTERRUPTED)
		error_take(err, &refusal);
	else if (rc != RC_OK)
		rc = explain_refusal(context, server, &refusal, err);
	else if (errors > 0)
		add_finding(context, FINDING_INFO,
					"the role may replicate; the plugin was not tried because "
					"of the errors above");
	else
		rc = try_slot(context, server, replication, err);
	pgconn_close(replication);
	return rc;
}
