/*
 * pattern_test.c
 *    Patterns of names, as conditions in SQL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/pattern.h"

#define MATCH(regexp)                                                          \
	"::text OPERATOR(pg_catalog.~) " regexp " COLLATE pg_catalog.\"C\""

static void
table_is(const char *pattern, const char *condition)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	assert_true(pattern_append_table(&sql, pattern, "s", "n"));
	assert_string_equal(sql.data, condition);
	buf_release(&sql);
}

static void
a_schema_and_a_name(void **state UNUSED)
{
	table_is("app.Orders",
			 "(s" MATCH("'^(app)$'") " AND n" MATCH("'^(orders)$'") ")");
	table_is("a*.b?[0-9]",
			 "(s" MATCH("'^(a.*)$'") " AND n" MATCH("'^(b.[0-9])$'") ")");
}

static void
without_a_schema_the_usual_ones(void **state UNUSED)
{
	table_is("orders",
			 "(s IN ('public', current_user) AND n" MATCH("'^(orders)$'") ")");
}

static void
quotes_take_it_as_it_is(void **state UNUSED)
{
	table_is("app.\"We.ird\"\"*\"", "(s" MATCH("'^(app)$'") " AND n" MATCH(
										" E'^(We\\\\.ird\"\\\\*)$'") ")");
	table_is("app.it's",
			 "(s" MATCH("'^(app)$'") " AND n" MATCH("'^(it''s)$'") ")");
}

static void
what_is_no_pattern_is_refused(void **state UNUSED)
{
	static const char *const wrong[] = {"", "a.b.c", ".a", "a.", "\"a", "\"\""};
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
		assert_false(pattern_append_table(&sql, wrong[i], "s", "n"));
	assert_false(pattern_append_schema(&sql, "a.b", "s"));
	assert_true(pattern_append_schema(&sql, "\"a.b\"", "s"));
	buf_release(&sql);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schema_and_a_name),
		cmocka_unit_test(without_a_schema_the_usual_ones),
		cmocka_unit_test(quotes_take_it_as_it_is),
		cmocka_unit_test(what_is_no_pattern_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
