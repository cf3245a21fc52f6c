/*
 * tables.h
 *    The tables of a target that the follower leaves out at the moment.
 */
#ifndef PENSTOCK_CMD_STATUS_TABLES_H
#define PENSTOCK_CMD_STATUS_TABLES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "control/table_state.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Most tables of one target that are listed. */
#define STATUS_TABLES_MAX 1000

typedef struct TableStatus
{
	char *name; /* "schema"."name"; owned */
	char *schema_name;
	char *table_name;
	char *state;
	int64_t rows;     /* of a copy under way; -1: not known */
	Lsn position;     /* the target has the table as of here; 0: it does not */
	bool kept;        /* a slot keeps the changes since */
	bool lost;        /* that slot is gone, or has lost what it kept */
	bool interrupted; /* a copy that is not under way any more */
} TableStatus;

typedef struct TableStatusList
{
	int count;
	TableStatus *tables; /* owned; NULL: none */
} TableStatusList;

/*
 * Asks a target for the tables, and the source, unless it is NULL, for their
 * slots.  A zeroed list is empty; an older one is released.
 */
MUST_CHECK Rc status_tables_read(TableStatusList *list, PgConn *target,
								 PgConn *source, const char *pipeline,
								 Error *err);

void status_tables_release(TableStatusList *list);

/* Prints a line each; `source_lsn` is where the source's WAL is. */
void status_tables_print(const TableStatusList *list, const char *target,
						 Lsn source_lsn);

/* Adds an array of the tables. */
void status_tables_json(const TableStatusList *list, Json *json,
						Lsn source_lsn);

#endif /* PENSTOCK_CMD_STATUS_TABLES_H */
