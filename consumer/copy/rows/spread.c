/*
 * spread.c
 *    The loop that runs the copiers of a copy to several targets.
 */
#include "copy/rows/spread.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "copy/rows/meter.h"
#include "copy/rows/throttle.h"

/* Minimum time between two calls of SpreadOptions.note. */
#define NOTE_INTERVAL_MS 500

/* Maximum of the option --jobs. */
#define SPREAD_JOBS_MAX 64

typedef struct Spread
{
	const Placed *placed;
	const SpreadOptions *options;
	CopyCatalog *catalog;
	PartQueue queue;
	int copier_count;
	SpreadCopier *copiers[SPREAD_JOBS_MAX];
	int64_t rows_under_way[SPREAD_JOBS_MAX]; /* rows copied so far of the part
											  * of each copier */
	struct pollfd *fds;                      /* buffer of wait_for_copiers() */
	int first_copier; /* copier that the next round begins with; advances by
					   * one each round */
	Meter meter;
	Throttle throttle;   /* limits the bytes read from the source */
	bool unnoted;        /* whether tables were finished since the last note */
	int64_t note_due_us; /* monotonic time of the next note at the earliest */
} Spread;

static bool
is_left_out(const PlacedTable *placed)
{
	ASSERT(placed->rule != NULL);
	return placed->table->skip || placed->table->done || placed->table->gone ||
		   placed->rule->kind == PLACEMENT_NONE;
}

/* Adds the tables to the queue and resets their counters.  Returns the number
 * of tables, and sets *parts to that of their parts. */
static int
queue_tables(Spread *spread, int64_t *parts)
{
	int count = 0;

	*parts = 0;
	for (int i = 0; i < spread->catalog->table_count; i++)
	{
		CopyTable *table = &spread->catalog->tables[i];

		table->changed = false;
		table->part_committed = false;
		if (is_left_out(&spread->placed->tables[i]))
			continue;
		table->rows = 0;
		table->busy_said_us = 0;
		table->ended_us = 0;
		*parts += part_queue_add(&spread->queue, table);
		spread->meter.bytes_total += table->bytes;
		count++;
	}
	return count;
}

/*
 * Closes copier i if one of its sessions has no replication origin, while those
 * of the copiers before it have: each session needs an origin of its own to
 * mark its rows.  Returns true if it has closed the copier; then we copy with
 * those before it.
 */
static bool
drop_unmarked(Spread *spread, int i)
{
	ASSERT(i > 0);
	if (spread_copier_is_marked(spread->copiers[i]) ||
		!spread_copier_is_marked(spread->copiers[0]))
		return false;
	copier_say_fewer(i);
	spread_copier_close(spread->copiers[i]);
	spread->copiers[i] = NULL;
	return true;
}

static MUST_CHECK Rc
open_copiers(Spread *spread, int count, Error *err)
{
	const SpreadOptions *options = spread->options;
	int fds_each = 1 + SPREAD_TARGETS_MAX;

	ASSERT(count <= SPREAD_JOBS_MAX);
	spread->fds = xcalloc((size_t) count * (size_t) fds_each,
						  sizeof(struct pollfd));
	for (int i = 0; i < count; i++)
	{
		Rc rc = spread_copier_open(&spread->copiers[i], &options->copier, err);

		if (rc != RC_OK)
			return rc;
		if (i > 0 && drop_unmarked(spread, i))
			break;
		spread->copier_count++;
	}
	if (count > 0 && !spread_copier_is_marked(spread->copiers[0]))
		spread_copier_say_unmarked(spread->copiers[0]);
	if (count > 0 && options->expects_quiet &&
		spread_copier_triggers_fire(spread->copiers[0]))
		copier_say_triggers("a target");
	return RC_OK;
}

/* Returns the placement of a table of the catalog. */
static const PlacedTable *
placed_of(const Spread *spread, const CopyTable *table)
{
	const PlacedTable *placed = &spread->placed
									 ->tables[table - spread->catalog->tables];

	ASSERT(placed->table == table);
	ASSERT(table >= spread->catalog->tables &&
		   table < spread->catalog->tables + spread->catalog->table_count);
	return placed;
}

/* Gives each idle copier a part from the queue.  *busy is set to the number of
 * copiers that are copying. */
static MUST_CHECK Rc
start_idle_copiers(Spread *spread, int *busy, Error *err)
{
	*busy = 0;
	for (int i = 0; i < spread->copier_count; i++)
	{
		if (spread_copier_is_idle(spread->copiers[i]))
		{
			CopyPart part;
			Rc rc;

			if (!part_queue_take(&spread->queue, &part))
				continue;
			rc = spread_copier_start(spread->copiers[i], part,
									 placed_of(spread, part.table), err);
			if (rc != RC_OK)
				return rc;
		}
		(*busy)++;
	}
	return RC_OK;
}

/* Counts a part of a table that all targets concerned have committed.  With the
 * last part, the table is finished. */
static void
count_finished(Spread *spread, CopyTable *table, int64_t rows)
{
	CHECK(table->parts_left > 0);
	ASSERT(rows >= 0);
	table->rows += rows;
	table->part_committed = true;
	if (--table->parts_left > 0)
		return;
	CHECK(!table->changed);
	table->ended_us = clock_monotonic_us();
	spread->unnoted = true;
	spread->meter.tables_done++;
	spread->meter.bytes_done += table->bytes;
}

