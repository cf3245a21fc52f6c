/*
 * spread_row_test.c
 *    Parsing rows of a COPY that begin with hashes, and invalid rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/hash.h"
#include "copy/rows/spread_row.h"

#define MESSAGE_MAX 128

/* A message in memory that may be written to. */
typedef struct Message
{
	char bytes[MESSAGE_MAX];
	char *at;
	size_t left;
} Message;

#define HEADER                                                                 \
	"PGCOPY\n\377\r\n\0"                                                       \
	"\0\0\0\0\0\0\0\0"

static void
set(Message *message, const char *bytes, size_t length)
{
	assert_true(length < MESSAGE_MAX);
	memset(message->bytes, 0, sizeof(message->bytes));
	memcpy(message->bytes, bytes, length);
	message->at = message->bytes;
	message->left = length;
}

#define SET(message, literal) set(message, literal, sizeof(literal) - 1)

static SpreadRow
take(Message *message, const SpreadFormat *format)
{
	SpreadRow row;

	assert_true(spread_row_take(format, &message->at, &message->left, &row));
	return row;
}

static void
assert_bytes(SpreadRow row, const char *bytes, size_t length)
{
	assert_int_equal(row.length, length);
	assert_memory_equal(row.data, bytes, length);
}

#define ASSERT_BYTES(row, literal)                                             \
	assert_bytes(row, literal, sizeof(literal) - 1)

static void
text_rows_lose_their_hashes(void **state UNUSED)
{
	const SpreadFormat format = {.hash_count = 2};
	Message message;
	SpreadRow row;

	SET(&message, "-5\t\\N\tone\ttwo\n");
	row = take(&message, &format);
	assert_true(row.is_row);
	ASSERT_BYTES(row, "one\ttwo\n");
	assert_true(row.hash == hash_combine(0, (uint64_t) -5));
	assert_int_equal(message.left, 0);
	SET(&message, "\\N\t\\N\t\n");
	assert_true(take(&message, &format).hash == 0);
}

static void
binary_rows_lose_their_hashes(void **state UNUSED)
{
	const SpreadFormat format = {.binary = true, .hash_count = 2};
	Message message;
	SpreadRow row;

	SET(&message,
		HEADER "\0\3\0\0\0\10\0\0\0\0\0\0\0\7\377\377\377\377\0\0\0\1x");
	row = take(&message, &format);
	assert_false(row.is_row);
	ASSERT_BYTES(row, HEADER);
	row = take(&message, &format);
	assert_true(row.is_row);
	ASSERT_BYTES(row, "\0\1\0\0\0\1x");
	assert_true(row.hash == hash_combine(0, 7));
	assert_int_equal(message.left, 0);
}

static void
what_stands_behind_all_rows_is_no_row(void **state UNUSED)
{
	const SpreadFormat format = {.binary = true, .hash_count = 1};
	Message message;
	SpreadRow row;

	SET(&message, "\377\377");
	row = take(&message, &format);
	assert_false(row.is_row);
	ASSERT_BYTES(row, "\377\377");
	SET(&message, HEADER "\377\377");
	ASSERT_BYTES(take(&message, &format), HEADER);
	ASSERT_BYTES(take(&message, &format), "\377\377");
}

static void
rows_without_hashes_stay_as_they_are(void **state UNUSED)
{
	const SpreadFormat text = {0};
	const SpreadFormat binary = {.binary = true};
	Message message;

	SET(&message, "a\tb\n");
	ASSERT_BYTES(take(&message, &text), "a\tb\n");
	SET(&message, "\0\1\0\0\0\1x");
	ASSERT_BYTES(take(&message, &binary), "\0\1\0\0\0\1x");
}

static void
a_number_is_taken_as_it_is(void **state UNUSED)
{
	const SpreadFormat format = {.hash_count = 1, .is_number = true};
	Message message;

	SET(&message, "3\tx\n");
	assert_int_equal(take(&message, &format).hash, 3);
	SET(&message, "-1\tx\n");
	assert_true(take(&message, &format).hash == UINT64_MAX);
	SET(&message, "\\N\tx\n");
	assert_true(take(&message, &format).hash == UINT64_MAX);
}

static void
what_copy_does_not_send_is_refused(void **state UNUSED)
{
	static const struct
	{
		bool binary;
		const char *bytes;
		size_t length;
	} messages[] = {
		{false, "x\ty\n", 4},
		{false, "5", 1},
		{false, "99999999999999999999\tx\n", 23},
		{true, "", 0},
		{true, "\0", 1},
		{true, "\0\0", 2},
		{true, "\0\1\0\0\0", 5},
		{true, "\0\1\0\0\0\4\0\0\0\1", 10},
		{true, "\0\1\0\0\0\10\0\0\0\1", 10},
	};

	for (size_t i = 0; i < LENGTH_OF(messages); i++)
	{
		const SpreadFormat format = {.binary = messages[i].binary,
									 .hash_count = 1};
		Message message;
		SpreadRow row;

		set(&message, messages[i].bytes, messages[i].length);
		assert_false(
			spread_row_take(&format, &message.at, &message.left, &row));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_rows_lose_their_hashes),
		cmocka_unit_test(binary_rows_lose_their_hashes),
		cmocka_unit_test(what_stands_behind_all_rows_is_no_row),
		cmocka_unit_test(rows_without_hashes_stay_as_they_are),
		cmocka_unit_test(a_number_is_taken_as_it_is),
		cmocka_unit_test(what_copy_does_not_send_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
