/*
 * history.c
 *    A ring of points for all targets.
 */
#include "metrics/history.h"

#include "base/macros.h"

static HistoryTargetPoint
point_of(const History *self, const MetricsNumbers *numbers, int target,
		 int64_t passed_us, int64_t now_us)
{
	const MetricsTarget *of = &numbers->targets[target];
	HistoryTargetPoint point = {.lag_s = -1, .rows_per_s = -1};
	double seconds;

	if (of->applied_lsn != 0 && lag_read(&of->applied_lag, &numbers->heartbeats,
										 of->applied_lsn, now_us, &seconds))
		point.lag_s = (float) seconds;
	if (passed_us > 0)
		point.rows_per_s = (float) ((double) (of->rows - self->rows[target]) *
									1e6 / (double) passed_us);
	return point;
}

int
history_index(const History *self, int i)
{
	ASSERT(i >= 0 && i < self->count);
	return (self->next - self->count + i + HISTORY_POINTS) % HISTORY_POINTS;
}

void
history_note(History *self, const MetricsNumbers *numbers, int64_t now_us)
{
	int64_t passed_us = 0;

	if (self->count > 0)
		passed_us = now_us -
					self->times_us[history_index(self, self->count - 1)];
	if (self->count > 0 && passed_us < HISTORY_STEP_US)
		return;
	for (int i = 0; i < numbers->target_count; i++)
	{
		self->points[i][self->next] = point_of(self, numbers, i, passed_us,
											   now_us);
		self->rows[i] = numbers->targets[i].rows;
	}
	self->times_us[self->next] = now_us;
	self->next = (self->next + 1) % HISTORY_POINTS;
	if (self->count < HISTORY_POINTS)
		self->count++;
}
