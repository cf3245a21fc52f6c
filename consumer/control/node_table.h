/*
 * node_table.h
 *    What a target remembers of its part in a placement.
 *
 * Rows that were spread over three nodes are not where a follower with four
 * nodes looks for them.  So each target keeps, in penstock.node, which of how
 * many nodes it is and how each table was placed; whoever follows must say the
 * same.  A target without a row there was loaded without a placement.
 */
#ifndef PENSTOCK_CONTROL_NODE_TABLE_H
#define PENSTOCK_CONTROL_NODE_TABLE_H

#include "base/error.h"
#include "net/pgconn.h"

/* A target that has no hashed rows. */
#define NODE_REMAINDER_NONE (-1)

typedef struct NodeIdentity
{
	int modulus;        /* number of nodes */
	int remainder;      /* which of them this is, or NODE_REMAINDER_NONE */
	const char *places; /* JSON object: table to its place; borrowed */
} NodeIdentity;

/* Writes a pipeline's row, in place of one that is there. */
MUST_CHECK Rc node_table_write(PgConn *target, const char *pipeline,
							   const NodeIdentity *node, Error *err);

/*
 * Fails with ERR_CONFIG unless the target was loaded as this node; NULL:
 * without a placement.  Tables that it does not know are noted.
 */
MUST_CHECK Rc node_table_check(PgConn *target, const char *pipeline,
							   const NodeIdentity *node, Error *err);

/*
 * Reads how tables were placed of which a server has a part only, by any
 * pipeline that ends there: columns are the table, qualified and quoted as
 * needed, and its place.  *result is NULL if there are none, or else the
 * caller's.
 */
MUST_CHECK Rc node_table_list_places(PgConn *server, PGresult **result,
									 Error *err);

#endif /* PENSTOCK_CONTROL_NODE_TABLE_H */
