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

typedef struct LogSourceOptions
{
	const char *path;  /* directory of the log; borrowed */
	Lsn from;          /* what is after it is returned; 0: everything */
	Lsn reached;       /* LSN that the receiver has reached: if the log ends
						* before it, the stream ends there */
	uint32_t timeline; /* last timeline that the receiver knows of: where a
						* later one begins, the stream ends */
} LogSourceOptions;

/*
 * Opens a log.  Where the stream ends, that is with the transient error
 * ERR_CONNECT.  Fails with ERR_CONFIG if the log begins after `from`.
 */
MUST_CHECK Rc log_source_open(Source **source, const LogSourceOptions *options,
							  Error *err);

#endif /* PENSTOCK_SOURCE_LOG_LOG_SOURCE_H */
