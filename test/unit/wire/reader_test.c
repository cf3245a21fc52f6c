/*
 * reader_test.c
 *    Varints and fields, above all those that are not well formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/xalloc.h"
#include "wire/reader.h"

/* Bytes in memory of just their size, so that a sanitizer sees the end. */
static uint8_t *
exact_copy(const void *bytes, size_t length)
{
	uint8_t *copy = xmalloc(length);

	memcpy(copy, bytes, length);
	return copy;
}

static bool
read_one_varint(const void *bytes, size_t length, uint64_t *number,
				size_t *taken)
{
	uint8_t *copy = exact_copy(bytes, length);
	Reader reader = reader_of((Span){copy, length});
	bool read = reader_varint(&reader, number);

	*taken = (size_t) (reader.at - copy);
	free(copy);
	return read;
}

static bool
read_one_field(const void *bytes, size_t length, Field *field, size_t *taken)
{
	uint8_t *copy = exact_copy(bytes, length);
	Reader reader = reader_of((Span){copy, length});
	bool read = reader_field(&reader, field);

	*taken = (size_t) (reader.at - copy);
	free(copy);
	return read;
}

#define REFUSED_VARINT(literal)                                                \
	assert_false(                                                              \
		read_one_varint((literal), sizeof(literal) - 1, &number, &taken))
#define ACCEPTED_VARINT(literal, expected)                                     \
	do                                                                         \
	{                                                                          \
		assert_true(                                                           \
			read_one_varint((literal), sizeof(literal) - 1, &number, &taken)); \
		assert_true(number == (expected));                                     \
		assert_int_equal(taken, sizeof(literal) - 1);                          \
	} while (0)
#define REFUSED_FIELD(literal)                                                 \
	assert_false(read_one_field((literal), sizeof(literal) - 1, &field, &taken))
#define ACCEPTED_FIELD(literal)                                                \
	do                                                                         \
	{                                                                          \
		assert_true(                                                           \
			read_one_field((literal), sizeof(literal) - 1, &field, &taken));   \
		assert_int_equal(taken, sizeof(literal) - 1);                          \
	} while (0)

static void
a_varint_that_is_cut_short_is_refused(void **state UNUSED)
{
	uint64_t number;
	size_t taken;

	REFUSED_VARINT("");
	REFUSED_VARINT("\x80");
	REFUSED_VARINT("\xff\xff\xff\xff\xff\xff\xff\xff\xff");
}

static void
a_varint_of_more_than_ten_bytes_is_refused(void **state UNUSED)
{
	uint64_t number;
	size_t taken;

	REFUSED_VARINT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
}

static void
varints_hold_every_number(void **state UNUSED)
{
	uint64_t number;
	size_t taken;

	ACCEPTED_VARINT("\x00", 0);
	ACCEPTED_VARINT("\x7f", 127);
	ACCEPTED_VARINT("\x80\x01", 128);
	ACCEPTED_VARINT("\xac\x02", 300);
	ACCEPTED_VARINT("\x80\x00", 0);
	ACCEPTED_VARINT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", UINT64_MAX);
}

static void
zigzag_reaches_both_ends(void **state UNUSED)
{
	assert_true(zigzag_decode(0) == 0);
	assert_true(zigzag_decode(1) == -1);
	assert_true(zigzag_decode(2) == 1);
	assert_true(zigzag_decode(UINT64_MAX - 1) == INT64_MAX);
	assert_true(zigzag_decode(UINT64_MAX) == INT64_MIN);
}

static void
a_tag_without_a_number_is_refused(void **state UNUSED)
{
	Field field;
	size_t taken;

	REFUSED_FIELD("");
	REFUSED_FIELD("\x00\x01");
	REFUSED_FIELD("\x02\x00");
	REFUSED_FIELD("\x80");
}

