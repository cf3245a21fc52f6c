/*
 * meter.c
 *    Writes the lines that show the progress of a clone.
 */
#include "copy/rows/meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/live_lines.h"
#include "base/log.h"
#include "base/macros.h"

/* Size of a buffer for a line; the line with the largest numbers fits. */
#define LINE_SIZE 256

/* Size of a buffer for a number with its unit. */
#define AMOUNT_SIZE 24

/* Width of a name, in columns of the terminal.  With the other fields, a line
 * is 79 columns wide. */
#define NAME_WIDTH 36

_Static_assert(1 + 2 * METER_LINES_MAX <= LIVE_LINES_MAX,
			   "copies, builds and the line above them can be shown");


/* ---- Amounts ---- */

/* Formats a number of bytes like pg_size_pretty(), with up to three digits. */
static const char *
format_bytes(double bytes, char *text)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t unit = 0;

	while (bytes >= 1000 && unit + 1 < LENGTH_OF(units))
	{
		bytes /= 1024;
		unit++;
	}
	snprintf(text, AMOUNT_SIZE,
			 bytes < 9.995 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes,
			 units[unit]);
	return text;
}

/* Formats a time as in 0:07, 12:34, 1:23:45. */
static const char *
format_time(int64_t us, char *text)
{
	int64_t seconds = us / 1000000;

	if (seconds >= 3600)
		snprintf(text, AMOUNT_SIZE, "%" PRId64 ":%02d:%02d", seconds / 3600,
				 (int) (seconds / 60 % 60), (int) (seconds % 60));
	else
		snprintf(text, AMOUNT_SIZE, "%d:%02d", (int) (seconds / 60),
				 (int) (seconds % 60));
	return text;
}

static int
percent_of(int64_t done, int64_t total)
{
	if (total <= 0 || done >= total)
		return total <= 0 ? 0 : 100;
	return (int) ((double) done / (double) total * 100);
}

/*
 * Returns how much of a table that is being copied is done, in bytes of its
 * size on the source.  The result is never the whole size: the source's
 * statistics may be old, and a table's size differs from that of its COPY data.
 */
static int64_t
bytes_counted(const MeterCopy *copy)
{
	const double most = 0.99;
	double part = 0;

	if (copy->rows_expected > 0)
		part = (double) copy->rows / (double) copy->rows_expected;
	else if (copy->bytes_total > 0)
		part = (double) copy->bytes / (double) copy->bytes_total;
	return (int64_t) ((part < most ? part : most) * (double) copy->bytes_total);
}

static int64_t
bytes_done(const Meter *meter)
{
	int64_t done = meter->bytes_done;

	for (int i = 0; i < meter->copy_count; i++)
		done += bytes_counted(&meter->copies[i]);
	return done < meter->bytes_total ? done : meter->bytes_total;
}

double
meter_rate(const Meter *meter)
{
	double seconds = (double) (clock_monotonic_us() - meter->start_us) / 1e6;

	return seconds > 0 ? (double) meter->bytes / (double) MB / seconds : 0;
}


/* ---- Lines ---- */

static bool
copies(const Meter *meter)
{
	return meter->tables_done < meter->tables_total;
}

static void
format_copied(const Meter *meter, char *line, size_t size)
{
	int64_t done = bytes_done(meter);
	int64_t elapsed_us = clock_monotonic_us() - meter->start_us;
	char sent[AMOUNT_SIZE];
	char rate[AMOUNT_SIZE];
	char left[AMOUNT_SIZE] = "?";

	if (done > 0 && elapsed_us > 2000000)
		format_time((int64_t) ((double) elapsed_us / (double) done *
							   (double) (meter->bytes_total - done)),
					left);
	snprintf(line, size,
			 "%d/%d tables, %" PRId64 " rows, %s, %d %%, %s/s, %s left",
			 meter->tables_done, meter->tables_total, meter->rows,
			 format_bytes((double) meter->bytes, sent),
			 percent_of(done, meter->bytes_total),
			 format_bytes(meter_rate(meter) * (double) MB, rate), left);
}

static void
format_total(const Meter *meter, char *line, size_t size)
{
	char time[AMOUNT_SIZE];
	size_t length = 0;

	if (copies(meter))
		format_copied(meter, line, size);
	else
		snprintf(line, size, "%d tables, %" PRId64 " rows copied, %s",
				 meter->tables_done, meter->rows,
				 format_time(clock_monotonic_us() - meter->start_us, time));
	length = strlen(line);
	if (meter->build != NULL && build_total(meter->build) > 0)
		snprintf(line + length, size - length, "; %d/%d built",
				 build_done(meter->build), build_total(meter->build));
}

/* Appends a name, cut or padded to NAME_WIDTH columns. */
static void
append_name(char *line, size_t size, const char *name)
{
	size_t length = strlen(line);
	int bytes = live_lines_prefix_bytes(name, NAME_WIDTH);
	int width = live_lines_text_width(name);

	snprintf(line + length, size - length, "%.*s%*s", bytes, name,
			 width < NAME_WIDTH ? NAME_WIDTH - width : 0, "");
}

