/*
 * timelines.h
 *    Of which server, and which of its timelines, a log is.
 */
#ifndef PENSTOCK_LOG_TIMELINES_H
#define PENSTOCK_LOG_TIMELINES_H

#include "base/error.h"
#include "model/history.h"

/*
 * Reads the history of the source from a log, in the place of that of the
 * server itself: its timelines are those that the names of segments have.
 * *history must be zeroed; the caller releases it.  Where the source's WAL ends
 * is not known to the log: flush_lsn is the largest LSN.  Fails with ERR_CONFIG
 * if there is no log, or nothing in it.
 */
MUST_CHECK Rc log_timelines_read(const char *path, SourceHistory *history,
								 Error *err);

#endif /* PENSTOCK_LOG_TIMELINES_H */
