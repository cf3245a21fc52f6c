/*
 * text.c
 *    The families, in the order in which they are read by people.
 *
 * consumer/doc/operating.md explains them to users.
 */
#include "metrics/text.h"

#include <string.h>

#include "base/macros.h"
#include "metrics/exposition.h"
#include "metrics/metrics.h"

/* What the text is made of. */
typedef struct Text
{
	Exposition out;
	const MetricsNumbers *numbers;
	int64_t now_us;
} Text;

static void
gauge(Text *text, const char *name, const char *help)
{
	exposition_family(&text->out, name, EXPOSITION_GAUGE, help);
}

static void
counter(Text *text, const char *name, const char *help)
{
	exposition_family(&text->out, name, EXPOSITION_COUNTER, help);
}

static void
whole(Text *text, int64_t value)
{
	exposition_whole(&text->out, value, NULL, 0);
}

static void
labelled(Text *text, int64_t value, const char *label, const char *label_value)
{
	exposition_whole(&text->out, value, &(ExpositionLabel){label, label_value},
					 1);
}

/* Whether what the source has told is recent. */
static bool
source_is_known(const Text *text)
{
	const MetricsNumbers *numbers = text->numbers;

	return numbers->source.as_of_us != 0 &&
		   heartbeats_are_recent(&numbers->heartbeats, text->now_us);
}

/* ---- the process -------------------------------------------------------- */

static void
append_process(Text *text)
{
	const MetricsNumbers *numbers = text->numbers;

	gauge(text, "penstock_build_info", "Version of the program, always 1.");
	labelled(text, 1, "version", PENSTOCK_VERSION);
	gauge(text, "penstock_start_time_seconds",
		  "When the process started, in seconds since 1970.");
	exposition_sample(&text->out, (double) numbers->started_wall_us / 1e6, NULL,
					  0);
	gauge(text, "penstock_state", "Whether the follower is in this state.");
	for (MetricsState state = 0; state < METRICS_STATE_COUNT; state++)
		labelled(text, state == numbers->state, "state",
				 metrics_state_name(state));
	gauge(text, "penstock_state_age_seconds",
		  "How long the follower has been in its state.");
	if (numbers->state_since_us != 0)
		exposition_sample(
			&text->out, (double) (text->now_us - numbers->state_since_us) / 1e6,
			NULL, 0);
	counter(text, "penstock_attempts", "Attempts to follow.");
	whole(text, numbers->attempts);
	counter(text, "penstock_failed_attempts",
			"Attempts that have failed and were, or will be, repeated.");
	whole(text, numbers->failures);
}

/* ---- positions ---------------------------------------------------------- */

/* A position, its name, and what is known of its lag. */
typedef struct Position
{
	const char *name;
	uint64_t lsn; /* 0: not known */
	const LagMeter *meter;
} Position;

static void
append_position(Text *text, const Position *position, const char *target)
{
	const ExpositionLabel labels[] = {
		{target != NULL ? "target" : NULL, target},
		{"position", position->name}};

	if (position->lsn != 0)
		exposition_whole(&text->out, (int64_t) position->lsn, labels, 2);
}

static void
append_lag_bytes(Text *text, const Position *position, const char *target)
{
	const ExpositionLabel labels[] = {
		{target != NULL ? "target" : NULL, target},
		{"position", position->name}};
	uint64_t end = text->numbers->source.wal_end_lsn;

	if (position->lsn != 0 && source_is_known(text))
		exposition_whole(&text->out,
						 end > position->lsn ? (int64_t) (end - position->lsn)
											 : 0,
						 labels, 2);
}

static void
append_lag_seconds(Text *text, const Position *position, const char *target)
{
	const ExpositionLabel labels[] = {
		{target != NULL ? "target" : NULL, target},
		{"position", position->name}};
	double seconds;

	if (position->lsn != 0 &&
		lag_read(position->meter, &text->numbers->heartbeats, position->lsn,
				 text->now_us, &seconds))
		exposition_sample(&text->out, seconds, labels, 2);
}

#define POSITIONS 3

