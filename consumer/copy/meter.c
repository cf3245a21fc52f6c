/*
 * meter.c
 *    The line that says how far a copy is.
 */
#include "copy/meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"

/* Room for the line with the largest numbers. */
#define LINE_SIZE 128

void
meter_init(Meter *meter, int tables_total)
{
	*meter = (Meter){
		.tables_total = tables_total,
		.start_us = clock_monotonic_us(),
		.terminal = isatty(STDERR_FILENO) != 0,
	};
	meter->shown_us = meter->start_us;
}

static int64_t
period_us(const Meter *meter)
{
	return 1000 * (int64_t) (meter->terminal ? METER_TERMINAL_PERIOD_MS
											 : METER_LOG_PERIOD_MS);
}

int64_t
meter_wait_ms(const Meter *meter)
{
	int64_t left_us = meter->shown_us + period_us(meter) - clock_monotonic_us();

	return left_us <= 0 ? 0 : (left_us + 999) / 1000;
}

double
meter_rate(const Meter *meter)
{
	double seconds = (double) (clock_monotonic_us() - meter->start_us) / 1e6;

	return seconds > 0 ? (double) meter->bytes / (double) MB / seconds : 0;
}

static void
format_line(const Meter *meter, char *line, size_t size)
{
	snprintf(line, size,
			 "%d of %d tables, %" PRId64 " rows, %.1f MB, %.1f MB/s",
			 meter->tables_done, meter->tables_total, meter->rows,
			 (double) meter->bytes / (double) MB, meter_rate(meter));
}

void
meter_show(Meter *meter)
{
	char line[LINE_SIZE];

	if (meter_wait_ms(meter) > 0)
		return;
	meter->shown_us = clock_monotonic_us();
	if (!log_level_is_on(LOG_INFO))
		return;
	format_line(meter, line, sizeof(line));
	if (!meter->terminal)
	{
		log_info("copy", "%s", line);
		return;
	}
	/* Carriage return, the line, and away with what stood there. */
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	meter->line_open = true;
}

void
meter_clear(Meter *meter)
{
	if (!meter->line_open)
		return;
	fprintf(stderr, "\r\033[K");
	fflush(stderr);
	meter->line_open = false;
}
