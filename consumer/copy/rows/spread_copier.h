/*
 * spread_copier.h
 *    One connection to the source and one to each target, which copy tables, or
 *    parts of large ones, one after the other.
 *
 * This is a copier (see copier.h) for several targets.  It reads each row from
 * the source once, and sends it to the targets that the placement of the table
 * assigns the row to.  It handles the next row when all of these targets have
 * accepted this one.  So its memory is limited to a chunk for each target and
 * the largest row.
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

/* Maximum number of targets. */
#define SPREAD_TARGETS_MAX 64

typedef struct SpreadTarget
{
	const char *conninfo;
	const char *label; /* name of the target in messages */
} SpreadTarget;

typedef struct SpreadCopierOptions
{
	const char *source;          /* connection string of the source */
	const char *pipeline;        /* name of the pipeline */
	const char *snapshot;        /* buffer with the snapshot's name, as in
								  * CopierOptions */
	const SpreadTarget *targets; /* borrowed until the copier is open */
	int target_count;
	int node_count; /* the first `node_count` targets are the nodes, on which
					 * the rows of hashed tables are spread */
} SpreadCopierOptions;

typedef struct SpreadCopier SpreadCopier;

/* Opens all connections; blocks until they are open.  On success the caller
 * owns *copier. */
MUST_CHECK Rc spread_copier_open(SpreadCopier **copier,
								 const SpreadCopierOptions *options,
								 Error *err);

/* Closes all connections; the targets roll back rows that they have not
 * committed.  Accepts NULL. */
void spread_copier_close(SpreadCopier *copier);

bool spread_copier_is_idle(const SpreadCopier *copier);

/* Whether a target runs triggers for copied rows. */
bool spread_copier_triggers_fire(const SpreadCopier *copier);

/* Whether the sessions of all targets mark the rows that they write: see
 * copier_is_marked().  spread_copier_say_unmarked() logs which do not. */
bool spread_copier_is_marked(const SpreadCopier *copier);
void spread_copier_say_unmarked(const SpreadCopier *copier);

/* Begins to copy a part; the copier must be idle.  `table` is the placement of
 * the part's table, and is borrowed until the part is finished or refused. */
MUST_CHECK Rc spread_copier_start(SpreadCopier *copier, CopyPart part,
								  const PlacedTable *table, Error *err);

/* Like copier_set_limit(). */
void spread_copier_set_limit(SpreadCopier *copier, int64_t bytes);

/*
 * Copies as much as it can without blocking.  Returns RC_OK also if it could do
 * nothing.  A row that several targets receive is counted once in *progress.
 */
MUST_CHECK Rc spread_copier_step(SpreadCopier *copier, CopierProgress *progress,
								 Error *err);

/*
 * Writes the descriptors and events that the copier waits for to `fds`, which
 * has room for SPREAD_TARGETS_MAX + 1, and returns their number.  Sets *ready
 * to true if spread_copier_step() can do more without waiting, and else leaves
 * it as it is.
 */
int spread_copier_poll_fds(const SpreadCopier *copier, struct pollfd *fds,
						   bool *ready);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_COPIER_H */
