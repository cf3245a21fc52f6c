/*
 * remember.c
 *    Queries the targets, and merges given and stored options.
 */
#include "pipeline/remember.h"

#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "net/pooler.h"
#include "pipeline/beside/reach.h"

/*
 * Milliseconds until the next target is asked if a target does not answer.
 * After the first answer, targets that were asked earlier have the same time to
 * answer: they may have newer options.
 */
#define NEXT_AFTER_MS 200

/* The query of one target. */
typedef struct Asking
{
	const Config *config;
	const char *pipeline;
	int target;
	bool impatient; /* as PgConnOptions.impatient */
	Arena *arena;
	Task *task; /* task that runs ask(); NULL: it has ended */
	bool has_answered;
	PipelineMemory memory; /* the target's answer */
} Asking;

/* Queries one target.  Runs as a task. */
static Rc
ask(void *context, Error *err)
{
	Asking *self = context;
	PgConn *conn = NULL;
	Rc rc = self->impatient
				? reach_target_soon(self->config, self->target, &conn, err)
				: reach_target(self->config, self->target, &conn, err);

	if (rc == RC_OK)
		rc = pipeline_table_read(conn, self->pipeline, self->arena,
								 &self->memory, err);
	pgconn_close(conn);
	return rc;
}

/*
 * Resumes the tasks of all queries.  *waiting tells whether one still waits.
 * Fails only if a stop is requested.  Why a query has failed is left in *err.
 */
static MUST_CHECK Rc
ask_on(Asking *askings, int count, bool *waiting, Error *err)
{
	*waiting = false;
	for (int i = 0; i < count; i++)
	{
		Asking *asking = &askings[i];
		Rc rc;

		if (asking->task == NULL)
			continue;
		rc = task_work(asking->task, err);
		if (rc == RC_AGAIN)
		{
			*waiting = true;
			continue;
		}
		task_free(asking->task);
		asking->task = NULL;
		asking->has_answered = rc == RC_OK;
		if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
			return rc;
	}
	return RC_OK;
}

/* Returns the query with the newest answer; NULL: there is none. */
static const Asking *
find_newest(const Asking *askings, int count)
{
	const Asking *newest = NULL;

	ASSERT(count > 0);
	for (int i = 0; i < count; i++)
		if (askings[i].has_answered &&
			(newest == NULL ||
			 askings[i].memory.revision > newest->memory.revision))
			newest = &askings[i];
	return newest;
}

