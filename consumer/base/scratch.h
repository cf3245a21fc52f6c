/*
 * scratch.h
 *    A temporary directory for the files of one run.
 *
 * The directory is locked while the process that made it lives.  A directory
 * that a killed process has left is removed by the next process that makes one.
 */
#ifndef PENSTOCK_BASE_SCRATCH_H
#define PENSTOCK_BASE_SCRATCH_H

#include "base/arena.h"
#include "base/error.h"

typedef struct Scratch
{
	const char *path; /* path of the directory; NULL: none was made */
	int lock_fd;
} Scratch;

/* Makes a directory in $TMPDIR, or /tmp; its path is allocated in the arena. */
MUST_CHECK Rc scratch_open(Scratch *scratch, Arena *arena, Error *err);

/* Removes the directory with its files.  Accepts a zeroed Scratch. */
void scratch_close(Scratch *scratch);

#endif /* PENSTOCK_BASE_SCRATCH_H */
