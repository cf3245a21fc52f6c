/*
 * spread.c
 *    The loop around the jobs.
 */
#include "copy/spread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "copy/meter.h"
#include "net/origin.h"

/* As --jobs has it. */
#define SPREAD_JOBS_MAX 64

/* Blocks of a part: as in data.c. */
#define PART_BLOCKS 32768

typedef struct Spread
{
	const Placed *placed;
	const SpreadOptions *options;
	int next;           /* table that the next idle job begins with */
	int64_t next_block; /* where in it */
	int job_count;
	SpreadJob *jobs[SPREAD_JOBS_MAX];
	int64_t rows_under_way[SPREAD_JOBS_MAX]; /* counted, of unfinished parts */
	struct pollfd *fds;
	Meter meter;
} Spread;

/* The catalog's table that is in that place. */
static CopyTable *
table_at(CopyCatalog *catalog, int index)
{
	return &catalog->tables[index];
}

static bool
is_left_out(const Placed *placed, int index)
{
	return placed->tables[index].table->skip ||
		   placed->tables[index].rule->kind == PLACEMENT_NONE;
}

/* Sets the tables' counts to nothing.  *parts: what there is to copy. */
static int
reset_tables(const Spread *spread, CopyCatalog *catalog, int64_t *parts)
{
	int count = 0;

	*parts = 0;
	for (int i = 0; i < catalog->table_count; i++)
	{
		CopyTable *table = table_at(catalog, i);

		table->parts_open = 0;
		table->parts_last = false;
		table->rows = 0;
		table->touched = false;
		if (is_left_out(spread->placed, i))
			continue;
		count++;
		*parts += data_count_parts(table, spread->options->jobs);
	}
	return count;
}

/*
 * Each connection wants a mark of its own for what it writes.  If some can have
 * one and the next cannot, those have to do.
 */
static bool
drop_unmarked(Spread *spread, int i)
{
	if (spread_job_is_marked(spread->jobs[i]) ||
		!spread_job_is_marked(spread->jobs[0]))
		return false;
	log_warning("copy",
				"copying with %d connections: " ORIGIN_SETTING
				" leaves no room for the replication origin of another one",
				i);
	spread_job_close(spread->jobs[i]);
	spread->jobs[i] = NULL;
	return true;
}

static MUST_CHECK Rc
open_jobs(Spread *spread, const CopyCatalog *catalog, int count, Error *err)
{
	const SpreadOptions *options = spread->options;
	int fds_each = 1 + SPREAD_TARGETS_MAX;

	ASSERT(count <= SPREAD_JOBS_MAX);
	spread->fds = xcalloc(1 + (size_t) count * (size_t) fds_each,
						  sizeof(struct pollfd));
	for (int i = 0; i < count; i++)
	{
		Rc rc = spread_job_open(&spread->jobs[i], &options->job, err);

		if (rc != RC_OK)
			return rc;
		if (i > 0 && drop_unmarked(spread, i))
			break;
		spread->job_count++;
		if (count * catalog->table_count <= JOB_LOCKS_MAX)
			rc = spread_job_lock(spread->jobs[i], catalog, err);
		if (rc != RC_OK)
			return rc;
	}
	if (count > 0 && !spread_job_is_marked(spread->jobs[0]))
		spread_job_say_unmarked(spread->jobs[0]);
	if (count > 0 && options->expects_quiet &&
		spread_job_triggers_fire(spread->jobs[0]))
		log_warning("copy",
					"triggers fire and foreign keys are checked for the copied "
					"rows on a target: its role may not set "
					"session_replication_role");
	return RC_OK;
}

/* Takes the next part that is to be copied; false if there is none. */
static bool
take_part(Spread *spread, CopyCatalog *catalog, CopyPart *part, int *index)
{
	CopyTable *table;

	while (spread->next < catalog->table_count &&
		   is_left_out(spread->placed, spread->next))
		spread->next++;
	if (spread->next == catalog->table_count)
		return false;
	*index = spread->next;
	table = table_at(catalog, spread->next);
	*part = (CopyPart){.table = table, .first_block = spread->next_block};
	if (spread->options->jobs > 1 &&
		table->heap_blocks - spread->next_block > PART_BLOCKS)
	{
		spread->next_block += PART_BLOCKS;
		part->end_block = spread->next_block;
	}
	else
	{
		table->parts_last = true;
		spread->next++;
		spread->next_block = 0;
	}
	table->parts_open++;
	return true;
}

