/*
 * retention.h
 *    How much WAL a source keeps for a slot, and where the WAL ends.
 */
#ifndef PENSTOCK_SOURCE_RETENTION_H
#define PENSTOCK_SOURCE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Bytes for a word of pg_replication_slots.wal_status. */
#define WAL_STATUS_SIZE 16

typedef struct Retention
{
	Lsn wal_end_lsn; /* end of the source's WAL */
	bool has_slot;   /* whether the slot exists; if not, what follows is 0 */
	Lsn restart_lsn; /* the slot keeps the WAL from here on; 0: none */
	char wal_status[WAL_STATUS_SIZE]; /* as in pg_replication_slots; empty: not
									   * known */
	bool has_safe_wal_size; /* whether the source may remove what the slot
							 * needs (max_slot_wal_keep_size) */
	int64_t safe_wal_size;  /* bytes that can be written until then */
} Retention;

/* Reads it through an ordinary connection; waits. */
MUST_CHECK Rc retention_read(PgConn *source, const char *slot,
							 Retention *retention, Error *err);

/*
 * Writes a small message of no table into the source's WAL, in a transaction of
 * its own: an idle database has something to decode then, so that its slot
 * moves.  *lsn is set to the end of the message; to 0 on a standby, which
 * writes none.  Waits.
 */
MUST_CHECK Rc retention_write_message(PgConn *source, Lsn *lsn, Error *err);

#endif /* PENSTOCK_SOURCE_RETENTION_H */
