/*
 * mask_test.c
 *    What leaves the machine, and what does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "cmd/report/mask.h"

static void
expect(const char *text, bool double_quotes, const char *wanted)
{
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	mask_append(&buf, text, double_quotes);
	assert_string_equal(buf.data, wanted);
	buf_release(&buf);
}

static void
values_are_masked(void **state UNUSED)
{
	expect("Key (mail)=(a@b.c) already exists", true,
		   "Key (mail)=(?) already exists");
	expect("Key (f(x), b)=((1,2), 3) exists", true, "Key (f(x), b)=(?) exists");
	expect("Failing row contains (1, secret).", true,
		   "Failing row contains (?).");
	expect("invalid input syntax for type integer: \"x1\"", true,
		   "invalid input syntax for type integer: \"?\"");
	expect("detail: The row: id = 5, b = x.\nnext", true,
		   "detail: The row: ?\nnext");
	expect("WHERE mail = 'a@b.c' AND b", false, "WHERE mail = '?' AND b");
	expect("index \"i\" of t", false, "index \"i\" of t");
}

static void
what_is_not_closed_is_masked_to_the_end(void **state UNUSED)
{
	expect("type: \"secret", true, "type: \"?\"");
	expect("(a)=(secret\nnext", true, "(a)=(?)\nnext");
	expect("'", true, "'?'");
}

static void
passwords_are_masked(void **state UNUSED)
{
	expect("host=a password=secret dbname=b", true,
		   "host=a password=? dbname=b");
	expect("password='my secret' dbname=b", true, "password=? dbname=b");
	expect("to postgresql://u:secret@h/db", true, "to postgresql://?@h/db");
	expect("at http://127.0.0.1:9187 now", true,
		   "at http://127.0.0.1:9187 now");
}

/* As an escape may end a string too early, nothing that has values is kept. */
static void
of_an_object_the_names_are_kept(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	mask_append_log_line(
		&buf, "{\"time\":\"2026\",\"level\":\"warning\",\"component\":\"a\","
			  "\"event\":\"a.b\",\"message\":\"secret\",\"sqlstate\":"
			  "\"23505\",\"detail\":\"secret\"}");
	assert_string_equal(buf.data, "2026 warning a.b 23505 ");
	buf_release(&buf);
}

static void
what_comes_after_a_line_break_is_masked(void **state UNUSED)
{
	static const struct
	{
		const char *line;
		const char *wanted;
	} lines[] = {
		{"2026-11-30 05:54:22.333+00 info a: b", NULL},
		{"  detail: c", NULL},
		{"    secret", "?"},
		{"secret\"", "?"},
		{"", "?"},
	};

	for (size_t i = 0; i < LENGTH_OF(lines); i++)
	{
		Buf buf;

		buf_init(&buf, BUF_TEXT_MAX);
		mask_append_log_line(&buf, lines[i].line);
		assert_string_equal(buf.data, lines[i].wanted != NULL ? lines[i].wanted
															  : lines[i].line);
		buf_release(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_masked),
		cmocka_unit_test(what_is_not_closed_is_masked_to_the_end),
		cmocka_unit_test(passwords_are_masked),
		cmocka_unit_test(of_an_object_the_names_are_kept),
		cmocka_unit_test(what_comes_after_a_line_break_is_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
