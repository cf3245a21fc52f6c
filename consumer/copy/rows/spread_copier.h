/*
 * spread_copier.h
 *    One connection to the source and one to each target: copies tables, or
 *    parts of large ones, one after the other, each row to where it belongs.
 *
 * Like a copier (see copier.h), but with several targets.  A row is read once.
 * The next one is not looked at before all targets that it is for have taken
 * it, so memory stays at a chunk for each target and the largest row.
 *
 *     IDLE ─spread_copier_start()─► SOURCE_STARTING ─► TARGETS_STARTING
 *      ▲                            │                     │
 *      ├─── refused ◄───────────────┘                     ▼
 *      └─ TARGETS_ENDING ◄─ SOURCE_ENDING ◄─ FLUSHING ◄─ COPYING
 */
#ifndef PENSTOCK_COPY_ROWS_SPREAD_COPIER_H
#define PENSTOCK_COPY_ROWS_SPREAD_COPIER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "catalog/placed.h"
#include "copy/rows/copier.h"

/* Targets at most. */
#define SPREAD_TARGETS_MAX 64

typedef struct SpreadTarget
{
	const char *conninfo;
	const char *label; /* for messages */
} SpreadTarget;

typedef struct SpreadCopierOptions
{
	const char *source;          /* connection string */
	const char *pipeline;        /* that the rows are of */
	const char *snapshot;        /* as in CopierOptions */
	const SpreadTarget *targets; /* borrowed until the copier is open */
	int target_count;
	int node_count; /* the first of them have the hashed tables */
} SpreadCopierOptions;

typedef struct SpreadCopier SpreadCopier;

/* Opens all connections; waits for that. */
MUST_CHECK Rc spread_copier_open(SpreadCopier **copier,
								 const SpreadCopierOptions *options,
								 Error *err);

/* What was not committed is gone.  Accepts NULL. */
void spread_copier_close(SpreadCopier *copier);

bool spread_copier_is_idle(const SpreadCopier *copier);

/* Whether a target runs triggers for what we copy. */
bool spread_copier_triggers_fire(const SpreadCopier *copier);

/* Whether the rows are marked as the pipeline's on all targets; the log is
 * told where not. */
bool spread_copier_is_marked(const SpreadCopier *copier);
void spread_copier_say_unmarked(const SpreadCopier *copier);

/* Begins with a part of the table; which is borrowed until it is finished. */
MUST_CHECK Rc spread_copier_start(SpreadCopier *copier, CopyPart part,
								  const PlacedTable *table, Error *err);

/* As copier_set_limit(). */
void spread_copier_set_limit(SpreadCopier *copier, int64_t bytes);

/*
 * Goes on as far as possible.  RC_OK whether or not it got anywhere.  Rows in
 * *progress are those that were read.
 */
MUST_CHECK Rc spread_copier_step(SpreadCopier *copier, CopierProgress *progress,
								 Error *err);

/*
 * Writes what it waits for to `fds`, which has room for SPREAD_TARGETS_MAX + 1,
 * and returns how many there are.  *ready: there is more to do without waiting.
 */
int spread_copier_poll_fds(const SpreadCopier *copier, struct pollfd *fds,
						   bool *ready);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_COPIER_H */
