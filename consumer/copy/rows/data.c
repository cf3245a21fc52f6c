/*
 * data.c
 *    The loop that runs the copiers, and the builds of indexes of copied
 * tables.
 */
#include "copy/rows/data.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "copy/rows/part_queue.h"
#include "copy/rows/throttle.h"

/* Maximum of the option --jobs. */
#define DATA_JOBS_MAX 64

/* Maximum number of descriptors to poll: two for each copier, and those of the
 * builds. */
#define DATA_POLL_MAX (2 * DATA_JOBS_MAX + BUILD_JOBS_MAX)

/* The part that a copier is copying. */
typedef struct UnderWay
{
	CopyTable *table; /* the part's table; NULL: the copier is idle */
	int64_t rows;     /* number of rows of the part copied so far */
} UnderWay;

typedef struct DataCopy
{
	CopyCatalog *catalog;
	Build *build; /* may be NULL */
	PartQueue queue;
	int copier_count;
	int first_copier; /* copier that the next round begins with; advances by
					   * one each round */
	Copier *copiers[DATA_JOBS_MAX];
	UnderWay under_way[DATA_JOBS_MAX]; /* parts of the copiers, by index */
	Meter *meter;
	Throttle throttle; /* limits the bytes read from the source */
} DataCopy;

/* Whether the table's rows are not to be copied. */
static bool
is_left_out(const CopyTable *table)
{
	return table->skip || table->done || table->gone;
}

/* Adds the tables to the queue and resets their counters.  Returns the number
 * of tables, and sets *parts to that of their parts. */
static int
queue_tables(DataCopy *copy, int64_t *parts)
{
	CopyCatalog *catalog = copy->catalog;
	int count = 0;

	*parts = 0;
	for (int i = 0; i < catalog->table_count; i++)
	{
		CopyTable *table = &catalog->tables[i];

		table->changed = false;
		table->part_committed = false;
		if (is_left_out(table))
			continue;
		table->rows = 0;
		table->bytes_sent = 0;
		table->begun_us = 0;
		table->ended_us = 0;
		table->busy_said_us = 0;
		*parts += part_queue_add(&copy->queue, table);
		count++;
	}
	return count;
}

static int64_t
bytes_to_copy(const CopyCatalog *catalog)
{
	int64_t bytes = 0;

	for (int i = 0; i < catalog->table_count; i++)
		if (!is_left_out(&catalog->tables[i]))
			bytes += catalog->tables[i].bytes;
	return bytes;
}

static void
count_tables(const CopyCatalog *catalog, DataReport *report)
{
	for (int i = 0; i < catalog->table_count; i++)
	{
		report->tables_written += catalog->tables[i].part_committed ? 1 : 0;
		report->tables_changed += catalog->tables[i].changed ? 1 : 0;
	}
}

/* Starts the builds of tables whose rows an earlier run has copied: their
 * indexes may be missing. */
static void
start_builds(DataCopy *copy)
{
	for (int i = 0; i < copy->catalog->table_count; i++)
		if (copy->build != NULL && copy->catalog->tables[i].done)
			build_table_copied(copy->build, &copy->catalog->tables[i]);
}

/*
 * Closes copier i if its session has no replication origin, while those before
 * it have: each session needs an origin of its own to mark its rows.  Returns
 * true if it has closed the copier; then we copy with those before it.
 */
static bool
drop_unmarked(DataCopy *copy, int i)
{
	ASSERT(i > 0);
	if (copier_is_marked(copy->copiers[i]) ||
		!copier_is_marked(copy->copiers[0]))
		return false;
	copier_say_fewer(i);
	copier_close(copy->copiers[i]);
	copy->copiers[i] = NULL;
	return true;
}

static Rc
open_copiers(DataCopy *copy, const DataOptions *options, int count, Error *err)
{
	ASSERT(count <= DATA_JOBS_MAX);
	for (int i = 0; i < count; i++)
	{
		Rc rc = copier_open(&copy->copiers[i], &options->copier, err);

		if (rc != RC_OK)
			return rc;
		if (i > 0 && drop_unmarked(copy, i))
			break;
		copy->copier_count++;
	}
	if (count > 0 && !copier_is_marked(copy->copiers[0]))
		copier_say_unmarked(copy->copiers[0]);
	if (count > 0 && options->expects_quiet &&
		copier_triggers_fire(copy->copiers[0]))
		copier_say_triggers(options->copier.target_label);
	return RC_OK;
}

