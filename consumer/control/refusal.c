/*
 * refusal.c
 *    Functions and triggers that refuse writes.
 */
#include "control/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "net/origin.h"

#define FUNCTION_PREFIX   "refuse_"
#define STATEMENT_TRIGGER "penstock_refuse_writes"
#define ROW_TRIGGER       "penstock_refuse_rows"

/* lock_not_available */
#define LOCKED_SQLSTATE "55P03"

/* Bytes for the name of the function (NAMEDATALEN). */
#define FUNCTION_SIZE 64

/* SQL: OID of the function whose name is $1, or null. */
#define FUNCTION_SQL                                                           \
	"(SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"   \
	" ON n.oid = p.pronamespace WHERE n.nspname = 'penstock'"                  \
	" AND p.proname = $1)"

static void
name_function(const char *pipeline, char name[FUNCTION_SIZE])
{
	int length = snprintf(name, FUNCTION_SIZE, FUNCTION_PREFIX "%s", pipeline);

	CHECK(length < FUNCTION_SIZE);
}

/* ---- The function ---- */

/* Statements that let the write pass. */
static const char pass_sql[] = " IF TG_LEVEL OPERATOR(pg_catalog.=) 'STATEMENT'"
							   " THEN RETURN NULL; END IF;"
							   " IF TG_OP OPERATOR(pg_catalog.=) 'DELETE'"
							   " THEN RETURN OLD; END IF;"
							   " RETURN NEW;";

/*
 * Appends the condition under which the way back passes.  The three conditions
 * are three IFs, because the server may evaluate those of an AND in any order,
 * and a role without the privilege must not call the function.
 */
static void
append_passage(const Refusal *refusal, Buf *body)
{
	if (refusal->way_back == NULL)
		return;
	buf_append_string(body,
					  " IF pg_catalog.split_part(pg_catalog.current_setting("
					  "'" ORIGIN_NAME_SETTING "', true), '/', 1)"
					  " OPERATOR(pg_catalog.=) ");
	buf_printf(body,
			   "'" ORIGIN_PREFIX "%s'"
			   " THEN IF pg_catalog.has_function_privilege('pg_catalog."
			   "pg_replication_origin_session_is_setup()', 'EXECUTE') THEN"
			   " IF pg_catalog.pg_replication_origin_session_is_setup() THEN"
			   "%s END IF; END IF; END IF;",
			   refusal->way_back, pass_sql);
}

/* Appends the body that refuses: with read_only_sql_transaction, for which
 * drivers and poolers look for another server. */
static void
append_body(const Refusal *refusal, Buf *body)
{
	buf_append_string(body, "BEGIN");
	append_passage(refusal, body);
	buf_append_string(body,
					  " RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE ="
					  " pg_catalog.format('table \"%s\".\"%s\" was moved:"
					  " writes go to %s', TG_TABLE_SCHEMA, TG_TABLE_NAME, ");
	buf_append_literal(body, refusal->place);
	buf_append_string(body, "), DETAIL = ");
	buf_printf(body,
			   "'Penstock has moved the writes of pipeline \"%s\", and the "
			   "tables here refuse them since.'",
			   refusal->pipeline);
	buf_append_string(body, ", HINT = 'Connect to the new place.'; END");
}

static MUST_CHECK Rc
create_function(PgConn *conn, const char *pipeline, const Buf *body, Error *err)
{
	char name[FUNCTION_SIZE];
	Buf sql;
	Rc rc;

	name_function(pipeline, name);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "CREATE OR REPLACE FUNCTION penstock.");
	buf_append_identifier(&sql, name);
	buf_append_string(&sql, "() RETURNS trigger LANGUAGE plpgsql AS ");
	buf_append_literal(&sql, body->data);
	CHECK(!sql.overflowed);
	rc = pgconn_exec(conn, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}

/* ---- The triggers ---- */

/*
 * Creates the triggers that do not exist, and enables all of them always.  The
 * names are in settings, because DO has no parameters.  Copies of row triggers
 * that the server counts as its own, which versions before 15 do, only a
 * superuser may enable.
 */
static const char triggers_sql[] =
	"DO $$ DECLARE one record;"
	" name text := pg_catalog.current_setting('penstock.function');"
	" own_super boolean := (SELECT rolsuper FROM pg_catalog.pg_roles"
	"  WHERE rolname = current_user);"
	" BEGIN FOR one IN SELECT t->>0 AS relation, g.name AS trigger, g.event"
	"  FROM pg_catalog.json_array_elements("
	"   pg_catalog.current_setting('penstock.tables')::json) t,"
	"  (VALUES (false, '" STATEMENT_TRIGGER "', 'INSERT OR UPDATE OR DELETE OR"
	"    TRUNCATE ON %s FOR EACH STATEMENT'),"
	"   (true, '" ROW_TRIGGER "', 'INSERT OR UPDATE OR DELETE ON %s"
	"    FOR EACH ROW')) g (is_row, name, event)"
	"  WHERE (NOT g.is_row OR (t->>1)::boolean) AND NOT EXISTS (SELECT"
	"   FROM pg_catalog.pg_trigger x WHERE x.tgrelid = (t->>0)::regclass"
	"   AND x.tgname = g.name)"
	" LOOP EXECUTE pg_catalog.format('CREATE TRIGGER %I BEFORE '"
	"  || one.event || ' EXECUTE FUNCTION penstock.%I()', one.trigger,"
	"  one.relation, name); END LOOP;"
	" FOR one IN SELECT x.tgrelid::regclass AS relation, x.tgname AS trigger"
	"  FROM pg_catalog.pg_trigger x JOIN pg_catalog.pg_proc p"
	"  ON p.oid = x.tgfoid JOIN pg_catalog.pg_namespace n"
	"  ON n.oid = p.pronamespace WHERE n.nspname = 'penstock'"
	"  AND p.proname = name AND x.tgenabled <> 'A'"
	"  AND (own_super OR NOT x.tgisinternal) ORDER BY x.oid"
	" LOOP EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I',"
	"  one.relation, one.trigger); END LOOP; END $$";

