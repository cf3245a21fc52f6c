/*
 * policy_test.c
 *    Parsing rules for conflicts and schema changes, and finding the rule of a
 *    table.
 */
#include "model/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
without_rules_a_conflict_stops(void **state)
{
	ConflictRules rules = {.count = 0};

	(void) state;
	assert_int_equal(policy_of_table(NULL, "public", "t"), CONFLICT_STOP);
	assert_int_equal(policy_of_table(&rules, "public", "t"), CONFLICT_STOP);
	assert_false(policy_is_lenient(&rules));
}

static void
a_rule_for_a_table_wins_over_one_for_all(void **state)
{
	ConflictRules rules = {.count = 0};

	(void) state;
	assert_true(policy_add_rule(&rules, "public.t:overwrite"));
	assert_true(policy_add_rule(&rules, "skip"));
	assert_int_equal(policy_of_table(&rules, "public", "t"),
					 CONFLICT_OVERWRITE);
	assert_int_equal(policy_of_table(&rules, "public", "u"), CONFLICT_SKIP);
	assert_int_equal(policy_of_table(&rules, "other", "t"), CONFLICT_SKIP);
	assert_true(policy_is_lenient(&rules));
}

static void
the_last_rule_for_a_table_wins(void **state)
{
	ConflictRules rules = {.count = 0};

	(void) state;
	assert_true(policy_add_rule(&rules, "public.t:overwrite"));
	assert_true(policy_add_rule(&rules, "public.t:stop"));
	assert_int_equal(policy_of_table(&rules, "public", "t"), CONFLICT_STOP);
}

static void
names_are_read_as_in_sql(void **state)
{
	ConflictRules rules = {.count = 0};

	(void) state;
	assert_true(policy_add_rule(&rules, "Public.Orders:skip"));
	assert_true(policy_add_rule(&rules, "\"My\"\"S\".\"a.b:c\":overwrite"));
	assert_int_equal(policy_of_table(&rules, "public", "orders"),
					 CONFLICT_SKIP);
	assert_int_equal(policy_of_table(&rules, "My\"S", "a.b:c"),
					 CONFLICT_OVERWRITE);
}

static void
anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"SKIP",
		"ignore",
		"t:skip",
		"public.t",
		"public.t:",
		"public.t:x",
		".t:skip",
		"public.:skip",
		"\"public.t:skip",
		"a.b.c:skip",
	};
	ConflictRules rules = {.count = 0};

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(policy_add_rule(&rules, bad[i]));
	assert_int_equal(rules.count, 0);
}

static void
there_is_a_limit_to_names_and_rules(void **state)
{
	ConflictRules rules = {.count = 0};
	char text[IDENTIFIER_SIZE + 16];

	(void) state;
	memset(text, 'x', sizeof(text));
	memcpy(text + IDENTIFIER_SIZE, ".t:skip", sizeof(".t:skip"));
	assert_false(policy_add_rule(&rules, text));
	for (int i = 0; i < POLICY_RULES_MAX; i++)
		assert_true(policy_add_rule(&rules, "skip"));
	assert_false(policy_add_rule(&rules, "skip"));
}

static SchemaPolicy
policy_for(const SchemaRules *rules, const char *kind, const char *table)
{
	return policy_of_schema_change(rules, kind, table != NULL ? "s" : NULL,
								   table, SCHEMA_FOLLOW);
}

static void
a_rule_for_a_schema_change_counts_by_what_it_says(void **state)
{
	SchemaRules rules = {.count = 0};

	(void) state;
	assert_int_equal(policy_for(&rules, "drop", "t"), SCHEMA_FOLLOW);
	assert_true(policy_add_schema_rule(&rules, "drop.s.t:off"));
	assert_true(policy_add_schema_rule(&rules, "all.s.u:off"));
	assert_true(policy_add_schema_rule(&rules, "drop:stop"));
	assert_true(policy_add_schema_rule(&rules, "all:stop"));
	assert_true(policy_add_schema_rule(&rules, "index:follow"));
	assert_int_equal(policy_for(&rules, "drop", "t"), SCHEMA_OFF);
	assert_int_equal(policy_for(&rules, "drop", "x"), SCHEMA_STOP);
	assert_int_equal(policy_for(&rules, "drop", NULL), SCHEMA_STOP);
	assert_int_equal(policy_for(&rules, "index", "u"), SCHEMA_OFF);
	assert_int_equal(policy_for(&rules, "index", "t"), SCHEMA_FOLLOW);
	assert_int_equal(policy_for(&rules, "alter", "t"), SCHEMA_STOP);
	assert_int_equal(policy_for(&rules, "other", NULL), SCHEMA_FOLLOW);
	assert_true(policy_add_schema_rule(&rules, "drop:follow"));
	assert_int_equal(policy_for(&rules, "drop", "x"), SCHEMA_FOLLOW);
}

static void
a_rule_for_schema_changes_is_read_as_it_is_written(void **state)
{
	static const char *const bad[] = {
		"",          "drop",         "drop:",      "drop:skip",
		"fall:off",  "other:follow", "drop.t:off", "drop.s.t.u:off",
		"drop:off ", "dropx:off",
	};
	SchemaRules rules = {.count = 0};
	Buf text;

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(policy_add_schema_rule(&rules, bad[i]));
	assert_int_equal(rules.count, 0);
	assert_true(policy_add_schema_rule(&rules, "rename.\"S.a\".\"b:c\":stop"));
	buf_init(&text, BUF_TEXT_MAX);
	policy_append_schema_rule(&rules.rules[0], &text);
	assert_string_equal(text.data, "rename.\"S.a\".\"b:c\":stop");
	buf_release(&text);
	while (rules.count < POLICY_SCHEMA_RULES_MAX)
		assert_true(policy_add_schema_rule(&rules, "other:stop"));
	assert_false(policy_add_schema_rule(&rules, "other:stop"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_a_conflict_stops),
		cmocka_unit_test(a_rule_for_a_table_wins_over_one_for_all),
		cmocka_unit_test(the_last_rule_for_a_table_wins),
		cmocka_unit_test(names_are_read_as_in_sql),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(there_is_a_limit_to_names_and_rules),
		cmocka_unit_test(a_rule_for_a_schema_change_counts_by_what_it_says),
		cmocka_unit_test(a_rule_for_schema_changes_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
