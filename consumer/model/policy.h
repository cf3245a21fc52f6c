/*
 * policy.h
 *    What to do when a target is not as the source expects it to be.
 *
 * A row to update or delete may be missing there, or a row to insert may be
 * there already.  A list of rules says what then happens, by table.
 */
#ifndef PENSTOCK_MODEL_POLICY_H
#define PENSTOCK_MODEL_POLICY_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/identifier.h"

typedef enum ConflictPolicy
{
	CONFLICT_STOP,      /* apply nothing of the transaction, and say why */
	CONFLICT_SKIP,      /* leave the target's row, and note both */
	CONFLICT_OVERWRITE, /* make the row what it is on the source, note both */
} ConflictPolicy;

typedef struct ConflictRule
{
	char schema[IDENTIFIER_SIZE]; /* empty: all tables without a rule */
	char table[IDENTIFIER_SIZE];
	ConflictPolicy policy;
} ConflictRule;

/* Rules that one command line can have. */
#define POLICY_RULES_MAX 256

typedef struct ConflictRules
{
	ConflictRule rules[POLICY_RULES_MAX];
	int count;
} ConflictRules;

/*
 * Adds a rule given as POLICY or SCHEMA.TABLE:POLICY, with names quoted as in
 * SQL where they have to be.  False if it is anything else, or one too many.
 */
bool policy_add_rule(ConflictRules *rules, const char *text);

/* The policy for a table; CONFLICT_STOP where no rule says otherwise.  NULL for
 * `rules` is an empty list. */
ConflictPolicy policy_of_table(const ConflictRules *rules, const char *schema,
							   const char *table);

/* Whether any table has another policy than to stop. */
bool policy_is_lenient(const ConflictRules *rules);

/* Appends a rule as policy_add_rule() reads it. */
void policy_append_rule(const ConflictRule *rule, Buf *buf);

/* skip, … */
const char *policy_name(ConflictPolicy policy);

/* What is done on the targets when the source's schema changes. */
typedef enum SchemaPolicy
{
	SCHEMA_OFF,    /* nothing is asked about it */
	SCHEMA_STOP,   /* following ends before the change */
	SCHEMA_FOLLOW, /* the same is done there */
} SchemaPolicy;

#endif /* PENSTOCK_MODEL_POLICY_H */
