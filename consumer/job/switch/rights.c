/*
 * rights.c
 *    Asks both servers for what the way back needs.
 *
 * A row of each query is something that is missing: what it is, and the
 * statement that changes it.
 */
#include "job/switch/rights.h"

#include "base/buf.h"
#include "job/switch/tables.h"
#include "net/foreign_actions.h"

/* From this version on there are privileges for setting parameters. */
#define PARAMETER_VERSION_NUM 150000
/* From this version on a slot makes the server log what decoding needs. */
#define EFFECTIVE_LEVEL_VERSION_NUM 190000

/* The way back is applied to the source with a replication origin, by which the
 * triggers that refuse writes let it through. */
static const char origin_sql[] =
	"SELECT format('role \"%s\" may not use replication origins, by which the "
	"changes of the way back are recognized', current_user),"
	" format('GRANT EXECUTE ON FUNCTION %s TO %I;',"
	"  string_agg(p.oid::regprocedure::text, ', ' ORDER BY proname),"
	"  current_user)"
	" FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace"
	" AND proname IN ('pg_replication_origin_create',"
	"  'pg_replication_origin_oid', 'pg_replication_origin_session_is_setup',"
	"  'pg_replication_origin_session_reset',"
	"  'pg_replication_origin_session_setup')"
	" AND NOT has_function_privilege(p.oid, 'EXECUTE')"
	" HAVING count(*) > 0";

/* The switch and the way back keep what they note in schema "penstock". */
static const char schema_sql[] =
	" UNION ALL SELECT format('role \"%s\" may not create schema \"penstock\"',"
	"  current_user), format('GRANT CREATE ON DATABASE %I TO %I;',"
	"  current_database(), current_user)"
	" WHERE NOT has_database_privilege(current_database(), 'CREATE')"
	" AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'penstock')";

/*
 * A follower whose role may not set session_replication_role fires the
 * triggers of the tables for what it applies, which the target has fired
 * already, and refuses to start where foreign keys would change rows.
 */
#define FIRES_SQL(may, fix)                                                    \
	" UNION ALL SELECT format('role \"%s\" may not set"                        \
	" session_replication_role, and the way back would fire %s a second time'" \
	", current_user, min(f.what)), format(" fix ", current_user)"              \
	" FROM (SELECT format('trigger %I of table %s', t.tgname,"                 \
	"   m.oid::regclass) FROM moved m JOIN pg_trigger t ON t.tgrelid = m.oid"  \
	"  WHERE NOT t.tgisinternal AND t.tgenabled = 'O'"                         \
	" UNION ALL SELECT format('foreign key %I of table %s', f.conname,"        \
	"   c.oid::regclass)" FOREIGN_ACTIONS_SQL                                  \
	"  AND c.oid IN (SELECT oid FROM moved)) f (what)"                         \
	" WHERE NOT " may " HAVING count(*) > 0"

static const char fires_sql[] = FIRES_SQL(
	"has_parameter_privilege('session_replication_role', 'SET')",
	"'GRANT SET ON PARAMETER session_replication_role TO %I;'");

static const char fires_before_15_sql[] = FIRES_SQL(
	"current_setting('is_superuser')::bool", "'ALTER ROLE %I SUPERUSER;'");

static const char target_sql[] =
	"SELECT format('role \"%s\" may not replicate', current_user),"
	" format('ALTER ROLE %I REPLICATION;', current_user)"
	" FROM pg_roles WHERE rolname = current_user"
	" AND NOT (rolsuper OR rolreplication)"
	" UNION ALL SELECT format('role \"%s\" may not create publications',"
	"  current_user), format('GRANT CREATE ON DATABASE %I TO %I;',"
	"  current_database(), current_user)"
	" WHERE NOT has_database_privilege(current_database(), 'CREATE')";

static const char level_sql[] =
	" UNION ALL SELECT format('wal_level is %s, and decoding needs logical',"
	"  level), 'ALTER SYSTEM SET wal_level = ''logical''; and a restart;'"
	" FROM current_setting('wal_level') level WHERE level <> 'logical'";

/* Adds what is missing on a server to the texts. */
static MUST_CHECK Rc
ask(const Switch *self, PgConn *conn, const Buf *rest, Buf *lacks, Buf *fixes,
	Error *err)
{
	const char *params[1];
	PGresult *result = NULL;
	Buf names;
	Buf sql;
	Rc rc;

	buf_init(&names, BUF_TEXT_MAX);
	switch_tables_append_names(self, &names);
	CHECK(!names.overflowed);
	params[0] = names.data;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   "WITH moved (oid) AS (SELECT to_regclass(n)"
			   " FROM json_array_elements_text($1::json) n) %s",
			   rest->data);
	rc = pgconn_exec_params(conn, sql.data, LENGTH_OF(params), params, &result,
							err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		buf_printf(lacks, "%s%s: %s", lacks->length > 0 ? "; " : "",
				   pgconn_label(conn), PQgetvalue(result, i, 0));
		buf_printf(fixes, "%s%s%s", i == 0 ? "Run on " : "",
				   i == 0 ? pgconn_label(conn) : "", i == 0 ? ": " : "");
		buf_printf(fixes, "%s  ", PQgetvalue(result, i, 1));
	}
	PQclear(result);
	buf_release(&sql);
	buf_release(&names);
	return rc;
}

static MUST_CHECK Rc
ask_source(const Switch *self, Buf *lacks, Buf *fixes, Error *err)
{
	Buf rest;
	Rc rc;

	buf_init(&rest, BUF_TEXT_MAX);
	buf_append_string(&rest, origin_sql);
	buf_append_string(&rest, schema_sql);
	buf_append_string(&rest, pgconn_server_version_num(self->source) >=
									 PARAMETER_VERSION_NUM
								 ? fires_sql
								 : fires_before_15_sql);
	rc = ask(self, self->source, &rest, lacks, fixes, err);
	buf_release(&rest);
	return rc;
}

static MUST_CHECK Rc
ask_target(const Switch *self, Buf *lacks, Buf *fixes, Error *err)
{
	Buf rest;
	Rc rc;

	buf_init(&rest, BUF_TEXT_MAX);
	buf_append_string(&rest, target_sql);
	if (pgconn_server_version_num(self->target) < EFFECTIVE_LEVEL_VERSION_NUM)
		buf_append_string(&rest, level_sql);
	rc = ask(self, self->target, &rest, lacks, fixes, err);
	buf_release(&rest);
	return rc;
}

Rc
switch_check_rights(const Switch *self, Error *err)
{
	Buf lacks;
	Buf fixes;
	Rc rc;

	buf_init(&lacks, BUF_TEXT_MAX);
	buf_init(&fixes, BUF_TEXT_MAX);
	rc = ask_source(self, &lacks, &fixes, err);
	if (rc == RC_OK)
		rc = ask_target(self, &lacks, &fixes, err);
	if (rc == RC_OK && lacks.length > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "the way back needs more than what there is");
		error_detail(err, "%s.", lacks.data);
		error_hint(err, "%sOr switch without a way back: --no-way-back.",
				   fixes.data);
	}
	buf_release(&lacks);
	buf_release(&fixes);
	return rc;
}
