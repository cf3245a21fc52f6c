/*
 * hash_test.c
 *    FNV-1a hashes, compared with published values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"

static void
texts_have_the_hashes_that_are_published(void **state UNUSED)
{
	assert_true(hash_text(HASH_START, "") == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_text(HASH_START, "a") == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_text(HASH_START, "foobar") ==
				UINT64_C(0x85944171f73967e8));
}

static void
pieces_have_the_hash_of_the_whole(void **state UNUSED)
{
	static const uint8_t number[] = {0x34, 0x12, 0, 0, 0, 0, 0, 0};
	uint64_t whole = hash_bytes(HASH_START, "foobar", 6);

	assert_true(hash_text(hash_bytes(HASH_START, "foo", 3), "bar") == whole);
	assert_true(hash_number(whole, 0x1234) ==
				hash_bytes(whole, number, sizeof(number)));
}

static void
slots_are_those_that_there_are(void **state UNUSED)
{
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(hash_slot(hash_number(HASH_START, i), 8) < 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_have_the_hashes_that_are_published),
		cmocka_unit_test(pieces_have_the_hash_of_the_whole),
		cmocka_unit_test(slots_are_those_that_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