static void
format_copy(const MeterCopy *copy, char *line, size_t size)
{
	char name[LINE_SIZE];
	char bytes[AMOUNT_SIZE];
	size_t length;

	snprintf(name, sizeof(name), "%s.%s", copy->schema, copy->name);
	snprintf(line, size, "  copy  ");
	append_name(line, size, name);
	length = strlen(line);
	snprintf(line + length, size - length, "%12" PRId64 " rows %9s %3d %%",
			 copy->rows, format_bytes((double) copy->bytes, bytes),
			 percent_of(bytes_counted(copy), copy->bytes_total));
}

static const MeterIndex *
find_index(const Meter *meter, int backend_pid)
{
	for (int i = 0; i < meter->index_count; i++)
		if (meter->indexes[i].backend_pid == backend_pid)
			return &meter->indexes[i];
	return NULL;
}

static void
format_build(const Meter *meter, const BuildRunning *running, char *line,
			 size_t size)
{
	const MeterIndex *index = find_index(meter, running->backend_pid);
	char progress[LINE_SIZE] = "";
	char time[AMOUNT_SIZE];
	size_t length;

	if (index != NULL && index->percent >= 0)
		snprintf(progress, sizeof(progress), "%s %d %%", index->phase,
				 index->percent);
	else if (index != NULL)
		snprintf(progress, sizeof(progress), "%s", index->phase);
	snprintf(line, size, "  build ");
	append_name(line, size, running->what);
	length = strlen(line);
	snprintf(line + length, size - length, " %-24.24s %8s", progress,
			 format_time(clock_monotonic_us() - running->start_us, time));
}


/* ---- The terminal ---- */

void
meter_clear(void)
{
	live_lines_clear();
}

static void
show_lines(const Meter *meter)
{
	BuildRunning running[METER_LINES_MAX];
	int running_count = 0;
	char line[LINE_SIZE];

	ASSERT(meter->copy_count <= METER_LINES_MAX);
	if (meter->build != NULL)
		running_count = build_running(meter->build, running, METER_LINES_MAX);
	live_lines_begin();
	format_total(meter, line, sizeof(line));
	live_lines_add(line);
	for (int i = 0; i < meter->copy_count; i++)
	{
		format_copy(&meter->copies[i], line, sizeof(line));
		live_lines_add(line);
	}
	for (int i = 0; i < running_count; i++)
	{
		format_build(meter, &running[i], line, sizeof(line));
		live_lines_add(line);
	}
	live_lines_end();
}


/* ---- Asking the target ---- */

static void
fill_index(MeterIndex *index, const PGresult *result, int row)
{
	ASSERT(row >= 0 && row < PQntuples(result));
	index->backend_pid = (int) strtol(PQgetvalue(result, row, 0), NULL, 10);
	snprintf(index->phase, sizeof(index->phase), "%s",
			 PQgetvalue(result, row, 1));
	index->percent = PQgetisnull(result, row, 2)
						 ? -1
						 : (int) strtol(PQgetvalue(result, row, 2), NULL, 10);
}

/*
 * Queries the target for the progress of index builds; blocks.  An error of the
 * query is ignored, because the clone does not depend on it.
 */
static void
ask_target(Meter *meter)
{
	static const char sql[] =
		"SELECT pid, CASE WHEN phase LIKE '%scanning%' THEN 'scanning'"
		"  WHEN phase LIKE '%sorting%' THEN 'sorting'"
		"  WHEN phase LIKE '%loading%' THEN 'loading' ELSE phase END,"
		" 100 * CASE WHEN tuples_total > 0 THEN tuples_done / "
		"tuples_total::real"
		"  WHEN blocks_total > 0 THEN blocks_done / blocks_total::real END"
		" FROM pg_stat_progress_create_index"
		" WHERE datname = current_database()";
	PGresult *result = NULL;
	Error err = {0};

	meter->index_count = 0;
	meter->asked_us = clock_monotonic_us();
	if (pgconn_exec(meter->target, sql, &result, &err) == RC_OK)
		for (int i = 0; i < PQntuples(result) && i < METER_LINES_MAX; i++)
			fill_index(&meter->indexes[meter->index_count++], result, i);
	PQclear(result);
	error_reset(&err);
}

static bool
is_time_to_ask(const Meter *meter)
{
	return meter->target != NULL && meter->build != NULL &&
		   clock_monotonic_us() - meter->asked_us >=
			   1000 * (int64_t) METER_ASK_PERIOD_MS;
}


/* ---- The meter ---- */

void
meter_init(Meter *meter)
{
	*meter = (Meter){
		.start_us = clock_monotonic_us(),
		.terminal = live_lines_can_be_seen(),
	};
	meter->shown_us = meter->start_us;
}

int64_t
meter_wait_ms(const Meter *meter)
{
	int64_t period_us = 1000 * (int64_t) (meter->terminal
											  ? METER_TERMINAL_PERIOD_MS
											  : METER_LOG_PERIOD_MS);
	int64_t left_us = meter->shown_us + period_us - clock_monotonic_us();

	return left_us <= 0 ? 0 : (left_us + 999) / 1000;
}

void
meter_show(void *argument)
{
	Meter *meter = argument;
	char line[LINE_SIZE];

	if (meter_wait_ms(meter) > 0)
		return;
	meter->shown_us = clock_monotonic_us();
	if (!log_level_is_on(LOG_INFO))
		return;
	if (meter->terminal)
	{
		if (is_time_to_ask(meter))
			ask_target(meter);
		show_lines(meter);
		return;
	}
	format_total(meter, line, sizeof(line));
	log_info("copy", "%s", line);
}
