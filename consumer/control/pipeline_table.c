/*
 * pipeline_table.c
 *    SQL on penstock.pipeline, and the comparison of revisions.
 */
#include "control/pipeline_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/own_command.h"
#include "control/schema.h"

Rc
pipeline_table_read(PgConn *target, const char *pipeline, Arena *arena,
					PipelineMemory *memory, Error *err)
{
	static const char sql[] =
		"SELECT p.revision, o.word FROM penstock.pipeline p"
		" LEFT JOIN LATERAL pg_catalog.unnest(p.options)"
		"  WITH ORDINALITY o (word, number) ON true"
		" WHERE p.pipeline = $1 ORDER BY o.number";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "pipeline", &exists, err);

	*memory = (PipelineMemory){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
	{
		memory->revision = strtoll(PQgetvalue(result, row, 0), NULL, 10);
		if (!PQgetisnull(result, row, 1))
			words_add(&memory->words, arena,
					  arena_strdup(arena, PQgetvalue(result, row, 1)));
	}
	PQclear(result);
	return rc;
}

/* Appends the words as a text literal of an array. */
static void
append_array(Buf *buf, const Words *words)
{
	buf_append_char(buf, '{');
	for (int i = 0; i < words->count; i++)
	{
		buf_append_string(buf, i > 0 ? ",\"" : "\"");
		for (const char *c = words->words[i]; *c != '\0'; c++)
		{
			if (*c == '"' || *c == '\\')
				buf_append_char(buf, '\\');
			buf_append_char(buf, *c);
		}
		buf_append_char(buf, '"');
	}
	buf_append_char(buf, '}');
}

Rc
pipeline_table_write(PgConn *target, const char *pipeline,
					 const PipelineMemory *memory, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.pipeline (pipeline, revision, options)"
		" VALUES ($1, $2::bigint, $3::text[])"
		" ON CONFLICT (pipeline) DO UPDATE SET revision = excluded.revision,"
		" options = excluded.options";
	char revision[24];
	const char *params[] = {pipeline, revision, NULL};
	Buf options;
	Rc rc;

	ASSERT(memory->revision > 0);
	snprintf(revision, sizeof(revision), "%" PRId64, memory->revision);
	buf_init(&options, BUF_TEXT_MAX);
	append_array(&options, &memory->words);
	params[2] = options.data;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL, err);
	buf_release(&options);
	return rc;
}

/* ---- agreeing ----------------------------------------------------------- */

static void
append_words(Buf *buf, const Words *words)
{
	for (int i = 0; i < words->count; i++)
		buf_printf(buf, "%s%s", i > 0 ? ", " : "", words->words[i]);
}

static MUST_CHECK Rc
refuse_other(PgConn *target, const char *pipeline, const PipelineMemory *theirs,
			 const PipelineMemory *ours, Error *err)
{
	Buf text;
	Rc rc = error_set(err, ERR_CONFIG,
					  "pipeline \"%s\" was made otherwise on %s than on "
					  "another target",
					  pipeline, pgconn_label(target));

	ASSERT(theirs->revision == ours->revision);
	buf_init(&text, BUF_TEXT_MAX);
	buf_append_string(&text, "This target has ");
	append_words(&text, &theirs->words);
	buf_append_string(&text, "; another has ");
	append_words(&text, &ours->words);
	buf_append_char(&text, '.');
	error_detail(err, "%s", text.data);
	error_hint(err,
			   "Targets of one pipeline are copied together.  If these were, "
			   "each was unreachable while the other was changed: \"%s\", with "
			   "the options that are to hold, makes them the same.",
			   OWN_COMMAND("follow --set"));
	buf_release(&text);
	return rc;
}

static MUST_CHECK Rc
take_over(PgConn *target, const char *pipeline, const PipelineMemory *memory,
		  bool is_first, Error *err)
{
	Buf text;
	Rc rc = pipeline_table_write(target, pipeline, memory, err);

	ASSERT(memory->revision > 0);
	if (rc != RC_OK || !is_first)
		return rc;
	buf_init(&text, BUF_TEXT_MAX);
	append_words(&text, &memory->words);
	log_info(
		"apply",
		"%s now has the options of pipeline \"%s\", for commands to come: %s",
		pgconn_label(target), pipeline, text.data);
	buf_release(&text);
	return rc;
}

Rc
pipeline_table_agree(PgConn *target, const char *pipeline,
					 const PipelineMemory *memory, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	PipelineMemory theirs = {0};
	Rc rc = pipeline_table_read(target, pipeline, arena, &theirs, err);

	if (rc != RC_OK)
		;
	else if (theirs.revision < memory->revision)
		rc = take_over(target, pipeline, memory, theirs.revision == 0, err);
	else if (theirs.revision > memory->revision)
		rc = error_set(err, ERR_CHANGED,
					   "the options of pipeline \"%s\" were changed on %s",
					   pipeline, pgconn_label(target));
	else if (!words_equal(&theirs.words, &memory->words))
		rc = refuse_other(target, pipeline, &theirs, memory, err);
	arena_free(arena);
	return rc;
}
