/*
 * report.h
 *    Passes on the result of a job, line by line.
 *
 * The code of a job does not know which program or command runs it, and so not
 * where its result has to be written: a command prints the lines, a test keeps
 * them.  Messages about the work in progress are not part of the result; they
 * are logged.
 */
#ifndef PENSTOCK_BASE_REPORT_H
#define PENSTOCK_BASE_REPORT_H

#include "base/macros.h"

typedef struct Report
{
	/* Called with each line, which has no newline and is borrowed. */
	void (*line)(void *context, const char *text);
	void *context;
} Report;

/* Passes a formatted line to report->line(). */
void report_line(const Report *report, const char *format, ...)
	PRINTF_LIKE(2, 3);

#endif /* PENSTOCK_BASE_REPORT_H */
