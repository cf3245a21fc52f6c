/*
 * schema_policy.c
 *    Looks up the rules for each name that a statement concerns.
 */
#include "sink/postgres/schema/schema_policy.h"

#include <inttypes.h>

#include "base/log.h"

/*
 * Largest number of direct and indirect parents; with more, the definitions are
 * assumed to be circular.
 */
#define PARENTS_MAX 1000

/* ---- the policy of a statement ------------------------------------------ */

static SchemaPolicy
stricter(SchemaPolicy a, SchemaPolicy b)
{
	if (a == SCHEMA_STOP || b == SCHEMA_STOP)
		return SCHEMA_STOP;
	return a == SCHEMA_OFF ? a : b;
}

/* Whether a rule names the object; sets *policy. */
static bool
find_named(const SchemaPlan *plan, const char *kind, const Definition *object,
		   SchemaPolicy *policy)
{
	if (object == NULL || !policy_names_schema_object(
							  plan->rules, kind, object->schema, object->name))
		return false;
	*policy = policy_of_schema_change(plan->rules, kind, object->schema,
									  object->name, plan->policy);
	return true;
}

/*
 * Returns the policy for an object with these definitions before and after,
 * either of which may be NULL.
 */
static SchemaPolicy
policy_of_object(const SchemaPlan *plan, const char *kind,
				 const Definition *was, const Definition *is)
{
	SchemaPolicy before;
	SchemaPolicy after;
	bool was_named = find_named(plan, kind, was, &before);
	bool is_named = find_named(plan, kind, is, &after);

	if (was_named && is_named)
		return stricter(before, after);
	if (was_named || is_named)
		return was_named ? before : after;
	return policy_of_schema_change(plan->rules, kind, NULL, NULL, plan->policy);
}

/* Whether a table is a direct or indirect partition of another. */
static bool
is_below(const DefinitionSet *set, const Definition *table, uint32_t root)
{
	for (int depth = 0; depth < PARENTS_MAX; depth++)
	{
		if (table == NULL || table->kind != DEFINITION_TABLE ||
			table->table.bound[0] == '\0' || table->table.parents.count == 0)
			return false;
		if (table->table.parents.oids[0] == root)
			return true;
		table = definition_set_find(set, DEFINITION_IN_CLASS,
									table->table.parents.oids[0]);
	}
	return false;
}

/* Whether an object is dropped by a statement that drops a table. */
static bool
is_dropped_with(const SchemaPlan *plan, const DdlStatement *statement,
				const Definition *was)
{
	return statement->kind == DDL_DROP &&
		   statement->catalog == DEFINITION_IN_CLASS &&
		   definition_set_find(plan->after, DEFINITION_IN_CLASS,
							   statement->oid) == NULL &&
		   definition_set_find(plan->after, DEFINITION_IN_CLASS, was->oid) ==
			   NULL &&
		   is_below(plan->before, was, statement->oid);
}

static SchemaPolicy
policy_of(const SchemaPlan *plan, const DdlStatement *statement)
{
	const char *kind = ddl_kind_name(statement->kind);
	SchemaPolicy policy = policy_of_object(
		plan, kind,
		definition_set_find(plan->before, statement->catalog, statement->oid),
		definition_set_find(plan->after, statement->catalog, statement->oid));

	for (size_t i = 0;
		 plan->rules != NULL && i < definition_set_count(plan->before); i++)
	{
		const Definition *was = definition_set_at(plan->before, i);
		SchemaPolicy named;

		if (is_dropped_with(plan, statement, was) &&
			find_named(plan, kind, was, &named))
			policy = stricter(policy, named);
	}
	return policy;
}

/*
 * Whether any statement has the policy; with `same`, only statements on the
 * same object.
 */
static bool
has_policy(const SchemaPlan *plan, SchemaPolicy policy,
		   const DdlStatement *same)
{
	for (int i = 0; i < plan->plan->count; i++)
	{
		const DdlStatement *statement = &plan->plan->statements[i];

		if ((same == NULL || (statement->oid == same->oid &&
							  statement->catalog == same->catalog)) &&
			policy_of(plan, statement) == policy)
			return true;
	}
	return false;
}

bool
schema_policy_stops(const SchemaPlan *plan)
{
	return has_policy(plan, SCHEMA_STOP, NULL);
}

/* ---- what is off -------------------------------------------------------- */

static void
forget_dropped_with(const SchemaPlan *plan, const DdlStatement *statement)
{
	for (size_t i = definition_set_count(plan->before); i-- > 0;)
	{
		const Definition *was = definition_set_at(plan->before, i);

		if (is_dropped_with(plan, statement, was))
			definition_set_remove(plan->before, DEFINITION_IN_CLASS, was->oid);
	}
}

static void
leave_object_off(const SchemaPlan *plan, const DdlStatement *statement)
{
	const Definition *is = definition_set_find(plan->after, statement->catalog,
											   statement->oid);

	if (has_policy(plan, SCHEMA_FOLLOW, statement))
		return;
	if (is != NULL)
	{
		definition_set_put(plan->before, is);
		return;
	}
	forget_dropped_with(plan, statement);
	definition_set_remove(plan->before, statement->catalog, statement->oid);
}

static void
say_left_off(const SchemaPlan *plan, const DdlStatement *statement)
{
	log_warning("apply.schema-left-out",
				"transaction %" PRIu32 ", which ends at " LSN_FORMAT
				", has changed %s; that is not done on %s (--on-ddl): %s",
				plan->txn->xid, LSN_ARGS(plan->txn->end_lsn), statement->object,
				plan->label, statement->sql);
}

void
schema_policy_leave_off(const SchemaPlan *plan)
{
	DdlPlan *statements = plan->plan;
	bool *off = arena_calloc(plan->arena, (size_t) statements->count + 1,
							 sizeof(bool));
	int count = 0;

	for (int i = 0; i < statements->count; i++)
	{
		const DdlStatement *statement = &statements->statements[i];

		off[i] = policy_of(plan, statement) == SCHEMA_OFF &&
				 !has_policy(plan, SCHEMA_STOP, statement);
	}
	for (int i = 0; i < statements->count; i++)
		if (off[i])
		{
			say_left_off(plan, &statements->statements[i]);
			leave_object_off(plan, &statements->statements[i]);
		}
	for (int i = 0; i < statements->count; i++)
		if (!off[i])
			statements->statements[count++] = statements->statements[i];
	statements->count = count;
}
