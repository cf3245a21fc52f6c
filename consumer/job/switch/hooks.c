/*
 * hooks.c
 *    Runs commands with /bin/sh.
 */
#include "job/switch/hooks.h"

#include <stddef.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"

#define VARIABLE "PENSTOCK_WRITES"

/* Where the writes are, in the words of the switch without --back. */
static const char *
place_of_writes(const Switch *self)
{
	if (self->is_unknown)
		return "unknown";
	return self->is_committed != self->config.back ? "target" : "source";
}

static MUST_CHECK Rc
run(Switch *self, const char *option, const char *text, Error *err)
{
	const char *const argv[] = {"/bin/sh", "-c", text, NULL};
	const ChildCommand command = {
		.argv = argv,
		.variable = VARIABLE,
		.variable_value = place_of_writes(self),
		.limit_ms = (int64_t) self->config.max_wait_s * 1000,
	};
	Buf output;
	Rc rc;

	buf_init(&output, CHILD_OUTPUT_MAX);
	rc = child_run(&command, &output, err);
	if (rc == RC_OK && output.length > 0)
		log_info("switch", "%s: %s", option, output.data);
	buf_release(&output);
	if (rc == RC_OK)
		switch_step(self, "ran the command of %s", option);
	else if (err->code != ERR_LIMIT)
		error_context(err, "running the command of %s", option);
	else
	{
		error_reset(err);
		rc = error_set(err, ERR_LIMIT,
					   "the command of %s has not ended within %d s", option,
					   self->config.max_wait_s);
	}
	return rc;
}

Rc
hooks_run_before(Switch *self, Error *err)
{
	if (self->config.before == NULL)
		return RC_OK;
	self->ran_before = true;
	self->paused_us = clock_monotonic_us();
	return run(self, "--before", self->config.before, err);
}

Rc
hooks_run_after(Switch *self, Error *err)
{
	if (self->config.after == NULL)
		return RC_OK;
	self->ran_before = false;
	return run(self, "--after", self->config.after, err);
}

void
hooks_run_undone(Switch *self)
{
	Error failure = {0};

	if (!self->ran_before || hooks_run_after(self, &failure) == RC_OK)
		return;
	log_error(LOG_WARNING, "switch.hook-failed", &failure);
	error_reset(&failure);
}
