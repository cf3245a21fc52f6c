/*
 * progress.h
 *    Shows how far a comparison is: on a terminal in lines at its bottom, with
 *    the tables that are being compared, else in the log now and then.
 */
#ifndef PENSTOCK_JOB_VERIFY_PROGRESS_H
#define PENSTOCK_JOB_VERIFY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "config/config.h"

typedef struct VerifyProgress
{
	bool terminal;    /* whether standard error is a terminal */
	int64_t start_us; /* monotonic time of verify_progress_begin() */
	int64_t next_us;  /* monotonic time when it is shown next */
	int tables;       /* number of tables, and of those that are settled */
	int settled;
	int64_t bytes; /* sizes of these tables on the source */
	int64_t settled_bytes;
	const CopyTable *now[CONFIG_JOBS_MAX]; /* what each worker compares; NULL:
											* nothing */
	int64_t since_us[CONFIG_JOBS_MAX];     /* monotonic time since when */
} VerifyProgress;

void verify_progress_begin(VerifyProgress *self);

/* Whether it is time to count and show. */
bool verify_progress_is_due(const VerifyProgress *self);

void verify_progress_show(VerifyProgress *self);

/* Removes the lines from the terminal. */
void verify_progress_end(VerifyProgress *self);

#endif /* PENSTOCK_JOB_VERIFY_PROGRESS_H */
