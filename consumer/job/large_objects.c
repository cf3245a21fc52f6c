/*
 * large_objects.c
 *    Makes a pass on each target, and repeats it if a follower's pass
 * interferes.
 */
#include "job/large_objects.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/interrupt.h"
#include "large_object/pass.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES (1 * KB)

/* Maximum number of attempts, and pause between them: an attempt fails if a
 * follower begins a pass of its own at the same time. */
#define TRIES_MAX      20
#define TRIES_PAUSE_MS 500

static MUST_CHECK Rc
leave_alone(PgConn *conn, Error *err)
{
	return PQtransactionStatus(pgconn_raw(conn)) == PQTRANS_IDLE
			   ? RC_OK
			   : pgconn_exec(conn, "ROLLBACK", NULL, err);
}

static MUST_CHECK Rc
pass_once(const LargeObjectPassOptions *options, PgConn *source, PgConn *target,
		  LargeObjectsDone *done, bool *superseded, Error *err)
{
	Rc rc = large_objects_pass(options, source, target, done, err);

	*superseded = rc == RC_FAIL && err->code == ERR_CHANGED;
	if (!*superseded)
		return rc;
	error_reset(err);
	rc = leave_alone(source, err);
	return rc == RC_OK ? leave_alone(target, err) : rc;
}

static MUST_CHECK Rc
pass_target(const Config *config, PgConn *source, PgConn *target,
			const Report *report, Error *err)
{
	const LargeObjectPassOptions options = {
		.pipeline = config->name,
		.no_owner = config->no_owner,
		.no_privileges = config->no_privileges,
	};
	LargeObjectsDone done = {0};
	bool superseded = true;
	Rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && superseded && i < TRIES_MAX; i++)
	{
		if (i > 0)
			rc = interrupt_wait(-1, 0, TRIES_PAUSE_MS, err);
		if (rc == RC_OK || rc == RC_AGAIN)
			rc = pass_once(&options, source, target, &done, &superseded, err);
	}
	if (rc == RC_OK && superseded)
		rc = error_set(err, ERR_CONFIG,
					   "other processes keep beginning passes over large "
					   "objects on %s",
					   pgconn_label(target));
	if (rc == RC_OK && (done.copied > 0 || done.removed > 0))
		report_line(report,
					"copied %" PRId64 " large object%s to %s, and removed "
					"%" PRId64,
					done.copied, PLURAL(done.copied), pgconn_label(target),
					done.removed);
	return rc;
}

Rc
large_objects_take_along(const Config *config, PgConn *source, bool is_source,
						 PgConn *const *targets, const Report *report,
						 Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Rc rc = remember_unfinished(&recalled, config, config->name, arena, err);
	bool wanted = rc == RC_OK && config_follows_large_objects(&recalled);

	if (wanted && !is_source)
	{
		report_line(report,
					"the source has no replication slot of the pipeline: large "
					"objects on the targets are left as they are");
		wanted = false;
	}
	for (int i = 0; i < config->target_count && rc == RC_OK && wanted; i++)
		if (targets[i] != NULL)
			rc = pass_target(&recalled, source, targets[i], report, err);
	if (rc == RC_FAIL && wanted && err->code != ERR_INTERRUPTED)
	{
		error_context(err, "bringing large objects to where the source's are");
		error_hint(err, "To do without, add --large-objects=off.");
	}
	arena_free(arena);
	return rc;
}