/* Appends the tables as [["name", has_rows], …]. */
static void
append_tables(const Refusal *refusal, Buf *buf)
{
	Json json;

	json_init(&json, buf);
	json_begin_array(&json);
	for (int i = 0; i < refusal->count; i++)
	{
		json_begin_array(&json);
		json_text(&json, refusal->tables[i].name);
		json_bool(&json, refusal->tables[i].has_rows);
		json_end_array(&json);
	}
	json_end_array(&json);
}

static MUST_CHECK Rc
create_triggers(PgConn *conn, const Refusal *refusal, Error *err)
{
	char name[FUNCTION_SIZE];
	const char *params[2] = {name};
	Buf json;
	Rc rc;

	name_function(refusal->pipeline, name);
	buf_init(&json, BUF_TEXT_MAX);
	append_tables(refusal, &json);
	if (json.overflowed)
		rc = error_set(err, ERR_LIMIT, "the names of %d tables are too long",
					   refusal->count);
	else
	{
		params[1] = json.data;
		rc = pgconn_exec_params(
			conn,
			"SELECT pg_catalog.set_config('penstock.function', $1, true),"
			" pg_catalog.set_config('penstock.tables', $2, true)",
			LENGTH_OF(params), params, NULL, err);
	}
	buf_release(&json);
	return rc == RC_OK ? pgconn_exec(conn, triggers_sql, NULL, err) : rc;
}

Rc
refusal_create(PgConn *conn, const Refusal *refusal, Error *err)
{
	Buf body;
	Rc rc;

	buf_init(&body, BUF_TEXT_MAX);
	append_body(refusal, &body);
	rc = create_function(conn, refusal->pipeline, &body, err);
	buf_release(&body);
	return rc == RC_OK ? create_triggers(conn, refusal, err) : rc;
}

static MUST_CHECK Rc
has_function(PgConn *conn, const char *pipeline, bool *exists, Error *err)
{
	char name[FUNCTION_SIZE];
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc;

	name_function(pipeline, name);
	rc = pgconn_exec_params(conn, "SELECT " FUNCTION_SQL " IS NOT NULL",
							LENGTH_OF(params), params, &result, err);
	*exists = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
refusal_open(PgConn *conn, const char *pipeline, Error *err)
{
	bool exists;
	Buf body;
	Rc rc = has_function(conn, pipeline, &exists, err);

	if (rc != RC_OK || !exists)
		return rc;
	buf_init(&body, BUF_TEXT_MAX);
	buf_printf(&body, "BEGIN%s END", pass_sql);
	rc = create_function(conn, pipeline, &body, err);
	buf_release(&body);
	return rc;
}

/* ---- Dropping ---- */

/* Triggers of the function that can be dropped: copies go with their
 * originals. */
static MUST_CHECK Rc
list_tables(PgConn *conn, const char *pipeline, PGresult **result, Error *err)
{
	char name[FUNCTION_SIZE];
	const char *params[] = {name};

	name_function(pipeline, name);
	return pgconn_exec_params(
		conn,
		"SELECT pg_catalog.string_agg(pg_catalog.format("
		"'DROP TRIGGER IF EXISTS %I ON %s', x.tgname, x.tgrelid::regclass),"
		" '; ') FROM pg_catalog.pg_trigger x WHERE x.tgfoid = " FUNCTION_SQL
		" AND x.tgparentid = 0 GROUP BY x.tgrelid ORDER BY x.tgrelid",
		LENGTH_OF(params), params, result, err);
}

static MUST_CHECK Rc
drop_function(PgConn *conn, const char *pipeline, Error *err)
{
	char name[FUNCTION_SIZE];
	char sql[FUNCTION_SIZE + 64];

	name_function(pipeline, name);
	snprintf(sql, sizeof(sql), "DROP FUNCTION IF EXISTS penstock.\"%s\"()",
			 name);
	return pgconn_exec(conn, sql, NULL, err);
}

Rc
refusal_drop(PgConn *conn, const char *pipeline, int lock_ms, int *dropped,
			 int *left, Error *err)
{
	char sql[64];
	PGresult *result = NULL;
	bool exists;
	Rc rc = has_function(conn, pipeline, &exists, err);

	*dropped = *left = 0;
	if (rc != RC_OK || !exists)
		return rc;
	snprintf(sql, sizeof(sql), "SET lock_timeout = %d", lock_ms);
	rc = pgconn_exec(conn, sql, NULL, err);
	if (rc == RC_OK)
		rc = list_tables(conn, pipeline, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		rc = pgconn_exec(conn, PQgetvalue(result, i, 0), NULL, err);
		if (rc == RC_OK)
			(*dropped)++;
		if (rc == RC_FAIL && strcmp(err->sqlstate, LOCKED_SQLSTATE) == 0)
		{
			error_reset(err);
			(*left)++;
			rc = RC_OK;
		}
	}
	PQclear(result);
	if (rc == RC_OK && *left == 0)
		rc = drop_function(conn, pipeline, err);
	return rc == RC_OK ? pgconn_exec(conn, "SET lock_timeout = 0", NULL, err)
					   : rc;
}

Rc
refusal_count(PgConn *conn, const char *pipeline, int *count, Error *err)
{
	PGresult *result = NULL;
	Rc rc = list_tables(conn, pipeline, &result, err);

	*count = rc == RC_OK ? PQntuples(result) : 0;
	PQclear(result);
	return rc;
}