/* Gives each idle job a part.  *busy: jobs that have one. */
static MUST_CHECK Rc
start_idle_jobs(Spread *spread, CopyCatalog *catalog, int *busy, Error *err)
{
	*busy = 0;
	for (int i = 0; i < spread->job_count; i++)
	{
		if (spread_job_is_idle(spread->jobs[i]))
		{
			CopyPart part;
			int index;
			Rc rc;

			if (!take_part(spread, catalog, &part, &index))
				continue;
			rc = spread_job_start(spread->jobs[i], part,
								  &spread->placed->tables[index], err);
			if (rc != RC_OK)
				return rc;
		}
		(*busy)++;
	}
	return RC_OK;
}

/* A part of a table is where it is to be. */
static void
count_finished(Spread *spread, CopyTable *table, int64_t rows)
{
	table->rows += rows;
	table->touched = true;
	table->parts_open--;
	if (table->parts_open > 0 || !table->parts_last)
		return;
	spread->meter.tables_done++;
	spread->meter.bytes_done += table->bytes;
}

static void
count_progress(Spread *spread, int job, const JobProgress *progress)
{
	Meter *meter = &spread->meter;

	meter->rows += progress->rows;
	meter->bytes += progress->bytes;
	spread->rows_under_way[job] += progress->rows;
	if (progress->finished == NULL)
		return;
	meter->rows += progress->finished_rows - spread->rows_under_way[job];
	spread->rows_under_way[job] = 0;
	count_finished(spread, progress->finished, progress->finished_rows);
}

/* *finished: a job has become idle and may take a table. */
static MUST_CHECK Rc
step_jobs(Spread *spread, bool *finished, Error *err)
{
	*finished = false;
	for (int i = 0; i < spread->job_count; i++)
	{
		JobProgress progress;
		Rc rc = spread_job_step(spread->jobs[i], &progress, err);

		if (rc != RC_OK)
			return rc;
		count_progress(spread, i, &progress);
		*finished |= progress.finished != NULL;
	}
	return RC_OK;
}

/* Waits until a job can go on, it is time to show something, or a signal. */
static MUST_CHECK Rc
wait_for_jobs(Spread *spread, Error *err)
{
	int64_t timeout_ms = meter_wait_ms(&spread->meter);
	bool ready = false;
	int count = 0;

	spread->fds[count++] = (struct pollfd){.fd = interrupt_fd(),
										   .events = POLLIN};
	for (int i = 0; i < spread->job_count; i++)
		count += spread_job_poll_fds(spread->jobs[i], &spread->fds[count],
									 &ready);
	if (poll(spread->fds, (nfds_t) count, ready ? 0 : (int) timeout_ms) < 0 &&
		errno != EINTR)
		return error_set(err, ERR_IO, "could not wait for a socket: %s",
						 strerror(errno));
	if (spread->fds[0].revents != 0)
		interrupt_drain();
	if (interrupt_requested())
		return error_set(err, ERR_INTERRUPTED, "stopped on request");
	return RC_OK;
}

static MUST_CHECK Rc
run_jobs(Spread *spread, CopyCatalog *catalog, Error *err)
{
	for (;;)
	{
		int busy = 0;
		bool finished = false;
		Rc rc = start_idle_jobs(spread, catalog, &busy, err);

		if (rc != RC_OK || busy == 0)
			return rc;
		rc = step_jobs(spread, &finished, err);
		if (rc == RC_OK && !finished)
			rc = wait_for_jobs(spread, err);
		if (rc != RC_OK)
			return rc;
		meter_show(&spread->meter);
	}
}

static void
fill_report(const Spread *spread, const CopyCatalog *catalog,
			DataReport *report)
{
	*report = (DataReport){
		.tables = spread->meter.tables_done,
		.rows = spread->meter.rows,
		.bytes = spread->meter.bytes,
		.rate = meter_rate(&spread->meter),
	};
	for (int i = 0; i < catalog->table_count; i++)
		report->tables_touched += catalog->tables[i].touched ? 1 : 0;
}

Rc
spread_copy(CopyCatalog *catalog, const Placed *placed,
			const SpreadOptions *options, DataReport *report, Error *err)
{
	Spread spread = {.placed = placed, .options = options};
	int64_t parts;
	int tables = reset_tables(&spread, catalog, &parts);
	Rc rc;

	meter_init(&spread.meter);
	spread.meter.tables_total = tables;
	for (int i = 0; i < catalog->table_count; i++)
		if (!is_left_out(placed, i))
			spread.meter.bytes_total += catalog->tables[i].bytes;
	rc = open_jobs(&spread, catalog,
				   parts < options->jobs ? (int) parts : options->jobs, err);
	if (rc == RC_OK)
		rc = run_jobs(&spread, catalog, err);
	for (int i = 0; i < spread.job_count; i++)
		spread_job_close(spread.jobs[i]);
	free(spread.fds);
	meter_clear();
	fill_report(&spread, catalog, report);
	return rc;
}
