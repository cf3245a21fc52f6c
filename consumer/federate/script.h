/*
 * script.h
 *    The SQL that makes one database of many nodes.
 *
 * A coordinator is a database with postgres_fdw.  For each table that is spread
 * by hash it has a partitioned table of foreign tables, one for each node,
 * whose bounds are the remainders by which the rows were placed: the hash is
 * PostgreSQL's own, so the planner goes to one node where a query names the
 * key, and to all of them at once where it does not.  A table that is on every
 * node is read from the first, one that is on a single node from there.
 *
 * Nothing but the coordinator's definitions is in it: no data moves.
 *
 * The statements bring a coordinator to what is configured, whatever it has of
 * that: what is missing is made, what differs is altered, or made anew where
 * it cannot be.  What is not the pipeline's (see existing.h) is left alone; if
 * it is in the way, that is an error.
 */
#ifndef PENSTOCK_FEDERATE_SCRIPT_H
#define PENSTOCK_FEDERATE_SCRIPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "net/pgconn.h"

/* Targets of one pipeline; as in config/file.h. */
#define FEDERATE_NODES_MAX 64

/* One target of the pipeline. */
typedef struct FederateNode
{
	const char *name; /* of the target */
	PgConn *conn;     /* tells how the coordinator is to reach it; borrowed */
} FederateNode;

typedef struct FederateOptions
{
	const char *pipeline;
	const CopyCatalog *catalog;
	const Placed *placed; /* of that catalog, without errors */
	const FederateNode *nodes;
	int node_count;
	int hash_node_count; /* the first of them have the hashed tables */
	PgConn *source;
	PgConn *coordinator; /* NULL: an empty database is assumed */
} FederateOptions;

typedef struct FederateScript
{
	Buf statements;
	Buf passwords;   /* statements that come after those, and are not printed */
	Buf notes;       /* lines: what the statements do, but for new tables */
	int tables_made; /* new ones */
	int tables_placed; /* those, and the ones that were there */

	const char *servers[FEDERATE_NODES_MAX]; /* their names */

	/* Of each node a foreign table, "schema"."name", or NULL: none. */
	const char *tables[FEDERATE_NODES_MAX];

	/* ('schema', 'name'), …: what has been dealt with, for an SQL list. */
	Buf handled;
	Arena *arena;
} FederateScript;

void federate_script_init(FederateScript *script);
void federate_script_release(FederateScript *script);

/* Adds a line to script->notes. */
void federate_note(FederateScript *script, const char *format, ...)
	PRINTF_LIKE(2, 3);

/*
 * Makes the script.  Asks source and coordinator; waits.  RC_FAIL with
 * ERR_CONFIG: a table could not be read right through a coordinator, or
 * something there is in the way.
 */
MUST_CHECK Rc federate_script(FederateScript *script,
							  const FederateOptions *options, Error *err);

#endif /* PENSTOCK_FEDERATE_SCRIPT_H */
