/*
 * work.h
 *    What the verbs of penstock table have in common: the connections, the
 *    table that is worked on, and its rows in penstock.table_state.
 *
 * A partitioned table is worked on together with its partitions, because
 * changes come under the name of the one or the others, as the publication
 * says.  All of them have the same state.
 *
 * While a table is worked on, an advisory lock on the source keeps out others
 * who would do the same.
 */
#ifndef PENSTOCK_JOB_TABLE_WORK_H
#define PENSTOCK_JOB_TABLE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "control/copied_table.h"
#include "control/progress_table.h"
#include "control/table_state.h"
#include "model/definition.h"
#include "net/pgconn.h"

typedef struct TableTarget
{
	const char *conninfo; /* borrowed from the Config */
	PgConn *conn;
	char label[CONFIG_LABEL_SIZE];
	TableRow row;          /* as it was read or written last */
	ProgressRow progress;  /* of the pipeline; likewise */
	bool copied;           /* the table was, by the pipeline */
	int64_t changed_token; /* of the lease, when the row was written; or 0 */
} TableTarget;

typedef struct TableWork
{
	const Config *config;
	Arena *arena;
	PgConn *source;
	SourceHistory history; /* of the source */
	TableTarget targets[CONFIG_TARGETS_MAX];
	int target_count;

	/* The table at hand. */
	uint32_t oid;          /* on the source; 0: it does not exist there */
	bool partitioned;      /* on the source */
	TableName *names;      /* its own first, then those of its partitions */
	CopiedTable *tables;   /* the same, as they are noted when copied */
	int name_count;        /* all in the arena, like the names */
	const char *qualified; /* "schema"."name" */
	char slot[TABLE_SLOT_SIZE]; /* of its own, if it needs one */
} TableWork;

/*
 * Connects to all servers, and makes sure that the pipeline exists.  Whether
 * it fails or not, the caller ends it with table_work_close().
 */
MUST_CHECK Rc table_work_open(TableWork *work, const Config *config,
							  Error *err);

/*
 * After a failure: closes all connections, opens them again, and reads the rows
 * of the table at hand.
 */
MUST_CHECK Rc table_work_reconnect(TableWork *work, Error *err);

/* Accepts a zeroed one. */
void table_work_close(TableWork *work);

/* The command line that does this with the table at hand; in the arena. */
const char *table_command(const TableWork *work, const char *verb);

/*
 * Takes up a table by the name that the user gave, locks it against others who
 * would, and reads its rows.  `must_exist`: on the source.
 */
MUST_CHECK Rc table_work_take(TableWork *work, const char *name,
							  bool must_exist, Error *err);

/* Lets go of it. */
void table_work_leave(TableWork *work);

/* Opens a walsender session of the source. */
MUST_CHECK Rc table_open_replication(const Config *config, PgConn **conn,
									 Error *err);

/*
 * Changes a target's rows:
 *     table_begin, then table_write or nothing, then table_end.
 * From table_begin() on target->progress stands still, and target->row is up to
 * date.  A follower is disturbed if what is written matters to it;
 * table_disturb() does it in any case, before the writing.  table_end() commits
 * if `rc` is RC_OK, and returns whether that worked; else it rolls back and
 * returns `rc`.
 */
MUST_CHECK Rc table_begin(TableWork *work, TableTarget *target, Error *err);
MUST_CHECK Rc table_write(TableWork *work, TableTarget *target,
						  const TableRow *row, Error *err);
MUST_CHECK Rc table_disturb(TableWork *work, TableTarget *target, Error *err);
MUST_CHECK Rc table_end(TableTarget *target, Rc rc, Error *err);

/*
 * Waits until a follower, if one runs, has seen the rows that were written
 * last.
 */
MUST_CHECK Rc table_await_follower(TableWork *work, TableTarget *target,
								   Error *err);

/* Notes that the pipeline has copied the table, in the current transaction. */
MUST_CHECK Rc table_note_copied(TableWork *work, TableTarget *target,
								Error *err);

/* The OIDs of the table at hand and its partitions; in the arena. */
OidList table_oids(const TableWork *work);

/* Drops the table's own slot if there is one, and waits for who uses it. */
MUST_CHECK Rc table_drop_slot(TableWork *work, Error *err);

#endif /* PENSTOCK_JOB_TABLE_WORK_H */
