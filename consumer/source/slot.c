/*
 * slot.c
 *    Uses replication commands and the view pg_replication_slots.
 */
#include "source/slot.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/own_command.h"

/*
 * Value of client_connection_check_interval while the server creates a slot,
 * and the first version of PostgreSQL with this setting.
 */
#define CLIENT_CHECK_INTERVAL    "2s"
#define CLIENT_CHECK_VERSION_MIN 140000

/*
 * Milliseconds until we first log which transactions the server waits for, and
 * the longest pause until we log it again.
 */
#define WAIT_SAID_FIRST_MS 2000
#define WAIT_SAID_MS_MAX   60000

/* Largest number of transactions that we name. */
#define OPEN_TRANSACTIONS_MAX_SQL "5"

/* Milliseconds between two looks whether the walsender has ended. */
#define MAKING_PAUSE_MS 100

/* Copies a field of row 0 into an array, truncated to its size. */
#define COPY_FIELD(array, result, column)                                      \
	snprintf((array), sizeof(array), "%s", PQgetvalue((result), 0, (column)))

static Rc
parse_lsn_field(const PGresult *result, int column, Lsn *lsn, Error *err)
{
	const char *text = PQgetvalue(result, 0, column);

	*lsn = 0;
	if (PQgetisnull(result, 0, column))
		return RC_OK;
	if (!lsn_parse(text, lsn))
		return error_set(err, ERR_PROTOCOL,
						 "invalid position \"%s\" from source", text);
	return RC_OK;
}

static MUST_CHECK Rc
identify_system(PgConn *replication, SourceHistory *history, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(replication, "IDENTIFY_SYSTEM", &result, err);

	if (rc != RC_OK)
		return rc;
	COPY_FIELD(history->identity.system_identifier, result, 0);
	history->identity.timeline = (uint32_t) strtoul(PQgetvalue(result, 0, 1),
													NULL, 10);
	rc = parse_lsn_field(result, 2, &history->flush_lsn, err);
	PQclear(result);
	return rc;
}

/*
 * Reads whether the server is a standby.  A walsender that is connected to a
 * database answers SQL queries, too.
 */
static MUST_CHECK Rc
read_is_standby(PgConn *replication, bool *is_standby, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(replication, "SELECT pg_catalog.pg_is_in_recovery()",
						&result, err);

	if (rc != RC_OK)
		return rc;
	*is_standby = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return RC_OK;
}

/* Reads where earlier timelines ended.  Timeline 1 has no history file. */
static MUST_CHECK Rc
read_ends(PgConn *replication, SourceHistory *history, Error *err)
{
	char command[64];
	PGresult *result = NULL;
	Rc rc;

	if (history->identity.timeline <= 1)
		return RC_OK;
	snprintf(command, sizeof(command), "TIMELINE_HISTORY %u",
			 history->identity.timeline);
	rc = pgconn_exec(replication, command, &result, err);
	if (rc == RC_OK)
		rc = history_read_ends(history, PQgetvalue(result, 0, 1), err);
	PQclear(result);
	return rc;
}

/* Reads first whether the server is a standby: it may be promoted meanwhile. */
Rc
slot_read_history(PgConn *replication, SourceHistory *history, Error *err)
{
	Rc rc;

	history_release(history);
	rc = read_is_standby(replication, &history->is_standby, err);
	if (rc == RC_OK)
		rc = identify_system(replication, history, err);
	if (rc == RC_OK)
		rc = read_ends(replication, history, err);
	return rc;
}

Rc
slot_read_log_end(PgConn *source, SourceHistory *history, Error *err)
{
	static const char sql[] =
		"SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
		" THEN greatest(pg_catalog.pg_last_wal_receive_lsn(),"
		"  pg_catalog.pg_last_wal_replay_lsn())"
		" ELSE pg_catalog.pg_current_wal_flush_lsn() END";
	PGresult *result = NULL;
	Lsn lsn = 0;
	Rc rc = pgconn_exec(source, sql, &result, err);

	if (rc == RC_OK)
		rc = parse_lsn_field(result, 0, &lsn, err);
	PQclear(result);
	history->flush_lsn = lsn_max(history->flush_lsn, lsn);
	return rc;
}

