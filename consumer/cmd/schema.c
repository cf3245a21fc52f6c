/*
 * schema.c
 *    penstock schema: prints the definitions of the source's schema, and prints
 *    or applies the differences between the schemas of source and targets.
 */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "ddl/json.h"
#include "ddl/read.h"
#include "job/schema_diff.h"
#include "net/pgconn_open.h"

typedef struct Verb
{
	const char *name;
	Rc (*run)(const Config *config, Error *err);
} Verb;

/* ---- show --------------------------------------------------------------- */

static MUST_CHECK Rc
open_source(const Config *config, PgConn **conn, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){.conninfo = config->source,
										.label = "source",
										.application_name = "penstock schema",
										.kind = PGCONN_DATA},
					   err);
}

static MUST_CHECK Rc
print_definitions(const DefinitionSet *set, Error *err)
{
	Buf line;

	buf_init(&line, DDL_JSON_BYTES_MAX);
	for (size_t i = 0; i < definition_set_count(set) && !line.overflowed; i++)
	{
		Json json;

		buf_reset(&line);
		json_init(&json, &line);
		ddl_json_append(&json, definition_set_at(set, i));
		if (!line.overflowed)
			puts(line.data);
	}
	if (line.overflowed)
	{
		buf_release(&line);
		return error_set(err, ERR_LIMIT,
						 "a definition is longer than %zu bytes",
						 DDL_JSON_BYTES_MAX);
	}
	buf_release(&line);
	return print_flush(err);
}

static MUST_CHECK Rc
show(const Config *config, Error *err)
{
	Publications publications = {0};
	const DdlReadOptions options = {.publications = &publications,
									.selection = &config->selection};
	Arena *arena = arena_new(4 * KB);
	DefinitionSet *set = definition_set_new();
	PgConn *source = NULL;
	Rc rc = publications_parse(&publications, config->publications, arena, err);

	if (rc == RC_OK)
		rc = open_source(config, &source, err);
	if (rc == RC_OK)
		rc = pgconn_exec(source, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL,
						 err);
	if (rc == RC_OK)
		rc = ddl_read(source, &options, set, err);
	if (rc == RC_OK)
		rc = print_definitions(set, err);
	pgconn_close(source);
	definition_set_free(set);
	arena_free(arena);
	return rc;
}

/* ---- diff --------------------------------------------------------------- */

static MUST_CHECK Rc
diff(const Config *config, Error *err)
{
	Rc rc = schema_diff_run(config, &print_report, err);

	if (rc != RC_FAIL && print_flush(err) != RC_OK)
		rc = RC_FAIL;
	return rc;
}

/* ---- the command -------------------------------------------------------- */

static const Verb verbs[] = {
	{"diff", diff},
	{"show", show},
};

static MUST_CHECK Rc
refuse_words(const Config *config, Error *err)
{
	const char *word = config->word_count > 0 ? config->words[0] : NULL;
	Nearest nearest = {.word = word};
	Rc rc;

	if (config->word_count > 1)
		rc = error_set(err, ERR_USAGE, "unexpected argument \"%s\"",
					   config->words[1]);
	else if (word != NULL)
		rc = error_set(err, ERR_USAGE, "unrecognized verb \"%s\"", word);
	else
		rc = error_set(err, ERR_USAGE, "no verb is given");
	for (size_t i = 0; i < LENGTH_OF(verbs) && word != NULL; i++)
		nearest_offer(&nearest, verbs[i].name);
	if (config->word_count == 1 && nearest.found != NULL)
		error_detail(err, "Did you mean \"%s\"?", nearest.found);
	error_hint(err, "It is \"penstock schema VERB\", where VERB is diff or "
					"show.");
	return rc;
}

Rc
command_schema(const Config *config, Error *err)
{
	const Verb *verb = NULL;
	Rc rc;

	for (size_t i = 0; i < LENGTH_OF(verbs) && config->word_count == 1; i++)
		if (strcmp(verbs[i].name, config->words[0]) == 0)
			verb = &verbs[i];
	if (verb == NULL)
		return refuse_words(config, err);
	rc = config_require_source(config, err);
	return rc == RC_OK ? verb->run(config, err) : rc;
}
