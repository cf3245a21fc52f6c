/*
 * surroundings.c
 *    Compares the schemas under each anchor, and the sequences at the end.
 */
#include "job/verify/surroundings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/xalloc.h"
#include "ddl/compare.h"
#include "source/slot.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* How long we wait for a follower to advance the sequences, and the interval at
 * which we query them. */
#define SEQUENCES_WAIT_MS 15000
#define SEQUENCES_POLL_MS 500

/* A server that deparses an expression locks the table of the expression for a
 * moment.  These are the lock_timeout for that, and the maximum number of
 * anchors under which we try. */
#define LOCK_SQL   "SET lock_timeout = 1000"
#define LOCKED_MAX 5

/* lock_not_available */
#define LOCKED_SQLSTATE "55P03"

/* ---- the schema --------------------------------------------------------- */

static bool
has_difference(const Surroundings *self, const char *text)
{
	for (int i = 0; i < self->difference_count; i++)
		if (strcmp(self->differences[i], text) == 0)
			return true;
	return false;
}

static void
forget_differences(Surroundings *self)
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
	Surroundings *self;
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
select_placed(const Surroundings *self, const CopyCatalog *catalog,
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
take_differences(Surroundings *self, const Look *look)
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
judge_failure(Surroundings *self, Verdict *verdict, Error *err)
{
	if (strcmp(err->sqlstate, LOCKED_SQLSTATE) != 0)
		return RC_FAIL;
	self->settled = ++self->locked == LOCKED_MAX;
	if (self->settled)
		verdict_doubt(verdict, "the schema, since somebody has locked a table");
	error_reset(err);
	return RC_OK;
}

static MUST_CHECK Rc
look_at_schema(Surroundings *self, const Anchor *anchor,
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

/* ---- sequences ---------------------------------------------------------- */

static MUST_CHECK Rc
read_sequences(Surroundings *self, PgConn *source, const CopyCatalog *catalog,
			   Error *err)
{
	bool complete;
	Rc rc = sequence_list_find(&self->sequences, catalog, source, true, err);

	if (rc == RC_OK)
		rc = sequence_list_read(&self->sequences, source, &complete, err);
	self->read_us = clock_monotonic_us();
	return rc;
}

static bool
has_come(const SequenceItem *source, const SequenceItem *target)
{
	return source->definition.cycles || !source->has_value ||
		   !sequence_is_beyond(&source->definition, &source->value,
							   &target->value);
}

/* Adds to *lagging the number of a target's sequences that have not reached the
 * source's values, and adds them to the verdict, if that is not NULL. */
static MUST_CHECK Rc
count_lagging(const Surroundings *self, PgConn *target, const char *label,
			  Verdict *verdict, int *lagging, Error *err)
{
	int count = self->sequences.count;
	SequenceItem **names = xcalloc((size_t) count + 1, sizeof(*names));
	SequenceList list = {0};
	Rc rc;

	for (int i = 0; i < count; i++)
		names[i] = &self->sequences.items[i];
	rc = sequence_list_read_target(&list, names, count, target, err);
	for (int i = 0; i < count && rc == RC_OK; i++)
	{
		const SequenceItem *item = &list.items[i];

		if (item->has_value && has_come(names[i], item))
			continue;
		if (!names[i]->has_value)
			continue;
		(*lagging)++;
		if (verdict != NULL)
			verdict_add_note(
				verdict,
				arena_printf(verdict->arena, "sequence %s on %s %s",
							 names[i]->qualified, label,
							 !item->has_value
								 ? "is not there, or cannot be read"
								 : "has not come to where the source's was"));
	}
	sequence_list_release(&list);
	free(names);
	return rc;
}

static MUST_CHECK Rc
count_all_lagging(const Surroundings *self, PgConn *const *targets,
				  Verdict *verdict, int *lagging, Error *err)
{
	Rc rc = RC_OK;

	*lagging = 0;
	for (int i = 0; i < self->config->target_count && rc == RC_OK; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_label_target(self->config, i, label);
		rc = count_lagging(self, targets[i], label, verdict, lagging, err);
	}
	return rc;
}

static MUST_CHECK Rc
is_followed(const Surroundings *self, PgConn *source, bool *followed,
			Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(source, self->config->name, &slot, err);

	*followed = rc == RC_OK && slot.active_pid != 0;
	return rc;
}

/* Waits until the targets' sequences have reached the source's, no follower is
 * running, or SEQUENCES_WAIT_MS are over.  Adds the others to the verdict. */
static MUST_CHECK Rc
await_sequences(const Surroundings *self, PgConn *source,
				PgConn *const *targets, Verdict *verdict, Error *err)
{
	int64_t until_us = self->read_us + (int64_t) SEQUENCES_WAIT_MS * 1000;
	bool followed = true;
	int lagging = 0;
	Rc rc = count_all_lagging(self, targets, NULL, &lagging, err);

	while (rc == RC_OK && lagging > 0 && followed &&
		   clock_monotonic_us() < until_us)
	{
		rc = interrupt_wait(-1, 0, SEQUENCES_POLL_MS, err);
		if (rc == RC_AGAIN)
			rc = is_followed(self, source, &followed, err);
		if (rc == RC_OK)
			rc = count_all_lagging(self, targets, NULL, &lagging, err);
	}
	if (rc == RC_OK && lagging > 0)
		rc = count_all_lagging(self, targets, verdict, &lagging, err);
	return rc;
}

static MUST_CHECK Rc
compare_sequences(const Surroundings *self, Verdict *verdict, Error *err)
{
	const Config *config = self->config;
	PgConn *targets[CONFIG_TARGETS_MAX] = {NULL};
	PgConn *source = NULL;
	Rc rc = anchor_open_reader(&source, config->source, "source", err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_label_target(config, i, label);
		rc = anchor_open_reader(&targets[i], config->targets[i], label, err);
	}
	if (rc == RC_OK)
		rc = await_sequences(self, source, targets, verdict, err);
	for (int i = 0; i < config->target_count; i++)
		pgconn_close(targets[i]);
	pgconn_close(source);
	return rc;
}

/* ---- both --------------------------------------------------------------- */

Rc
surroundings_look(Surroundings *self, const Anchor *anchor,
				  const CopyCatalog *catalog, Verdict *verdict, Error *err)
{
	Rc rc = RC_OK;

	if (!self->settled)
		rc = look_at_schema(self, anchor, catalog, verdict, err);
	if (rc == RC_OK && self->read_us == 0 &&
		config_follows_sequences(self->config))
		rc = read_sequences(self, anchor->source, catalog, err);
	return rc;
}

Rc
surroundings_end(Surroundings *self, Verdict *verdict, Error *err)
{
	return self->read_us == 0 ? RC_OK : compare_sequences(self, verdict, err);
}

void
surroundings_release(Surroundings *self)
{
	forget_differences(self);
	sequence_list_release(&self->sequences);
	*self = (Surroundings){0};
}
