/*
 * recover.h
 *    Finds the end of a log, and makes it ready for more.
 *
 * Only the last segment can end in the midst of something: its process was
 * killed, or the machine crashed before it was flushed.  What follows the last
 * complete transaction there was never confirmed to the source, so it is
 * dropped, and comes again.  Damage anywhere else is refused.
 *
 * The end of the last segment may be in the memory of the kernel only: a flush
 * that has failed leaves it there, and marks it as written.  So the last
 * segment is written anew, flushed, and put in the place of the old one.
 */
#ifndef PENSTOCK_LOG_RECOVER_H
#define PENSTOCK_LOG_RECOVER_H

#include "base/buf.h"
#include "log/directory.h"
#include "log/format.h"

typedef struct LogEnd
{
	size_t segments;            /* number of segments; 0: the log is empty, and
								 * nothing else is set */
	LogPosition first;          /* position before the first segment */
	LogPosition position;       /* end of the log */
	uint64_t system_identifier; /* of the last segment that has a head */
	uint32_t timeline;

	char last[LOG_SEGMENT_NAME_SIZE]; /* name of the last segment */
	uint64_t complete;                /* bytes of it that stay; 0: none */
	uint64_t dropped;                 /* bytes of it that do not */
	Buf index;                        /* index of what stays */
} LogEnd;

/*
 * Looks for the end of a log, and changes nothing.  Checks how the segments
 * follow one another, and every record of the last one.  The caller releases
 * *end, after a failure, too.
 */
MUST_CHECK Rc log_end_find(LogEnd *end, int directory_fd, const char *path,
						   Error *err);
void log_end_release(LogEnd *end);

/*
 * Completes the last segment, as described above.  Fails with ERR_NO_ROOM if
 * the disk is full; then it can be called again.
 */
MUST_CHECK Rc log_end_complete(const LogEnd *end, int directory_fd,
							   const char *path, Error *err);

#endif /* PENSTOCK_LOG_RECOVER_H */
