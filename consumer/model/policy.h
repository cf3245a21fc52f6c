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

/* A rule for a kind of change, or for that kind of change to one table. */
typedef struct SchemaRule
{
	const char *kind;             /* one of policy_schema_kinds */
	char schema[IDENTIFIER_SIZE]; /* empty: all objects without a rule */
	char table[IDENTIFIER_SIZE];
	SchemaPolicy policy;
} SchemaRule;

#define POLICY_SCHEMA_RULES_MAX 64

typedef struct SchemaRules
{
	SchemaRule rules[POLICY_SCHEMA_RULES_MAX];
	int count;
} SchemaRules;

/* The words for kinds, up to NULL: those of ddl_kind_name(), and the next. */
extern const char *const policy_schema_kinds[];

/* What is not followed at all, such as functions; and every other kind. */
#define POLICY_KIND_OTHER "other"
#define POLICY_KIND_ALL   "all"

/*
 * Adds a rule given as KIND:POLICY or KIND.SCHEMA.TABLE:POLICY, with names
 * quoted as in SQL where they have to be.  False if it is anything else, or one
 * too many; what is of kind other cannot be followed.
 */
bool policy_add_schema_rule(SchemaRules *rules, const char *text);

/* Appends a rule as policy_add_schema_rule() reads it. */
void policy_append_schema_rule(const SchemaRule *rule, Buf *buf);

/*
 * The policy for a change of the kind to an object; `otherwise` where no rule
 * says one.  A rule that names the object counts before one for all, one for
 * the kind before one for every kind; of two such rules the later one counts.
 * Schema and name may be NULL.
 */
SchemaPolicy policy_of_schema_change(const SchemaRules *rules, const char *kind,
									 const char *schema, const char *name,
									 SchemaPolicy otherwise);

/* Whether a rule for a change of the kind names this object. */
bool policy_names_schema_object(const SchemaRules *rules, const char *kind,
								const char *schema, const char *name);

#endif /* PENSTOCK_MODEL_POLICY_H */
