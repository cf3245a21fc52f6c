/*
 * plan.h
 *    The input of federate_script(), and the statements that it makes.
 *
 * See script.h for what they are about.  A node is a target of the pipeline.
 */
#ifndef PENSTOCK_FEDERATE_PLAN_H
#define PENSTOCK_FEDERATE_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/macros.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "net/pgconn.h"

/* Largest number of nodes; the same as CONFIG_TARGETS_MAX. */
#define FEDERATE_NODES_MAX 64

/*
 * Largest size of the statements in bytes; a table needs about 300 for each
 * node.
 */
#define FEDERATE_BYTES_MAX (256 * MB)

/* One target of the pipeline. */
typedef struct FederateNode
{
	const char *name; /* name of the target */
	PgConn *conn;     /* its options tell how the coordinator can connect to the
					   * node; borrowed */
} FederateNode;

typedef struct FederateOptions
{
	const char *pipeline;
	const CopyCatalog *catalog;
	const Placed *placed; /* placement of the tables of `catalog`, without
						   * errors */
	const FederateNode *nodes;
	int node_count;
	int hash_node_count; /* number of nodes, the first ones, that share the rows
						  * of tables placed by hash */
	PgConn *source;
	PgConn *coordinator; /* NULL: the script is made for an empty database */
} FederateOptions;

typedef struct FederateScript
{
	Buf statements;
	Buf passwords;   /* statements with passwords, to be run after `statements`;
					  * never printed */
	Buf notes;       /* one line for each thing that the statements do, except
					  * creating tables */
	int tables_made; /* number of tables that are created */
	int tables_placed; /* number of all tables that are placed, new or not */

	const char *servers[FEDERATE_NODES_MAX]; /* name of the foreign server of
											  * each node */

	/*
	 * For each node the name of a foreign table that reads from it,
	 * "schema"."name"; NULL: there is none.
	 */
	const char *tables[FEDERATE_NODES_MAX];

	/*
	 * Names of all relations that the script has handled, for an SQL list:
	 * ('schema', 'name'), …
	 */
	Buf handled;
	Arena *arena;
} FederateScript;

void federate_script_init(FederateScript *script);
void federate_script_release(FederateScript *script);

/* Appends a formatted line to script->notes. */
void federate_note(FederateScript *script, const char *format, ...)
	PRINTF_LIKE(2, 3);

#endif /* PENSTOCK_FEDERATE_PLAN_H */
