/*
 * plan.h
 *    What a coordinator is to become, and the statements for it so far.
 */
#ifndef PENSTOCK_FEDERATE_PLAN_H
#define PENSTOCK_FEDERATE_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "net/pgconn.h"

/* Most targets of a pipeline, as CONFIG_TARGETS_MAX. */
#define FEDERATE_NODES_MAX 64

/* Bytes of the statements; a table takes about 300 a node. */
#define FEDERATE_BYTES_MAX (256 * MB)

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

#endif /* PENSTOCK_FEDERATE_PLAN_H */
