/*
 * diff.h
 *    The statements that bring a target's schema from one state to another.
 *
 * Objects are the same if their OIDs are, whatever they are called; columns are
 * the same if their attnums are, constraints and indexes if their OIDs are, or
 * else their names, definitions and columns.  So whoever compares what two
 * servers have gives the objects of the one the OIDs of the other first, and
 * takes care that what gets the same OID can be altered to be the same: a
 * constraint with another definition gets another OID.
 *
 * What a target has beside `before` is left alone, and a target that does not
 * have what `before` says makes a statement fail.  A statement that drops
 * something succeeds where that is not there.
 *
 * Expressions and definitions are taken as they are, and are not understood:
 * functions that they use have to be there.
 *
 * The statements are for a session with pg_catalog alone as search_path, and
 * with session_replication_role = replica, so that no trigger and no foreign
 * key does anything for a row that is deleted.
 *
 * Nothing here waits or asks a server.
 */
#ifndef PENSTOCK_DDL_DIFF_DIFF_H
#define PENSTOCK_DDL_DIFF_DIFF_H

#include "base/arena.h"
#include "base/error.h"
#include "ddl/diff/hints.h"
#include "ddl/diff/plan.h"
#include "model/definition.h"

/*
 * The statements from `before` to `after`; an empty plan where they are the
 * same.  Every object's schema has to be called in a set what the set's
 * namespace with that OID is called.  The sets and `hints` are borrowed for the
 * call; the plan is in the arena.
 *
 * ERR_CONFIG: the target's version has no statement for something, or none has;
 * the message names the object and the clause.
 */
MUST_CHECK Rc ddl_diff(const DefinitionSet *before, const DefinitionSet *after,
					   const DdlHints *hints, Arena *arena, DdlPlan **plan,
					   Error *err);

#endif /* PENSTOCK_DDL_DIFF_DIFF_H */
