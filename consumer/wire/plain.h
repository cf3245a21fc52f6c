/*
 * plain.h
 *    Writes frames in the plain form: as a log keeps them.
 *
 * The plain form of a transaction does not depend on the session that it came
 * in.  It has frames of begin, changes and commit, as proto/penstock.proto
 * describes them, and nothing else: no Session and no Relation records, no
 * bundles, and no trace of whether the source sent the transaction before its
 * commit.  Two sessions that read the same WAL from the same LSN give the same
 * bytes, except that the number of a table may be another one.
 *
 * The Commit says the number of changes in these frames.  It says them without
 * the Relation records, which a log keeps beside the frames.
 */
#ifndef PENSTOCK_WIRE_PLAIN_H
#define PENSTOCK_WIRE_PLAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/change.h"

/* Parts of a frame that are to be written. */
typedef struct PlainPart
{
	bool begin;
	bool commit;
	size_t first; /* the changes with index `first` up to `end` - 1 in
				   * Frame.changes */
	size_t end;
	uint64_t change_count; /* number of changes of the transaction, for its
							* Commit */
} PlainPart;

/*
 * Appends parts of a frame, which was decoded by an Input that keeps bytes, as
 * one serialized frame in plain form.
 */
void plain_append(const Frame *frame, const PlainPart *part, Buf *buf);

/* Appends a frame that has one Relation record and nothing else. */
void plain_append_relation(const uint8_t *record, size_t length, Buf *buf);

/*
 * Appends the first frame of a session: its Session record, whose serialized
 * form is `session`.
 */
void plain_append_session(const uint8_t *session, size_t length, Buf *buf);

#endif /* PENSTOCK_WIRE_PLAIN_H */
