/*
 * log_source.h
 *    A Source that reads from a log.
 *
 * It returns the frames that the log has after an LSN, in the form of one
 * session of the output plugin, which a decoder for logs reads (wire/decode.h):
 * first the Session, then each table's Relation before its first change.
 * Keepalives say how far the log is.  At the end of the log the Source waits
 * for more.
 */
#ifndef PENSTOCK_SOURCE_LOG_LOG_SOURCE_H
#define PENSTOCK_SOURCE_LOG_LOG_SOURCE_H

#include "source/source.h"

/* Milliseconds between two looks for more at the end of the log. */
#define LOG_SOURCE_POLL_MS 20

/*
 * Opens the log in a directory for what is after `from`; 0: everything. Borrows
 * the path.  Where a timeline begins that is later than `timeline`, the stream
 * ends with the transient error ERR_CONNECT.  Fails with ERR_CONFIG if the log
 * begins after `from`.
 */
MUST_CHECK Rc log_source_open(Source **source, const char *path, Lsn from,
							  uint32_t timeline, Error *err);

#endif /* PENSTOCK_SOURCE_LOG_LOG_SOURCE_H */
