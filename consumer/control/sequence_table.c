/*
 * sequence_table.c
 *    SQL on penstock.sequence.
 */
#include "control/sequence_table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "control/schema.h"
#include "net/sql.h"

/* Number of rows in one statement. */
#define BATCH 500

static void
append_value(Buf *sql, const SequenceValue *value)
{
	buf_printf(sql, ", %" PRId64 "::bigint, %s", value->last_value,
			   value->is_called ? "true" : "false");
}

static void
append_row(Buf *sql, const SequenceRow *row)
{
	buf_append_char(sql, '(');
	buf_append_literal(sql, row->schema);
	buf_append_string(sql, ", ");
	buf_append_literal(sql, row->name);
	append_value(sql, &row->polled);
	append_value(sql, &row->ahead);
	if (row->was_set)
		buf_printf(sql, ", %" PRId64 "::bigint)", row->set_value);
	else
		buf_append_string(sql, ", NULL::bigint)");
}

static MUST_CHECK Rc
write_batch(PgConn *target, const char *pipeline, const SequenceRow *rows,
			int count, Error *err)
{
	Buf sql;

	ASSERT(count > 0 && count <= BATCH);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "INSERT INTO penstock.sequence AS s (pipeline, schema_name,"
			  " sequence_name, last_value, is_called, ahead_value,"
			  " ahead_is_called, set_value, polled_at)"
			  " SELECT p.pipeline, v.*, pg_catalog.clock_timestamp()"
			  " FROM penstock.progress p, (VALUES ");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			buf_append_string(&sql, ", ");
		append_row(&sql, &rows[i]);
	}
	buf_append_string(&sql, ") v WHERE p.pipeline = ");
	buf_append_literal(&sql, pipeline);
	buf_append_string(
		&sql, " ON CONFLICT (pipeline, schema_name, sequence_name) DO UPDATE"
			  " SET last_value = excluded.last_value,"
			  " is_called = excluded.is_called,"
			  " ahead_value = excluded.ahead_value,"
			  " ahead_is_called = excluded.ahead_is_called,"
			  " set_value = coalesce(excluded.set_value, s.set_value),"
			  " polled_at = excluded.polled_at");
	return sql_run(target, &sql, NULL, err);
}

Rc
sequence_table_write(PgConn *target, const char *pipeline,
					 const SequenceRow *rows, int count, Error *err)
{
	bool exists = false;
	Rc rc = control_has(target, "sequence", &exists, err);

	ASSERT(count == 0 || rows != NULL);
	for (int first = 0; rc == RC_OK && exists && first < count; first += BATCH)
		rc = write_batch(target, pipeline, &rows[first],
						 count - first < BATCH ? count - first : BATCH, err);
	return rc;
}

static SequenceValue
get_value(const PGresult *result, int row, int column)
{
	return (SequenceValue){strtoll(PQgetvalue(result, row, column), NULL, 10),
						   sql_bool(result, row, column + 1)};
}

Rc
sequence_table_read(PgConn *target, const char *pipeline, Arena *arena,
					SequenceRow **rows, int *count, Error *err)
{
	static const char sql[] =
		"SELECT schema_name, sequence_name, last_value, is_called, ahead_value,"
		" ahead_is_called, set_value, polled_at::timestamptz(0)"
		" FROM penstock.sequence WHERE pipeline = $1 ORDER BY 1, 2";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists = false;
	Rc rc = control_has(target, "sequence", &exists, err);

	*count = 0;
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc != RC_OK || !exists)
		return rc;
	*count = PQntuples(result);
	*rows = arena_calloc(arena, (size_t) *count, sizeof(SequenceRow));
	for (int i = 0; i < *count; i++)
		(*rows)[i] = (SequenceRow){
			.schema = arena_strdup(arena, PQgetvalue(result, i, 0)),
			.name = arena_strdup(arena, PQgetvalue(result, i, 1)),
			.polled = get_value(result, i, 2),
			.ahead = get_value(result, i, 4),
			.was_set = !PQgetisnull(result, i, 6),
			.set_value = strtoll(PQgetvalue(result, i, 6), NULL, 10),
			.polled_at = arena_strdup(arena, PQgetvalue(result, i, 7)),
		};
	PQclear(result);
	return RC_OK;
}

/* A query that returns a row if the tables exist and our role may read them. */
static const char may_read_sql[] =
	"SELECT FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace"
	" JOIN pg_class p ON p.relnamespace = n.oid AND p.relname = 'progress'"
	" WHERE n.nspname = 'penstock' AND s.relname = 'sequence'"
	" AND has_schema_privilege(n.oid, 'USAGE')"
	" AND has_table_privilege(s.oid, 'SELECT')"
	" AND has_table_privilege(p.oid, 'SELECT')";

static const char read_set_sql[] =
	"SELECT s.schema_name, s.sequence_name, s.set_value,"
	" p.source_system_identifier FROM penstock.sequence s"
	" JOIN penstock.progress p ON p.pipeline = s.pipeline"
	" WHERE s.set_value IS NOT NULL";

Rc
sequence_table_read_set(PgConn *server, Arena *arena, SequenceSet **sets,
						int *count, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(server, may_read_sql, &result, err);
	bool may_read = rc == RC_OK && PQntuples(result) > 0;

	*count = 0;
	PQclear(result);
	if (!may_read)
		return rc;
	rc = pgconn_exec(server, read_set_sql, &result, err);
	if (rc != RC_OK)
		return rc;
	*count = PQntuples(result);
	*sets = arena_calloc(arena, (size_t) *count, sizeof(SequenceSet));
	for (int i = 0; i < *count; i++)
		(*sets)[i] = (SequenceSet){
			.schema = arena_strdup(arena, PQgetvalue(result, i, 0)),
			.name = arena_strdup(arena, PQgetvalue(result, i, 1)),
			.value = strtoll(PQgetvalue(result, i, 2), NULL, 10),
			.system = arena_strdup(arena, PQgetvalue(result, i, 3)),
		};
	PQclear(result);
	return RC_OK;
}