static void
append_positions(Text *text)
{
	const MetricsNumbers *numbers = text->numbers;
	const Position positions[POSITIONS] = {
		{"received", numbers->received_lsn, &numbers->received_lag},
		{"applied", numbers->applied_lsn, &numbers->applied_lag},
		{"confirmed", numbers->confirmed_lsn, &numbers->confirmed_lag},
	};

	gauge(text, "penstock_position_bytes",
		  "LSN of the source up to which everything was received, is applied "
		  "on every target, or is confirmed to the source.");
	for (int i = 0; i < POSITIONS; i++)
		append_position(text, &positions[i], NULL);
	gauge(text, "penstock_lag_bytes",
		  "WAL of the source that the position lags.");
	for (int i = 0; i < POSITIONS; i++)
		append_lag_bytes(text, &positions[i], NULL);
	gauge(text, "penstock_lag_seconds", "Time that the position lags.");
	for (int i = 0; i < POSITIONS; i++)
		append_lag_seconds(text, &positions[i], NULL);
	counter(text, "penstock_received_messages",
			"Messages with changes received from the source.");
	whole(text, numbers->messages);
	counter(text, "penstock_received_bytes",
			"Bytes of messages received from the source.");
	whole(text, numbers->received_bytes);
}

/* ---- the source --------------------------------------------------------- */

static void
append_slot(Text *text)
{
	static const char *const statuses[] = {"reserved", "extended", "unreserved",
										   "lost"};
	const MetricsSource *source = &text->numbers->source;

	gauge(text, "penstock_slot_exists",
		  "Whether the replication slot exists on the source.");
	whole(text, source->has_slot);
	if (!source->has_slot)
		return;
	gauge(text, "penstock_slot_retained_bytes",
		  "WAL that the source keeps for the slot.");
	if (source->restart_lsn != 0 && source->wal_end_lsn >= source->restart_lsn)
		whole(text, (int64_t) (source->wal_end_lsn - source->restart_lsn));
	gauge(text, "penstock_slot_safe_wal_bytes",
		  "WAL that can be written before the slot may lose what it needs; "
		  "absent if the source keeps it without a limit.");
	if (source->has_safe_wal_size)
		whole(text, source->safe_wal_size);
	gauge(text, "penstock_slot_wal_status",
		  "Whether the slot has this wal_status.");
	for (size_t i = 0; i < LENGTH_OF(statuses); i++)
		if (source->wal_status[0] != '\0')
			labelled(text, strcmp(source->wal_status, statuses[i]) == 0,
					 "status", statuses[i]);
}

static void
append_source(Text *text)
{
	const MetricsNumbers *numbers = text->numbers;

	gauge(text, "penstock_heartbeat_age_seconds",
		  "Time since the source was asked last and has answered.");
	if (numbers->heartbeats.last_us != 0)
		exposition_sample(
			&text->out,
			(double) (text->now_us - numbers->heartbeats.last_us) / 1e6, NULL,
			0);
	if (!source_is_known(text))
		return;
	gauge(text, "penstock_source_wal_position_bytes",
		  "LSN at the end of the source's WAL.");
	whole(text, (int64_t) numbers->source.wal_end_lsn);
	append_slot(text);
}

/* ---- targets ------------------------------------------------------------ */

/* Returns a number of a target. */
typedef int64_t (*TargetNumber)(const MetricsTarget *target);

static int64_t
is_up(const MetricsTarget *target)
{
	return target->is_up;
}

static int64_t
is_full(const MetricsTarget *target)
{
	return target->is_full;
}

static int64_t
is_waiting(const MetricsTarget *target)
{
	return !target->is_answering;
}

static int64_t
open_transactions(const MetricsTarget *target)
{
	return target->open_transactions;
}

static int64_t
is_stuck(const MetricsTarget *target)
{
	return target->is_stuck;
}

static int64_t
stalls(const MetricsTarget *target)
{
	return target->stalls;
}

static int64_t
rows(const MetricsTarget *target)
{
	return target->rows;
}

static int64_t
transactions(const MetricsTarget *target)
{
	return target->transactions;
}

static int64_t
batches(const MetricsTarget *target)
{
	return target->batches;
}

static int64_t
replays(const MetricsTarget *target)
{
	return target->replays;
}

static int64_t
conflicts(const MetricsTarget *target)
{
	return target->conflicts;
}

