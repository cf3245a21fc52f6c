/*
 * data.c
 *    The loop around the jobs.
 */
#include "copy/data.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "copy/meter.h"

/* As --jobs has it. */
#define DATA_JOBS_MAX 64

/* The interrupt's descriptor and two for each job. */
#define DATA_POLL_MAX (1 + 2 * DATA_JOBS_MAX)

typedef struct DataCopy
{
	CopyCatalog *catalog;
	int next; /* table that the next idle job begins with */
	int job_count;
	Job *jobs[DATA_JOBS_MAX];
	int64_t rows_under_way[DATA_JOBS_MAX]; /* counted, of unfinished tables */
	Meter meter;
} DataCopy;

static int
count_to_copy(const CopyCatalog *catalog)
{
	int count = 0;

	for (int i = 0; i < catalog->table_count; i++)
		if (!catalog->tables[i].skip)
			count++;
	return count;
}

static Rc
open_jobs(DataCopy *copy, const DataOptions *options, int count, Error *err)
{
	ASSERT(count <= DATA_JOBS_MAX);
	for (int i = 0; i < count; i++)
	{
		Rc rc = job_open(&copy->jobs[i], &options->job, err);

		if (rc != RC_OK)
			return rc;
		copy->job_count++;
	}
	if (count > 0 && options->expects_quiet && job_triggers_fire(copy->jobs[0]))
		log_warning("copy",
					"triggers fire and foreign keys are checked for the copied "
					"rows on %s: its role may not set "
					"session_replication_role",
					options->job.target_label);
	return RC_OK;
}

/* The next table that is to be copied, or NULL. */
static CopyTable *
take_table(DataCopy *copy)
{
	while (copy->next < copy->catalog->table_count)
	{
		CopyTable *table = &copy->catalog->tables[copy->next++];

		if (!table->skip)
			return table;
	}
	return NULL;
}

/* Gives each idle job a table.  *busy: jobs that have one. */
static Rc
start_idle_jobs(DataCopy *copy, int *busy, Error *err)
{
	*busy = 0;
	for (int i = 0; i < copy->job_count; i++)
	{
		if (job_is_idle(copy->jobs[i]))
		{
			CopyTable *table = take_table(copy);
			Rc rc;

			if (table == NULL)
				continue;
			rc = job_start(copy->jobs[i], table, err);
			if (rc != RC_OK)
				return rc;
		}
		(*busy)++;
	}
	return RC_OK;
}

static void
count_progress(DataCopy *copy, int job, const JobProgress *progress)
{
	Meter *meter = &copy->meter;

	meter->rows += progress->rows;
	meter->bytes += progress->bytes;
	copy->rows_under_way[job] += progress->rows;
	if (progress->finished == NULL)
		return;
	/* From here on the target's own count is known. */
	meter->rows += progress->finished_rows - copy->rows_under_way[job];
	copy->rows_under_way[job] = 0;
	meter->tables_done++;
	if (log_level_is_on(LOG_DEBUG))
	{
		meter_clear(meter);
		log_debug("copy", "table %s: %" PRId64 " rows, %s format",
				  progress->finished->qualified, progress->finished_rows,
				  progress->finished->binary ? "binary" : "text");
	}
}

/* *finished: a job has become idle and may take a table. */
static Rc
step_jobs(DataCopy *copy, bool *finished, Error *err)
{
	*finished = false;
	for (int i = 0; i < copy->job_count; i++)
	{
		JobProgress progress;
		Rc rc = job_step(copy->jobs[i], &progress, err);

		if (rc != RC_OK)
			return rc;
		count_progress(copy, i, &progress);
		*finished |= progress.finished != NULL;
	}
	return RC_OK;
}

/* Waits until a job can go on, it is time to show something, or a signal. */
static Rc
wait_for_jobs(DataCopy *copy, Error *err)
{
	struct pollfd fds[DATA_POLL_MAX];
	nfds_t count = 0;
	int64_t timeout_ms = meter_wait_ms(&copy->meter);

	fds[count++] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
	for (int i = 0; i < copy->job_count; i++)
	{
		JobWants wants = job_wants(copy->jobs[i]);

		fds[count++] = (struct pollfd){.fd = wants.source_fd,
									   .events = wants.source_events};
		fds[count++] = (struct pollfd){.fd = wants.target_fd,
									   .events = wants.target_events};
		if (wants.ready)
			timeout_ms = 0;
	}
	if (poll(fds, count, (int) timeout_ms) < 0 && errno != EINTR)
		return error_set(err, ERR_IO, "could not wait for a socket: %s",
						 strerror(errno));
	if (fds[0].revents != 0)
		interrupt_drain();
	if (interrupt_requested())
		return error_set(err, ERR_INTERRUPTED, "stopped on request");
	return RC_OK;
}

static Rc
run_jobs(DataCopy *copy, Error *err)
{
	for (;;)
	{
		int busy = 0;
		bool finished = false;
		Rc rc = start_idle_jobs(copy, &busy, err);

		if (rc != RC_OK || busy == 0)
			return rc;
		rc = step_jobs(copy, &finished, err);
		if (rc == RC_OK && !finished)
			rc = wait_for_jobs(copy, err);
		if (rc != RC_OK)
			return rc;
		meter_show(&copy->meter);
	}
}

static void
close_jobs(DataCopy *copy)
{
	for (int i = 0; i < copy->job_count; i++)
		job_close(copy->jobs[i]);
}

Rc
data_copy(CopyCatalog *catalog, const DataOptions *options, DataReport *report,
		  Error *err)
{
	DataCopy copy = {.catalog = catalog};
	int tables = count_to_copy(catalog);
	int jobs = tables < options->jobs ? tables : options->jobs;
	Rc rc;

	meter_init(&copy.meter, tables);
	rc = open_jobs(&copy, options, jobs, err);
	if (rc == RC_OK)
		rc = run_jobs(&copy, err);
	close_jobs(&copy);
	meter_clear(&copy.meter);
	*report = (DataReport){
		.tables = copy.meter.tables_done,
		.rows = copy.meter.rows,
		.bytes = copy.meter.bytes,
		.rate = meter_rate(&copy.meter),
	};
	return rc;
}
