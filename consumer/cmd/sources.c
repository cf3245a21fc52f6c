/*
 * sources.c
 *    Makes a Config for each source, and runs the command with each.
 *
 * Sources are followed in separate processes, not in one loop.  Each pipeline
 * has its own pauses, retries and end.  Two pipelines share only the targets,
 * where they exclude each other with locks like any other two pipelines.
 */
#include "cmd/sources.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fork.h"
#include "base/log.h"
#include "base/service.h"
#include "base/xalloc.h"
#include "cmd/command_line.h"

/* Exit status of a process whose command failed, as main() returns it. */
#define EXIT_FAILED 1

_Static_assert(CONFIG_SOURCES_MAX <= FORK_COUNT_MAX,
			   "a process for each source");

/* Bytes for the context of log lines: source "NAME". */
#define CONTEXT_SIZE (IDENTIFIER_SIZE + 16)

static void
make_context(const Config *one, char context[static CONTEXT_SIZE])
{
	snprintf(context, CONTEXT_SIZE, "source \"%s\"", one->source_name);
}

/*
 * Returns the index of the selected or only source, or -1 if there are several.
 */
static int
only_source(const Config *config)
{
	if (config->from != NULL)
		return config_find_source(config, config->from);
	return config->source_count == 1 ? 0 : -1;
}

static MUST_CHECK Rc
run_for(CommandFunction run, const Config *config, int index, Error *err)
{
	char context[CONTEXT_SIZE];
	Config one;
	Rc rc;

	config_take_source(config, index, &one);
	make_context(&one, context);
	command_line_use(&one);
	rc = run(&one, err);
	command_line_use(config);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED &&
		config->source_count > 1)
		error_context(err, "%s", context);
	return rc;
}

/*
 * Runs a command for each source.  RC_END: the command returned it for at least
 * one of them.
 */
static MUST_CHECK Rc
run_in_turn(CommandFunction run, const Config *config, Error *err)
{
	Rc answer = RC_OK;

	for (int i = 0; i < config->source_count; i++)
	{
		Rc rc;

		if (!config->json)
			printf("%ssource \"%s\":\n", i > 0 ? "\n" : "",
				   config->source_names[i]);
		rc = run_for(run, config, i, err);
		if (rc == RC_FAIL)
			return rc;
		if (rc == RC_END)
			answer = rc;
	}
	return answer;
}

/* ---- at once ------------------------------------------------------------ */

static void
say_what_is_left_out(const Config *config, int index)
{
	bool any = false;

	for (int i = 0; i < placement_rule_count(config->placement); i++)
		any |= placement_rule(config->placement, i)->kind == PLACEMENT_ALL;
	if (any && index > 0)
		log_info("follow",
				 "tables that are on every target are followed from source "
				 "\"%s\" only",
				 config->source_names[0]);
}

/* The main function of a process that follows one source. */
static int
follow_one(void *context, int number)
{
	const Config *config = context;
	char log_context[CONTEXT_SIZE];
	Error err = {0};
	Config one;
	Rc rc;

	service_leave();
	config_take_source(config, number, &one);
	make_context(&one, log_context);
	log_set_context(log_context);
	command_line_use(&one);
	say_what_is_left_out(config, number);
	rc = command_follow(&one, &err);
	if (rc == RC_FAIL)
		log_error(LOG_ERROR, "follow.failed", &err);
	error_reset(&err);
	return rc == RC_OK ? 0 : EXIT_FAILED;
}

/*
 * Tells a service manager that we have started.  It listens to this process
 * only, which has no loop that could ping: a follower that ends unexpectedly
 * ends all.
 */
static void
say_started(int count)
{
	char *status = xasprintf("following %d sources", count);

	service_expect_pings(false);
	service_ready();
	service_status(status);
	free(status);
}

Rc
sources_follow(const Config *config, Error *err)
{
	Config context = *config;
	int failed;
	Rc rc;

	ASSERT(config->source_count > 1);
	if (config->endpos != 0)
	{
		rc = error_set(err, ERR_USAGE,
					   "--endpos is a position of one source, and the "
					   "configuration file has several");
		error_hint(err, "Follow them one by one: --from=%s.",
				   config->source_names[0]);
		return rc;
	}
	say_started(config->source_count);
	rc = fork_run(config->source_count, follow_one, &context, &failed, err);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
	{
		/* A stop request is the normal end. */
		error_reset(err);
		return RC_OK;
	}
	if (rc != RC_END)
		return rc;
	rc = error_set(err, ERR_IO,
				   "following source \"%s\" has failed: all were ended",
				   config->source_names[failed]);
	error_detail(err, "Its last line says why.");
	return rc;
}

/* ---- the way of each ---------------------------------------------------- */

Rc
sources_run(const Command *command, const Config *config, Error *err)
{
	int only = only_source(config);

	if (config->source_count == 0 || command->sources == SOURCES_ITSELF)
		return command->run(config, err);
	if (only >= 0)
		return run_for(command->run, config, only, err);
	if (config->log != NULL)
		return error_set(err, ERR_CONFIG,
						 "a log is of one source: give it with --from");
	switch (command->sources)
	{
		case SOURCES_ITSELF:
		case SOURCES_ONE:
			return config_require_source(config, err);
		case SOURCES_FIRST:
			return run_for(command->run, config, 0, err);
		case SOURCES_IN_TURN:
			return run_in_turn(command->run, config, err);
		case SOURCES_AT_ONCE:
			return sources_follow(config, err);
	}
	CHECK(false);
	return RC_FAIL;
}
