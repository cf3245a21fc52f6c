/*
 * ddl_statements.c
 *    What consumer/ddl/ says of databases, for tests.
 *
 *     ddl_statements read CONNINFO >FILE
 *         prints the definitions of what a database has, one a line.
 *     ddl_statements diff BEFORE AFTER VERSION_NUM OID...
 *         prints the statements from the one such file to the other, one JSON
 *         object a line, for a target of the version; all rows of the tables
 *         with these OIDs come anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ddl/diff/diff.h"
#include "ddl/json.h"
#include "ddl/read.h"
#include "net/pgconn_open.h"

#define ARENA_BLOCK_BYTES (64 * KB)

static int
fail(const Error *err)
{
	fprintf(stderr, "%s\n", err->message);
	if (err->detail != NULL)
		fprintf(stderr, "%s\n", err->detail);
	return EXIT_FAILURE;
}

/* ---- read ---- */

static void
print_set(const DefinitionSet *set)
{
	for (size_t i = 0; i < definition_set_count(set); i++)
	{
		Buf buf;
		Json json;

		buf_init(&buf, DDL_JSON_BYTES_MAX);
		json_init(&json, &buf);
		ddl_json_append(&json, definition_set_at(set, i));
		puts(buf.data);
		buf_release(&buf);
	}
}

static int
read_database(const char *conninfo)
{
	PgConnOptions options = {.conninfo = conninfo,
							 .label = "database",
							 .application_name = "test",
							 .kind = PGCONN_DATA};
	DdlReadOptions all = {.oids = NULL};
	DefinitionSet *set = definition_set_new();
	PgConn *conn = NULL;
	Error err = {0};
	Rc rc = pgconn_open(&conn, &options, &err);

	if (rc == RC_OK)
		rc = pgconn_exec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL,
						 &err);
	if (rc == RC_OK)
		rc = ddl_read(conn, &all, set, &err);
	pgconn_close(conn);
	if (rc != RC_OK)
		return fail(&err);
	print_set(set);
	definition_set_free(set);
	return EXIT_SUCCESS;
}

/* ---- diff ---- */

static MUST_CHECK Rc
load(const char *path, Arena *arena, DefinitionSet *set, Error *err)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	Rc rc = RC_OK;

	if (file == NULL)
		return error_set(err, ERR_IO, "could not open \"%s\"", path);
	while (rc == RC_OK && (length = getline(&line, &size, file)) > 0)
	{
		const Definition *definition;

		rc = ddl_json_read(line, (size_t) length, arena, &definition, err);
		if (rc == RC_OK)
			definition_set_put(set, definition);
	}
	free(line);
	fclose(file);
	return rc;
}

static void
print_statement(const DdlStatement *statement)
{
	Buf buf;
	Json json;

	buf_init(&buf, BUF_TEXT_MAX);
	json_init(&json, &buf);
	json_begin_object(&json);
	json_member_string(&json, "sql", statement->sql);
	if (statement->concurrent_sql != NULL)
		json_member_string(&json, "concurrent_sql", statement->concurrent_sql);
	json_member_string(&json, "kind", ddl_kind_name(statement->kind));
	json_member_string(&json, "object", statement->object);
	json_member_bool(&json, "commits_first", statement->commits_first);
	json_end_object(&json);
	puts(buf.data);
	buf_release(&buf);
}

/* A list that the shell made, such as "16384 16390". */
static OidList
oids_of(char **words, int count, Arena *arena)
{
	OidList list = {.count = count};

	list.oids = arena_calloc(arena, (size_t) count + 1, sizeof(uint32_t));
	for (int i = 0; i < count; i++)
		list.oids[i] = (uint32_t) strtoul(words[i], NULL, 10);
	return list;
}

static int
print_diff(const char *from, const char *to, const DdlHints *hints,
		   Arena *arena)
{
	DefinitionSet *before = definition_set_new();
	DefinitionSet *after = definition_set_new();
	DdlPlan *plan;
	Error err = {0};
	Rc rc = load(from, arena, before, &err);

	if (rc == RC_OK)
		rc = load(to, arena, after, &err);
	if (rc == RC_OK)
		rc = ddl_diff(before, after, hints, arena, &plan, &err);
	definition_set_free(before);
	definition_set_free(after);
	if (rc != RC_OK)
		return fail(&err);
	for (int i = 0; i < plan->count; i++)
		print_statement(&plan->statements[i]);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	int status = EXIT_FAILURE;

	if (argc == 3 && strcmp(argv[1], "read") == 0)
		status = read_database(argv[2]);
	else if (argc >= 5 && strcmp(argv[1], "diff") == 0)
	{
		DdlHints hints = {
			.target_version_num = (int) strtol(argv[4], NULL, 10),
			.rewritten = oids_of(argv + 5, argc - 5, arena),
		};

		status = print_diff(argv[2], argv[3], &hints, arena);
	}
	else
		fprintf(stderr,
				"Usage: %s read CONNINFO | diff BEFORE AFTER"
				" VERSION_NUM [OID...]\n",
				argv[0]);
	arena_free(arena);
	return status;
}
