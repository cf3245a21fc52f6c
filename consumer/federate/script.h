/*
 * script.h
 *    Makes the SQL script of a coordinator: one database that shows the rows
 *    of all nodes.
 *
 * A coordinator is a database with postgres_fdw, and the nodes are the targets
 * of the pipeline.  For each table that is placed by hash the coordinator has a
 * table partitioned by hash.  Its partitions are foreign tables, one for each
 * node, and the remainders in their bounds are those by which the rows were
 * placed.  The hash is PostgreSQL's own, so the planner reads from one node if
 * a query gives the key, and from all nodes at once if it does not.  A table
 * that is on every node is read from the first node; a table on a single node
 * is read from that node.
 *
 * The script changes only definitions on the coordinator; it copies no rows.
 *
 * The statements change the coordinator's definitions to what is configured.
 * Missing objects are created, different ones are altered, or dropped and
 * re-created if ALTER cannot change them.  Objects that do not belong to the
 * pipeline (see existing.h) are left alone; if one has the name of an object
 * that is needed, that is an error.
 */
#ifndef PENSTOCK_FEDERATE_SCRIPT_H
#define PENSTOCK_FEDERATE_SCRIPT_H

#include "base/error.h"
#include "federate/plan.h"

/*
 * Makes the script.  Queries source and coordinator; waits.  Fails with
 * ERR_CONFIG if a coordinator could not read a table correctly, or if an object
 * on the coordinator that does not belong to the pipeline has a name that is
 * needed.
 */
MUST_CHECK Rc federate_script(FederateScript *script,
							  const FederateOptions *options, Error *err);

#endif /* PENSTOCK_FEDERATE_SCRIPT_H */
