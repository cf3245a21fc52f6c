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
 */
#ifndef PENSTOCK_FEDERATE_SCRIPT_H
#define PENSTOCK_FEDERATE_SCRIPT_H

#include "base/buf.h"
#include "base/error.h"
#include "copy/catalog.h"
#include "copy/placed.h"
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
} FederateOptions;

/*
 * Appends the script.  Asks the source for columns and types; waits.  It has
 * the nodes' passwords in it as far as their connection strings have.
 * RC_FAIL with ERR_CONFIG: a table could not be read right through a
 * coordinator.
 */
MUST_CHECK Rc federate_script(const FederateOptions *options, PgConn *source,
							  Buf *script, Error *err);

#endif /* PENSTOCK_FEDERATE_SCRIPT_H */
