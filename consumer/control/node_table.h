/*
 * node_table.h
 *    The table penstock.node on a target: the target's part in a placement.
 *
 * The number of nodes decides which node has a row of a hashed table, so a
 * follower must have the same nodes as the copy.  Each target therefore stores
 * which of how many nodes it is, and how each table was placed.  A target
 * without a row was copied without a placement.
 */
#ifndef PENSTOCK_CONTROL_NODE_TABLE_H
#define PENSTOCK_CONTROL_NODE_TABLE_H

#include "base/error.h"
#include "net/pgconn.h"

/* NodeIdentity.remainder of a target that has no hashed rows. */
#define NODE_REMAINDER_NONE (-1)

typedef struct NodeIdentity
{
	int modulus;        /* number of nodes */
	int remainder;      /* number of this node, from 0; or
						 * NODE_REMAINDER_NONE */
	const char *places; /* JSON object from table to placement; borrowed */
} NodeIdentity;

/* Writes a pipeline's row in place of an existing one; waits. */
MUST_CHECK Rc node_table_write(PgConn *target, const char *pipeline,
							   const NodeIdentity *node, Error *err);

/*
 * Checks that the target was copied as this node; NULL: without a placement.
 * Otherwise RC_FAIL with ERR_CONFIG.  Adds tables that the row does not have.
 * Waits.
 */
MUST_CHECK Rc node_table_check(PgConn *target, const char *pipeline,
							   const NodeIdentity *node, Error *err);

/*
 * Reads the placements of tables of which a server has only a part, for all
 * pipelines of which it is a target.  Columns: the table, qualified and quoted
 * where needed, and its placement.  *result is NULL if there is none, else
 * owned by the caller.  Waits.
 */
MUST_CHECK Rc node_table_list_places(PgConn *server, PGresult **result,
									 Error *err);

#endif /* PENSTOCK_CONTROL_NODE_TABLE_H */
