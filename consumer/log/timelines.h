/*
 * timelines.h
 *    Of which server, and which of its timelines, a log is.
 */
#ifndef PENSTOCK_LOG_TIMELINES_H
#define PENSTOCK_LOG_TIMELINES_H

#include "base/error.h"
#include "model/history.h"

/*
 * Writes the timelines of the source into a log: a timeline history file, in
 * the form and under the name that PostgreSQL has for it.  Does nothing if the
 * source is on its first timeline, or the log has the file.
 */
MUST_CHECK Rc log_timelines_write(int directory_fd,
								  const SourceHistory *history, Error *err);

/*
 * Reads the history of the source from a log, in the place of that of the
 * server itself: the last of its timelines is that of the last segment.  A log
 * without a file about it, of an earlier version, has the timelines of the
 * names of its segments.  *history must be zeroed; the caller releases it.
 * Where the source's WAL ends is not known to the log: flush_lsn is the largest
 * LSN.  *first_lsn is the LSN after which the log begins.  Fails with
 * ERR_CONFIG if there is no log, or nothing in it.
 */
MUST_CHECK Rc log_timelines_read(const char *path, SourceHistory *history,
								 Lsn *first_lsn, Error *err);

#endif /* PENSTOCK_LOG_TIMELINES_H */
