/*
 * progress.c
 *    Formats the lines.
 */
#include "job/verify/progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/live_lines.h"
#include "base/log.h"
#include "base/macros.h"

/* How often lines on the terminal are renewed, and how often one is logged. */
#define TERMINAL_PERIOD_MS 500
#define LOG_PERIOD_MS      10000

#define LINE_SIZE          256

static double
megabytes(int64_t bytes)
{
	return (double) bytes / (double) MB;
}

static void
format_total(const VerifyProgress *self, char *line)
{
	snprintf(line, LINE_SIZE,
			 "compared %d of %d tables, %.1f of %.1f MB, in %" PRId64 " s",
			 self->settled, self->tables, megabytes(self->settled_bytes),
			 megabytes(self->bytes),
			 (clock_monotonic_us() - self->start_us) / 1000000);
}

static void
show_lines(const VerifyProgress *self)
{
	char line[LINE_SIZE];

	live_lines_begin();
	format_total(self, line);
	live_lines_add(line);
	for (int i = 0; i < CONFIG_JOBS_MAX; i++)
	{
		if (self->now[i] == NULL)
			continue;
		snprintf(line, sizeof(line), "  %s, %.1f MB, for %" PRId64 " s",
				 self->now[i]->qualified, megabytes(self->now[i]->bytes),
				 (clock_monotonic_us() - self->since_us[i]) / 1000000);
		live_lines_add(line);
	}
	live_lines_end();
}

static void
plan_next(VerifyProgress *self)
{
	self->next_us = clock_monotonic_us() +
					1000 * (int64_t) (self->terminal ? TERMINAL_PERIOD_MS
													 : LOG_PERIOD_MS);
}

void
verify_progress_begin(VerifyProgress *self)
{
	*self = (VerifyProgress){
		.terminal = live_lines_can_be_seen(),
		.start_us = clock_monotonic_us(),
	};
	plan_next(self);
}

bool
verify_progress_is_due(const VerifyProgress *self)
{
	return clock_monotonic_us() >= self->next_us;
}

void
verify_progress_show(VerifyProgress *self)
{
	char line[LINE_SIZE];

	plan_next(self);
	if (!log_level_is_on(LOG_INFO))
		return;
	if (self->terminal)
	{
		show_lines(self);
		return;
	}
	format_total(self, line);
	log_info("verify", "%s", line);
}

void
verify_progress_end(VerifyProgress *self)
{
	if (self->terminal)
		live_lines_clear();
}
