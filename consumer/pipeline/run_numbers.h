/*
 * run_numbers.h
 *    Keeps the numbers of a run (metrics/numbers.h) up to date.
 *
 * The loop calls run_numbers_note() in each turn.  What is counted there is
 * added up over all runs of the process.
 */
#ifndef PENSTOCK_PIPELINE_RUN_NUMBERS_H
#define PENSTOCK_PIPELINE_RUN_NUMBERS_H

#include "config/file.h"
#include "pipeline/worker.h"
#include "progress/progress.h"
#include "sink/sink.h"

/* What is known of a run.  {0}: nothing was noted yet. */
typedef struct RunNumbers
{
	/* The last reports of the sinks, up to which everything was counted. */
	SinkReport counted[CONFIG_TARGETS_MAX];
	Progress progress;
	bool changed;   /* whether there is something to publish */
	int64_t due_us; /* time from which on it may be published */
} RunNumbers;

/* What the loop knows in a turn; all is borrowed. */
typedef struct RunState
{
	const Progress *progress;
	Lsn confirmed_lsn; /* what the source need not keep */
	Sink *const *sinks;
	Worker *const *workers;
	int sink_count;
	int64_t now_us;
} RunState;

/* Updates the numbers, and publishes them if it is time. */
void run_numbers_note(RunNumbers *self, const RunState *state);

/* Counts what a sink has done that is about to be replaced or freed. */
void run_numbers_end_sink(RunNumbers *self, int index, const Sink *sink);

/* Returns when run_numbers_note() has to be called at the latest; INT64_MAX:
 * nothing is to be published. */
int64_t run_numbers_due_us(const RunNumbers *self);

/* Counts a message that was received from the source. */
void run_numbers_count_message(size_t bytes);

#endif /* PENSTOCK_PIPELINE_RUN_NUMBERS_H */