/* Waits until one of the tasks can continue, or until the deadline. */
static MUST_CHECK Rc
wait_for_answers(const Asking *askings, int count, int64_t deadline_us,
				 Error *err)
{
	Task *tasks[CONFIG_TARGETS_MAX];
	Rc rc;

	for (int i = 0; i < count; i++)
		tasks[i] = askings[i].task;
	rc = interrupt_wait_tasks(tasks, count, deadline_us, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* The queries of all targets. */
typedef struct Round
{
	Asking first;
	int order; /* REMEMBER_ANY_TARGET, REMEMBER_ALL_TARGETS or the first
				* target */
	Asking askings[CONFIG_TARGETS_MAX];
	int count;            /* number of targets that were asked */
	bool waiting;         /* whether a query still waits */
	const Asking *newest; /* query with the newest answer; or NULL */
	int64_t due_us;       /* time at which the next target is asked, or the
						   * answer is accepted */
} Round;

static void
set_due(Round *self)
{
	self->due_us = self->order == REMEMBER_ANY_TARGET
					   ? clock_monotonic_us() + NEXT_AFTER_MS * 1000
					   : INT64_MAX;
}

static void
ask_next(Round *self)
{
	Asking *asking = &self->askings[self->count];

	ASSERT(self->count < self->first.config->target_count);
	*asking = self->first;
	asking->target = (self->first.target + self->count) %
					 self->first.config->target_count;
	asking->task = task_new(ask, asking);
	self->count++;
	set_due(self);
}

/* Whether the next target has to be asked now. */
static bool
is_next_due(const Round *self)
{
	if (self->count == self->first.config->target_count)
		return false;
	if (self->order == REMEMBER_ALL_TARGETS)
		return true;
	return self->newest == NULL &&
		   (!self->waiting || clock_monotonic_us() >= self->due_us);
}

/* Whether we wait for no more answers. */
static bool
is_over(const Round *self)
{
	if (self->newest != NULL)
		return !self->waiting || clock_monotonic_us() >= self->due_us;
	return !self->waiting && self->count == self->first.config->target_count;
}

/* Asks targets until the round is over (RC_OK). */
static MUST_CHECK Rc
run_round(Round *self, Error *err)
{
	Rc rc = RC_OK;

	while (rc == RC_OK)
	{
		bool had_answer = self->newest != NULL;

		while (is_next_due(self))
			ask_next(self);
		rc = ask_on(self->askings, self->count, &self->waiting, err);
		self->newest = find_newest(self->askings, self->count);
		if (!had_answer && self->newest != NULL)
			set_due(self);
		if (rc == RC_OK && is_over(self))
			break;
		if (rc == RC_OK && self->waiting)
			rc = wait_for_answers(self->askings, self->count,
								  self->newest != NULL ||
										  self->count <
											  self->first.config->target_count
									  ? self->due_us
									  : INT64_MAX,
								  err);
	}
	return rc;
}

Rc
remember_read(const Config *config, const char *pipeline, int order,
			  Arena *arena, PipelineMemory *memory, Error *err)
{
	Round round = {.first = {.config = config,
							 .pipeline = pipeline,
							 .target = order >= 0 ? order : 0,
							 .impatient = order != REMEMBER_ANY_TARGET &&
										  config->target_count > 1,
							 .arena = arena},
				   .order = order};
	Rc rc;

	ASSERT(config->target_count > 0);
	rc = run_round(&round, err);
	if (rc == RC_OK && round.newest == NULL)
		rc = RC_FAIL;
	if (rc == RC_OK)
	{
		error_reset(err);
		*memory = round.newest->memory;
	}
	for (int i = 0; i < round.count; i++)
		task_free(round.askings[i].task);
	return rc;
}

static MUST_CHECK Rc
recall(Config *recalled, const Config *config, const char *pipeline,
	   MemoryUse use, Arena *arena, PipelineMemory *memory, Error *err)
{
	Rc rc = RC_OK;

	*recalled = *config;
	if (config->target_count > 0)
		rc = remember_read(config, pipeline, REMEMBER_ANY_TARGET, arena, memory,
						   err);
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

/* Whether a target, or a pooler, has refused the connection; an error of
 * options has no SQLSTATE. */
static bool
is_of_server(const Error *err)
{
	return err->sqlstate[0] != '\0' || pooler_is_refused(err);
}

Rc
remember_recall_if_reached(Config *recalled, const Config *config, Arena *arena,
						   PipelineMemory *memory, Error *err)
{
	Rc rc = recall(recalled, config, config->name, MEMORY_REFUSE_SENT, arena,
				   memory, err);

	if (rc != RC_FAIL || err->code == ERR_INTERRUPTED ||
		(err->code == ERR_CONFIG && !is_of_server(err)))
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

/*
 * Warns about what a change of options does not do, although a user may expect
 * it.
 */
static void
warn_of_change(const Words *was, const Words *is)
{
	for (int i = 0; i < is->count; i++)
	{
		if (has_word(was, is->words[i]))
			continue;
		if (strncmp(is->words[i], "publications=", 13) == 0)
			log_warning("follow.rows-not-changed",
						"no rows are copied or removed by that: tables that "
						"are new in it are to be added with \"penstock table "
						"add\", and those of which it has other rows to be "
						"copied anew with \"penstock table resync\"");
		else if (strncmp(is->words[i], "origin=", 7) == 0)
			log_warning("follow.rows-not-changed",
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
