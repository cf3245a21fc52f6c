/*
 * run_numbers.c
 *    Compares the reports of the sinks with those of the turn before.
 */
#include "pipeline/run_numbers.h"

#include "metrics/metrics.h"

/* Adds to a target's counters what its sink has done since it was counted. */
static void
count(RunNumbers *self, int index, const SinkReport *report)
{
	MetricsTarget *target = metrics_target(index);
	SinkReport *counted = &self->counted[index];

	ASSERT(index >= 0 && index < CONFIG_TARGETS_MAX);
	target->rows += report->rows - counted->rows;
	target->transactions += report->transactions - counted->transactions;
	target->batches += report->batches - counted->batches;
	target->replays += report->replays - counted->replays;
	target->conflicts += report->conflicts - counted->conflicts;
	*counted = *report;
}

static bool
is_counted(const SinkReport *counted, const SinkReport *report)
{
	return counted->applied_lsn == report->applied_lsn &&
		   counted->durable_lsn == report->durable_lsn &&
		   counted->rows == report->rows && counted->full == report->full &&
		   counted->unreachable == report->unreachable &&
		   counted->open_txns == report->open_txns;
}

static void
note_target(RunNumbers *self, int index, const RunState *state)
{
	const SinkReport *report = state->sinks[index]->report;
	const Heartbeats *beats = &metrics_numbers()->heartbeats;
	MetricsTarget *target = metrics_target(index);
	bool is_answering = !worker_is_waiting(state->workers[index]);

	lag_note(&target->applied_lag, beats, report->applied_lsn, state->now_us);
	lag_note(&target->durable_lag, beats, report->durable_lsn, state->now_us);
	if (target->is_up != report->unreachable &&
		target->is_answering == is_answering &&
		is_counted(&self->counted[index], report))
		return;
	self->changed = true;
	count(self, index, report);
	target->is_up = !report->unreachable;
	target->applied_lsn = report->applied_lsn;
	target->durable_lsn = report->durable_lsn;
	target->is_full = report->full;
	target->is_answering = is_answering;
	target->open_transactions = report->open_txns;
}

static void
note_positions(RunNumbers *self, const RunState *state)
{
	const Progress *progress = state->progress;
	int64_t now_us = state->now_us;
	MetricsNumbers *numbers = metrics_numbers();
	Heartbeats *beats = &numbers->heartbeats;

	lag_note(&numbers->received_lag, beats, progress->received, now_us);
	lag_note(&numbers->applied_lag, beats, progress->applied, now_us);
	lag_note(&numbers->confirmed_lag, beats, state->confirmed_lsn, now_us);
	if (self->progress.received == progress->received &&
		self->progress.applied == progress->applied &&
		self->progress.confirmed == progress->confirmed &&
		(Lsn) numbers->confirmed_lsn == state->confirmed_lsn)
		return;
	self->changed = true;
	self->progress = *progress;
	numbers->received_lsn = progress->received;
	numbers->applied_lsn = progress->applied;
	numbers->confirmed_lsn = state->confirmed_lsn;
	heartbeats_forget(beats, progress->confirmed);
}

void
run_numbers_note(RunNumbers *self, const RunState *state)
{
	ASSERT(state->sink_count <= CONFIG_TARGETS_MAX);
	for (int i = 0; i < state->sink_count; i++)
		note_target(self, i, state);
	note_positions(self, state);
	if (!self->changed || state->now_us < self->due_us)
		return;
	metrics_publish();
	self->changed = false;
	self->due_us = state->now_us + METRICS_INTERVAL_MS * 1000;
}

void
run_numbers_end_sink(RunNumbers *self, int index, const Sink *sink)
{
	MetricsTarget *target = metrics_target(index);

	count(self, index, sink->report);
	self->counted[index] = (SinkReport){0};
	target->is_up = false;
	self->changed = true;
}

int64_t
run_numbers_due_us(const RunNumbers *self)
{
	return self->changed ? self->due_us : INT64_MAX;
}

void
run_numbers_count_message(size_t bytes)
{
	MetricsNumbers *numbers = metrics_numbers();

	numbers->messages++;
	numbers->received_bytes += (int64_t) bytes;
}
