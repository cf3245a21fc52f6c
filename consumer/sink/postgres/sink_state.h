/*
 * sink_state.h
 *    What the files of the PostgreSQL sink share: the sink itself.
 *
 * postgres_sink.c makes the sink and releases it.  take.h fills it with what
 * the router delivers, idle.h decides what is applied next, change_schema.h
 * applies schema changes, and lease.h says what has become of the lease.
 */
#ifndef PENSTOCK_SINK_POSTGRES_SINK_STATE_H
#define PENSTOCK_SINK_POSTGRES_SINK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/copy/table_state.h"
#include "sink/postgres/apply/applier.h"
#include "sink/postgres/apply/lanes.h"
#include "sink/postgres/apply/open_txns.h"
#include "sink/postgres/followed_tables.h"
#include "sink/postgres/plan/stages.h"
#include "sink/postgres/schema/schema_step.h"
#include "sink/postgres/uncopied.h"
#include "sink/sink.h"

/*
 * Number of parts into which the memory is divided: two batches, and what
 * belongs to them.
 */
#define BATCH_MEMORY_PARTS 4

typedef struct PostgresSink
{
	Sink sink; /* must be first */
	SinkReport report;
	Target target;
	Applier applier;
	Lanes *lanes; /* lanes whose leader is `applier` */
	TableStates *table_states;
	PostponedKeys keys;
	PlacedColumnsList columns; /* until postgres_sink_take_columns() */
	UncopiedTables *uncopied;
	OpenTxns *open_txns;
	Lsn delivered_lsn; /* end of the last delivered transaction */
	bool taking;       /* whether a transaction has begun and not committed */
	bool begun;        /* whether it has begun in a batch, too */
	TxnInfo txn;       /* that transaction; its origin is borrowed */
	bool working;      /* whether work() is running; it may be a task that
						* waits */
	Stages *stages;    /* changes that wait to be applied */
	SchemaStep *schema_step;
	const Words *publications; /* borrowed; NULL: not known */
	bool placed;               /* whether there is a placement */
	bool chooses_tables;       /* as PostgresSinkOptions.chooses_tables */
	bool lacked_lock;          /* whether the last attempt of the next schema
								* change failed for a lock */
	int64_t filled_since_us;   /* since when changes wait */
	size_t batch_bytes_max;
	int memory_shares;

	/*
	 * A set of schema changes that is too large: its size so far, 0: there is
	 * none; and its last frame, with a reference.  Earlier frames are not kept.
	 */
	size_t large_set_bytes;
	Frame *large_set_frame;

	SinkFetch *fetches; /* fetches that wait until everything before them is
						 * applied */
	Lsn forgotten_lsn;  /* LSN up to which penstock.moved was emptied */
	Lsn kept_lsn;       /* last LSN for which penstock.moved may have rows; 0:
						 * it is empty */
	int64_t forget_us;  /* time of the next removal from penstock.moved */

	char *conninfo;
	bool impatient;                          /* see PgConnOptions */
	char lease_holder[PROGRESS_HOLDER_SIZE]; /* holder of our lease */

	/*
	 * A table that was not copied, and a transaction that has changed it, so
	 * that neither it nor anything after it is applied; NULL: none.
	 */
	const Relation *uncopied_table;
	TxnInfo uncopied_txn;

	bool holding; /* whether changes to a joining table were delivered, which
				   * wait for it */
	int64_t hold_until_us;
	int64_t hold_look_us; /* time of the next check of the table */
} PostgresSink;

/* Returns the PostgresSink that contains the Sink. */
static inline PostgresSink *
postgres_sink(Sink *sink)
{
	return (PostgresSink *) sink;
}

/* Whether nothing is being applied, but for open transactions. */
static inline bool
sink_state_is_idle(const PostgresSink *self)
{
	return self->applier.state == APPLIER_IDLE && lanes_is_idle(self->lanes);
}

/* Returns the bytes that are being applied. */
static inline size_t
sink_state_applying_bytes(const PostgresSink *self)
{
	return self->applier.own_batch.bytes + lanes_bytes(self->lanes);
}

/* Returns what decides which tables of schema changes are followed. */
static inline FollowedTables
sink_state_followed_tables(const PostgresSink *self)
{
	return (FollowedTables){.uncopied = self->uncopied,
							.states = self->table_states,
							.publications = self->publications,
							.pipeline = self->target.pipeline,
							.label = self->target.label,
							.placed = self->placed};
}

#endif
