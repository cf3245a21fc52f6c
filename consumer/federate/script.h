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

#include "base/error.h"
#include "federate/plan.h"

/*
 * Makes the script.  Asks source and coordinator; waits.  RC_FAIL with
 * ERR_CONFIG: a table could not be read right through a coordinator, or
 * something there is in the way.
 */
MUST_CHECK Rc federate_script(FederateScript *script,
							  const FederateOptions *options, Error *err);

#endif /* PENSTOCK_FEDERATE_SCRIPT_H */
