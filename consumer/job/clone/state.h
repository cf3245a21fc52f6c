/*
 * state.h
 *    The state of one run of "penstock clone", which the files of this
 * directory share.
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
#include "control/copy/work_list.h"
#include "control/progress_table.h"
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
	Build *build; /* builds of indexes and constraints; NULL: not opened */
	Meter meter;
	bool schema_begun;  /* whether pg_restore was started */
	int tables_written; /* number of tables that may have rows of this run */
	bool table_begun; /* whether this run may have created penstock's tables */
	bool list_begun;  /* whether this run may have begun the work list */

	WorkRun run;   /* run of the work list when this command began */
	bool complete; /* whether nothing is left to do on this target */
	int64_t token; /* our token of the work list */
} CloneTarget;

/*
 * A source of the clone.  Each source has a pipeline of its own, with its own
 * slot and progress.
 */
typedef struct CloneSource
{
	const Config *config;       /* configuration with this source only, and all
								 * targets */
	const Placement *placement; /* placement for all sources; or NULL */
	PgConn *conn;
	PgConn *replication; /* replication connection, which exports the snapshot;
						  * NULL when nobody needs the snapshot any more */
	PgConn *standby;     /* connection to the standby from which rows are read;
						  * NULL: rows are read from the source */
	CopyCatalog *catalog;
	SourceHistory history;
	bool slot_begun;       /* whether we have tried to create the slot */
	bool slot_created;     /* whether this clone has created the slot */
	SlotSnapshot snapshot; /* snapshot under which we read; without one, the
							* name is empty */
	bool snapshot_slot;    /* whether a temporary slot of ours exports it */
	bool snapshot_due;   /* whether a newer snapshot has to be taken before rows
						  * are read */
	Lsn start_lsn;       /* consistent point of the slot */
	Buf places;          /* NodeIdentity.places for this source */
	bool listed;         /* whether the tables of `catalog` are those in the
						  * work lists */
	CopyTable **of_lead; /* for each table of the lead, the table of this
						  * source with the same name, or NULL */
} CloneSource;

typedef struct Clone
{
	const Config *config; /* configuration of the lead */
	const Report *report;
	Arena *arena;

	/*
	 * The first source is the lead.  The schema is copied from the lead, and so
	 * are tables that are the same on all sources; rows of spread tables are
	 * copied from all sources.  There is one work list for the whole clone,
	 * under the name of the lead's pipeline.
	 */
	CloneSource *sources;
	int source_count;
	CloneSource *lead;

	CloneTarget targets[CONFIG_TARGETS_MAX];
	Programs programs;
	Schema *schema;
	DefinitionSet *definitions; /* definitions on the lead; NULL: not read */
	Lsn definitions_lsn;        /* LSN of the definitions */
	bool resumed;               /* whether this run continues an earlier one */
	int64_t attempt_us; /* monotonic time when the clone last continued after a
						 * failure; 0: never */
	Backoff backoff;    /* pauses before the clone continues; see recover.c */
	int64_t start_us;   /* monotonic time when this run began */
} Clone;

/* Whether rows of several sources are copied into the same tables. */
static inline bool
clone_has_several(const Clone *clone)
{
	return clone->source_count > 1;
}

#endif /* PENSTOCK_JOB_CLONE_STATE_H */
