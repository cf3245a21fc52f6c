/*
 * index_builds.h
 *    Builds indexes that a follower has left to be built (see
 *    control/copy/index_build.h), while it follows.
 *
 * Each target has a task of its own, which builds its indexes one after the
 * other, over a session that is open only as long as there are any.  A build
 * that fails never ends the follower: it is logged once, and tried again after
 * a pause.  A build that runs when the task ends goes on in the server.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_INDEX_BUILDS_H
#define PENSTOCK_PIPELINE_BESIDE_INDEX_BUILDS_H

#include "base/error.h"
#include "config/config.h"
#include "net/pgconn.h"
#include "sink/sink.h"

/* Milliseconds between two calls of index_builder_step(). */
#define INDEX_BUILDS_INTERVAL_MS 500

typedef struct IndexBuilder IndexBuilder;

/*
 * Returns an array with an IndexBuilder for each target of `config`, for one
 * attempt.  Both arguments are borrowed; a sink may be replaced meanwhile. Free
 * it with free().
 */
IndexBuilder *index_builders_new(const Config *config, Sink *const *sinks);

/* Returns the IndexBuilder of a target. */
IndexBuilder *index_builder_at(IndexBuilder *builders, int target);

/*
 * Builds the target's indexes, if its sink reports that there are any. Function
 * of a task; fails only if a stop is requested.
 */
MUST_CHECK Rc index_builder_step(void *context, Error *err);

/*
 * Builds all indexes that a pipeline has left to be built on a target, and
 * waits until those that another session is building are there.  Fails if one
 * cannot be built, with its statement in the hint.
 */
MUST_CHECK Rc index_builds_finish(PgConn *target, const char *pipeline,
								  Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_INDEX_BUILDS_H */
