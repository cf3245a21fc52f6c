/*
 * history.h
 *    What the last hour was like: for each target, its lag and what was applied
 *    to it, in steps of HISTORY_STEP_US.
 *
 * A point is taken when the numbers are published and a step is over.  While
 * the loop is stuck there are none, and a point has its time: who draws them
 * leaves a gap.
 */
#ifndef PENSTOCK_METRICS_HISTORY_H
#define PENSTOCK_METRICS_HISTORY_H

#include <stdint.h>

#include "metrics/numbers.h"

/* An hour of points. */
#define HISTORY_STEP_US INT64_C(20000000)
#define HISTORY_POINTS  180

typedef struct HistoryTargetPoint
{
	float lag_s;      /* negative: not known */
	float rows_per_s; /* negative: not known */
} HistoryTargetPoint;

/* {0}: no points. */
typedef struct History
{
	int next; /* where the next point goes */
	int count;
	int64_t times_us[HISTORY_POINTS]; /* monotonic */
	HistoryTargetPoint points[METRICS_TARGETS_MAX][HISTORY_POINTS];
	int64_t
		rows[METRICS_TARGETS_MAX]; /* MetricsTarget.rows at the last point */
} History;

/* Adds a point, if it is time for one. */
void history_note(History *self, const MetricsNumbers *numbers, int64_t now_us);

/* Returns the index of the i-th point, 0 being the oldest. */
int history_index(const History *self, int i);

#endif /* PENSTOCK_METRICS_HISTORY_H */
