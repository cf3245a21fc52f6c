/*
 * large_objects.c
 *    Makes a pass for each target, one after the other.
 */
#include "pipeline/beside/large_objects.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "large_object/pass.h"
#include "pipeline/beside/reach.h"

/* The pause after a pass is at least REST_FACTOR times as long as the pass. */
#define REST_FACTOR 2

struct LargeObjects
{
	const Config *config;
	Sink *const *sinks;    /* sinks of the present attempt; NULL: none */
	int64_t not_before_us; /* earliest time of the next pass */
	bool failing;          /* whether the present failure was logged */
};

LargeObjects *
large_objects_new(void)
{
	return xcalloc(1, sizeof(LargeObjects));
}

void
large_objects_free(LargeObjects *self)
{
	free(self);
}

void
large_objects_attach(LargeObjects *self, const Config *config,
					 Sink *const *sinks)
{
	self->config = config;
	self->sinks = sinks;
}

void
large_objects_detach(LargeObjects *self)
{
	self->sinks = NULL;
}

static void
say(const PgConn *target, const LargeObjectsDone *done)
{
	if (done->copied > 0 || done->removed > 0)
		log_info("large objects",
				 "copied %" PRId64
				 " large object%s to %s, and removed %" PRId64,
				 done->copied, PLURAL(done->copied), pgconn_label(target),
				 done->removed);
}

static MUST_CHECK Rc
pass_target(const LargeObjects *self, int index, Error *err)
{
	const Config *config = self->config;
	const LargeObjectPassOptions options = {
		.pipeline = config->name,
		.no_owner = config->no_owner,
		.no_privileges = config->no_privileges,
	};
	LargeObjectsDone done = {0};
	PgConn *source = NULL;
	PgConn *target = NULL;
	Rc rc = reach_source(config, "penstock large objects", self->sinks != NULL,
						 &source, err);

	if (rc == RC_OK)
		rc = self->sinks != NULL
				 ? reach_target_soon(config, index, &target, err)
				 : reach_target_again(config, index, &target, err);
	if (rc == RC_OK)
		rc = large_objects_pass(&options, source, target, &done, err);
	if (target != NULL)
		say(target, &done);
	pgconn_close(source);
	pgconn_close(target);
	return rc;
}

/*
 * Whether a pass has failed only because another process has begun one
 * meanwhile.
 */
static bool
is_superseded(const LargeObjects *self, Rc rc, const Error *err)
{
	return rc == RC_FAIL && err->code == ERR_CHANGED && self->sinks != NULL;
}

/*
 * Makes a pass for each target.  Returns the first failure; the other targets
 * get their pass all the same.
 */
static MUST_CHECK Rc
pass_all(const LargeObjects *self, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < self->config->target_count; i++)
	{
		Error failure = {0};
		Rc one;

		if (self->sinks != NULL && self->sinks[i]->report->unreachable)
			continue;
		one = pass_target(self, i, &failure);
		if (is_superseded(self, one, &failure))
			one = RC_OK;
		if (one != RC_OK && failure.code == ERR_INTERRUPTED)
		{
			error_reset(err);
			error_take(err, &failure);
			return one;
		}
		if (one != RC_OK && rc == RC_OK)
		{
			error_take(err, &failure);
			rc = one;
		}
		error_reset(&failure);
	}
	return rc;
}

Rc
large_objects_step(void *context, Error *err)
{
	LargeObjects *self = context;
	int64_t begin_us = clock_monotonic_us();
	int64_t end_us;
	Rc rc;

	if (begin_us < self->not_before_us)
		return RC_OK;
	rc = pass_all(self, err);
	end_us = clock_monotonic_us();
	self->not_before_us = end_us + REST_FACTOR * (end_us - begin_us);
	if (rc == RC_OK)
		self->failing = false;
	if (rc != RC_FAIL || err->code == ERR_INTERRUPTED)
		return rc;
	error_context(err, "following large objects; it is tried again");
	if (!self->failing)
		log_error(LOG_WARNING, "large objects.failed-once", err);
	self->failing = true;
	error_reset(err);
	return RC_OK;
}

Rc
large_objects_finish(LargeObjects *self, Error *err)
{
	Rc rc = pass_all(self, err);

	if (rc != RC_OK)
		error_context(err, "bringing the targets' large objects to where the "
						   "source's are");
	return rc;
}
