/*
 * schema_policy.h
 *    What rules say of the statements that a set of schema changes leads to.
 *
 * A statement is made, is left off with a warning, or stops the step.  It is
 * about an object that may have another name before and after, and a table that
 * is dropped takes its partitions with it: of rules that name any of these the
 * strictest counts.  To stop is stricter than to leave off, which loses nothing
 * on the target, and that is stricter than to follow.
 *
 * Where one statement about an object stops, so do the others about it that
 * would be left off: whether the target has what was asked for is only known of
 * the object as a whole.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_POLICY_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_POLICY_H

#include "base/arena.h"
#include "ddl/diff/plan.h"
#include "model/change.h"
#include "model/definition.h"
#include "model/policy.h"

/* A plan and what it leads from and to.  All is borrowed. */
typedef struct SchemaPlan
{
	DdlPlan *plan;
	DefinitionSet *before;
	const DefinitionSet *after;
	const SchemaRules *rules; /* NULL: there are none */
	SchemaPolicy policy;      /* where no rule says otherwise */
	const TxnInfo *txn;       /* for messages, as is the target's name */
	const char *label;
	Arena *arena;
} SchemaPlan;

/*
 * Takes statements that are off out of the plan, and says so.  An object of
 * which nothing is done is in `before` as it is in `after` then.
 */
void schema_policy_leave_off(const SchemaPlan *plan);

/* Whether any statement stops the step. */
bool schema_policy_stops(const SchemaPlan *plan);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_POLICY_H */
