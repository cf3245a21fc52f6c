/*
 * health.c
 *    Looks at the state first, then at each target.
 */
#include "metrics/health.h"

#include "metrics/metrics.h"

static bool
is_at_work(const MetricsNumbers *numbers)
{
	return numbers->state == METRICS_FOLLOWING ||
		   numbers->state == METRICS_HELD;
}

/* Whether a target is well.  Appends what is wrong. */
static bool
is_target_ready(const MetricsNumbers *numbers, const MetricsTarget *target,
				int64_t now_us, Buf *why)
{
	double seconds;

	/* A fence holds all targets where they are. */
	if (numbers->state == METRICS_HELD)
		return true;
	if (!target->is_up)
	{
		buf_printf(why, "target %s cannot be reached\n", target->name);
		return false;
	}
	if (numbers->lag_limit_us == 0)
		return true;
	if (!lag_read(&target->applied_lag, &numbers->heartbeats,
				  target->applied_lsn, now_us, &seconds))
	{
		buf_printf(why, "the lag of target %s is not known\n", target->name);
		return false;
	}
	if (seconds * 1e6 <= (double) numbers->lag_limit_us)
		return true;
	buf_printf(why, "target %s lags by %.0f s\n", target->name, seconds);
	return false;
}

bool
health_is_ready(const MetricsNumbers *numbers, int64_t now_us, Buf *why)
{
	bool is_ready = is_at_work(numbers);

	if (!is_ready)
		buf_printf(why, "the follower is %s\n",
				   metrics_state_name(numbers->state));
	for (int i = 0; i < numbers->target_count && is_at_work(numbers); i++)
		if (!is_target_ready(numbers, &numbers->targets[i], now_us, why))
			is_ready = false;
	if (is_ready)
		buf_printf(why, "ok: %s\n", metrics_state_name(numbers->state));
	return is_ready;
}