static void
count_progress(Spread *spread, int copier, const CopierProgress *progress)
{
	Meter *meter = &spread->meter;

	ASSERT(progress->finished == NULL || progress->refused == GUARD_PASSED);
	meter->rows += progress->rows;
	meter->bytes += progress->bytes;
	spread->rows_under_way[copier] += progress->rows;
	if (progress->refused != GUARD_PASSED)
		copier_requeue_refused(&spread->queue, progress);
	if (progress->finished == NULL)
		return;
	meter->rows += progress->finished_rows - spread->rows_under_way[copier];
	spread->rows_under_way[copier] = 0;
	count_finished(spread, progress->finished, progress->finished_rows);
}

static int
count_busy(const Spread *spread)
{
	int count = 0;

	for (int i = 0; i < spread->copier_count; i++)
		count += spread_copier_is_idle(spread->copiers[i]) ? 0 : 1;
	return count;
}

/* Calls spread_copier_step() for each busy copier.  *finished is set to whether
 * one of them has become idle and can copy another part. */
static MUST_CHECK Rc
step_copiers(Spread *spread, bool *finished, Error *err)
{
	int busy = count_busy(spread);

	ASSERT(spread->copier_count > 0);
	*finished = false;
	for (int n = 0; n < spread->copier_count; n++)
	{
		int i = (spread->first_copier + n) % spread->copier_count;
		CopierProgress progress;
		Rc rc;

		if (spread_copier_is_idle(spread->copiers[i]))
			continue;
		spread_copier_set_limit(
			spread->copiers[i],
			throttle_share(&spread->throttle, clock_monotonic_us(), busy--));
		rc = spread_copier_step(spread->copiers[i], &progress, err);
		if (rc != RC_OK)
			return rc;
		throttle_take(&spread->throttle, progress.bytes);
		count_progress(spread, i, &progress);
		*finished |= spread_copier_is_idle(spread->copiers[i]);
	}
	spread->first_copier = (spread->first_copier + 1) % spread->copier_count;
	return RC_OK;
}

/* Waits until a copier can continue, or until the meter has to be shown. */
static MUST_CHECK Rc
wait_for_copiers(Spread *spread, Error *err)
{
	int64_t timeout_ms = meter_wait_ms(&spread->meter);
	int64_t throttle_ms = throttle_wait_ms(&spread->throttle);
	bool ready = false;
	int count = 0;
	Rc rc;

	if (throttle_ms > 0 && throttle_ms < timeout_ms)
		timeout_ms = throttle_ms;
	for (int i = 0; i < spread->copier_count; i++)
		count += spread_copier_poll_fds(spread->copiers[i], &spread->fds[count],
										&ready);
	rc = interrupt_wait_any(spread->fds, count, ready ? 0 : timeout_ms, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* Calls SpreadOptions.note if tables were finished since its last call, and
 * NOTE_INTERVAL_MS are over or `at_once` is set. */
static MUST_CHECK Rc
note_finished(Spread *spread, bool at_once, Error *err)
{
	int64_t now_us = clock_monotonic_us();

	if (spread->options->note == NULL || !spread->unnoted ||
		(!at_once && now_us < spread->note_due_us))
		return RC_OK;
	spread->unnoted = false;
	spread->note_due_us = now_us + (int64_t) NOTE_INTERVAL_MS * 1000;
	return spread->options->note(spread->options->argument, err);
}

static MUST_CHECK Rc
run_copiers(Spread *spread, Error *err)
{
	for (;;)
	{
		int busy = 0;
		bool finished = false;
		Rc rc = start_idle_copiers(spread, &busy, err);

		if (rc == RC_OK)
			rc = note_finished(spread, busy == 0, err);
		if (rc != RC_OK || busy == 0)
			return rc;
		rc = step_copiers(spread, &finished, err);
		if (rc == RC_OK && !finished)
			rc = wait_for_copiers(spread, err);
		if (rc != RC_OK)
			return rc;
		meter_show(&spread->meter);
	}
}

/* As in data.c. */
static void
check_finished(const Spread *spread)
{
	for (int i = 0; i < spread->catalog->table_count; i++)
		CHECK(is_left_out(&spread->placed->tables[i]) ||
			  spread->catalog->tables[i].changed ||
			  spread->catalog->tables[i].parts_left == 0);
}

static void
fill_report(const Spread *spread, DataReport *report)
{
	*report = (DataReport){
		.tables = spread->meter.tables_done,
		.rows = spread->meter.rows,
		.bytes = spread->meter.bytes,
		.rate = meter_rate(&spread->meter),
	};
	for (int i = 0; i < spread->catalog->table_count; i++)
	{
		const CopyTable *table = &spread->catalog->tables[i];

		report->tables_written += table->part_committed ? 1 : 0;
		report->tables_changed += table->changed ? 1 : 0;
	}
}

Rc
spread_copy(CopyCatalog *catalog, const Placed *placed,
			const SpreadOptions *options, DataReport *report, Error *err)
{
	Spread spread = {
		.placed = placed,
		.options = options,
		.catalog = catalog,
	};
	int64_t parts;
	Rc rc;

	ASSERT(options->jobs > 0 && options->rate >= 0);
	meter_init(&spread.meter);
	throttle_init(&spread.throttle, options->rate, clock_monotonic_us());
	part_queue_init(&spread.queue, options->jobs);
	spread.meter.tables_total = queue_tables(&spread, &parts);
	rc = open_copiers(&spread,
					  parts < options->jobs ? (int) parts : options->jobs, err);
	if (rc == RC_OK && options->take_snapshot != NULL)
		rc = options->take_snapshot(options->argument, err);
	if (rc == RC_OK)
		rc = run_copiers(&spread, err);
	if (rc == RC_OK)
		check_finished(&spread);
	for (int i = 0; i < spread.copier_count; i++)
		spread_copier_close(spread.copiers[i]);
	part_queue_release(&spread.queue);
	free(spread.fds);
	meter_clear();
	fill_report(&spread, report);
	return rc;
}
