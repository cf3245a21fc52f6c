/*
 * policy.h
 *    What to do on a conflict: a row of the target is not as the source
 *    expects it.
 *
 * A row to update or delete does not exist on the target, or a row to insert
 * exists already.  A list of rules gives the policy for each table.
 */
#ifndef PENSTOCK_MODEL_POLICY_H
#define PENSTOCK_MODEL_POLICY_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/identifier.h"

typedef enum ConflictPolicy
{
	CONFLICT_STOP,      /* roll back the transaction, and stop with an error */
	CONFLICT_SKIP,      /* keep the target's row, and record the conflict in
						 * penstock.conflict */
	CONFLICT_OVERWRITE, /* overwrite the target's row, and record the conflict
						 * there, too */
} ConflictPolicy;

typedef struct ConflictRule
{
	char schema[IDENTIFIER_SIZE]; /* empty: all tables without a rule of their
								   * own */
	char table[IDENTIFIER_SIZE];
	ConflictPolicy policy;
} ConflictRule;

/* Largest number of rules. */
#define POLICY_RULES_MAX 256

typedef struct ConflictRules
{
	ConflictRule rules[POLICY_RULES_MAX];
	int count;
} ConflictRules;

/*
 * Adds a rule given as POLICY or SCHEMA.TABLE:POLICY, with names quoted as in
 * SQL where needed.  Returns false if it is anything else, or if there are too
 * many.
 */
bool policy_add_rule(ConflictRules *rules, const char *text);

/*
 * Returns the policy for a table; CONFLICT_STOP if there is no rule for it.
 * `rules` may be NULL.
 */
ConflictPolicy policy_of_table(const ConflictRules *rules, const char *schema,
							   const char *table);

/* Whether any table has a policy other than CONFLICT_STOP. */
bool policy_is_lenient(const ConflictRules *rules);

/* Appends a rule in the syntax that policy_add_rule() reads. */
void policy_append_rule(const ConflictRule *rule, Buf *buf);

/* Returns "stop", "skip" or "overwrite". */
const char *policy_name(ConflictPolicy policy);

/* What to do when the source's schema changes. */
typedef enum SchemaPolicy
{
	SCHEMA_OFF,    /* the plugin is not asked for schema changes */
	SCHEMA_STOP,   /* stop before the change */
	SCHEMA_FOLLOW, /* change the targets' schema in the same way */
} SchemaPolicy;

#endif /* PENSTOCK_MODEL_POLICY_H */
