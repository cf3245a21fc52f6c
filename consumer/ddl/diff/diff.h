/*
 * diff.h
 *    Makes statements that change a target's schema from one state to another.
 *
 * Objects with the same OID are the same, whatever their names; so are columns
 * with the same attnum.  Constraints and indexes are the same if they have the
 * same OID, or else the same name, definition and columns.  A caller that
 * compares two servers must give the objects of one server the OIDs of the
 * other first (ddl/align.h).  It must give the same OID only to objects that
 * can be altered to be the same: a constraint with another definition gets
 * another OID.
 *
 * Objects of the target that are not in `before` are left alone.  If the target
 * lacks something that is in `before`, a statement fails, except that a DROP
 * succeeds.
 *
 * Expressions and definitions are copied without being parsed; functions that
 * they use must exist on the target.
 *
 * The statements are for a session with search_path = pg_catalog, and with
 * session_replication_role = replica, so that no trigger or foreign key acts on
 * rows that are deleted.
 *
 * Nothing here waits for a server.
 */
#ifndef PENSTOCK_DDL_DIFF_DIFF_H
#define PENSTOCK_DDL_DIFF_DIFF_H

#include "base/arena.h"
#include "base/error.h"
#include "ddl/diff/hints.h"
#include "ddl/diff/plan.h"
#include "model/definition.h"

/*
 * Makes the statements from `before` to `after`; an empty plan if both are
 * equal.  In each set, the schema name of every object must be that of the
 * set's schema with that OID.  The sets and `hints` are borrowed for the call;
 * the plan is allocated in the arena.
 *
 * RC_FAIL with ERR_CONFIG: there is no statement for a change, or none in the
 * target's version, or a table in `after` inherits from one that only `before`
 * has; the message has the object and the clause.
 */
MUST_CHECK Rc ddl_diff(const DefinitionSet *before, const DefinitionSet *after,
					   const DdlHints *hints, Arena *arena, DdlPlan **plan,
					   Error *err);

#endif /* PENSTOCK_DDL_DIFF_DIFF_H */
