/*
 * history.h
 *    The history of a source: which positions are its own.
 *
 * A position means something only in the WAL that it was taken from.  Servers
 * that descend from one another share a system identifier, and so do a server
 * and its restored backup.  What tells them apart is the timeline: a standby
 * that is promoted, and a server that recovers to a point in time, begins a new
 * one, and notes where the old one was left.  So a target may go on with a
 * source exactly if its position is in the part of the WAL that both have.
 *
 * A data directory that is put back as it was, without recovery, goes on with
 * its old timeline.  Then the source is before the target, until it has written
 * more; see progress/proof.h for that.
 */
#ifndef PENSTOCK_MODEL_HISTORY_H
#define PENSTOCK_MODEL_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/lsn.h"

#define HISTORY_SYSTEM_ID_SIZE 24

/* Timelines that a server may have been on before. */
#define HISTORY_TIMELINES_MAX 4096

/* Which server positions belong to. */
typedef struct SourceIdentity
{
	char system_identifier[HISTORY_SYSTEM_ID_SIZE]; /* as IDENTIFY_SYSTEM */
	uint32_t timeline;
} SourceIdentity;

/* Where a timeline was left for the next. */
typedef struct TimelineEnd
{
	uint32_t timeline;
	Lsn lsn;
} TimelineEnd;

typedef struct SourceHistory
{
	SourceIdentity identity; /* the timeline is the last one */
	Lsn flush_lsn;           /* where its log is */
	bool is_standby;         /* the WAL may yet have to arrive there */
	TimelineEnd *ends;       /* of the timelines before, in order; owned */
	int end_count;
} SourceHistory;

/* A position of a source, and who has got there. */
typedef struct HistoryPoint
{
	const SourceIdentity *source;
	Lsn lsn;
	const char *label;    /* the target, for messages */
	const char *pipeline; /* name, for messages */
} HistoryPoint;

/*
 * Reads a timeline history file, as TIMELINE_HISTORY has it, into an empty
 * history.  What it cannot be is ERR_PROTOCOL.
 */
MUST_CHECK Rc history_read_ends(SourceHistory *history, const char *text,
								Error *err);

/* Accepts a zeroed one. */
void history_release(SourceHistory *history);

/*
 * Fails unless everything up to a position is in the source's history: with
 * ERR_CONFIG where it never will be, and with ERR_CONNECT where a standby may
 * still get there.
 */
MUST_CHECK Rc history_prove(const SourceHistory *history,
							const HistoryPoint *point, Error *err);

#endif /* PENSTOCK_MODEL_HISTORY_H */
