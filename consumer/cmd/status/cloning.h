/*
 * cloning.h
 *    Progress of an unfinished clone, table by table.
 */
#ifndef PENSTOCK_CMD_STATUS_CLONING_H
#define PENSTOCK_CMD_STATUS_CLONING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "net/pgconn.h"

/*
 * Largest number of tables of one target in a Cloning; smaller tables are left
 * out.
 */
#define CLONING_TABLES_MAX 1000

/* Number of tables printed for people; --json has all. */
#define CLONING_LINES_MAX 20

typedef struct CloningTable
{
	const char *schema_name;
	const char *table_name;
	const char *state;    /* "waiting", "copying" or "done" */
	int64_t rows;         /* rows on the target, including uncommitted ones */
	int64_t source_bytes; /* approximate size of the table on the source */
} CloningTable;

typedef struct Cloning
{
	int count;
	CloningTable *tables; /* largest first; in the caller's arena */
	int64_t rows;         /* rows of all tables */
	int64_t bytes_total;  /* approximate size of all tables on the source */
	int64_t bytes_done;   /* approximate part of bytes_total that is copied */
} Cloning;

/*
 * Reads the progress of an unfinished clone from a target; waits for the
 * server.  For a role that may not see other sessions' activity, only committed
 * rows are counted.
 */
MUST_CHECK Rc cloning_read(Cloning *cloning, PgConn *target,
						   const char *pipeline, Arena *arena, Error *err);

/* Returns the percentage of bytes_total that is copied. */
int cloning_percent(const Cloning *cloning);

/* Prints a line for each of the largest tables. */
void cloning_print(FILE *out, const Cloning *cloning, const char *target);

/* Appends an array of all tables. */
void cloning_json(const Cloning *cloning, Json *json);

#endif /* PENSTOCK_CMD_STATUS_CLONING_H */
