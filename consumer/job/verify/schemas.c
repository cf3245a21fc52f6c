/*
 * schemas.c
 *    Compares the schemas under each anchor.
 */
#include "job/verify/schemas.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ddl/compare.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* A server that deparses an expression locks the table of the expression for a
 * moment.  These are the lock_timeout for that, and the maximum number of
 * anchors under which we try. */
#define LOCK_SQL   "SET lock_timeout = 1000"
#define LOCKED_MAX 5

/* lock_not_available */
#define LOCKED_SQLSTATE "55P03"

/* ---- the schema --------------------------------------------------------- */

static bool
has_difference(const VerifySchemas *self, const char *text)
{
	for (int i = 0; i < self->difference_count; i++)
		if (strcmp(self->differences[i], text) == 0)
			return true;
	return false;
}

static void
forget_differences(VerifySchemas *self)
{
	for (int i = 0; i < self->difference_count; i++)
		free(self->differences[i]);
	free(self->differences);
	self->differences = NULL;
	self->difference_count = 0;
}

/* One comparison of the schemas.  Differences that the last comparison has
 * found, too, are added to the verdict. */
typedef struct Look
{
	VerifySchemas *self;
	Verdict *verdict;
	const char *label; /* name of the current target in messages */
	int count;         /* number of differences so far */
	char **texts;      /* the differences, as text; owned */
} Look;

static void
add_difference(Look *look, const char *text)
{
	char *line = xasprintf("schema of %s: %s", look->label, text);

	if (has_difference(look->self, line))
		verdict_add_note(look->verdict, line);
	look->texts = xrealloc_array(look->texts, (size_t) look->count + 1,
								 sizeof(*look->texts));
	look->texts[look->count++] = line;
}

/* Extends the selection of the configuration by excluding the tables that the
 * placement assigns to no target.  Returns false if a selection has no room for
 * that many patterns. */
static bool
select_placed(const VerifySchemas *self, const CopyCatalog *catalog,
			  Selection *selection)
{
	PatternList *excluded = &selection->exclude_tables;
	const Selected *selected = &catalog->selected;

	*selection = self->config->selection;
	for (int i = 0; i < selected->relation_count; i++)
	{
		if (!selected->relations[i].nowhere)
			continue;
		if (excluded->count == SELECTION_PATTERNS_MAX)
			return false;
		excluded->patterns[excluded->count++] = selected->relations[i]
													.qualified;
	}
	return true;
}

static MUST_CHECK Rc
compare_schema(Look *look, PgConn *source, PgConn *target,
			   const CopyCatalog *catalog, Error *err)
{
	const Config *config = look->self->config;
	Selection selection;
	const DdlCompareOptions options = {
		.selection = &selection,
		.publications = &catalog->publications,
		.owners = !config->no_owner,
		.privileges = !config->no_privileges,
		.stride = config->sequence_stride.count,
	};
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	DdlDifferences differences = {0};
	Rc rc = RC_OK;

	if (select_placed(look->self, catalog, &selection))
		rc = ddl_compare(source, target, &options, arena, &differences, err);
	else
		verdict_doubt(look->verdict,
					  "the schema, since too many tables are placed nowhere");
	for (int i = 0; i < differences.count && rc == RC_OK; i++)
		add_difference(look, differences.list[i].note != NULL
								 ? differences.list[i].note
								 : differences.list[i].sql);
	arena_free(arena);
	return rc;
}

static MUST_CHECK Rc
compare_target(Look *look, const Anchor *anchor, int number, PgConn *source,
			   const CopyCatalog *catalog, Error *err)
{
	PgConn *target = NULL;
	Rc rc = anchor_open_target(&target, anchor, number, err);

	look->label = anchor->targets[number].label;
	if (rc == RC_OK)
		rc = pgconn_exec(target, LOCK_SQL, NULL, err);
	if (rc == RC_OK)
		rc = compare_schema(look, source, target, catalog, err);
	pgconn_close(target);
	return rc;
}

static void
take_differences(VerifySchemas *self, const Look *look)
{
	forget_differences(self);
	self->differences = look->texts;
	self->difference_count = look->count;
	self->settled = self->looked || look->count == 0;
	self->looked = true;
}

/* Handles a comparison that has failed because a table was locked: the schemas
 * are compared again under the next anchor, up to LOCKED_MAX times.  Returns
 * RC_FAIL for any other error. */
static MUST_CHECK Rc
judge_failure(VerifySchemas *self, Verdict *verdict, Error *err)
{
	if (strcmp(err->sqlstate, LOCKED_SQLSTATE) != 0)
		return RC_FAIL;
	self->settled = ++self->locked == LOCKED_MAX;
	if (self->settled)
		verdict_doubt(verdict,
					  "the schema, because a session has locked a table");
	error_reset(err);
	return RC_OK;
}

static MUST_CHECK Rc
look_at_schema(VerifySchemas *self, const Anchor *anchor,
			   const CopyCatalog *catalog, Verdict *verdict, Error *err)
{
	Look look = {.self = self, .verdict = verdict};
	PgConn *source = NULL;
	Rc rc = anchor_open_source(&source, anchor, err);

	if (rc == RC_OK)
		rc = pgconn_exec(source, LOCK_SQL, NULL, err);
	for (int i = 0; i < self->config->target_count && rc == RC_OK; i++)
		rc = compare_target(&look, anchor, i, source, catalog, err);
	pgconn_close(source);
	if (rc == RC_OK)
	{
		take_differences(self, &look);
		return RC_OK;
	}
	for (int i = 0; i < look.count; i++)
		free(look.texts[i]);
	free(look.texts);
	return judge_failure(self, verdict, err);
}

/* ---- all of it ---------------------------------------------------------- */

Rc
verify_schemas_look(VerifySchemas *self, const Anchor *anchor,
					const CopyCatalog *catalog, Verdict *verdict, Error *err)
{
	return self->settled ? RC_OK
						 : look_at_schema(self, anchor, catalog, verdict, err);
}

void
verify_schemas_release(VerifySchemas *self)
{
	forget_differences(self);
	*self = (VerifySchemas){0};
}
