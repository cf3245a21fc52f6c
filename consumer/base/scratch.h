/*
 * scratch.h
 *    A directory for files that a run needs for itself.
 *
 * It is locked while its owner lives.  What one that was killed has left
 * is removed by whoever makes the next.
 */
#ifndef PENSTOCK_BASE_SCRATCH_H
#define PENSTOCK_BASE_SCRATCH_H

#include "base/arena.h"
#include "base/error.h"

typedef struct Scratch
{
	const char *path; /* NULL: none was made */
	int lock_fd;
} Scratch;

/* Makes one in $TMPDIR, or /tmp; the path is in the arena. */
MUST_CHECK Rc scratch_open(Scratch *scratch, Arena *arena, Error *err);

/* Removes it with its files.  Accepts a zeroed one. */
void scratch_close(Scratch *scratch);

#endif /* PENSTOCK_BASE_SCRATCH_H */
