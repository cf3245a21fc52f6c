/*
 * cloning.h
 *    The tables of a clone that is not finished: what is there of each.
 */
#ifndef PENSTOCK_CMD_STATUS_CLONING_H
#define PENSTOCK_CMD_STATUS_CLONING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "net/pgconn.h"

/* Tables that are listed for one target at most: the largest ones. */
#define CLONING_TABLES_MAX 1000

/* So many tables are printed for people; --json has all. */
#define CLONING_LINES_MAX 20

typedef struct CloningTable
{
	const char *schema_name;
	const char *table_name;
	const char *state;    /* waiting, copying, done */
	int64_t rows;         /* that are on the target, not yet committed too */
	int64_t source_bytes; /* of the whole table on the source, about */
} CloningTable;

typedef struct Cloning
{
	int count;
	CloningTable *tables; /* the largest first; in the caller's arena */
	int64_t rows;         /* of all tables */
	int64_t bytes_total;  /* of all, on the source, about */
	int64_t bytes_done;   /* of that, about */
} Cloning;

/*
 * Reads what a target has of an unfinished clone.  A role that may not see what
 * other sessions do gets what is committed.
 */
MUST_CHECK Rc cloning_read(Cloning *cloning, PgConn *target,
						   const char *pipeline, Arena *arena, Error *err);

/* How much of the copy is done, from 0 to 100. */
int cloning_percent(const Cloning *cloning);

/* Prints a line for each of the largest tables. */
void cloning_print(const Cloning *cloning, const char *target);

/* Adds an array of the tables. */
void cloning_json(const Cloning *cloning, Json *json);

#endif /* PENSTOCK_CMD_STATUS_CLONING_H */
