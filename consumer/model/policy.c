/*
 * policy.c
 *    Parses rules, and finds the rule for a table.
 */
#include "model/policy.h"

#include <stddef.h>
#include <string.h>

#include "base/macros.h"

static const char *const policy_names[] = {
	[CONFLICT_STOP] = "stop",
	[CONFLICT_SKIP] = "skip",
	[CONFLICT_OVERWRITE] = "overwrite",
};

const char *
policy_name(ConflictPolicy policy)
{
	return policy_names[policy];
}

static bool
read_policy(const char *text, ConflictPolicy *policy)
{
	for (int i = 0; i <= CONFLICT_OVERWRITE; i++)
	{
		if (strcmp(policy_names[i], text) != 0)
			continue;
		*policy = (ConflictPolicy) i;
		return true;
	}
	return false;
}

bool
policy_add_rule(ConflictRules *rules, const char *text)
{
	ConflictRule *rule = &rules->rules[rules->count];

	if (rules->count == POLICY_RULES_MAX)
		return false;
	*rule = (ConflictRule){.policy = CONFLICT_STOP};
	if (!read_policy(text, &rule->policy))
	{
		text = identifier_read(text, rule->schema);
		if (text == NULL || *text != '.')
			return false;
		text = identifier_read(text + 1, rule->table);
		if (text == NULL || *text != ':' ||
			!read_policy(text + 1, &rule->policy))
			return false;
	}
	rules->count++;
	return true;
}

/*
 * A rule for the table takes precedence over one for all tables; of two equal
 * ones the last counts.
 */
ConflictPolicy
policy_of_table(const ConflictRules *rules, const char *schema,
				const char *table)
{
	ConflictPolicy policy = CONFLICT_STOP;
	bool named = false;

	for (int i = 0; rules != NULL && i < rules->count; i++)
	{
		const ConflictRule *rule = &rules->rules[i];
		bool names_it = strcmp(rule->schema, schema) == 0 &&
						strcmp(rule->table, table) == 0;

		if (names_it || (rule->schema[0] == '\0' && !named))
			policy = rule->policy;
		named = named || names_it;
	}
	return policy;
}

bool
policy_is_lenient(const ConflictRules *rules)
{
	for (int i = 0; rules != NULL && i < rules->count; i++)
		if (rules->rules[i].policy != CONFLICT_STOP)
			return true;
	return false;
}

void
policy_append_rule(const ConflictRule *rule, Buf *buf)
{
	if (rule->schema[0] != '\0')
	{
		buf_append_identifier(buf, rule->schema);
		buf_append_char(buf, '.');
		buf_append_identifier(buf, rule->table);
		buf_append_char(buf, ':');
	}
	buf_append_string(buf, policy_name(rule->policy));
}

/* ---- schema changes ----------------------------------------------------- */

const char *const policy_schema_kinds[] = {
	"create", "alter",           "rename",        "drop",
	"index",  "constraint",      "partition",     "sequence",
	"type",   POLICY_KIND_OTHER, POLICY_KIND_ALL, NULL,
};

static const char *const schema_policy_names[] = {
	[SCHEMA_OFF] = "off",
	[SCHEMA_STOP] = "stop",
	[SCHEMA_FOLLOW] = "follow",
};

/* What comes after the kind; NULL: it is none. */
static const char *
read_kind(const char *text, const char **kind)
{
	size_t length = strcspn(text, ".:");

	for (int i = 0; policy_schema_kinds[i] != NULL; i++)
		if (strlen(policy_schema_kinds[i]) == length &&
			strncmp(policy_schema_kinds[i], text, length) == 0)
		{
			*kind = policy_schema_kinds[i];
			return text + length;
		}
	return NULL;
}

static bool
read_schema_policy(const char *text, SchemaPolicy *policy)
{
	for (size_t i = 0; i < LENGTH_OF(schema_policy_names); i++)
		if (strcmp(schema_policy_names[i], text) == 0)
		{
			*policy = (SchemaPolicy) i;
			return true;
		}
	return false;
}

bool
policy_add_schema_rule(SchemaRules *rules, const char *text)
{
	SchemaRule rule = {.kind = NULL};

	text = read_kind(text, &rule.kind);
	if (text != NULL && *text == '.')
	{
		text = identifier_read(text + 1, rule.schema);
		if (text == NULL || *text != '.')
			return false;
		text = identifier_read(text + 1, rule.table);
	}
	if (text == NULL || *text != ':' ||
		!read_schema_policy(text + 1, &rule.policy) ||
		(rule.policy == SCHEMA_FOLLOW &&
		 strcmp(rule.kind, POLICY_KIND_OTHER) == 0) ||
		rules->count == POLICY_SCHEMA_RULES_MAX)
		return false;
	rules->rules[rules->count++] = rule;
	return true;
}

void
policy_append_schema_rule(const SchemaRule *rule, Buf *buf)
{
	buf_append_string(buf, rule->kind);
	if (rule->schema[0] != '\0')
	{
		buf_append_char(buf, '.');
		buf_append_identifier(buf, rule->schema);
		buf_append_char(buf, '.');
		buf_append_identifier(buf, rule->table);
	}
	buf_append_char(buf, ':');
	buf_append_string(buf, schema_policy_names[rule->policy]);
}

/* The least weight of a rule that names an object. */
#define WEIGHT_NAMED 3

/* How much a rule says of a change; 0: it is not about it. */
static int
weigh(const SchemaRule *rule, const char *kind, const char *schema,
	  const char *name)
{
	bool is_for_all = strcmp(rule->kind, POLICY_KIND_ALL) == 0 &&
					  strcmp(kind, POLICY_KIND_OTHER) != 0;

	if (!is_for_all && strcmp(rule->kind, kind) != 0)
		return 0;
	if (rule->schema[0] == '\0')
		return is_for_all ? 1 : 2;
	if (schema == NULL || name == NULL || strcmp(rule->schema, schema) != 0 ||
		strcmp(rule->table, name) != 0)
		return 0;
	return is_for_all ? WEIGHT_NAMED : WEIGHT_NAMED + 1;
}

SchemaPolicy
policy_of_schema_change(const SchemaRules *rules, const char *kind,
						const char *schema, const char *name,
						SchemaPolicy otherwise)
{
	int most = 0;

	for (int i = 0; rules != NULL && i < rules->count; i++)
	{
		int weight = weigh(&rules->rules[i], kind, schema, name);

		if (weight > 0 && weight >= most)
		{
			most = weight;
			otherwise = rules->rules[i].policy;
		}
	}
	return otherwise;
}

bool
policy_names_schema_object(const SchemaRules *rules, const char *kind,
						   const char *schema, const char *name)
{
	for (int i = 0; rules != NULL && i < rules->count; i++)
		if (weigh(&rules->rules[i], kind, schema, name) >= WEIGHT_NAMED)
			return true;
	return false;
}
