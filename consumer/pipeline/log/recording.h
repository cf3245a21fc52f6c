/*
 * recording.h
 *    A log that this process writes: opened, compared with the source's slot,
 *    and made ready for one stream after the other.
 *
 * The log says of what it is (log/description.h).  Whoever begins a new log
 * decides that; later ones compare with it.
 *
 *     recording_open
 *     recording_describe    unless the log has a description
 *     for each stream:
 *         recording_check   before the stream is opened, and after that
 *         recording_begin   the sink takes the stream's frames
 *     recording_free
 *
 * The sink stays from one stream to the next: it knows what is in the log.
 */
#ifndef PENSTOCK_PIPELINE_LOG_RECORDING_H
#define PENSTOCK_PIPELINE_LOG_RECORDING_H

#include "base/error.h"
#include "log/description.h"
#include "log/format.h"
#include "model/history.h"
#include "sink/sink.h"
#include "source/slot.h"

typedef struct Recording Recording;

/*
 * Opens the log in a directory for writing, and finds its end.  The directory
 * is made if it does not exist.  Copies the path.  Fails with ERR_CONFIG if
 * another process writes the log, with ERR_NO_ROOM if the disk is full.  On
 * failure *recording is unchanged.
 */
MUST_CHECK Rc recording_open(Recording **recording, const char *path,
							 size_t segment_bytes, Error *err);

/* Closes the log.  What was not flushed may be lost.  Accepts NULL. */
void recording_free(Recording *recording);

/* Whether the log has a description; if not, it is a new one. */
bool recording_is_described(const Recording *recording);

/* Says of what a new log is.  Copies the texts. */
void recording_describe(Recording *recording, const char *slot,
						const char *publications, const char *origin);

/*
 * Returns the description.  Of a new log `system_identifier` and `database` are
 * NULL until recording_begin().  Borrows until recording_free().
 */
const LogDescription *recording_description(const Recording *recording);

/* Returns where the log ends; `end_lsn` 0: it is new. */
LogPosition recording_position(const Recording *recording);

/* Returns the LSN after which the log begins; 0: it is new. */
Lsn recording_first(const Recording *recording);

/*
 * Fails unless the log is of this source, and has all that the slot was
 * confirmed to have.  `database` is the name of the source's database.
 */
MUST_CHECK Rc recording_check(const Recording *recording,
							  const SourceHistory *source, const SlotInfo *slot,
							  const char *database, Error *err);

/*
 * Prepares the log for a stream of this source, which was checked.  Writes the
 * description of a new log, which begins at the slot's confirmed position, and
 * completes what an interrupted process has left.  Fails with ERR_NO_ROOM if
 * the disk is full; then it can be called again.
 */
MUST_CHECK Rc recording_begin(Recording *recording, const SourceHistory *source,
							  const SlotInfo *slot, const char *database,
							  Error *err);

/*
 * Returns the sink that writes the log, which the Recording owns; NULL before
 * the first recording_begin() has succeeded.
 */
Sink *recording_sink(const Recording *recording);

#endif /* PENSTOCK_PIPELINE_LOG_RECORDING_H */
