/*
 * remember.c
 *    Asking targets, and putting together what was given and what is
 *    remembered.
 */
#include "pipeline/remember.h"

#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "net/pooler.h"
#include "pipeline/reach.h"

/* After so long without an answer of a target, the next one is asked as well.
 */
#define NEXT_AFTER_MS 200

/* One target that is asked. */
typedef struct Asking
{
	const Config *config;
	const char *pipeline;
	int target;
	Arena *arena;
	PipelineMemory memory; /* the answer */
} Asking;

/* A task. */
static Rc
ask(void *context, Error *err)
{
	Asking *self = context;
	PgConn *conn = NULL;
	Rc rc = reach_target(self->config, self->target, &conn, err);

	if (rc == RC_OK)
		rc = pipeline_table_read(conn, self->pipeline, self->arena,
								 &self->memory, err);
	pgconn_close(conn);
	return rc;
}

/*
 * Goes on with all that are asked, until one has answered (RC_OK, *answered) or
 * all have failed (RC_FAIL, as the last one) or wait (RC_AGAIN).
 */
static MUST_CHECK Rc
ask_on(Task **tasks, int count, int *answered, Error *err)
{
	Rc all = RC_FAIL;

	for (int i = 0; i < count; i++)
	{
		Rc rc;

		if (tasks[i] == NULL)
			continue;
		rc = task_work(tasks[i], err);
		*answered = i;
		if (rc == RC_OK || (rc == RC_FAIL && err->code == ERR_INTERRUPTED))
			return rc;
		if (rc == RC_AGAIN)
		{
			all = RC_AGAIN;
			continue;
		}
		task_free(tasks[i]);
		tasks[i] = NULL;
	}
	return all;
}

/* Who is asked beside those that have not answered. */
static void
ask_next(Asking *askings, Task **tasks, int count, const Asking *like)
{
	askings[count] = *like;
	askings[count].target = (like->target + count) % like->config->target_count;
	tasks[count] = task_new(ask, &askings[count]);
}

static bool
is_interrupted(Rc rc, const Error *err)
{
	return rc == RC_FAIL && err->code == ERR_INTERRUPTED;
}

Rc
remember_read(const Config *config, const char *pipeline, int *target,
			  Arena *arena, PipelineMemory *memory, Error *err)
{
	const Asking first = {config, pipeline, *target, arena, {0}};
	Asking askings[CONFIG_TARGETS_MAX];
	Task *tasks[CONFIG_TARGETS_MAX] = {NULL};
	int64_t next_us = 0;
	int count = 0;
	int answered = 0;
	Rc rc = RC_FAIL;

	ASSERT(config->target_count > 0);
	while (rc != RC_OK && !is_interrupted(rc, err))
	{
		bool more = count < config->target_count;

		if (more && (rc == RC_FAIL || clock_monotonic_us() >= next_us))
		{
			ask_next(askings, tasks, count++, &first);
			next_us = clock_monotonic_us() + NEXT_AFTER_MS * 1000;
		}
		else if (rc == RC_FAIL)
			break;
		rc = ask_on(tasks, count, &answered, err);
		if (rc != RC_AGAIN)
			continue;
		more = count < config->target_count;
		rc = interrupt_wait_tasks(tasks, count, more ? next_us : INT64_MAX,
								  err);
		rc = rc == RC_OK ? RC_AGAIN : rc;
	}
	if (rc == RC_OK)
	{
		error_reset(err);
		*target = askings[answered].target;
		*memory = askings[answered].memory;
	}
	for (int i = 0; i < count; i++)
		task_free(tasks[i]);
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
