/*
 * target_name_test.c
 *    Names of targets, derived from their connection strings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/macros.h"
#include "net/target_name.h"

static void
assert_name(const char *conninfo, const char *expected)
{
	char *name = target_name(conninfo);

	assert_string_equal(name, expected);
	free(name);
}

static void
a_string_that_cannot_be_read_gives_no_name(void **state UNUSED)
{
	assert_name("", "target");
	assert_name("host", "target");
	assert_name("password=secret", "target");
}

static void
passwords_do_not_appear(void **state UNUSED)
{
	assert_name("dbname=shop password=secret", "target \"shop\"");
	assert_name("postgresql://me:secret@db2:5433/shop",
				"target \"shop@db2:5433\"");
}

static void
the_parts_that_are_given_are_the_name(void **state UNUSED)
{
	assert_name("host=db2", "target \"db2\"");
	assert_name("dbname=shop host=/run/pg port=5433",
				"target \"shop@/run/pg:5433\"");
	assert_name("dbname=shop hostaddr=10.0.0.1", "target \"shop@10.0.0.1\"");
	assert_name("service=replica", "target \"replica\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_string_that_cannot_be_read_gives_no_name),
		cmocka_unit_test(passwords_do_not_appear),
		cmocka_unit_test(the_parts_that_are_given_are_the_name),
	};

	return cmocka_run_group_tests_name("target_name", tests, NULL, NULL);
}
