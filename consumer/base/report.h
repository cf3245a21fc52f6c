/*
 * report.h
 *    What a job has to say that is its result, line by line.
 *
 * An engine does not know who runs it, and so not where its result belongs: a
 * command prints it, another program may keep it.  Talk about the work while it
 * goes on is logged instead.
 */
#ifndef PENSTOCK_BASE_REPORT_H
#define PENSTOCK_BASE_REPORT_H

#include "base/macros.h"

typedef struct Report
{
	/* Is called with each line, which has no newline and is borrowed. */
	void (*line)(void *context, const char *text);
	void *context;
} Report;

/* Hands over a line. */
void report_line(const Report *report, const char *format, ...)
	PRINTF_LIKE(2, 3);

#endif /* PENSTOCK_BASE_REPORT_H */
