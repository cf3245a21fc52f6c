/*
 * run.h
 *    The main loop: source → wire → route → sinks → progress → source.
 *
 * There is one thread and one poll().  In each turn messages are read from the
 * stream as long as no sink is full, then the sinks work, then positions are
 * reported to the source.  The loop itself waits only in poll().  If the work
 * of a sink waits for its target, only that sink waits (worker.h); the other
 * sinks and the source go on until the sink is full.
 */
#ifndef PENSTOCK_PIPELINE_RUN_H
#define PENSTOCK_PIPELINE_RUN_H

#include "base/error.h"
#include "base/task.h"
#include "config/file.h"
#include "model/placement.h"
#include "pipeline/streaming.h"
#include "progress/progress.h"
#include "route/directory.h"
#include "sink/sink.h"
#include "source/source.h"

#define PIPELINE_WATCH_INTERVAL_MS 100

/*
 * A function that the loop calls every interval_ms, as a task, as long as
 * messages are read from the source.  Its failures are ignored.
 */
typedef struct Beside
{
	TaskFunction step;
	void *context;
	int64_t interval_ms;

	/*
	 * Runs in place of `step` when nothing is read any more and the sinks
	 * finish what they have, until a stop is requested.  NULL: nothing runs
	 * then.
	 */
	TaskFunction step_after;
} Beside;

/*
 * Largest number of Beside functions: one for sequences, one for large objects,
 * one for heartbeats, one for the watchdog, and one for the indexes of each
 * target.
 */
#define PIPELINE_BESIDE_MAX (4 + CONFIG_TARGETS_MAX)

/* Largest number of sinks: one for each target, and the one of a log. */
#define PIPELINE_SINKS_MAX (CONFIG_TARGETS_MAX + 1)

typedef struct Pipeline
{
	Source *source; /* borrowed */
	bool from_log;  /* whether the source is a log (source/log/log_source.h) */
	Lsn start_lsn;  /* Confirmed position of the slot, read after the stream was
					 * opened. 0: not known; then no proof is made
					 * (progress/proof.h). */
	bool may_lack;  /* whether the last transactions may not come again, because
					 * other tables are published or left out than before */
	Sink **sinks;   /* borrowed */
	int sink_count;
	bool keeps_log; /* whether the last sink writes a log, from which the others
					 * can get everything again: then only that one counts for
					 * what is confirmed to the source */
	const PlacedColumnsList *const *noted; /* as in RouterOptions; borrowed */
	const Placement
		*placement;       /* placement over the sinks; borrowed, or NULL */
	int node_count;       /* as in RouterOptions */
	Directory *directory; /* as in RouterOptions */
	const char *name;     /* name of the pipeline; borrowed; needed with a
						   * placement */

	/*
	 * Returns a sink that replaces one which failed with *err, or NULL if the
	 * run cannot continue without it.  If `replace` is NULL, every failure of a
	 * sink ends the run.
	 */
	Sink *(*replace)(void *context, int index, Error *err);
	void *replace_context;

	Lsn endpos; /* stop when everything up to this LSN is durable; 0: never */
	Streaming *streaming; /* borrowed; or NULL */
	bool verbose;         /* log progress now and then */
	bool counted;         /* whether the numbers of this process are about this
						   * run (metrics/metrics.h) */

	/* Numbers applied by earlier runs, added to those that are logged. */
	int64_t rows_before;
	int64_t transactions_before;

	/*
	 * Called about every PIPELINE_WATCH_INTERVAL_MS until it sets *endpos,
	 * which then replaces endpos.  If the stream is beyond that LSN already,
	 * the run ends after the current transaction.  `watch` runs as a task: when
	 * it waits, the loop continues.  If a sink is replaced meanwhile, the wait
	 * fails, so `watch` need not check whether the sink still exists.  NULL:
	 * none.
	 */
	Rc (*watch)(void *context, Lsn *endpos, Error *err);
	void *watch_context;

	Beside beside[PIPELINE_BESIDE_MAX];
	int beside_count;
} Pipeline;

/*
 * Runs until endpos is reached or a stop is requested (RC_OK; all that is
 * durable was confirmed to the source), or until it fails.  *progressed tells,
 * also after a failure, whether anything became durable.  RC_END: a sink wants
 * no more changes.  RC_AGAIN: the session did without open transactions and
 * need not any more; see streaming.h.
 */
MUST_CHECK Rc pipeline_run(const Pipeline *pipeline, bool *progressed,
						   Error *err);

/*
 * Decides the result of a command that reads a stream into one sink, from that
 * of its last run: a requested stop is a success, unless `endpos` was given and
 * the sink has not reached it.  Other results are passed on.
 */
MUST_CHECK Rc pipeline_judge_end(const char *component, Lsn endpos,
								 const Sink *sink, Rc rc, Error *err);

#endif /* PENSTOCK_PIPELINE_RUN_H */