Rc
slot_read_system_identifier(PgConn *conn, char *identifier, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		conn, "SELECT system_identifier FROM pg_catalog.pg_control_system()",
		&result, err);

	identifier[0] = '\0';
	if (rc == RC_OK)
		snprintf(identifier, SLOT_SYSTEM_ID_SIZE, "%s",
				 PQgetvalue(result, 0, 0));
	else if (strcmp(err->sqlstate, "42501") == 0) /* insufficient_privilege */
	{
		error_reset(err);
		rc = RC_OK;
	}
	PQclear(result);
	return rc;
}

/*
 * Adds a hint to the error of CREATE_REPLICATION_SLOT.  A server that does not
 * allow the plugin names its setting output_plugin_libraries in the hint (minor
 * releases since August 2026).  A server that does not find the library reports
 * undefined_file.
 */
static void
explain_create_failure(const PgConn *conn, const char *name, Error *err)
{
	const char *label = pgconn_label(conn);

	if (strcmp(err->sqlstate, "58P01") == 0) /* undefined_file */
		error_hint(err,
				   "Install the plugin on the machine of %s: \"make install\" "
				   "there.",
				   label);
	else if (err->hint != NULL &&
			 strstr(err->hint, "output_plugin_libraries") != NULL)
		error_hint(err,
				   "Add penstock to the list in setting "
				   "output_plugin_libraries of %s; \"%s\" prints the "
				   "statement for a source.",
				   label, OWN_COMMAND("check"));
	else if (strcmp(err->sqlstate, "55000") == 0 && err->hint == NULL)
		error_hint(err, "\"%s\" says what a source lacks.",
				   OWN_COMMAND("check"));
	error_context(err, "creating replication slot \"%s\"", name);
}

/*
 * Has the server check during the following command whether we are still
 * connected.
 *
 * A walsender that waits for other transactions does not notice that its client
 * is gone, and creates the slot all the same when they end.  From version 14 on
 * it checks if client_connection_check_interval is set.  The check starts with
 * an ordinary statement, and continues during the command after it.
 */
