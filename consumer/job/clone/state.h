/*
 * state.h
 *    What one run of penstock clone has made and must give back, shared by the
 *    files that it consists of.
 */
#ifndef PENSTOCK_JOB_CLONE_STATE_H
#define PENSTOCK_JOB_CLONE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/buf.h"
#include "base/report.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "control/progress_table.h"
#include "control/work_list.h"
#include "copy/rows/meter.h"
#include "copy/schema/build.h"
#include "copy/schema/programs.h"
#include "copy/schema/schema.h"
#include "model/definition.h"
#include "net/pgconn.h"
#include "source/slot.h"

typedef struct CloneTarget
{
	PgConn *conn;
	char label[CONFIG_LABEL_SIZE];
	Build *build; /* of indexes and constraints; NULL: there is none */
	Meter meter;
	bool schema_begun;  /* pg_restore was started */
	int tables_written; /* that may have rows now */
	bool table_begun;   /* of progress: it may be there because of us */
	bool list_begun;    /* of work: it may be there because of us */

	WorkRun run;   /* as it was when this command began */
	bool complete; /* nothing is left to do here */
	int64_t token; /* of the work list */
} CloneTarget;

/*
 * One of the sources.  Each has a pipeline, and so a slot and progress, of its
 * own.
 */
typedef struct CloneSource
{
	const Config *config;       /* of this source alone, with all targets */
	const Placement *placement; /* of all sources together; or NULL */
	PgConn *conn;
	PgConn *replication; /* exports the snapshot; NULL when it may go */
	PgConn *standby;     /* that rows are read from; NULL: the source */
	CopyCatalog *catalog;
	SourceHistory history;
	bool slot_begun;       /* was to be created: it may be there */
	bool slot_created;     /* the slot exists, and this clone has made it */
	SlotSnapshot snapshot; /* that is read under; its name may be empty */
	bool snapshot_slot;    /* it is that of a temporary slot of ours */
	bool snapshot_due;     /* a newer one is to be taken before rows are read */
	Lsn start_lsn;         /* of the slot */
	Buf places;            /* of a placement: as in NodeIdentity */
	bool listed;           /* its tables are those that are to be copied */
	CopyTable **of_lead;   /* its table, or NULL, for each of the lead's */
} CloneSource;

typedef struct Clone
{
	const Config *config; /* of the lead */
	const Report *report;
	Arena *arena;

	/*
	 * All sources add their rows to the tables that are spread.  The schema,
	 * and what is the same everywhere, comes from the lead, and the clone as a
	 * whole is noted under its pipeline: it is there, or is not, for all of
	 * them at once.
	 */
	CloneSource *sources;
	int source_count;
	CloneSource *lead; /* the first of them */

	CloneTarget targets[CONFIG_TARGETS_MAX];
	Programs programs;
	Schema *schema;
	DefinitionSet *definitions; /* of the lead; NULL: not read */
	Lsn definitions_lsn;        /* as of which they are */
	bool resumed;
	int64_t attempt_us; /* when it went on after a failure; 0: it did not */
	Backoff backoff;    /* before it goes on; see recover.c */
	int64_t start_us;
} Clone;

/* Whether rows of several sources are put together. */
static inline bool
clone_has_several(const Clone *clone)
{
	return clone->source_count > 1;
}

#endif /* PENSTOCK_JOB_CLONE_STATE_H */
