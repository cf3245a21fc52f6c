/*
 * open_file.h
 *    Changes of a transaction that is in progress on the source, in a file.
 *
 * The file has entries as a record of the log has them (log/format.h), which
 * describe each table before its first change: they enter the log as they are
 * when the transaction commits.  What a subtransaction did that is rolled back
 * is cut off.
 *
 * The file is not flushed: after a crash the source sends everything again.
 */
#ifndef PENSTOCK_SINK_LOG_OPEN_FILE_H
#define PENSTOCK_SINK_LOG_OPEN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/change.h"
#include "sink/log/described.h"

typedef struct OpenFile OpenFile;

/*
 * Returns an object for transaction `xid`; the file is made when it is needed.
 * Borrows the path.
 */
OpenFile *open_file_new(int directory_fd, const char *path, uint32_t xid);

/* Removes the file, and frees.  Accepts NULL. */
void open_file_free(OpenFile *self);

uint32_t open_file_xid(const OpenFile *self);

/* Number of changes that it has. */
uint64_t open_file_changes(const OpenFile *self);

/* Appends the changes of a frame.  They are written by open_file_write(). */
void open_file_append(OpenFile *self, const Frame *frame);

/* Drops what subtransaction `subxid` has done, and all that came after. */
MUST_CHECK Rc open_file_cut(OpenFile *self, uint32_t subxid, Error *err);

/*
 * Writes what was appended, if it is much or `all` is true.  RC_AGAIN: there is
 * no room; to be called again later.
 */
MUST_CHECK Rc open_file_write(OpenFile *self, bool all, Error *err);

/*
 * Appends to `buf` the next entries, about `bytes` bytes of them.  Begins at
 * the start of the file.  RC_END: there are no more.
 */
MUST_CHECK Rc open_file_read(OpenFile *self, size_t bytes, Buf *buf,
							 Error *err);

/* Records in `described` all tables that the file has described. */
void open_file_note_described(const OpenFile *self, Described *described);

#endif /* PENSTOCK_SINK_LOG_OPEN_FILE_H */
