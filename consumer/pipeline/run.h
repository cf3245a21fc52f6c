/*
 * run.h
 *    The loop: source → wire → route → sinks → progress → source.
 *
 * One thread, one poll().  In each turn the sinks work, then messages are taken
 * from the stream as long as no sink is full, then positions are reported.
 * The loop waits in the poll() only.  A sink whose work waits for its target
 * does so by itself (worker.h), and neither the other sinks nor the source
 * notice, until it is full.
 */
#ifndef PENSTOCK_PIPELINE_RUN_H
#define PENSTOCK_PIPELINE_RUN_H

#include "base/error.h"
#include "base/task.h"
#include "model/placement.h"
#include "pipeline/streaming.h"
#include "progress/progress.h"
#include "route/directory.h"
#include "sink/sink.h"
#include "source/source.h"

#define PIPELINE_WATCH_INTERVAL_MS 100

/*
 * What is called every so many milliseconds, as a task, while there is
 * something to be read from the source.  What it fails with does not matter.
 */
typedef struct Beside
{
	TaskFunction step;
	void *context;
	int64_t interval_ms;
} Beside;

/* Sequences, and large objects. */
#define PIPELINE_BESIDE_MAX 2

typedef struct Pipeline
{
	Source *source; /* borrowed */
	Lsn start_lsn;  /* where the slot starts, read when the stream had begun;
					   0: not known, or what was applied may not come again, and
					   nothing is proved by it; see progress/proof.h */
	Sink **sinks;   /* borrowed */
	int sink_count;
	const Placement *placement; /* of the sinks; borrowed, or NULL */
	int node_count;             /* as for the router */
	Directory *directory;       /* the same */
	const char *name; /* of the pipeline; borrowed; with a placement */

	/*
	 * A sink in place of one that failed with *err, if the others can go on
	 * without that, else NULL.  NULL: every failure ends the run.
	 */
	Sink *(*replace)(void *context, int index, Error *err);
	void *replace_context;

	Lsn endpos; /* stop when everything up to here is durable; 0: never */
	Streaming *streaming; /* borrowed; or NULL */
	bool verbose;         /* say how it goes now and then */

	/* Applied by runs before this one, for what is said. */
	int64_t rows_before;
	int64_t transactions_before;

	/*
	 * Called about every PIPELINE_WATCH_INTERVAL_MS until it sets *endpos,
	 * which then takes the place of endpos; if the stream is beyond that
	 * already, it ends with the transaction that it is in.  Runs as a task:
	 * when it waits, the loop goes on.  If a sink is replaced meanwhile, its
	 * wait fails, so that it need not look whether the sink still exists.
	 * NULL: none.
	 */
	Rc (*watch)(void *context, Lsn *endpos, Error *err);
	void *watch_context;

	Beside beside[PIPELINE_BESIDE_MAX];
	int beside_count;
} Pipeline;

/*
 * Runs until endpos is reached or a stop is asked for (RC_OK; what is durable
 * has been confirmed), or something fails.  *progressed tells whether anything
 * became durable, also when it fails.  RC_END: a sink has no use for more.
 * RC_AGAIN: what the session had to do without open transactions for is
 * over; `streaming` says so.
 */
MUST_CHECK Rc pipeline_run(const Pipeline *pipeline, bool *progressed,
						   Error *err);

#endif /* PENSTOCK_PIPELINE_RUN_H */
