/*
 * state.h
 *    The state of one run of "penstock switch", which the files of this
 *    directory share.
 */
#ifndef PENSTOCK_JOB_SWITCH_STATE_H
#define PENSTOCK_JOB_SWITCH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/report.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "control/refusal.h"
#include "control/switch_table.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* The tables of the source whose writes are moved, in the order of their OIDs:
 * those that are published, their partitions, and partitioned tables all of
 * whose partitions are among them. */
typedef struct SwitchTables
{
	RefusedTable *tables; /* allocated in the arena of the switch */
	int count;
} SwitchTables;

typedef struct Switch
{
	Config config; /* of the pipeline, with its stored options */
	Config turned; /* of the way back, with its stored options */
	const Report *report;
	Arena *arena;
	const char *move; /* key of the switch in penstock.switch: the name of the
					   * pipeline, not that of a way back */
	const char *back; /* name of the pipeline in the other direction */

	PgConn *source; /* session that holds the locks */
	PgConn *aside;  /* further session with the source, without locks */
	PgConn *target;

	CopyCatalog *catalog;      /* the source's published tables */
	CopyCatalog *back_catalog; /* catalog of the target, as the way back
								* publishes it; NULL: no way back */
	SwitchTables tables;
	SourceHistory
		history;     /* history of the target, where the way back starts */
	SwitchRow found; /* state of the switch when this run began */

	bool has_row;         /* whether we have written the row of the switch */
	bool has_slot;        /* whether we have created the slot of the way back */
	bool has_publication; /* whether we have created the publication of the way
						   * back */
	bool is_committed;    /* whether the source refuses writes */
	bool is_unknown;      /* whether that cannot be told */
	bool is_open;         /* whether the target's part of it is done */
	int64_t paused_us;    /* when config.before was begun; 0: it was not */
	bool ran_before;      /* whether config.before was begun, and config.after
						   * not */
	Lsn lsn;              /* LSN of the target where the way back begins */
	int64_t step_us;      /* monotonic time when the present step began */
	int64_t locked_us;    /* monotonic time when we began to take the locks that
						   * we got; 0: not yet */
} Switch;

/* Reports what was done, with the time since the last such report. */
void switch_step(Switch *self, const char *format, ...) PRINTF_LIKE(2, 3);

#endif /* PENSTOCK_JOB_SWITCH_STATE_H */
