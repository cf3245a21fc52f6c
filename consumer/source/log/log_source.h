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

#include "model/history.h"
#include "source/source.h"

/* Milliseconds between two looks for more at the end of the log. */
#define LOG_SOURCE_POLL_MS 20

/*
 * Opens the log in a directory for what is after `from`; 0: everything. Borrows
 * the path.  Fails with ERR_CONFIG if the log begins after `from`.
 */
MUST_CHECK Rc log_source_open(Source **source, const char *path, Lsn from,
							  Error *err);

/* Returns the server that the log is of, as far as it was read. */
SourceIdentity log_source_identity(const Source *source);

#endif /* PENSTOCK_SOURCE_LOG_LOG_SOURCE_H */
