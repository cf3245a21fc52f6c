/*
 * slot.h
 *    The replication slot that a pipeline reads from, and who the source is.
 *
 * These functions wait for their answers; see pgconn.h.
 */
#ifndef PENSTOCK_SOURCE_SLOT_H
#define PENSTOCK_SOURCE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* The output plugin's library name, which is also the slot's plugin. */
#define SLOT_PLUGIN         "penstock"

#define SLOT_SYSTEM_ID_SIZE HISTORY_SYSTEM_ID_SIZE
#define SLOT_SNAPSHOT_SIZE  64
#define SLOT_PLUGIN_SIZE    64

typedef struct SlotInfo
{
	bool exists; /* the rest is set only if this is */
	char plugin[SLOT_PLUGIN_SIZE];
	bool is_logical;
	bool is_this_database;
	int active_pid;  /* of the walsender that uses it; 0: none */
	bool being_made; /* it has no starting point yet; ends with its maker */
	Lsn restart_lsn;
	Lsn confirmed_lsn;
	bool lost; /* its log was removed: it can never be read again */
} SlotInfo;

typedef enum SlotKind
{
	SLOT_LASTING,   /* exports its snapshot */
	SLOT_TEMPORARY, /* ends with its connection */
	SLOT_SNAPSHOT,  /* the same, made for the sake of its snapshot alone */
} SlotKind;

/* What a new slot starts with. */
typedef struct SlotSnapshot
{
	Lsn consistent_lsn;            /* changes from here on are in the slot */
	char name[SLOT_SNAPSHOT_SIZE]; /* exported snapshot of all before */
} SlotSnapshot;

/*
 * Asks a replication connection who it is connected to.  *history is zeroed
 * before, or has been read already, and is released by the caller, also after a
 * failure.
 */
MUST_CHECK Rc slot_read_history(PgConn *replication, SourceHistory *history,
								Error *err);

/*
 * Reads once more, through an ordinary connection, where the source's WAL is.
 * What somebody else has read from a slot until it became ours is before that.
 */
MUST_CHECK Rc slot_read_log_end(PgConn *source, SourceHistory *history,
								Error *err);

/*
 * The system identifier of a server, source or target, through an ordinary
 * connection; an empty text if the role may not see it.  The array has
 * SLOT_SYSTEM_ID_SIZE bytes.
 */
MUST_CHECK Rc slot_read_system_identifier(PgConn *conn, char *identifier,
										  Error *err);

/*
 * Creates a slot and exports the snapshot of its consistent point: it has the
 * transactions whose end_lsn is at or below it and nothing of the others.  The
 * snapshot is valid until the next command on `replication`, or its end.
 *
 * Waits for transactions that are open on the source to end, and says now and
 * then whose they are: `source` is an ordinary connection to ask that.  If we
 * are killed meanwhile the server gives up soon, from version 14 on.
 */
MUST_CHECK Rc slot_create(PgConn *replication, PgConn *source, const char *name,
						  SlotKind kind, SlotSnapshot *snapshot, Error *err);

/* Looks a slot up, through an ordinary connection. */
MUST_CHECK Rc slot_read(PgConn *source, const char *name, SlotInfo *info,
						Error *err);

/*
 * Ends the walsender that is still making a slot, and waits until the slot is
 * gone with it.  Only for whoever knows that its maker is dead.  A slot that is
 * not being made, or is not there, stays as it is.
 */
MUST_CHECK Rc slot_end_making(PgConn *source, const char *name, Error *err);

/* Fails, with what to do, unless the slot is there, ours, and whole. */
MUST_CHECK Rc slot_require_usable(const SlotInfo *info, const char *name,
								  Error *err);

/* Drops a slot, through an ordinary connection. */
MUST_CHECK Rc slot_drop(PgConn *source, const char *name, Error *err);

#endif /* PENSTOCK_SOURCE_SLOT_H */