static void
a_tag_that_is_too_large_is_refused(void **state UNUSED)
{
	Field field;
	size_t taken;

	/* One bit more than 32, and a sixth byte that says nothing. */
	REFUSED_FIELD("\x88\x80\x80\x80\x10\x01");
	REFUSED_FIELD("\x88\x80\x80\x80\x80\x00\x01");
	ACCEPTED_FIELD("\xf8\xff\xff\xff\x0f\x01");
	assert_int_equal(field.number, (1 << 29) - 1);
}

static void
groups_and_unknown_wire_types_are_refused(void **state UNUSED)
{
	Field field;
	size_t taken;

	REFUSED_FIELD("\x0b\x0c");
	REFUSED_FIELD("\x0c\x00");
	REFUSED_FIELD("\x0e\x00");
	REFUSED_FIELD("\x0f\x00");
}

static void
a_field_that_reaches_beyond_the_end_is_refused(void **state UNUSED)
{
	Field field;
	size_t taken;

	REFUSED_FIELD("\x08");
	REFUSED_FIELD("\x09\x01\x02\x03\x04\x05\x06\x07");
	REFUSED_FIELD("\x0d\x01\x02\x03");
	REFUSED_FIELD("\x0a");
	REFUSED_FIELD("\x0a\x01");
	REFUSED_FIELD("\x0a\x03\x61\x62");
	REFUSED_FIELD("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x61");
}

static void
a_length_is_written_in_at_most_five_bytes(void **state UNUSED)
{
	Field field;
	size_t taken;

	REFUSED_FIELD("\x0a\x81\x80\x80\x80\x80\x00\x61");
	ACCEPTED_FIELD("\x0a\x81\x80\x80\x80\x00\x61");
	assert_int_equal(field.bytes.length, 1);
}

static void
fields_of_all_wire_types_are_read(void **state UNUSED)
{
	Field field;
	size_t taken;

	ACCEPTED_FIELD("\x08\x96\x01");
	assert_int_equal(field.number, 1);
	assert_int_equal(field.wire_type, WIRE_VARINT);
	assert_int_equal(field.varint, 150);
	ACCEPTED_FIELD("\x11\x01\x02\x03\x04\x05\x06\x07\x08");
	assert_int_equal(field.number, 2);
	assert_int_equal(field.wire_type, WIRE_FIXED64);
	assert_true(field.fixed64 == 0x0807060504030201);
	ACCEPTED_FIELD("\x1d\x01\x02\x03\x04");
	assert_int_equal(field.number, 3);
	assert_int_equal(field.wire_type, WIRE_FIXED32);
	ACCEPTED_FIELD("\x22\x00");
	assert_int_equal(field.bytes.length, 0);
	ACCEPTED_FIELD("\x22\x02\x61\x62");
	assert_int_equal(field.number, 4);
	assert_int_equal(field.wire_type, WIRE_BYTES);
	assert_int_equal(field.bytes.length, 2);
}

static void
bytes_are_lent_not_copied(void **state UNUSED)
{
	static const uint8_t bytes[] = {0x0a, 2, 'a', 'b', 0x10, 5};
	Reader reader = reader_of((Span){bytes, sizeof(bytes)});
	Field field;

	assert_true(reader_field(&reader, &field));
	assert_ptr_equal(field.bytes.data, bytes + 2);
	assert_false(reader_at_end(&reader));
	assert_true(reader_field(&reader, &field));
	assert_int_equal(field.varint, 5);
	assert_true(reader_at_end(&reader));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_varint_that_is_cut_short_is_refused),
		cmocka_unit_test(a_varint_of_more_than_ten_bytes_is_refused),
		cmocka_unit_test(varints_hold_every_number),
		cmocka_unit_test(zigzag_reaches_both_ends),
		cmocka_unit_test(a_tag_without_a_number_is_refused),
		cmocka_unit_test(a_tag_that_is_too_large_is_refused),
		cmocka_unit_test(groups_and_unknown_wire_types_are_refused),
		cmocka_unit_test(a_field_that_reaches_beyond_the_end_is_refused),
		cmocka_unit_test(a_length_is_written_in_at_most_five_bytes),
		cmocka_unit_test(fields_of_all_wire_types_are_read),
		cmocka_unit_test(bytes_are_lent_not_copied),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
