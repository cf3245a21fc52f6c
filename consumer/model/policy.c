/*
 * policy.c
 *    Parses rules, and finds the rule for a table.
 */
#include "model/policy.h"

#include <stddef.h>
#include <string.h>


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
