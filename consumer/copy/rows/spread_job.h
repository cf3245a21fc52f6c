/*
 * spread_job.h
 *    One connection to the source and one to each target: copies tables, or
 *    parts of large ones, one after the other, each row to where it belongs.
 *
 * Like a job (see job.h), but with several targets.  A row is read once.  The
 * next one is not looked at before all targets that it is for have taken it,
 * so memory stays at a chunk for each target and the largest row.
 *
 *     IDLE ─spread_job_start()─► SOURCE_STARTING ─► TARGETS_STARTING
 *      ▲                            │                     │
 *      ├─── refused ◄───────────────┘                     ▼
 *      └─ TARGETS_ENDING ◄─ SOURCE_ENDING ◄─ FLUSHING ◄─ COPYING
 */
#ifndef PENSTOCK_COPY_ROWS_SPREAD_JOB_H
#define PENSTOCK_COPY_ROWS_SPREAD_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "catalog/placed.h"
#include "copy/rows/job.h"

/* Targets at most. */
#define SPREAD_TARGETS_MAX 64

typedef struct SpreadTarget
{
	const char *conninfo;
	const char *label; /* for messages */
} SpreadTarget;

typedef struct SpreadJobOptions
{
	const char *source;          /* connection string */
	const char *pipeline;        /* that the rows are of */
	const char *snapshot;        /* as in JobOptions */
	const SpreadTarget *targets; /* borrowed until the job is open */
	int target_count;
	int node_count; /* the first of them have the hashed tables */
} SpreadJobOptions;

typedef struct SpreadJob SpreadJob;

/* Opens all connections; waits for that. */
MUST_CHECK Rc spread_job_open(SpreadJob **job, const SpreadJobOptions *options,
							  Error *err);

/* What was not committed is gone.  Accepts NULL. */
void spread_job_close(SpreadJob *job);

bool spread_job_is_idle(const SpreadJob *job);

/* Whether a target runs triggers for what we copy. */
bool spread_job_triggers_fire(const SpreadJob *job);

/* Whether the rows are marked as the pipeline's on all targets; the log is
 * told where not. */
bool spread_job_is_marked(const SpreadJob *job);
void spread_job_say_unmarked(const SpreadJob *job);

/* Begins with a part of the table; which is borrowed until it is finished. */
MUST_CHECK Rc spread_job_start(SpreadJob *job, CopyPart part,
							   const PlacedTable *table, Error *err);

/* As job_set_limit(). */
void spread_job_set_limit(SpreadJob *job, int64_t bytes);

/*
 * Goes on as far as possible.  RC_OK whether or not it got anywhere.  Rows in
 * *progress are those that were read.
 */
MUST_CHECK Rc spread_job_step(SpreadJob *job, JobProgress *progress,
							  Error *err);

/*
 * Writes what it waits for to `fds`, which has room for SPREAD_TARGETS_MAX + 1,
 * and returns how many there are.  *ready: there is more to do without waiting.
 */
int spread_job_poll_fds(const SpreadJob *job, struct pollfd *fds, bool *ready);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_JOB_H */
