/*
 * blocked_test.c
 *    Statements without their values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "net/blocked.h"

static void
shows(const char *statement, const char *expected)
{
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	blocked_append_statement(&text, statement, 60);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static void
values_are_not_told(void **state UNUSED)
{
	shows("UPDATE t1 SET a='x''y', b = 12.5 WHERE id=-7",
		  "UPDATE t1 SET a=?, b = ? WHERE id=-?");
	shows("SELECT E'it\\'s', \"a 1\", $1, col_2",
		  "SELECT E?, \"a ?\", $1, col_2");
	shows("SELECT 'not ended", "SELECT ?");
	shows("DO $$ secret $$", "DO …");
	shows("DO $a$ secret $a$", "DO …");
}

static void
it_is_one_short_line(void **state UNUSED)
{
	shows("SELECT\n\ta", "SELECT  a");
	shows(
		"SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_not_told),
		cmocka_unit_test(it_is_one_short_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
