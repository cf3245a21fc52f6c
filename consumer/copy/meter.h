/*
 * meter.h
 *    Shows people how far a copy is.
 *
 * On a terminal it is one line that is written again and again, elsewhere a log
 * line every few seconds.  Nothing is shown below log level info.
 */
#ifndef PENSTOCK_COPY_METER_H
#define PENSTOCK_COPY_METER_H

#include <stdbool.h>
#include <stdint.h>

/* How often the line is written. */
#define METER_TERMINAL_PERIOD_MS 200
#define METER_LOG_PERIOD_MS      5000

typedef struct Meter
{
	int tables_total;
	int tables_done;
	int64_t rows;  /* copied */
	int64_t bytes; /* sent, in COPY's format */

	int64_t start_us;
	int64_t shown_us; /* when the line was written last */
	bool terminal;
	bool line_open; /* the cursor stands behind a line of ours */
} Meter;

void meter_init(Meter *meter, int tables_total);

/* Milliseconds until meter_show() would write something. */
int64_t meter_wait_ms(const Meter *meter);

/* Writes the line if it is time to. */
void meter_show(Meter *meter);

/* Takes the line away, so that something else can be written. */
void meter_clear(Meter *meter);

/* Megabytes a second since the start. */
double meter_rate(const Meter *meter);

#endif /* PENSTOCK_COPY_METER_H */
