/*
 * directory.h
 *    The directory of a log: its files and their names.
 *
 *     log.conf                          what the log is of (description.h)
 *     lock                              locked by whoever writes, with flock(2)
 *     TTTTTTTTXXXXXXXXXXXXXXXX.log      a segment: its timeline, and the LSN
 *                                       up to which the log was before it, as
 *                                       hexadecimal numbers
 *     open.XID                          changes of a transaction that is in
 *                                       progress on the source
 *
 * The names of segments sort in the order of the log.  Only the owner can read
 * the directory.  Readers need no lock.
 */
#ifndef PENSTOCK_LOG_DIRECTORY_H
#define PENSTOCK_LOG_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/lsn.h"

#define LOG_DESCRIPTION_NAME "log.conf"

/* What the names of files begin with that have an open transaction. */
#define LOG_OPEN_PREFIX "open."

/* Size of the name of a segment with its NUL: 24 digits and ".log". */
#define LOG_SEGMENT_NAME_SIZE 29

/* Largest number of segments of a log. */
#define LOG_SEGMENTS_MAX ((size_t) 10 * 1000 * 1000)

/* Whether a system call has failed because the disk is full, or the quota. */
bool log_is_want_of_room(int error);

/* Returns ERR_NO_ROOM if a system call has failed for that, otherwise ERR_IO.
 */
ErrorCode log_error_code(int error);

/* The names of all segments, in order. */
typedef struct LogNames
{
	char (*names)[LOG_SEGMENT_NAME_SIZE];
	size_t count;
} LogNames;

/*
 * Opens the directory for reading its entries.  `make`: makes it if it does not
 * exist; the directory that it is in has to exist.  RC_END: it does not exist.
 * Fails with ERR_NO_ROOM if the disk is full.
 */
MUST_CHECK Rc log_directory_open(const char *path, bool make, int *fd,
								 Error *err);

/* Lists the segments.  The caller releases the names. */
MUST_CHECK Rc log_directory_list(int directory_fd, const char *path,
								 LogNames *names, Error *err);
void log_names_release(LogNames *names);

/* Writes the name of the segment that begins at an LSN. */
void log_segment_name(uint32_t timeline, Lsn lsn,
					  char name[static LOG_SEGMENT_NAME_SIZE]);

/* Returns false if it is not the name of a segment. */
bool log_segment_name_parse(const char *name, uint32_t *timeline, Lsn *lsn);

/* Removes what an earlier process has left of open transactions. */
MUST_CHECK Rc log_directory_remove_open(int directory_fd, const char *path,
										Error *err);

/*
 * Replaces a file, or makes it, so that after a crash either the old or the new
 * contents are there.  Fails with ERR_NO_ROOM if the disk is full, and leaves
 * the old contents.
 */
MUST_CHECK Rc log_directory_replace(int directory_fd, const char *name,
									const void *data, size_t length,
									Error *err);

#endif /* PENSTOCK_LOG_DIRECTORY_H */
