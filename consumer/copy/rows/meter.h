/*
 * meter.h
 *    Shows the user the progress of a clone.
 *
 * On a terminal, the meter rewrites a few lines at the bottom: one for the
 * whole clone, and one for each table that is being copied and each index that
 * is being built.  If stderr is no terminal, the meter writes a log line every
 * few seconds.  It shows nothing if messages of level info are not logged.
 *
 * The remaining time is estimated from the sizes of the tables on the source
 * and, for tables that are being copied, from the source's statistics about
 * their numbers of rows.
 */
#ifndef PENSTOCK_COPY_ROWS_METER_H
#define PENSTOCK_COPY_ROWS_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "copy/schema/build.h"
#include "net/pgconn.h"

/* Interval at which the meter writes its lines. */
#define METER_TERMINAL_PERIOD_MS 200
#define METER_LOG_PERIOD_MS      5000

/* Interval at which we query the target's pg_stat_progress_create_index. */
#define METER_ASK_PERIOD_MS 1000

/* Maximum number of lines about tables, and of lines about indexes; further
 * tables and indexes get no line. */
#define METER_LINES_MAX 16

/* A table that is being copied. */
typedef struct MeterCopy
{
	const char *schema;
	const char *name;
	int64_t rows;          /* number of rows copied so far */
	int64_t rows_expected; /* rows in the source's statistics; 0: unknown */
	int64_t bytes;         /* size of the COPY data sent so far */
	int64_t bytes_total;   /* approximate size of the table on the source */
} MeterCopy;

/* An index that is being built, from the target's
 * pg_stat_progress_create_index. */
typedef struct MeterIndex
{
	int backend_pid;
	char phase[32];
	int percent; /* done part of the phase; negative: unknown */
} MeterIndex;

typedef struct Meter
{
	/* Set by data_copy() or spread_copy(). */
	int tables_total;
	int tables_done;
	int64_t rows;  /* number of rows copied so far */
	int64_t bytes; /* size of the COPY data sent so far */

	/* Approximate size on the source of all tables, and of the finished ones;
	 * 0: there is nothing to copy. */
	int64_t bytes_total;
	int64_t bytes_done;
	int copy_count; /* number of `copies` in use */
	MeterCopy copies[METER_LINES_MAX];

	const Build *build; /* index builds to show; borrowed; NULL: none */

	/* Connection to query about index builds, borrowed; NULL: do not query. */
	PgConn *target;

	/* Monotonic times: when the clone began, the meter last wrote its lines,
	 * and the target was last queried. */
	int64_t start_us;
	int64_t shown_us;
	int64_t asked_us;
	int index_count; /* number of `indexes` in use */
	MeterIndex indexes[METER_LINES_MAX];
	bool terminal; /* whether stderr is a terminal that lines are shown on */
} Meter;

/* Initializes a meter whose clone begins now.  Only one meter may show
 * something at a time. */
void meter_init(Meter *meter);

/* Returns the milliseconds until meter_show() writes its lines next. */
int64_t meter_wait_ms(const Meter *meter);

/* Writes the lines if the interval since they were last written is over;
 * queries the target before that, for which it blocks.  `argument` is a Meter,
 * so that build_wait() can call this function. */
void meter_show(void *argument);

/* Removes the meter's lines from the terminal.  Log messages do the same before
 * they are written. */
void meter_clear(void);

/* Returns the megabytes of COPY data sent per second since the start. */
double meter_rate(const Meter *meter);

#endif /* PENSTOCK_COPY_ROWS_METER_H */
