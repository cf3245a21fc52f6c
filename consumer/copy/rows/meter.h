/*
 * meter.h
 *    Shows people how far a clone is.
 *
 * On a terminal it is a few lines at its bottom that are written again and
 * again: one for the whole, and one for each table that is copied and each
 * index that is built.  Elsewhere it is a log line every few seconds.  Nothing
 * is shown below log level info.
 *
 * What is left is estimated from the sizes of the tables on the source and, of
 * the tables under way, from the numbers of rows that its statistics have.
 */
#ifndef PENSTOCK_COPY_ROWS_METER_H
#define PENSTOCK_COPY_ROWS_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "copy/schema/build.h"
#include "net/pgconn.h"

/* How often something is written. */
#define METER_TERMINAL_PERIOD_MS 200
#define METER_LOG_PERIOD_MS      5000

/* How often the target is asked how far indexes are. */
#define METER_ASK_PERIOD_MS 1000

/* Lines of copiers and of builds, each; what more there is stays untold. */
#define METER_LINES_MAX 16

/* A table that is being copied. */
typedef struct MeterCopy
{
	const char *schema;
	const char *name;
	int64_t rows;
	int64_t rows_expected; /* 0: unknown */
	int64_t bytes;         /* sent, in COPY's format */
	int64_t bytes_total;   /* on the source, about */
} MeterCopy;

/* What the target says of an index that is being built. */
typedef struct MeterIndex
{
	int backend_pid;
	char phase[32];
	int percent; /* of the phase; negative: not known */
} MeterIndex;

typedef struct Meter
{
	/* Set by whoever copies. */
	int tables_total;
	int tables_done;
	int64_t rows;        /* copied */
	int64_t bytes;       /* sent, in COPY's format */
	int64_t bytes_total; /* on the source, about; 0: nothing is copied */
	int64_t bytes_done;  /* of that, with finished tables in full */
	int copy_count;
	MeterCopy copies[METER_LINES_MAX];

	const Build *build; /* borrowed; NULL: nothing is built */
	PgConn *target;     /* borrowed, to ask about indexes; or NULL */

	int64_t start_us;
	int64_t shown_us; /* when it was written last */
	int64_t asked_us;
	int index_count;
	MeterIndex indexes[METER_LINES_MAX];
	bool terminal;
} Meter;

/* Only one meter shows something at a time. */
void meter_init(Meter *meter);

/* Milliseconds until meter_show() would write something. */
int64_t meter_wait_ms(const Meter *meter);

/* Shows how far it is if it is time to.  `argument` is a Meter: see
 * build_wait(). */
void meter_show(void *argument);

/* Removes what it shows from the terminal; logging does that first, too. */
void meter_clear(void);

/* Megabytes a second since the start. */
double meter_rate(const Meter *meter);

#endif /* PENSTOCK_COPY_ROWS_METER_H */
