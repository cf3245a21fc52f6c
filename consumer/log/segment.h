/*
 * segment.h
 *    Reads one segment of a log.
 *
 * A segment may be written while it is read: then its last bytes may not be
 * there yet.  Whether a record that cannot be read is damaged, or not complete
 * yet, is for the caller to know; segment_explain_damage() describes the
 * damage.
 */
#ifndef PENSTOCK_LOG_SEGMENT_H
#define PENSTOCK_LOG_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "log/directory.h"
#include "log/format.h"

typedef struct Segment Segment;

/*
 * Opens a segment and reads its head.  RC_END: the head is damaged, or not
 * complete; the segment is open all the same.
 */
MUST_CHECK Rc segment_open(Segment **segment, int directory_fd,
						   const char *path, const char *name, Error *err);

/* Closes the segment.  Accepts NULL. */
void segment_close(Segment *segment);

/* The head, which is valid as long as the segment; and the name. */
const LogHead *segment_head(const Segment *segment);
const char *segment_name(const Segment *segment);

/* Returns the offset of the first record. */
uint64_t segment_first(const Segment *segment);

/* Whether the name still belongs to the file that was opened. */
bool segment_is_current(const Segment *segment);

/* Returns the size of the file now. */
MUST_CHECK Rc segment_size(const Segment *segment, uint64_t *bytes, Error *err);

/*
 * Reads the first bytes of the record at *offset, and moves *offset to the next
 * record.  RC_END: there is no record, or its first bytes are damaged.
 */
MUST_CHECK Rc segment_next(const Segment *segment, uint64_t *offset,
						   LogRecord *record, Error *err);

/*
 * Replaces *payload by the payload, decompressed, of the record at `offset`.
 * RC_END: it is damaged, or not complete.
 */
MUST_CHECK Rc segment_payload(Segment *segment, uint64_t offset,
							  const LogRecord *record, Buf *payload,
							  Error *err);

/*
 * Whether the segment is complete: its index follows the record before `offset`
 * and nothing follows the index.
 */
MUST_CHECK Rc segment_is_complete(const Segment *segment, uint64_t offset,
								  bool *complete, Error *err);

/*
 * Reads the position at the end of a complete segment, and the number of
 * records of its index.  RC_END: the segment is not complete.
 */
MUST_CHECK Rc segment_end(const Segment *segment, LogPosition *position,
						  Error *err);

/*
 * Fills `err`: the segment is damaged at `offset`, where the log is at
 * `position`.  Names the LSNs that are concerned, as far as the index of the
 * segment, or the next segment (`next`; NULL: there is none), tells them.
 */
MUST_CHECK Rc segment_explain_damage(Segment *segment, uint64_t offset,
									 const LogPosition *position,
									 const char *next, Error *err);

#endif /* PENSTOCK_LOG_SEGMENT_H */
