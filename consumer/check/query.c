/*
 * query.c
 *    Runs the queries, and makes findings of their rows.
 */
#include "check/query.h"

#include <string.h>

#include "base/json.h"

enum
{
	COLUMN_LEVEL,
	COLUMN_OBJECT,
	COLUMN_MESSAGE,
	COLUMN_MEND,
	COLUMN_COUNT,
};

static FindingLevel
parse_level(const char *name)
{
	if (strcmp(name, "ok") == 0)
		return FINDING_OK;
	if (strcmp(name, "info") == 0)
		return FINDING_INFO;
	if (strcmp(name, "warning") == 0)
		return FINDING_WARNING;
	CHECK(strcmp(name, "error") == 0);
	return FINDING_ERROR;
}

static const char *
value_or_null(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column))
		return NULL;
	return PQgetvalue(result, row, column);
}

static void
add_rows(CheckContext *context, const CheckServer *server,
		 const CheckQuery *query, const PGresult *result)
{
	CHECK(PQnfields(result) == COLUMN_COUNT);
	for (int row = 0; row < PQntuples(result); row++)
		findings_add(
			context->findings,
			&(Finding){
				.level = parse_level(PQgetvalue(result, row, COLUMN_LEVEL)),
				.code = query->code,
				.server = server->name,
				.object = value_or_null(result, row, COLUMN_OBJECT),
				.message = PQgetvalue(result, row, COLUMN_MESSAGE),
				.fix = value_or_null(result, row, COLUMN_MEND),
			});
	if (PQntuples(result) == 0 && query->ok != NULL)
		findings_add(context->findings, &(Finding){
											.level = FINDING_OK,
											.code = query->code,
											.server = server->name,
											.message = query->ok,
										});
}

/* Appends a member whose value is the JSON in `text`, or null. */
static void
append_text(Json *json, const char *key, const char *text)
{
	json_key(json, key);
	if (text == NULL)
		json_nothing(json);
	else
		json_raw(json, text, strlen(text));
}

static void
append_input(const CheckContext *context, const CheckServer *server, Buf *buf)
{
	Json json;

	json_init(&json, buf);
	json_begin_object(&json);
	json_key(&json, "name");
	json_text(&json, context->config->name);
	append_text(&json, "publications", context->publications);
	append_text(&json, "tables", context->tables);
	append_text(&json, "nowhere",
				context->nowhere != NULL ? context->nowhere : "[]");
	json_key(&json, "progress");
	if (server->progress_known)
		json_bool(&json, server->has_progress);
	else
		json_nothing(&json);
	json_end_object(&json);
}

static bool
is_for_version(const CheckQuery *query, int version_num)
{
	int major = version_num / 10000;

	return major >= query->major_min &&
		   (query->major_max == 0 || major <= query->major_max);
}

static Rc
run_query(CheckContext *context, const CheckServer *server,
		  const CheckQuery *query, const char *input, Error *err)
{
	const char *params[] = {input};
	bool takes_input = strstr(query->sql, "$1") != NULL;
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(server->conn, query->sql, takes_input ? 1 : 0,
							   params, &result, err);

	if (rc == RC_OK)
		add_rows(context, server, query, result);
	else if (err->code == ERR_SQL)
	{
		findings_add_error(
			context->findings,
			&(Finding){.level = FINDING_WARNING,
					   .code = query->code,
					   .server = server->name,
					   .object = "check",
					   .fix = "-- the check itself could not be made"},
			err);
		rc = RC_OK;
	}
	PQclear(result);
	return rc;
}

Rc
check_run_queries(CheckContext *context, const CheckServer *server,
				  const CheckQuery *queries, size_t query_count, Error *err)
{
	int version_num = pgconn_server_version_num(server->conn);
	Buf input;
	Rc rc = RC_OK;

	buf_init(&input, CHECK_INPUT_MAX);
	append_input(context, server, &input);
	if (input.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "more tables are published than can be checked");
	for (size_t i = 0; i < query_count && rc == RC_OK; i++)
		if (is_for_version(&queries[i], version_num))
			rc = run_query(context, server, &queries[i], input.data, err);
	buf_release(&input);
	return rc;
}

/* Returns a copy of a field of row 0, in the arena of the findings, or NULL. */
static const char *
dup_field(CheckContext *context, const PGresult *result, int column)
{
	return arena_strdup(findings_arena(context->findings),
						value_or_null(result, 0, column));
}

Rc
check_read_facts(CheckContext *context, const CheckServer *server,
				 ServerFacts *facts, Error *err)
{
	static const char sql[] =
		"SELECT extract(epoch FROM pg_postmaster_start_time()), oid,"
		" pg_encoding_to_char(encoding), pg_is_in_recovery()"
		" FROM pg_database WHERE datname = current_database()";
	char identifier[SLOT_SYSTEM_ID_SIZE];
	PGresult *result = NULL;
	Rc rc = pgconn_exec(server->conn, sql, &result, err);

	if (rc != RC_OK)
		return rc;
	*facts = (ServerFacts){
		.known = true,
		.version_num = pgconn_server_version_num(server->conn),
		.start_time = dup_field(context, result, 0),
		.database_oid = dup_field(context, result, 1),
		.encoding = dup_field(context, result, 2),
		.in_recovery = PQgetvalue(result, 0, 3)[0] == 't',
	};
	PQclear(result);
	rc = slot_read_system_identifier(server->conn, identifier, err);
	if (rc == RC_OK && identifier[0] != '\0')
		facts->system_identifier = arena_strdup(
			findings_arena(context->findings), identifier);
	return rc;
}
