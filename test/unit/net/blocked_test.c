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
		  "SELECT E?, \"a 1\", $1, col_2");
	shows("SELECT 0x1F, 1_000, 1.5e10, a1, t2.c3, a[1:2]",
		  "SELECT ?, ?, ?, a1, t2.c3, a[?:?]");
	shows("SELECT 'not ended", "SELECT ?");
	shows("DO $$ secret $$", "DO …");
	shows("DO $a$ secret $a$", "DO …");
}

static void
backslashes_escape_only_where_it_is_said(void **state UNUSED)
{
	shows("SELECT 'C:\\dir', 'secret'", "SELECT ?, ?");
	shows("SELECT e'\\'', 'secret'", "SELECT e?, ?");
	/* The end of this one depends on standard_conforming_strings. */
	shows("SELECT 'C:\\', 'secret'", "SELECT …");
	shows("SELECT name'C:\\', 'secret'", "SELECT name…");
}

static void
comments_are_left_out(void **state UNUSED)
{
	shows("SELECT a -- it's\n, 'secret'", "SELECT a …");
	shows("SELECT a /* it's */, 'secret'", "SELECT a …");
	shows("SELECT a - 1 / 2, 'secret'", "SELECT a - ? / ?, ?");
}

static void
quoted_names_are_told_whole(void **state UNUSED)
{
	shows("SELECT \"it's\", 'secret'", "SELECT \"it's\", ?");
	shows("SELECT \"a\"\"'--\", 'secret'", "SELECT \"a\"\"'--\", ?");
	shows("SELECT \"not 'ended", "SELECT \"not 'ended");
}

static void
a_quote_too_much_ends_it(void **state UNUSED)
{
	shows("SELECT 'it's secret'", "SELECT …");
}

static void
it_is_one_short_line(void **state UNUSED)
{
	shows("SELECT\n\ta", "SELECT  a");
	shows("SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u00e9a",
		  "SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u00e9");
	shows(
		"SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"SELECT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_not_told),
		cmocka_unit_test(backslashes_escape_only_where_it_is_said),
		cmocka_unit_test(comments_are_left_out),
		cmocka_unit_test(quoted_names_are_told_whole),
		cmocka_unit_test(a_quote_too_much_ends_it),
		cmocka_unit_test(it_is_one_short_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
