/*
 * json_test.c
 *    JSON that the writer makes of values, nested objects and invalid strings.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void
assert_string_becomes(const void *bytes, size_t length, const char *expected)
{
	Buf buf;

	buf_init(&buf, KB);
	json_append_string(&buf, bytes, length);
	assert_string_equal(buf.data, expected);
	buf_release(&buf);
}

#define ASSERT_BECOMES(literal, expected)                                      \
	assert_string_becomes((literal), sizeof(literal) - 1, "\"" expected "\"")

static void
a_full_buffer_is_marked_and_never_overrun(void **state UNUSED)
{
	Buf buf;
	Json json;

	buf_init(&buf, 8);
	json_init(&json, &buf);
	json_begin_array(&json);
	json_text(&json, "longer than that");
	json_int(&json, INT64_MIN);
	json_end_array(&json);
	assert_true(buf.overflowed);
	assert_true(buf.length <= 8);
	buf_release(&buf);
}

static void
bytes_that_are_not_utf8_are_replaced_one_by_one(void **state UNUSED)
{
	ASSERT_BECOMES("\xFF", "\xEF\xBF\xBD");
	ASSERT_BECOMES("a\x80z", "a\xEF\xBF\xBDz");
	ASSERT_BECOMES("a\xC3", "a\xEF\xBF\xBD");
	ASSERT_BECOMES("\xC3\"", "\xEF\xBF\xBD\\\"");
	ASSERT_BECOMES("\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD");
	ASSERT_BECOMES("\xE2\x82z", "\xEF\xBF\xBD\xEF\xBF\xBDz");
}

static void
forbidden_forms_of_utf8_are_replaced(void **state UNUSED)
{
	/* Overlong slash in two, three and four bytes. */
	ASSERT_BECOMES("\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD");
	ASSERT_BECOMES("\xE0\x80\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	ASSERT_BECOMES("\xF0\x80\x80\xAF",
				   "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	/* A surrogate, and the first code point that does not exist. */
	ASSERT_BECOMES("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	ASSERT_BECOMES("\xF4\x90\x80\x80",
				   "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	ASSERT_BECOMES("\xF5", "\xEF\xBF\xBD");
}

static void
valid_characters_pass_as_they_are(void **state UNUSED)
{
	ASSERT_BECOMES("", "");
	ASSERT_BECOMES("plain text / with slash", "plain text / with slash");
	ASSERT_BECOMES("\xC2\x80 \xDF\xBF", "\xC2\x80 \xDF\xBF");
	ASSERT_BECOMES("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80",
				   "\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80");
	ASSERT_BECOMES("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF",
				   "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
}

static void
quotes_and_control_characters_are_escaped(void **state UNUSED)
{
	ASSERT_BECOMES("say \"a\\b\"", "say \\\"a\\\\b\\\"");
	ASSERT_BECOMES("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
	ASSERT_BECOMES("\x01\x1F\x7F", "\\u0001\\u001f\\u007f");
	ASSERT_BECOMES("a\0b", "a\\u0000b");
}

static void
commas_and_colons_are_placed(void **state UNUSED)
{
	static const char expected[] =
		"{\"a\":[],\"b\":[1,[2],{}],\"c\":{\"d\":null,\"e\":true},\"f\":false}";
	Buf buf;
	Json json;

	buf_init(&buf, KB);
	json_init(&json, &buf);
	json_begin_object(&json);
	json_key(&json, "a");
	json_begin_array(&json);
	json_end_array(&json);
	json_key(&json, "b");
	json_begin_array(&json);
	json_int(&json, 1);
	json_begin_array(&json);
	json_int(&json, 2);
	json_end_array(&json);
	json_begin_object(&json);
	json_end_object(&json);
	json_end_array(&json);
	json_key(&json, "c");
	json_begin_object(&json);
	json_key(&json, "d");
	json_nothing(&json);
	json_key(&json, "e");
	json_bool(&json, true);
	json_end_object(&json);
	json_key(&json, "f");
	json_bool(&json, false);
	json_end_object(&json);
	assert_string_equal(buf.data, expected);
	buf_release(&buf);
}

static void
numbers_and_raw_values_are_written(void **state UNUSED)
{
	Buf buf;
	Json json;

	buf_init(&buf, KB);
	json_init(&json, &buf);
	json_begin_array(&json);
	json_int(&json, INT64_MIN);
	json_int(&json, INT64_MAX);
	json_fixed(&json, 2.449, 2);
	json_fixed(&json, (double) NAN, 2);
	json_fixed(&json, (double) INFINITY, 2);
	json_raw(&json, "1e999", 5);
	json_text(&json, NULL);
	json_text(&json, "x");
	json_end_array(&json);
	assert_string_equal(buf.data, "[-9223372036854775808,9223372036854775807,"
								  "2.45,null,null,1e999,null,\"x\"]");
	buf_release(&buf);
}

static void
the_buffer_may_be_emptied_in_between(void **state UNUSED)
{
	Buf buf;
	Json json;

	buf_init(&buf, KB);
	json_init(&json, &buf);
	json_begin_array(&json);
	json_int(&json, 1);
	buf_reset(&buf);
	json_int(&json, 2);
	json_end_array(&json);
	assert_string_equal(buf.data, ",2]");
	buf_release(&buf);
}

static void
lines_of_json_follow_each_other(void **state UNUSED)
{
	Buf buf;
	Json json;

	buf_init(&buf, KB);
	json_init(&json, &buf);
	for (int i = 0; i < 2; i++)
	{
		json_begin_array(&json);
		json_int(&json, i);
		json_end_array(&json);
		buf_append_char(&buf, '\n');
		json_reset(&json);
	}
	assert_string_equal(buf.data, "[0]\n[1]\n");
	buf_release(&buf);
}

static void
containers_nest_up_to_the_limit(void **state UNUSED)
{
	Buf buf;
	Json json;

	buf_init(&buf, KB);
	json_init(&json, &buf);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_begin_array(&json);
	json_int(&json, 1);
	json_int(&json, 2);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_end_array(&json);
	assert_int_equal(buf.length, 2 * JSON_DEPTH_MAX + 3);
	assert_int_equal(json.depth, 0);
	buf_release(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_buffer_is_marked_and_never_overrun),
		cmocka_unit_test(bytes_that_are_not_utf8_are_replaced_one_by_one),
		cmocka_unit_test(forbidden_forms_of_utf8_are_replaced),
		cmocka_unit_test(valid_characters_pass_as_they_are),
		cmocka_unit_test(quotes_and_control_characters_are_escaped),
		cmocka_unit_test(commas_and_colons_are_placed),
		cmocka_unit_test(numbers_and_raw_values_are_written),
		cmocka_unit_test(the_buffer_may_be_emptied_in_between),
		cmocka_unit_test(lines_of_json_follow_each_other),
		cmocka_unit_test(containers_nest_up_to_the_limit),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
