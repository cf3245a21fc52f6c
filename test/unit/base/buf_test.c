/*
 * buf_test.c
 *    A buffer grows up to its limit, and what it appends stays terminated by a
 *    zero.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
what_does_not_fit_is_not_appended(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, 5);
	buf_append_string(&buf, "abc");
	buf_append_string(&buf, "def");
	assert_true(buf.overflowed);
	assert_string_equal(buf.data, "abc");
	buf_append_char(&buf, 'x');
	assert_string_equal(buf.data, "abc");
	assert_null(buf_reserve(&buf, 0));
	buf_reset(&buf);
	assert_false(buf.overflowed);
	buf_append_string(&buf, "abcde");
	assert_false(buf.overflowed);
	assert_int_equal(buf.length, 5);
	buf_printf(&buf, "%d", 1);
	assert_true(buf.overflowed);
	buf_release(&buf);
}

static void
an_enormous_append_does_not_wrap_around(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, 100);
	buf_append_string(&buf, "abc");
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_true(buf.overflowed);
	buf_release(&buf);
}

static void
a_buffer_grows_and_always_ends_in_a_nul(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, 10 * KB);
	for (size_t i = 0; i < 10 * KB; i++)
	{
		buf_append_char(&buf, (char) ('a' + i % 26));
		assert_int_equal(buf.data[buf.length], 0);
		assert_true(buf.capacity > buf.length);
	}
	assert_int_equal(buf.length, 10 * KB);
	assert_false(buf.overflowed);
	for (size_t i = 0; i < 10 * KB; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	buf_release(&buf);
	assert_null(buf.data);
}

static void
reserved_room_counts_as_far_as_it_was_used(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, KB);
	for (int i = 0; i < 300; i++)
	{
		char *end = buf_reserve(&buf, 8);

		assert_ptr_equal(end, buf.data + buf.length);
		memset(end, 'a', 8);
		end[2] = 'c';
		buf_advance(&buf, 3);
	}
	assert_int_equal(buf.length, 900);
	assert_string_equal(buf.data + 894, "aacaac");
	buf_release(&buf);
}

static void
formatted_text_is_appended_whole(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, KB);
	buf_printf(&buf, "%s", "");
	assert_int_equal(buf.length, 0);
	buf_printf(&buf, "%0500d", 7);
	assert_int_equal(buf.length, 500);
	assert_int_equal(buf.data[499], '7');
	buf_release(&buf);
}

static void
integers_are_written_in_network_order(void **state UNUSED)
{
	static const unsigned char expected[] = {1, 2, 1, 2, 3, 4, 1,
											 2, 3, 4, 5, 6, 7, 8};
	Buf buf;

	buf_init(&buf, KB);
	buf_append_uint16(&buf, 0x0102);
	buf_append_uint32(&buf, 0x01020304);
	buf_append_uint64(&buf, UINT64_C(0x0102030405060708));
	assert_int_equal(buf.length, sizeof(expected));
	assert_memory_equal(buf.data, expected, sizeof(expected));
	buf_set_uint32(&buf, 10, 0x0a0b0c0d);
	assert_memory_equal(buf.data + 9, "\4\x0a\x0b\x0c\x0d", 5);
	buf_release(&buf);
}

static void
identifiers_and_literals_are_quoted(void **state UNUSED)
{
	Buf buf;

	buf_init(&buf, KB);
	buf_append_identifier(&buf, "a\"b'c");
	assert_string_equal(buf.data, "\"a\"\"b'c\"");
	buf_reset(&buf);
	buf_append_literal(&buf, "it's \"so\"");
	assert_string_equal(buf.data, "'it''s \"so\"'");
	buf_reset(&buf);
	buf_append_literal(&buf, "a\\b'");
	assert_string_equal(buf.data, " E'a\\\\b'''");
	buf_release(&buf);
}

static void
assert_shell_word(const char *word, const char *expected)
{
	Buf buf;

	buf_init(&buf, KB);
	buf_append_shell_word(&buf, word);
	assert_string_equal(buf.data, expected);
	buf_release(&buf);
}

static void
words_are_quoted_for_a_shell_where_they_have_to_be(void **state UNUSED)
{
	assert_shell_word("plain=a,b", "plain=a,b");
	assert_shell_word("", "''");
	assert_shell_word("$HOME `id` \"x\" \\", "'$HOME `id` \"x\" \\'");
	assert_shell_word("it's", "'it'\\''s'");
	assert_shell_word("caf\xc3\xa9", "'caf\xc3\xa9'");

	/* A line break would be moved where the word is printed. */
	assert_shell_word("a\nb", "$'a\\012b'");
	assert_shell_word("it's\t\\1", "$'it\\'s\\011\\\\1'");
}

static void
a_zeroed_buffer_may_be_released(void **state UNUSED)
{
	Buf buf = {0};

	buf_reset(&buf);
	buf_release(&buf);
	assert_null(buf.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_not_appended),
		cmocka_unit_test(an_enormous_append_does_not_wrap_around),
		cmocka_unit_test(a_buffer_grows_and_always_ends_in_a_nul),
		cmocka_unit_test(reserved_room_counts_as_far_as_it_was_used),
		cmocka_unit_test(formatted_text_is_appended_whole),
		cmocka_unit_test(integers_are_written_in_network_order),
		cmocka_unit_test(identifiers_and_literals_are_quoted),
		cmocka_unit_test(words_are_quoted_for_a_shell_where_they_have_to_be),
		cmocka_unit_test(a_zeroed_buffer_may_be_released),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
