/*
 * slot.h
 *    The replication slot that a pipeline reads from, and the identity of the
 *    source.
 *
 * These functions wait for the server's answers; see pgconn.h.
 */
#ifndef PENSTOCK_SOURCE_SLOT_H
#define PENSTOCK_SOURCE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Library name of the output plugin, as in pg_replication_slots.plugin. */
#define SLOT_PLUGIN         "penstock"

#define SLOT_SYSTEM_ID_SIZE HISTORY_SYSTEM_ID_SIZE
#define SLOT_SNAPSHOT_SIZE  64

/* Size of the name of a slot: NAMEDATALEN of the server. */
#define SLOT_NAME_SIZE   64
#define SLOT_PLUGIN_SIZE 64

typedef struct SlotInfo
{
	bool exists; /* whether the slot exists; if not, no other member is set */
	char plugin[SLOT_PLUGIN_SIZE];
	bool is_logical;
	bool is_this_database;
	int active_pid;  /* PID of the walsender that uses the slot; 0: none */
	bool being_made; /* the slot has no consistent point yet; it is dropped if
					  * its walsender ends before */
	Lsn restart_lsn;
	Lsn confirmed_lsn;
	bool lost; /* whether WAL that the slot needs was removed, so it cannot be
				* used any more */
} SlotInfo;

typedef enum SlotKind
{
	SLOT_LASTING,   /* permanent; exports its snapshot */
	SLOT_TEMPORARY, /* temporary: dropped when its connection ends; exports no
					 * snapshot */
	SLOT_SNAPSHOT,  /* temporary; made only to export a snapshot */
} SlotKind;

/* The consistent point of a new slot, and the snapshot exported there. */
typedef struct SlotSnapshot
{
	Lsn consistent_lsn;            /* consistent point: the slot has the
									* transactions whose end_lsn is greater */
	char name[SLOT_SNAPSHOT_SIZE]; /* name of the exported snapshot, which sees
									* all other transactions */
} SlotSnapshot;

/*
 * Reads system identifier, timeline history and flush LSN of the server through
 * a replication connection.  *history must be zeroed, or hold an earlier
 * result.  The caller releases it, after a failure, too.
 */
MUST_CHECK Rc slot_read_history(PgConn *replication, SourceHistory *history,
								Error *err);

/*
 * Reads again, through an ordinary connection, the LSN up to which the source
 * has WAL.  All that another program has confirmed to a slot before we got the
 * slot is at or below that LSN.
 */
MUST_CHECK Rc slot_read_log_end(PgConn *source, SourceHistory *history,
								Error *err);

/*
 * Reads the system identifier of a source or target server through an ordinary
 * connection; an empty string if the role has no privilege for it.
 * `identifier` has SLOT_SYSTEM_ID_SIZE bytes.
 */
MUST_CHECK Rc slot_read_system_identifier(PgConn *conn, char *identifier,
										  Error *err);

/*
 * Makes the name of a temporary slot: a part of what the slot is for, and the
 * PID of the walsender.  The slot ends with that process, so no other slot has
 * this name at the same time.  `pipeline` may be cut; `name` has SLOT_NAME_SIZE
 * bytes.
 */
void slot_make_temporary_name(char *name, const PgConn *replication,
							  const char *pipeline, const char *purpose);

/*
 * Creates a slot and exports the snapshot of its consistent point.  The
 * snapshot sees exactly the transactions whose end_lsn is at or below the
 * consistent point.  It is valid until the next command on `replication`, or
 * until that connection ends.
 *
 * The server waits for transactions that are in progress to end.  While it
 * does, we log now and then which transactions those are; `source` is an
 * ordinary connection for that query.  If we are killed meanwhile, a server of
 * version 14 or later soon gives up.
 */
MUST_CHECK Rc slot_create(PgConn *replication, PgConn *source, const char *name,
						  SlotKind kind, SlotSnapshot *snapshot, Error *err);

/* Reads the state of a slot through an ordinary connection. */
MUST_CHECK Rc slot_read(PgConn *source, const char *name, SlotInfo *info,
						Error *err);

/*
 * Terminates the walsender that is still creating a slot, and waits until the
 * slot is dropped with it.  Only for a caller who knows that the client of that
 * walsender is dead.  Does nothing if the slot does not exist or is complete.
 */
MUST_CHECK Rc slot_end_making(PgConn *source, const char *name, Error *err);

/*
 * Fails, with a hint what to do, unless the slot exists, uses our plugin,
 * belongs to this database and has not lost WAL.
 */
MUST_CHECK Rc slot_require_usable(const SlotInfo *info, const char *name,
								  Error *err);

/* Drops a slot, through an ordinary connection. */
MUST_CHECK Rc slot_drop(PgConn *source, const char *name, Error *err);

#endif /* PENSTOCK_SOURCE_SLOT_H */