static MUST_CHECK Rc
have_client_checked(PgConn *replication, Error *err)
{
	Rc rc;

	if (pgconn_server_version_num(replication) < CLIENT_CHECK_VERSION_MIN)
		return RC_OK;
	rc = pgconn_exec(replication,
					 "SET client_connection_check_interval = "
					 "'" CLIENT_CHECK_INTERVAL "'",
					 NULL, err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
	{
		error_reset(err); /* some operating systems do not support it */
		return RC_OK;
	}
	return rc == RC_OK ? pgconn_exec(replication, "SELECT 1", NULL, err) : rc;
}

/*
 * Lists transactions of all databases that have a transaction ID, the oldest
 * first, and prepared transactions, which have no session.  Columns of
 * pg_stat_activity that the role has no privilege to see are null, and such a
 * session is left out.
 */
static const char open_transactions_sql[] =
	"SELECT who || CASE WHEN since IS NULL THEN '' ELSE ', open for '"
	"  || extract(epoch FROM clock_timestamp() - since)::int8 || ' s' END"
	"  || coalesce(' (' || state || ')', ''), count(*) OVER () FROM ("
	"SELECT format('PID %s of user \"%s\" in database \"%s\"', pid, usename,"
	"  datname), xact_start, state"
	" FROM pg_catalog.pg_stat_activity"
	" WHERE backend_xid IS NOT NULL AND pid <> ALL (ARRAY[$1::int4,"
	"  pg_catalog.pg_backend_pid()])"
	" UNION ALL "
	"SELECT format('prepared transaction \"%s\" of user \"%s\" in database"
	" \"%s\"', gid, owner, database), prepared, NULL"
	" FROM pg_catalog.pg_prepared_xacts) t (who, since, state)"
	" ORDER BY since NULLS FIRST LIMIT " OPEN_TRANSACTIONS_MAX_SQL;

static void
append_open_transactions(Buf *text, const PGresult *result)
{
	int shown = PQntuples(result);
	int count = (int) strtol(PQgetvalue(result, 0, 1), NULL, 10);

	for (int i = 0; i < shown; i++)
		buf_printf(text, "%s%s", i == 0 ? "" : "; ", PQgetvalue(result, i, 0));
	if (count > shown)
		buf_printf(text, "; and %d more", count - shown);
}

/*
 * Logs which transactions the server waits for.  If the query fails, nothing is
 * logged.
 */
static void
say_open_transactions(PgConn *replication, PgConn *source)
{
	char pid[16];
	const char *params[] = {pid};
	PGresult *result = NULL;
	Error ignored = {0};
	Buf text;

	snprintf(pid, sizeof(pid), "%d", PQbackendPID(pgconn_raw(replication)));
	if (pgconn_exec_params(source, open_transactions_sql, LENGTH_OF(params),
						   params, &result, &ignored) != RC_OK)
		error_reset(&ignored);
	if (PQntuples(result) > 0)
	{
		buf_init(&text, BUF_TEXT_MAX);
		append_open_transactions(&text, result);
		log_info("source",
				 "still waiting for transactions that are open on the source: "
				 "%s",
				 text.data);
		buf_release(&text);
	}
	PQclear(result);
}

/* Waits until the answer to CREATE_REPLICATION_SLOT begins to arrive. */
static MUST_CHECK Rc
wait_for_slot(PgConn *replication, PgConn *source, Error *err)
{
	PGconn *pg = pgconn_raw(replication);
	int64_t pause_ms = WAIT_SAID_FIRST_MS;
	Rc rc = pgconn_flush(replication, err);

	while (rc == RC_OK && PQisBusy(pg))
	{
		rc = interrupt_wait(PQsocket(pg), POLLIN, pause_ms, err);
		if (rc == RC_AGAIN)
		{
			say_open_transactions(replication, source);
			pause_ms = pause_ms * 2 < WAIT_SAID_MS_MAX ? pause_ms * 2
													   : WAIT_SAID_MS_MAX;
			rc = RC_OK;
		}
		else if (rc == RC_OK && !PQconsumeInput(pg))
			return RC_OK; /* the connection broke; the result says why */
	}
	return rc;
}

static MUST_CHECK Rc
exec_create(PgConn *replication, PgConn *source, const char *sql,
			PGresult **result, Error *err)
{
	PGresult *end = NULL;
	Rc rc;

	if (!PQsendQuery(pgconn_raw(replication), sql))
		return pgconn_connection_error(replication, "lost the connection to",
									   err);
	rc = wait_for_slot(replication, source, err);
	if (rc == RC_OK)
		rc = pgconn_get_result(replication, result, err);
	if (rc == RC_OK)
		rc = pgconn_check_result(replication, *result, err);
	if (rc == RC_OK || err->code == ERR_SQL)
	{
		Error ignored = {0};

		/* Reads the NULL after the only result. */
		if (pgconn_get_result(replication, &end, &ignored) == RC_FAIL)
			error_reset(&ignored);
		PQclear(end);
	}
	return rc;
}

void
slot_make_temporary_name(char *name, const PgConn *replication,
						 const char *pipeline, const char *purpose)
{
	char end[32];
	int bytes = snprintf(end, sizeof(end), "_%s_%d", purpose,
						 PQbackendPID(pgconn_raw(replication)));

	CHECK(bytes > 0 && (size_t) bytes < sizeof(end));
	snprintf(name, SLOT_NAME_SIZE, "%.*s%s", SLOT_NAME_SIZE - 1 - bytes,
			 pipeline, end);
}

Rc
slot_create(PgConn *replication, PgConn *source, const char *name,
			SlotKind kind, SlotSnapshot *snapshot, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	/*
	 * In PostgreSQL 14 and earlier the options are words without parentheses;
	 * later servers still accept this form.
	 */
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "CREATE_REPLICATION_SLOT \"%s\" %sLOGICAL \"%s\" %s", name,
			   kind == SLOT_LASTING ? "" : "TEMPORARY ", SLOT_PLUGIN,
			   kind == SLOT_TEMPORARY ? "NOEXPORT_SNAPSHOT"
									  : "EXPORT_SNAPSHOT");
	rc = have_client_checked(replication, err);
	if (rc == RC_OK)
		rc = exec_create(replication, source, sql.data, &result, err);
	buf_release(&sql);
	if (rc != RC_OK)
	{
		PQclear(result);
		if (err->code == ERR_SQL)
			explain_create_failure(replication, name, err);
		return rc;
	}
	rc = parse_lsn_field(result, 1, &snapshot->consistent_lsn, err);
	COPY_FIELD(snapshot->name, result, 2);
	PQclear(result);
	return rc;
}

