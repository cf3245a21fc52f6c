/*
 * state.c
 *    A line for the process, the source, the slot, and each target.
 */
#include "metrics/state.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/log.h"
#include "metrics/metrics.h"

/* How an LSN is written, which the rooms that we may include do not know. */
#define LSN_TEXT         "%X/%X"
#define LSN_PARTS(value) (unsigned) ((value) >> 32), (unsigned) (value)

static int64_t
seconds_since(int64_t then_us, int64_t now_us)
{
	return (now_us - then_us) / INT64_C(1000000);
}

static void
append_lag(Buf *line, const MetricsNumbers *numbers, const char *what,
		   const LagMeter *meter, uint64_t lsn, int64_t now_us)
{
	double seconds;

	if (lsn != 0 &&
		lag_read(meter, &numbers->heartbeats, lsn, now_us, &seconds))
		buf_printf(line, ", %s lags by %.1f s", what, seconds);
}

static void
append_process(Buf *line, const MetricsNumbers *numbers, int64_t now_us)
{
	buf_printf(line,
			   "%s for %" PRId64 " s, attempt %" PRId64 ", %" PRId64
			   " have failed",
			   metrics_state_name(numbers->state),
			   seconds_since(numbers->state_since_us, now_us),
			   numbers->attempts, numbers->failures);
	append_lag(line, numbers, "what is received", &numbers->received_lag,
			   numbers->received_lsn, now_us);
	append_lag(line, numbers, "what is confirmed", &numbers->confirmed_lag,
			   numbers->confirmed_lsn, now_us);
}

static void
append_slot(Buf *line, const MetricsSource *source)
{
	if (!source->has_slot)
	{
		buf_append_string(line, "; the slot does not exist");
		return;
	}
	if (source->restart_lsn != 0 && source->wal_end_lsn >= source->restart_lsn)
		buf_printf(line, "; it keeps %" PRIu64 " MB of WAL for the slot",
				   (source->wal_end_lsn - source->restart_lsn) / MB);
	if (source->wal_status[0] != '\0')
		buf_printf(line, ", which is %s", source->wal_status);
	if (source->has_safe_wal_size)
		buf_printf(line, ", and is safe for %" PRId64 " MB more",
				   source->safe_wal_size / (int64_t) MB);
}

static void
append_source(Buf *line, const MetricsNumbers *numbers, int64_t now_us)
{
	const MetricsSource *source = &numbers->source;

	if (source->as_of_us == 0)
	{
		buf_append_string(line, "source: nothing is known of it yet");
		return;
	}
	buf_printf(line, "source: %" PRId64 " s ago its WAL ended at " LSN_TEXT,
			   seconds_since(source->as_of_us, now_us),
			   LSN_PARTS(source->wal_end_lsn));
	append_slot(line, source);
}

static void
append_target(Buf *line, const MetricsNumbers *numbers,
			  const MetricsTarget *target, int64_t now_us)
{
	buf_printf(line, "target %s: %s", target->name,
			   !target->is_up         ? "not connected"
			   : target->is_stuck     ? "stuck"
			   : target->is_full      ? "has as much to do as it may"
			   : target->is_answering ? "in order"
									  : "waited for");
	append_lag(line, numbers, "what is applied", &target->applied_lag,
			   target->applied_lsn, now_us);
	buf_printf(line,
			   "; %" PRId64 " rows in %" PRId64 " transactions, %" PRId64
			   " batches, %" PRId64 " of them replayed; %d open transactions; "
			   "%" PRId64 " conflicts, %" PRId64 " failures, %" PRId64
			   " stalls",
			   target->rows, target->transactions, target->batches,
			   target->replays, target->open_transactions, target->conflicts,
			   target->failures, target->stalls);
}

/* Logs the line, and empties it. */
static void
log_line(Buf *line)
{
	log_info("state", "%s", line->data);
	buf_reset(line);
}

void
metrics_log_state(const MetricsNumbers *numbers, int64_t now_us)
{
	Buf line;

	buf_init(&line, BUF_TEXT_MAX);
	append_process(&line, numbers, now_us);
	log_line(&line);
	append_source(&line, numbers, now_us);
	log_line(&line);
	for (int i = 0; i < numbers->target_count; i++)
	{
		append_target(&line, numbers, &numbers->targets[i], now_us);
		log_line(&line);
	}
	buf_release(&line);
}