static int64_t
failures(const MetricsTarget *target)
{
	return target->failures;
}

static const struct
{
	const char *name;
	ExpositionKind kind;
	const char *help;
	TargetNumber number;
	bool of_sink; /* whether it is known only while the target is up */
} target_families[] = {
	{"penstock_target_up", EXPOSITION_GAUGE,
	 "Whether the follower has a session with the target and applies to it.",
	 is_up, false},
	{"penstock_target_full", EXPOSITION_GAUGE,
	 "Whether the target has enough to do, so that nothing more is read from "
	 "the source.",
	 is_full, true},
	{"penstock_target_waiting", EXPOSITION_GAUGE,
	 "Whether the follower waits for an answer of the target before it can "
	 "give it more.",
	 is_waiting, true},
	{"penstock_target_open_transactions", EXPOSITION_GAUGE,
	 "Transactions that are open on the target because they are in progress on "
	 "the source.",
	 open_transactions, true},
	{"penstock_target_stuck", EXPOSITION_GAUGE,
	 "Whether nothing was applied for --watchdog although the source has "
	 "written more.",
	 is_stuck, false},
	{"penstock_target_stalls", EXPOSITION_COUNTER,
	 "Times that the target was found to be stuck.", stalls, false},
	{"penstock_target_rows", EXPOSITION_COUNTER,
	 "Changes of rows applied since the process started.", rows, false},
	{"penstock_target_transactions", EXPOSITION_COUNTER,
	 "Transactions of the source applied since the process started.",
	 transactions, false},
	{"penstock_target_batches", EXPOSITION_COUNTER,
	 "Transactions committed on the target since the process started.", batches,
	 false},
	{"penstock_target_replays", EXPOSITION_COUNTER,
	 "Batches that the target refused, and that were applied one transaction "
	 "at a time.",
	 replays, false},
	{"penstock_target_conflicts", EXPOSITION_COUNTER,
	 "Conflicts that were settled as --on-conflict says.", conflicts, false},
	{"penstock_target_failures", EXPOSITION_COUNTER,
	 "Times that the session with the target has failed.", failures, false},
};

static void
append_target_numbers(Text *text)
{
	for (size_t i = 0; i < LENGTH_OF(target_families); i++)
	{
		exposition_family(&text->out, target_families[i].name,
						  target_families[i].kind, target_families[i].help);
		for (int j = 0; j < text->numbers->target_count; j++)
		{
			const MetricsTarget *target = &text->numbers->targets[j];

			if (target->is_up || !target_families[i].of_sink)
				labelled(text, target_families[i].number(target), "target",
						 target->name);
		}
	}
}

/* Appends both positions of all targets, with one of the functions above. */
static void
append_target_positions(Text *text,
						void (*append)(Text *, const Position *, const char *))
{
	for (int i = 0; i < text->numbers->target_count; i++)
	{
		const MetricsTarget *target = &text->numbers->targets[i];
		const Position applied = {"applied", target->applied_lsn,
								  &target->applied_lag};
		const Position durable = {"durable", target->durable_lsn,
								  &target->durable_lag};

		append(text, &applied, target->name);
		append(text, &durable, target->name);
	}
}

static void
append_targets(Text *text)
{
	gauge(text, "penstock_target_position_bytes",
		  "LSN of the source up to which everything is applied on the target, "
		  "or would survive a crash of it.");
	append_target_positions(text, append_position);
	gauge(text, "penstock_target_lag_bytes",
		  "WAL of the source that the target's position lags.");
	append_target_positions(text, append_lag_bytes);
	gauge(text, "penstock_target_lag_seconds",
		  "Time that the target's position lags.");
	append_target_positions(text, append_lag_seconds);
	append_target_numbers(text);
}

void
metrics_text(Buf *buf, const MetricsNumbers *numbers, int64_t now_us,
			 bool openmetrics)
{
	Text text = {.out = {.buf = buf,
						 .openmetrics = openmetrics,
						 .pipeline = numbers->pipeline},
				 .numbers = numbers,
				 .now_us = now_us};

	append_process(&text);
	append_positions(&text);
	append_source(&text);
	append_targets(&text);
	exposition_end(&text.out);
}
