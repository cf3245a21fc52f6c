/*
 * remember.c
 *    Asking targets, and putting together what was given and what is
 *    remembered.
 */
#include "pipeline/remember.h"

#include <string.h>

#include "base/log.h"
#include "net/pooler.h"
#include "pipeline/reach.h"

static MUST_CHECK Rc
read_target(const Config *config, const char *pipeline, int target,
			Arena *arena, PipelineMemory *memory, Error *err)
{
	PgConn *conn = NULL;
	Rc rc = reach_target(config, target, &conn, err);

	if (rc == RC_OK)
		rc = pipeline_table_read(conn, pipeline, arena, memory, err);
	pgconn_close(conn);
	return rc;
}

Rc
remember_read(const Config *config, const char *pipeline, int *target,
			  Arena *arena, PipelineMemory *memory, Error *err)
{
	int first = *target;
	Rc rc = RC_FAIL;

	ASSERT(config->target_count > 0);
	for (int i = 0; i < config->target_count; i++)
	{
		*target = (first + i) % config->target_count;
		error_reset(err);
		rc = read_target(config, pipeline, *target, arena, memory, err);
		if (rc == RC_OK || err->code == ERR_INTERRUPTED)
			return rc;
	}
	return rc;
}

static MUST_CHECK Rc
recall(Config *recalled, const Config *config, const char *pipeline,
	   MemoryUse use, Arena *arena, PipelineMemory *memory, Error *err)
{
	int target = 0;
	Rc rc = RC_OK;

	*recalled = *config;
	if (config->target_count > 0)
		rc = remember_read(config, pipeline, &target, arena, memory, err);
	if (rc == RC_OK)
		rc = memory_recall(recalled, &memory->words, use, err);
	return rc;
}

Rc
remember_recall(Config *recalled, const Config *config, Arena *arena,
				Error *err)
{
	PipelineMemory memory = {0};

	return recall(recalled, config, config->name, MEMORY_REFUSE_SENT, arena,
				  &memory, err);
}

Rc
remember_recall_if_reached(Config *recalled, const Config *config, Arena *arena,
						   PipelineMemory *memory, Error *err)
{
	Rc rc = recall(recalled, config, config->name, MEMORY_REFUSE_SENT, arena,
				   memory, err);

	if (rc != RC_FAIL || err->code == ERR_INTERRUPTED ||
		(err->code == ERR_CONFIG && !pooler_is_refused(err)))
		return rc;
	error_reset(err);
	*recalled = *config;
	return RC_OK;
}

Rc
remember_unfinished(Config *recalled, const Config *config,
					const char *pipeline, Arena *arena, Error *err)
{
	PipelineMemory memory = {0};

	return recall(recalled, config, pipeline, MEMORY_REPLACE, arena, &memory,
				  err);
}

void
remember_copied(const Config *config, Arena *arena, PipelineMemory *memory)
{
	memory->revision = 1;
	memory_write(config, MEMORY_COPIED, arena, &memory->words);
}

/* ---- changing ----------------------------------------------------------- */

static bool
has_word(const Words *words, const char *word)
{
	for (int i = 0; i < words->count; i++)
		if (strcmp(words->words[i], word) == 0)
			return true;
	return false;
}

static void
say_difference(const char *what, const Words *from, const Words *to)
{
	for (int i = 0; i < from->count; i++)
		if (!has_word(to, from->words[i]))
			log_info("follow", "%s: %s", what, from->words[i]);
}

/* What a change leaves as it is, though one may think otherwise. */
static void
warn_of_change(const Words *was, const Words *is)
{
	for (int i = 0; i < is->count; i++)
	{
		if (has_word(was, is->words[i]))
			continue;
		if (strncmp(is->words[i], "publications=", 13) == 0)
			log_warning("follow",
						"no rows are copied or removed by that: tables that "
						"are new in it are to be added with \"penstock table "
						"add\", and those of which it has other rows to be "
						"copied anew with \"penstock table resync\"");
		else if (strncmp(is->words[i], "origin=", 7) == 0)
			log_warning("follow",
						"what was left out, or taken, until now stays so");
	}
}

static void
say_change(const char *pipeline, const Words *was, const Words *is)
{
	log_info("follow", "pipeline \"%s\" is changed", pipeline);
	say_difference("it was", was, is);
	say_difference("it is from now on", is, was);
	warn_of_change(was, is);
}

Rc
remember_decide(Config *recalled, bool change, Arena *arena,
				PipelineMemory *memory, Error *err)
{
	Words is;
	Rc rc = memory_recall(recalled, &memory->words,
						  change ? MEMORY_REPLACE : MEMORY_REFUSE, err);

	if (rc != RC_OK)
		return rc;
	memory_write(recalled, MEMORY_FOLLOWED, arena, &is);
	if (words_equal(&is, &memory->words))
		return RC_OK;
	if (change && memory->revision > 0)
		say_change(recalled->name, &memory->words, &is);
	memory->revision++;
	memory->words = is;
	return RC_OK;
}