static Rc
start_part(DataCopy *copy, int copier, CopyPart part, Error *err)
{
	ASSERT(copy->under_way[copier].table == NULL);
	copy->under_way[copier] = (UnderWay){.table = part.table};
	if (part.table->begun_us == 0)
		part.table->begun_us = clock_monotonic_us();
	return copier_start(copy->copiers[copier], part, err);
}

/* Gives each idle copier a part from the queue.  *busy is set to the number of
 * copiers that are copying. */
static Rc
start_idle_copiers(DataCopy *copy, int *busy, Error *err)
{
	*busy = 0;
	for (int i = 0; i < copy->copier_count; i++)
	{
		if (copier_is_idle(copy->copiers[i]))
		{
			CopyPart part;
			Rc rc;

			if (!part_queue_take(&copy->queue, &part))
				continue;
			rc = start_part(copy, i, part, err);
			if (rc != RC_OK)
				return rc;
		}
		(*busy)++;
	}
	return RC_OK;
}

/* Counts a part of a table that the target has committed.  With the last part,
 * the table is finished, and its indexes can be built. */
static void
count_finished(DataCopy *copy, CopyTable *table, int64_t rows)
{
	CHECK(table->parts_left > 0);
	ASSERT(rows >= 0);
	table->rows += rows;
	table->part_committed = true;
	if (--table->parts_left > 0)
		return;
	/* A part that was refused is not among those that were committed. */
	CHECK(!table->changed);
	table->ended_us = clock_monotonic_us();
	copy->meter->tables_done++;
	copy->meter->bytes_done += table->bytes;
	if (copy->build != NULL)
		build_table_copied(copy->build, table);
	log_debug("copy", "table %s: %" PRId64 " rows, %s format", table->qualified,
			  table->rows, table->binary ? "binary" : "text");
}

static void
count_progress(DataCopy *copy, int copier, const CopierProgress *progress)
{
	Meter *meter = copy->meter;
	UnderWay *under_way = &copy->under_way[copier];

	ASSERT(progress->finished == NULL || progress->refused == GUARD_PASSED);
	if (under_way->table == NULL)
		return;
	CHECK(progress->finished == NULL || progress->finished == under_way->table);
	meter->rows += progress->rows;
	meter->bytes += progress->bytes;
	under_way->rows += progress->rows;
	under_way->table->bytes_sent += progress->bytes;
	if (progress->refused != GUARD_PASSED)
	{
		*under_way = (UnderWay){0};
		copier_requeue_refused(&copy->queue, progress);
	}
	if (progress->finished == NULL)
		return;
	/* Replaces our count of the part's rows by the target's. */
	meter->rows += progress->finished_rows - under_way->rows;
	*under_way = (UnderWay){0};
	count_finished(copy, progress->finished, progress->finished_rows);
}

/* Sets the tables that the meter shows, each once, with the rows of all its
 * parts that are being copied. */
static void
fill_meter(DataCopy *copy)
{
	Meter *meter = copy->meter;

	meter->copy_count = 0;
	for (int i = 0; i < copy->copier_count; i++)
	{
		const CopyTable *table = copy->under_way[i].table;
		bool told = table == NULL || meter->copy_count == METER_LINES_MAX;
		int64_t rows = 0;

		for (int n = 0; n < copy->copier_count && !told; n++)
			if (copy->under_way[n].table == table)
			{
				told = n < i;
				rows += copy->under_way[n].rows;
			}
		if (told)
			continue;
		meter->copies[meter->copy_count++] = (MeterCopy){
			.schema = table->schema,
			.name = table->name,
			.rows = table->rows + rows,
			.rows_expected = table->rows_expected,
			.bytes = table->bytes_sent,
			.bytes_total = table->bytes,
		};
	}
}

static int
count_busy(const DataCopy *copy)
{
	int count = 0;

	for (int i = 0; i < copy->copier_count; i++)
		count += copier_is_idle(copy->copiers[i]) ? 0 : 1;
	return count;
}

/* Calls copier_step() for each busy copier.  *finished is set to whether one of
 * them has become idle and can copy another part. */
static Rc
step_copiers(DataCopy *copy, bool *finished, Error *err)
{
	int busy = count_busy(copy);

	ASSERT(copy->copier_count > 0);
	*finished = false;
	for (int n = 0; n < copy->copier_count; n++)
	{
		int i = (copy->first_copier + n) % copy->copier_count;
		CopierProgress progress;
		Rc rc;

		if (copier_is_idle(copy->copiers[i]))
			continue;
		copier_set_limit(
			copy->copiers[i],
			throttle_share(&copy->throttle, clock_monotonic_us(), busy--));
		rc = copier_step(copy->copiers[i], &progress, err);
		if (rc != RC_OK)
			return rc;
		throttle_take(&copy->throttle, progress.bytes);
		count_progress(copy, i, &progress);
		*finished |= copier_is_idle(copy->copiers[i]);
	}
	copy->first_copier = (copy->first_copier + 1) % copy->copier_count;
	return RC_OK;
}

