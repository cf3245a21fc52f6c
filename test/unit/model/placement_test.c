/*
 * placement_test.c
 *    Which rule of a placement applies to a table, and invalid rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/placement.h"

#define ARENA_BYTES ((size_t) 1024)

static Arena *arena;
static Placement *placement;

static int
set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_BYTES);
	placement = placement_new(arena);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

static void
add(const char *tables, const char *place)
{
	Error err = {0};

	if (placement_add(placement, tables, place, 1, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
}

static void
refuse(const char *tables, const char *place, const char *message)
{
	Error err = {0};

	assert_int_equal(placement_add(placement, tables, place, 7, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, message);
	error_reset(&err);
}

/* How the table is placed. */
static void
expect(const char *schema, const char *table, const char *place)
{
	const PlacementRule *rule = placement_find(placement, schema, table);
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	if (rule != NULL)
		placement_append_place(rule, &buf);
	assert_string_equal(rule != NULL ? buf.data : "", place);
	buf_release(&buf);
}

static void
the_rule_that_says_most_of_the_name_counts(void **state UNUSED)
{
	add("*", "none");
	add("public.*", "all");
	add("public.order*", "hash(customer)");
	add("public.order_item*", "only b");
	add("public.order_items", "only c");
	add("public.\"order*\"", "only d");
	expect("other", "orders", "none");
	expect("public", "customer", "all");
	expect("public", "order", "hash(\"customer\")");
	expect("public", "orders", "hash(\"customer\")");
	expect("public", "order_items_old", "only \"b\"");
	expect("public", "order_items", "only \"c\"");
	expect("public", "order*", "only \"d\"");
	expect("Public", "orders", "none");
}

static void
without_a_rule_a_table_is_not_placed(void **state UNUSED)
{
	expect("public", "a", "");
	add("public.a", "all");
	expect("public", "a", "all");
	expect("public", "b", "");
	expect("other", "a", "");
}

static void
names_are_quoted_as_in_sql(void **state UNUSED)
{
	add("Shop.Orders", "HASH ( Customer , \"Line No\" )");
	add("\"My \"\"shop\"\"\".\"a.b\"*", "Only \"b\"");
	expect("shop", "orders", "hash(\"customer\", \"Line No\")");
	expect("My \"shop\"", "a.bc", "only \"b\"");
}

/* What targets have stored remains the same when a column is renamed. */
static void
a_column_has_former_names(void **state UNUSED)
{
	const PlacementRule *rule;
	Buf buf;

	add("public.a", "hash(c Formerly \"B b\"  formerly a, formerly)");
	expect("public", "a", "hash(\"a\", \"formerly\")");
	rule = placement_find(placement, "public", "a");
	assert_int_equal(rule->column_count, 2);
	assert_string_equal(rule->columns[0], "c");
	assert_true(placement_rule_is_named(rule, 0, "B b"));
	assert_true(placement_rule_is_named(rule, 1, "formerly"));
	assert_false(placement_rule_is_named(rule, 0, "b"));
	buf_init(&buf, BUF_TEXT_MAX);
	placement_append_line(rule, &buf);
	assert_string_equal(
		buf.data, "hash(\"c\" formerly \"B b\" formerly \"a\", \"formerly\")");
	buf_reset(&buf);
	placement_append_distribution(rule, "public", "a", NULL, &buf);
	assert_string_equal(buf.data,
						"\"public\".\"a\"(\"c\" formerly \"B b\" formerly "
						"\"a\", \"formerly\")");
	buf_reset(&buf);
	placement_append_distribution(
		rule, "public", "a",
		&(PlacedColumns){.oid = 4294967295, .count = 2, .attnums = {3, 1}},
		&buf);
	assert_string_equal(
		buf.data, "\"public\".\"a\" oid 4294967295 (\"c\" formerly \"B b\" "
				  "formerly \"a\" attnum 3, \"formerly\" attnum 1)");
	buf_release(&buf);
	assert_true(placement_rule_has_former(rule));
	add("public.b", "directory(b formerly a)");
	expect("public", "b", "directory(\"a\")");
}

static void
what_is_no_rule_is_refused(void **state UNUSED)
{
	static const char *const names[] = {"",     "a",    "a.",    ".b",  "a.b.c",
										"*.b",  "a.*b", "a.b**", "a b", "\"a.b",
										"a.b ", "a..b", "**"};
	static const char *const places[] = {
		"",
		"al",
		"all x",
		"hash",
		"hash()",
		"hash(a",
		"hash a",
		"hash(a,)",
		"hash(a) b",
		"only",
		"only a b",
		"nones",
		"hash(,a)",
		"hash((a))",
		"only \"a",
		"directory(a, b)",
		"all,none",
		"hash(a formerly a)",
		"hash(a formerly)",
		"hash(i formerly h formerly g formerly f formerly e formerly d "
		"formerly "
		"c formerly b formerly a)"};
	char message[128];

	for (size_t i = 0; i < LENGTH_OF(names); i++)
	{
		snprintf(message, sizeof(message), "invalid name of tables \"%s\"",
				 names[i]);
		refuse(names[i], "all", message);
	}
	for (size_t i = 0; i < LENGTH_OF(places); i++)
	{
		snprintf(message, sizeof(message), "invalid placement \"%s\"",
				 places[i]);
		refuse("a.b", places[i], message);
	}
	assert_int_equal(placement_rule_count(placement), 0);
}

static void
no_table_is_placed_twice(void **state UNUSED)
{
	add("public.a", "all");
	add("public.a*", "all");
	add("*", "all");
	refuse("PUBLIC.\"a\"", "none",
		   "\"PUBLIC.\"a\"\" is placed twice: line 1 does so too");
	refuse("public.a*", "all",
		   "\"public.a*\" is placed twice: line 1 does so too");
	refuse("*", "none", "\"*\" is placed twice: line 1 does so too");
}

static void
a_hash_has_a_limit_of_columns(void **state UNUSED)
{
	char place[256] = "hash(c";
	Error err = {0};

	for (int i = 1; i < RELATION_DISTRIBUTION_MAX; i++)
		memcpy(place + strlen(place), ", c", sizeof(", c"));
	memcpy(place + strlen(place), ")", sizeof(")"));
	add("public.a", place);
	memcpy(place + strlen(place) - 1, ", c)", sizeof(", c)"));
	assert_int_equal(placement_add(placement, "public.b", place, 1, &err),
					 RC_FAIL);
	error_reset(&err);
}

static void
the_plugin_is_told_of_hashed_tables(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	add("public.*", "hash(a, \"B \"\"b\")");
	placement_append_distribution(placement_find(placement, "public", "x"),
								  "public", "x", NULL, &buf);
	placement_append_distribution(placement_find(placement, "public", "Y\""),
								  "public", "Y\"", NULL, &buf);
	assert_string_equal(buf.data, "\"public\".\"x\"(\"a\", \"B \"\"b\"), "
								  "\"public\".\"Y\"\"\"(\"a\", \"B \"\"b\")");
	buf_release(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_rule_that_says_most_of_the_name_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_rule_a_table_is_not_placed,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_quoted_as_in_sql, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_column_has_former_names, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_rule_is_refused, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(no_table_is_placed_twice, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_hash_has_a_limit_of_columns, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(the_plugin_is_told_of_hashed_tables,
										set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
