/*
 * history.h
 *    The timeline history of a source: which LSNs belong to its WAL.
 *
 * An LSN has a meaning only in the WAL that it was taken from.  Servers that
 * descend from one another have the same system identifier, and so have a
 * server and its restored backup.  They differ in their timelines: a standby
 * that is promoted, and a server that recovers to a point in time, begins a new
 * timeline and records where the old one ended.  So a target may continue with
 * a source exactly if the LSN recorded on the target is in the part of the WAL
 * that both histories share.
 *
 * A data directory that is restored without recovery continues on its old
 * timeline.  Its WAL then ends before the target's LSN, until the server has
 * written more; see progress/proof.h for that case.
 */
#ifndef PENSTOCK_MODEL_HISTORY_H
#define PENSTOCK_MODEL_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/lsn.h"

#define HISTORY_SYSTEM_ID_SIZE 24

/* Largest number of earlier timelines of a server. */
#define HISTORY_TIMELINES_MAX 4096

/* The server to whose WAL an LSN belongs. */
typedef struct SourceIdentity
{
	char system_identifier[HISTORY_SYSTEM_ID_SIZE]; /* as IDENTIFY_SYSTEM
													 * returns it */
	uint32_t timeline;
} SourceIdentity;

/* The LSN at which a timeline ended and the next one began. */
typedef struct TimelineEnd
{
	uint32_t timeline;
	Lsn lsn;
} TimelineEnd;

typedef struct SourceHistory
{
	SourceIdentity identity; /* system identifier and current timeline */
	Lsn flush_lsn;           /* LSN up to which the server has WAL */
	bool is_standby;         /* whether the server is a standby, which may still
							  * receive more WAL */
	TimelineEnd *ends;       /* ends of the earlier timelines, in order;
							  * owned */
	int end_count;
} SourceHistory;

/* An LSN of a source that is recorded on a target. */
typedef struct HistoryPoint
{
	const SourceIdentity *source;
	Lsn lsn;
	const char *label;    /* name of the target, for messages */
	const char *pipeline; /* name of the pipeline, for messages */
} HistoryPoint;

/*
 * Reads a timeline history file, as TIMELINE_HISTORY returns it, into an empty
 * history.  Fails with ERR_PROTOCOL if the text is not a history file.
 */
MUST_CHECK Rc history_read_ends(SourceHistory *history, const char *text,
								Error *err);

/* Frees the memory of a history.  Accepts a zeroed one. */
void history_release(SourceHistory *history);

/*
 * Fails unless `point` is in the source's history: with ERR_CONFIG if it never
 * will be, with ERR_CONNECT if the source is a standby that may still receive
 * that WAL.
 */
MUST_CHECK Rc history_prove(const SourceHistory *history,
							const HistoryPoint *point, Error *err);

/*
 * Fails with ERR_CONFIG unless all WAL of a standby is in the source's history.
 * The source's flush_lsn has to be read after the standby's history.
 *
 * Two servers that continue on the same timeline, because the files of one were
 * put back without recovery, cannot be told apart by their histories.
 */
MUST_CHECK Rc history_prove_standby(const SourceHistory *source,
									const SourceHistory *standby, Error *err);

#endif /* PENSTOCK_MODEL_HISTORY_H */
