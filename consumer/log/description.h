/*
 * description.h
 *    What a log is of: the file log.conf in its directory.
 *
 * It is written when the log is made, so that recording goes on without
 * options: lines of the form "name = value", which people may read.
 */
#ifndef PENSTOCK_LOG_DESCRIPTION_H
#define PENSTOCK_LOG_DESCRIPTION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/lsn.h"

typedef struct LogDescription
{
	const char *slot;
	const char *publications;
	const char *origin;            /* any or none */
	const char *system_identifier; /* of the source */
	const char *database; /* of the source; NULL: an earlier version has written
						   * the description */
	Lsn start_lsn;        /* LSN after which the log begins */
} LogDescription;

/*
 * Locks the log for a writer, until *lock_fd is closed.  Fails with ERR_CONFIG
 * if another process writes it, with ERR_NO_ROOM if the disk is full.
 */
MUST_CHECK Rc log_description_lock(int directory_fd, const char *path,
								   int *lock_fd, Error *err);

/* Whether a process writes the log at this moment. */
bool log_description_is_locked(int directory_fd);

/*
 * Reads the description.  RC_END: there is none.  The strings are allocated in
 * the arena.
 */
MUST_CHECK Rc log_description_read(LogDescription *description,
								   int directory_fd, const char *path,
								   Arena *arena, Error *err);

/*
 * Reads the description of the log in directory `path`.  Fails with ERR_CONFIG
 * if there is none.
 */
MUST_CHECK Rc log_description_find(LogDescription *description,
								   const char *path, Arena *arena, Error *err);

MUST_CHECK Rc log_description_write(const LogDescription *description,
									int directory_fd, Error *err);

#endif /* PENSTOCK_LOG_DESCRIPTION_H */
