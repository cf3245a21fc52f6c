/*
 * check.c
 *    penstock check: checks source and targets before a pipeline is created.
 *
 * The check writes nothing on either side, except for WAL on the source that
 * comes from a temporary slot (see check/probe.h).  A server that cannot be
 * reached is a finding, and everything else is checked all the same.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "check/cloning.h"
#include "check/context.h"
#include "check/history.h"
#include "check/pipeline.h"
#include "check/published.h"
#include "check/schema.h"
#include "check/source.h"
#include "check/target.h"
#include "cmd/command.h"
#include "pipeline/remember.h"

static Rc
check_all(CheckContext *context, Error *err)
{
	Rc rc = check_parse_publications(context, err);

	if (rc == RC_OK)
		rc = check_source(context, err);
	for (int i = 0; i < context->config->target_count && rc == RC_OK; i++)
	{
		rc = check_target(context, i, err);
		if (rc == RC_OK)
			rc = check_schema(context, i, err);
	}
	if (rc == RC_OK)
		rc = check_history(context, err);
	if (rc == RC_OK)
		rc = check_cloning(context, err);
	if (rc == RC_OK)
		rc = check_pipeline(context, err);
	return rc;
}

static Rc
print_json(const Findings *findings, Error *err)
{
	Rc rc = RC_OK;
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	findings_append_json(findings, &buf);
	if (buf.overflowed)
		rc = error_set(err, ERR_LIMIT, "the findings are longer than %zu bytes",
					   buf.max);
	else
		puts(buf.data);
	buf_release(&buf);
	return rc;
}

static Rc
print_findings(const Config *config, const Findings *findings, Error *err)
{
	Rc rc = RC_OK;

	if (config->json)
		rc = print_json(findings, err);
	else
		findings_print(findings,
					   &(FindingsShown){.only_wrong = config->quiet,
										.all = config->verbose},
					   stdout);
	if (rc == RC_OK && fflush(stdout) != 0)
		return error_set(err, ERR_IO, "could not write to standard output: %s",
						 strerror(errno));
	return rc;
}

Rc
command_check(const Config *config, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	Config recalled;
	PipelineMemory memory = {0};
	CheckContext context = {.config = &recalled, .remembered = &memory.words};
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = remember_recall_if_reached(&recalled, config, arena, &memory, err);
	context.findings = findings_new();
	if (rc == RC_OK)
		rc = check_all(&context, err);
	if (rc == RC_OK)
		rc = print_findings(config, context.findings, err);
	if (rc == RC_OK && findings_count(context.findings, FINDING_ERROR) > 0)
		rc = RC_END;
	findings_free(context.findings);
	arena_free(arena);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
	{
		/* Not RC_OK: exit status 0 would mean that a pipeline can run. */
		log_warning("check.interrupted",
					"stopped before everything was looked at");
		error_reset(err);
		rc = RC_END;
	}
	return rc;
}
