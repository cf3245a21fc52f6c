/*
 * job.h
 *    One pair of connections that copies tables, one after the other.
 *
 * The source side reads under the exported snapshot, in one transaction for as
 * long as the job lives.  The target side copies each table in a transaction of
 * its own: a table has all of its rows or none.
 *
 * Nothing waits here.  job_step() does what can be done without waiting, a
 * bounded amount of it, and job_wants() says what it waits for.  Rows go from
 * one connection to the other through a chunk of fixed size; the source is not
 * read while the target has not taken what it was given, so memory stays at a
 * chunk and the largest row for each job.
 *
 *     IDLE ─job_start()─► TARGET_STARTING ─► SOURCE_STARTING ─► COPYING
 *      ▲                                                           │
 *      └──── TARGET_ENDING ◄── SOURCE_ENDING ◄──────────────────────┘
 *
 *     IDLE             no table; both connections can take a statement
 *     TARGET_STARTING  the target was told to receive; it may wait for a lock
 *     SOURCE_STARTING  the source was told to send
 *     COPYING          rows are on their way
 *     SOURCE_ENDING    the source has no more rows, but may yet report an error
 *     TARGET_ENDING    the target was told that this is all, and commits
 */
#ifndef PENSTOCK_COPY_JOB_H
#define PENSTOCK_COPY_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "copy/catalog.h"
#include "net/pgconn.h"

/* Rows are collected up to this before they are handed to the target. */
#define JOB_CHUNK_BYTES (64 * KB)

/* What one call of job_step() copies at most. */
#define JOB_STEP_BYTES (1 * MB)

typedef struct Job Job;

typedef struct JobOptions
{
	const char *source; /* connection strings; borrowed until job_open() */
	const char *target; /* returns */
	const char *target_label; /* for messages */
	const char *snapshot;     /* exported by the source */
} JobOptions;

/* What job_step() did. */
typedef struct JobProgress
{
	int64_t rows;        /* sent; one more for the end of binary data */
	int64_t bytes;       /* sent */
	CopyTable *finished; /* the table that is complete on the target, or NULL */
	int64_t finished_rows; /* how many rows that has */
} JobProgress;

/* What a job waits for, as poll(2) has it; -1 and 0 for nothing. */
typedef struct JobWants
{
	int source_fd;
	short source_events;
	int target_fd;
	short target_events;
	bool ready; /* there is more to do without waiting */
} JobWants;

/*
 * Opens both connections and takes the snapshot over; waits for that.  On
 * success *job is the caller's, to be closed.
 */
MUST_CHECK Rc job_open(Job **job, const JobOptions *options, Error *err);

/* Closes both connections; what was not committed is gone.  Accepts NULL. */
void job_close(Job *job);

bool job_is_idle(const Job *job);

/* Whether the target runs triggers and checks foreign keys for what we copy. */
bool job_triggers_fire(const Job *job);

/* Begins with a table, which is borrowed until it is finished. */
MUST_CHECK Rc job_start(Job *job, CopyTable *table, Error *err);

/* Goes on as far as possible.  RC_OK whether or not it got anywhere. */
MUST_CHECK Rc job_step(Job *job, JobProgress *progress, Error *err);

JobWants job_wants(const Job *job);

#endif /* PENSTOCK_COPY_JOB_H */
