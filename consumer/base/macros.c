/*
 * macros.c
 *    What a failed CHECK or ASSERT does.
 */
#include "base/macros.h"

#include <stdio.h>
#include <stdlib.h>

void
check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "penstock: internal error: \"%s\" does not hold at %s:%d\n",
			condition, file, line);
	abort();
}