/* Waits until a copier or a build can continue, or until the meter has to be
 * shown. */
static Rc
wait_for_copiers(DataCopy *copy, Error *err)
{
	struct pollfd fds[DATA_POLL_MAX];
	int count = 0;
	Rc rc;
	int64_t timeout_ms = meter_wait_ms(copy->meter);
	int64_t throttle_ms = throttle_wait_ms(&copy->throttle);

	if (throttle_ms > 0 && throttle_ms < timeout_ms)
		timeout_ms = throttle_ms;
	for (int i = 0; i < copy->copier_count; i++)
	{
		CopierWants wants;

		if (throttle_ms > 0)
			copier_set_limit(copy->copiers[i], 0);
		wants = copier_wants(copy->copiers[i]);
		fds[count++] = (struct pollfd){.fd = wants.source_fd,
									   .events = wants.source_events};
		fds[count++] = (struct pollfd){.fd = wants.target_fd,
									   .events = wants.target_events};
		if (wants.ready && throttle_ms == 0)
			timeout_ms = 0;
	}
	if (copy->build != NULL)
		count += build_poll_fds(copy->build, &fds[count]);
	CHECK(count <= DATA_POLL_MAX);
	rc = interrupt_wait_any(fds, count, timeout_ms, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

static Rc
run_copiers(DataCopy *copy, Error *err)
{
	for (;;)
	{
		int busy = 0;
		bool finished = false;
		Rc rc = start_idle_copiers(copy, &busy, err);

		if (rc != RC_OK || busy == 0)
			return rc;
		rc = step_copiers(copy, &finished, err);
		if (rc == RC_OK && copy->build != NULL)
			rc = build_step(copy->build, err);
		if (rc == RC_OK && !finished)
			rc = wait_for_copiers(copy, err);
		if (rc != RC_OK)
			return rc;
		if (meter_wait_ms(copy->meter) == 0)
			fill_meter(copy);
		meter_show(copy->meter);
	}
}

/* Rows would be missing if the last part of a table had not been copied. */
static void
check_finished(const CopyCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
		CHECK(is_left_out(&catalog->tables[i]) || catalog->tables[i].changed ||
			  catalog->tables[i].parts_left == 0);
}

static void
close_copiers(DataCopy *copy)
{
	for (int i = 0; i < copy->copier_count; i++)
		copier_close(copy->copiers[i]);
}

Rc
data_copy(CopyCatalog *catalog, const DataOptions *options, DataReport *report,
		  Error *err)
{
	Meter own_meter = {0};
	Meter before;
	DataCopy copy = {
		.catalog = catalog,
		.build = options->build,
		.meter = options->meter != NULL ? options->meter : &own_meter,
	};
	int64_t parts;
	int tables;
	int copiers;
	Rc rc;

	ASSERT(options->jobs > 0 && options->rate >= 0);
	ASSERT(options->jobs <= DATA_JOBS_MAX);
	part_queue_init(&copy.queue, options->jobs);
	tables = queue_tables(&copy, &parts);
	copiers = parts < options->jobs ? (int) parts : options->jobs;
	if (options->meter == NULL)
		meter_init(&own_meter);
	before = *copy.meter;
	copy.meter->tables_total = before.tables_done + tables;
	copy.meter->bytes_total = before.bytes_done + bytes_to_copy(catalog);
	throttle_init(&copy.throttle, options->rate, clock_monotonic_us());
	start_builds(&copy);
	rc = open_copiers(&copy, options, copiers, err);
	if (rc == RC_OK && options->take_snapshot != NULL)
		rc = options->take_snapshot(options->argument, err);
	if (rc == RC_OK)
		rc = run_copiers(&copy, err);
	if (rc == RC_OK)
		check_finished(catalog);
	close_copiers(&copy);
	part_queue_release(&copy.queue);
	meter_clear();
	copy.meter->copy_count = 0;
	*report = (DataReport){
		.tables = copy.meter->tables_done - before.tables_done,
		.rows = copy.meter->rows - before.rows,
		.bytes = copy.meter->bytes - before.bytes,
		.rate = meter_rate(copy.meter),
	};
	count_tables(catalog, report);
	return rc;
}
