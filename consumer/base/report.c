/*
 * report.c
 *    Formats the lines.
 */
#include "base/report.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/xalloc.h"

void
report_line(const Report *report, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	report->line(report->context, text);
	free(text);
}
