/*
 * reader.h
 *    Reads the records of a log in order, also while it is written.
 *
 * A reader returns only records of transactions that are complete in the log.
 * It begins at a position: records that end at or before it are left out,
 * except for what they say about tables.
 */
#ifndef PENSTOCK_LOG_READER_H
#define PENSTOCK_LOG_READER_H

#include "log/format.h"
#include "log/segment.h"

typedef struct LogReader LogReader;

/* A record that was read.  All is valid until the next call. */
typedef struct LogItem
{
	const LogHead *head; /* head of its segment, if it is the first record of
						  * the segment; otherwise NULL */
	LogRecord record;
	bool skipped; /* whether it is before the position at which to begin: only
				   * its entries of kind LOG_ENTRY_RELATION count */
	const uint8_t *payload; /* not compressed */
	size_t length;
} LogItem;

/*
 * Opens a log for reading what is after an LSN; 0: everything.  Fails with
 * ERR_CONFIG if the log is empty, or begins after that LSN.  Borrows the path.
 */
MUST_CHECK Rc log_reader_open(LogReader **reader, const char *path, Lsn from,
							  Error *err);

/* Closes the reader.  Accepts NULL. */
void log_reader_close(LogReader *reader);

/*
 * Returns the next record.  RC_AGAIN: this is the end of the log, at present.
 * RC_FAIL: the log is damaged; *err names the LSNs.
 */
MUST_CHECK Rc log_reader_next(LogReader *reader, LogItem *item, Error *err);

/* Returns the LSN up to which the log is known to be complete. */
Lsn log_reader_end(const LogReader *reader);

#endif /* PENSTOCK_LOG_READER_H */
