/*
 * print.c
 *    Writes with stdio, and checks for errors once at the end.
 */
#include "cmd/print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
print_line(void *context UNUSED, const char *text)
{
	puts(text);
}

const Report print_report = {.line = print_line};

Rc
print_flush(Error *err)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return RC_OK;
	return error_set(err, ERR_IO, "could not write to standard output: %s",
					 strerror(errno));
}
