/*
 * work.h
 *    The data that the verbs of "penstock table" share: the connections, the
 *    current table, and its rows in penstock.table_state.
 *
 * A partitioned table is handled together with its partitions, because the
 * source may send changes under the name of either, depending on
 * publish_via_partition_root.  All of them have the same state.
 *
 * While a table is the current table of a TableWork, we hold an advisory lock
 * on the source, so that no other command handles the same table.
 */
#ifndef PENSTOCK_JOB_TABLE_WORK_H
#define PENSTOCK_JOB_TABLE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "control/copy/copied_table.h"
#include "control/copy/table_state.h"
#include "control/progress_table.h"
#include "model/definition.h"
#include "net/pgconn.h"

typedef struct TableTarget
{
	const char *conninfo; /* borrowed from the Config */
	PgConn *conn;
	char label[CONFIG_LABEL_SIZE];
	TableRow row;          /* the table's row, as last read or written */
	ProgressRow progress;  /* the pipeline's progress, as last read */
	bool copied;           /* whether the pipeline has copied the table */
	int64_t changed_token; /* token of the lease that was set when `row` was
							* written, or 0 */
} TableTarget;

typedef struct TableWork
{
	const Config *config;
	Arena *arena;
	PgConn *source;
	SourceHistory history; /* the source's timeline history */
	bool published_only;   /* whether tables are not to be published */
	TableTarget targets[CONFIG_TARGETS_MAX];
	int target_count;

	/* The current table.  Names and tables are allocated in the arena. */
	uint32_t oid;          /* OID on the source; 0: it does not exist there */
	bool partitioned;      /* whether the table is partitioned on the source */
	TableName *names;      /* name of the table, and names of its partitions */
	CopiedTable *tables;   /* rows of penstock.copied_table for `names` */
	int name_count;        /* number of `names` and `tables` */
	const char *qualified; /* "schema"."name" */
	char slot[TABLE_SLOT_SIZE]; /* name of the table's own slot, which need not
								 * exist */
} TableWork;

/*
 * Connects to all servers, and checks that the pipeline exists; blocks.  The
 * caller calls table_work_close(), after a failure too.
 */
MUST_CHECK Rc table_work_open(TableWork *work, const Config *config,
							  Error *err);

/*
 * To be called after a failure: closes all connections, opens them again, and
 * reads the rows of the current table; blocks.
 */
MUST_CHECK Rc table_work_reconnect(TableWork *work, Error *err);

/* Closes all connections.  Accepts a zeroed TableWork. */
void table_work_close(TableWork *work);

/* Returns the command line that runs a verb for the current table; allocated in
 * the arena. */
const char *table_command(const TableWork *work, const char *verb);

/*
 * Makes the table with the name that the user has given the current table,
 * takes its advisory lock, and reads its rows; blocks.  With `must_exist`,
 * fails if the table does not exist on the source.
 */
MUST_CHECK Rc table_work_take(TableWork *work, const char *name,
							  bool must_exist, Error *err);

/* Releases the advisory lock of the current table. */
void table_work_leave(TableWork *work);

/* Opens a replication connection to the source; blocks. */
MUST_CHECK Rc table_open_replication(const Config *config, PgConn **conn,
									 Error *err);

/*
 * Change the rows of the current table on a target, in one transaction:
 *     table_begin, then table_write or nothing, then table_end.
 * table_begin() locks the pipeline's progress row, so that target->progress
 * does not change until table_end(), and reads target->row.  table_write()
 * invalidates the lease token if the change of state matters to a follower, so
 * that the follower reads the states again; table_disturb(), before
 * table_write(), invalidates it in any case.  table_end() commits if `rc` is
 * RC_OK, and returns the result of that; else it rolls back and returns `rc`.
 * All block.
 */
MUST_CHECK Rc table_begin(TableWork *work, TableTarget *target, Error *err);
MUST_CHECK Rc table_write(TableWork *work, TableTarget *target,
						  const TableRow *row, Error *err);
MUST_CHECK Rc table_disturb(TableWork *work, TableTarget *target, Error *err);
MUST_CHECK Rc table_end(TableTarget *target, Rc rc, Error *err);

/*
 * Blocks until the follower, if one is running, has read the rows that were
 * written last.
 */
MUST_CHECK Rc table_await_follower(TableWork *work, TableTarget *target,
								   Error *err);

/* Records that the pipeline has copied the table, in the current transaction.
 * Blocks. */
MUST_CHECK Rc table_note_copied(TableWork *work, TableTarget *target,
								Error *err);

/*
 * Cancels builds of a table's indexes by the follower, for which TRUNCATE and
 * ALTER TABLE would wait.  The follower begins none of a table whose state is
 * "copying" or "catching up".  Blocks.
 */
MUST_CHECK Rc table_cancel_builds(TableTarget *target, const char *qualified,
								  Error *err);

/* Returns the OIDs of the current table and its partitions; allocated in the
 * arena. */
OidList table_oids(const TableWork *work);

/* Drops the table's own slot, if it exists; blocks, if the slot is in use,
 * until it is free or some time is over. */
MUST_CHECK Rc table_drop_slot(TableWork *work, Error *err);

#endif /* PENSTOCK_JOB_TABLE_WORK_H */
