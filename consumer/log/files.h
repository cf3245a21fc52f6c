/*
 * files.h
 *    The store that keeps a log's segments as files of a directory.
 *
 * Records are written to the last segment as they come, and flushed by a thread
 * (flusher.h): after FILES_FLUSH_BYTES, after FILES_FLUSH_MS, or when the
 * caller asks for it.  A segment is begun only after the one before it was
 * flushed as a whole, so after a crash of the machine only the last segment can
 * have damage at its end.
 */
#ifndef PENSTOCK_LOG_FILES_H
#define PENSTOCK_LOG_FILES_H

#include "log/store.h"

/* When written bytes are flushed, at the latest. */
#define FILES_FLUSH_BYTES (4 * MB)
#define FILES_FLUSH_MS    20

/* Bytes that may wait to be written before the store is not ready. */
#define FILES_QUEUE_BYTES (4 * MB)

/* Milliseconds between two tries to write where there is no room. */
#define FILES_ROOM_INTERVAL_MS 500

/*
 * Opens the store for writing after `end`, the end of the log, which recover.h
 * has established.  Borrows the path and the descriptor of the directory.
 */
MUST_CHECK Rc files_open(LogStore **store, int directory_fd, const char *path,
						 const LogPosition *end, Error *err);

#endif /* PENSTOCK_LOG_FILES_H */
