/*
 * fault.c
 *    Kills or stops the program at the place that PENSTOCK_FAULT or
 *    PENSTOCK_FAULT_STOP names.
 */
#include "base/fault.h"

#ifdef PENSTOCK_FAULTS

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whether the environment variable names the place, and this is the time that
 * it means; *reached counts. */
static bool
is_wanted(const char *variable, const char *name, long *reached)
{
	const char *wanted = getenv(variable);
	size_t length = strlen(name);
	long count = 1;

	if (wanted == NULL || strncmp(wanted, name, length) != 0 ||
		(wanted[length] != '\0' && wanted[length] != ':'))
		return false;
	if (wanted[length] == ':')
		count = strtol(wanted + length + 1, NULL, 10);
	return ++*reached >= count;
}

void
fault_reached(const char *name)
{
	static long killed;
	static long stopped;

	if (is_wanted("PENSTOCK_FAULT", name, &killed))
		raise(SIGKILL);
	if (is_wanted("PENSTOCK_FAULT_STOP", name, &stopped))
		raise(SIGSTOP);
}

#else

/* ISO C does not allow an empty source file. */
extern int fault_points_are_off;
int fault_points_are_off = 1;

#endif