Rc
slot_read(PgConn *source, const char *name, SlotInfo *info, Error *err)
{
	static const char sql[] =
		"SELECT coalesce(plugin, ''), slot_type = 'logical',"
		" coalesce(database = current_database(), false),"
		" coalesce(active_pid, 0), restart_lsn, confirmed_flush_lsn,"
		" coalesce(wal_status = 'lost', false)"
		" FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(source, sql, 1, params, &result, err);

	*info = (SlotInfo){0};
	if (rc != RC_OK)
		return rc;
	if (PQntuples(result) > 0)
	{
		info->exists = true;
		COPY_FIELD(info->plugin, result, 0);
		info->is_logical = PQgetvalue(result, 0, 1)[0] == 't';
		info->is_this_database = PQgetvalue(result, 0, 2)[0] == 't';
		info->active_pid = (int) strtol(PQgetvalue(result, 0, 3), NULL, 10);
		info->lost = PQgetvalue(result, 0, 6)[0] == 't';
		info->being_made = info->active_pid != 0 && info->is_logical &&
						   PQgetisnull(result, 0, 5);
		rc = parse_lsn_field(result, 4, &info->restart_lsn, err);
		if (rc == RC_OK)
			rc = parse_lsn_field(result, 5, &info->confirmed_lsn, err);
	}
	PQclear(result);
	return rc;
}

Rc
slot_end_making(PgConn *source, const char *name, Error *err)
{
	static const char sql[] =
		"SELECT pg_catalog.pg_terminate_backend(active_pid)"
		" FROM pg_catalog.pg_replication_slots WHERE slot_name = $1"
		" AND active_pid IS NOT NULL AND confirmed_flush_lsn IS NULL";
	const char *params[] = {name};
	SlotInfo info;
	Rc rc = slot_read(source, name, &info, err);

	if (rc == RC_OK && info.exists && info.being_made)
		log_info("source",
				 "replication slot \"%s\" is still being made for a client "
				 "that is gone: ending PID %d of the source",
				 name, info.active_pid);
	while (rc == RC_OK && info.exists && info.being_made)
	{
		rc = pgconn_exec_params(source, sql, LENGTH_OF(params), params, NULL,
								err);
		if (rc == RC_OK)
			rc = interrupt_wait(-1, 0, MAKING_PAUSE_MS, err);
		if (rc == RC_AGAIN)
			rc = slot_read(source, name, &info, err);
	}
	return rc;
}

Rc
slot_require_usable(const SlotInfo *info, const char *name, Error *err)
{
	Rc rc;

	if (!info->exists)
	{
		rc = error_set(err, ERR_CONFIG,
					   "replication slot \"%s\" does not exist on the source",
					   name);
		error_hint(err,
				   "\"%s\" creates it and copies the data that its changes "
				   "build on.",
				   OWN_COMMAND("clone"));
		return rc;
	}
	if (!info->is_logical || strcmp(info->plugin, SLOT_PLUGIN) != 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "replication slot \"%s\" belongs to %s%s%s", name,
					   info->is_logical ? "output plugin \"" : "",
					   info->is_logical ? info->plugin : "a physical standby",
					   info->is_logical ? "\"" : "");
		error_hint(err, "Choose another pipeline with --name.");
		return rc;
	}
	if (!info->is_this_database)
	{
		rc = error_set(err, ERR_CONFIG,
					   "replication slot \"%s\" belongs to another database "
					   "of the source server",
					   name);
		error_hint(err, "Connect to that database, or choose another pipeline "
						"with --name.");
		return rc;
	}
	if (info->lost)
	{
		rc = error_set(err, ERR_CONFIG,
					   "replication slot \"%s\" has lost WAL that it still "
					   "needed",
					   name);
		error_detail(err, "The source removed it because of "
						  "max_slot_wal_keep_size.");
		error_hint(err, "Run \"%s\" and copy again with \"%s\".",
				   OWN_COMMAND("drop"), OWN_COMMAND("clone"));
		return rc;
	}
	return RC_OK;
}

Rc
slot_drop(PgConn *source, const char *name, Error *err)
{
	const char *params[] = {name};

	return pgconn_exec_params(source,
							  "SELECT pg_catalog.pg_drop_replication_slot($1)",
							  1, params, NULL, err);
}
