/*
 * verify.c
 *    penstock verify: compares source and targets while both are written to.
 */
#include <stdio.h>

#include "base/log.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "job/verify/verify.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES ((size_t) KB)

static MUST_CHECK Rc
print_json(const Verdict *verdict, Error *err)
{
	Buf buf;
	Rc rc = RC_OK;

	buf_init(&buf, VERDICT_JSON_MAX);
	verdict_append_json(verdict, &buf);
	if (buf.overflowed)
		rc = error_set(err, ERR_LIMIT, "the verdict is longer than %zu bytes",
					   buf.max);
	else
		puts(buf.data);
	buf_release(&buf);
	return rc;
}

static MUST_CHECK Rc
print_verdict(const Config *config, const Verdict *verdict, Error *err)
{
	Rc rc = RC_OK;

	if (config->json)
		rc = print_json(verdict, err);
	else
		verdict_report(verdict, !config->quiet, &print_report);
	return rc == RC_OK ? print_flush(err) : rc;
}

/* Prints the results so far, after the comparison has failed. */
static void
print_so_far(const Config *config, Verdict *verdict, const Error *failure)
{
	Error ignored = {0};

	verdict->failure = failure->message;
	if (verdict->table_count > 0 &&
		print_verdict(config, verdict, &ignored) == RC_FAIL)
		log_error(LOG_WARNING, "verify.report-not-kept", &ignored);
	verdict->failure = NULL;
	error_reset(&ignored);
}

/*
 * Decides the result: RC_END, and exit status 1, only if something differs,
 * also if the comparison has failed after that; ERR_UNSETTLED if the comparison
 * failed or is incomplete.
 */
static MUST_CHECK Rc
settle(const Verdict *verdict, Rc rc, Error *err)
{
	if (verdict_is_different(verdict))
	{
		if (rc == RC_FAIL)
			log_error(LOG_ERROR, "verify.failed", err);
		error_reset(err);
		return RC_END;
	}
	if (rc == RC_FAIL)
	{
		err->code = ERR_UNSETTLED;
		return rc;
	}
	if (!verdict_is_complete(verdict))
		return error_set(err, ERR_UNSETTLED,
						 "not all tables could be compared");
	return RC_OK;
}

Rc
command_verify(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Verdict *verdict = verdict_new();
	Config recalled;
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	if (rc == RC_OK)
		rc = remember_recall(&recalled, config, arena, err);
	if (rc == RC_OK)
		rc = verify_run(&recalled, verdict, err);
	if (rc == RC_OK)
		rc = print_verdict(config, verdict, err);
	else
		print_so_far(config, verdict, err);
	rc = settle(verdict, rc, err);
	verdict_free(verdict);
	arena_free(arena);
	return rc;
}
