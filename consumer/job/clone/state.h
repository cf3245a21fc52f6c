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
#include "net/pgconn.h"
#include "source/slot.h"

typedef struct CloneTarget
{
	PgConn *conn;
	char label[CONFIG_LABEL_SIZE];
	Build *build; /* of indexes and constraints; NULL: there is none */
	Meter meter;
	bool schema_begun;  /* pg_restore was started */
	int tables_touched; /* that may have rows now */
	bool table_begun;   /* of progress: it may be there because of us */
	bool list_begun;    /* of work: it may be there because of us */

	WorkRun run;   /* as it was when we came */
	bool complete; /* nothing is left to do here */
	int64_t token; /* of the work list */
} CloneTarget;

typedef struct Clone Clone;

struct Clone
{
	const Config *config;
	const Report *report;
	Arena *arena;
	PgConn *source;
	PgConn *replication; /* exports the snapshot; NULL when it may go */
	PgConn *standby;     /* that rows are read from; NULL: the source */
	CloneTarget targets[CONFIG_TARGETS_MAX];
	CopyCatalog *catalog;
	Programs programs;
	Schema *schema;
	SourceHistory history; /* of the source */
	bool slot_begun;       /* was to be created: it may be there */
	bool slot_created;     /* is there, and is ours */
	SlotSnapshot snapshot; /* that is read under; its name may be empty */
	bool snapshot_slot;    /* it is that of a temporary slot of ours */
	bool snapshot_due;     /* a newer one is to be taken before rows are read */
	Lsn start_lsn;         /* of the slot */
	bool resumed;
	bool listed;        /* what is to be copied was noted by this run */
	int64_t attempt_us; /* when it went on after a failure; 0: it did not */
	Backoff backoff;    /* before it goes on; see recover.c */
	Buf places;         /* of a placement: as in NodeIdentity */
	int64_t start_us;

	/*
	 * What there is of the second source and further ones; see others.h.  They
	 * have no targets and no schema of their own.
	 */
	Clone *others;
	int other_count;
	const Placement
		*placement; /* of all sources together, if there are several */
};

#endif /* PENSTOCK_JOB_CLONE_STATE_H */
