/*
 * schema_policy.h
 *    Applies rules to the statements of a set of schema changes.
 *
 * A statement is run, left out with a warning, or stops the step.  Its object
 * may have one name before and another one after it, and dropping a table also
 * drops its partitions: among the rules for all these names, the strictest
 * wins.  Stopping is stricter than leaving out, and leaving out, which loses
 * nothing on the target, is stricter than running.
 *
 * If one statement on an object stops, so do other statements on it that would
 * be left out, because it can only be checked for the object as a whole whether
 * the target has the change.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_POLICY_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_POLICY_H

#include "base/arena.h"
#include "ddl/diff/plan.h"
#include "model/change.h"
#include "model/definition.h"
#include "model/policy.h"

/* A plan, and the definitions before and after it.  Everything is borrowed. */
typedef struct SchemaPlan
{
	DdlPlan *plan;
	DefinitionSet *before;
	const DefinitionSet *after;
	const SchemaRules *rules; /* NULL: there are none */
	SchemaPolicy policy;      /* policy if no rule applies */
	const TxnInfo *txn;       /* for messages, like the target's label */
	const char *label;
	Arena *arena;
} SchemaPlan;

/*
 * Removes statements that are off from the plan, and logs them.  An object for
 * which no statement is left is changed in `before` to what it is in `after`.
 */
void schema_policy_leave_off(const SchemaPlan *plan);

/* Whether any statement stops the step. */
bool schema_policy_stops(const SchemaPlan *plan);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_POLICY_H */
