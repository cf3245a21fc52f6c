/*
 * tables.h
 *    The tables of a target that the follower currently leaves out.
 */
#ifndef PENSTOCK_CMD_STATUS_TABLES_H
#define PENSTOCK_CMD_STATUS_TABLES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "control/copy/table_state.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Largest number of tables of one target that are listed. */
#define STATUS_TABLES_MAX 1000

typedef struct TableStatus
{
	char *name; /* "schema"."name"; owned, as are the other strings */
	char *schema_name;
	char *table_name;
	char *state;
	int64_t rows;     /* rows copied so far by a running copy; -1: not known */
	Lsn position;     /* source position of the table's contents; 0: the target
					   * has no complete copy */
	bool kept;        /* whether a slot keeps the changes after `position` */
	bool lost;        /* whether that slot does not exist, or has lost
					   * changes */
	bool interrupted; /* whether a copy was begun and is not running */
} TableStatus;

typedef struct TableStatusList
{
	int count;
	TableStatus *tables; /* owned; NULL: none */
} TableStatusList;

/*
 * Reads the tables from a target, and their slots from the source, which may be
 * NULL; waits for the servers.  An older list is released first; a zeroed list
 * is empty.
 */
MUST_CHECK Rc status_tables_read(TableStatusList *list, PgConn *target,
								 PgConn *source, const char *pipeline,
								 Error *err);

void status_tables_release(TableStatusList *list);

/* Prints a line for each table; `source_lsn` is the end of the source's WAL. */
void status_tables_print(FILE *out, const TableStatusList *list,
						 const char *target, Lsn source_lsn);

/* Appends an array of the tables. */
void status_tables_json(const TableStatusList *list, Json *json,
						Lsn source_lsn);

#endif /* PENSTOCK_CMD_STATUS_TABLES_H */
