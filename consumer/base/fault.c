/*
 * fault.c
 *    Kills the program at the place that PENSTOCK_FAULT names.
 */
#include "base/fault.h"

#ifdef PENSTOCK_FAULTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

void
fault_reached(const char *name)
{
	static long reached;
	const char *wanted = getenv("PENSTOCK_FAULT");
	size_t length = strlen(name);
	long count = 1;

	if (wanted == NULL || strncmp(wanted, name, length) != 0 ||
		(wanted[length] != '\0' && wanted[length] != ':'))
		return;
	if (wanted[length] == ':')
		count = strtol(wanted + length + 1, NULL, 10);
	if (++reached >= count)
		raise(SIGKILL);
}

#else

/* ISO C does not allow an empty source file. */
extern int fault_points_are_off;
int fault_points_are_off = 1;

#endif
