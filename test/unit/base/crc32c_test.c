/*
 * crc32c_test.c
 *    The checksum is the one that others compute.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/macros.h"

/* The examples of RFC 3720, section B.4, and the usual check value. */
static void
it_is_that_of_the_rfc(void **state UNUSED)
{
	uint8_t bytes[32];

	assert_int_equal(crc32c("123456789", 9), 0xE3069283U);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(bytes, sizeof(bytes)), 0x8A9136AAU);
	memset(bytes, 0xFF, sizeof(bytes));
	assert_int_equal(crc32c(bytes, sizeof(bytes)), 0x62A8AB43U);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t) i;
	assert_int_equal(crc32c(bytes, sizeof(bytes)), 0x46DD794EU);
}

static void
parts_have_the_crc_of_the_whole(void **state UNUSED)
{
	const char text[] = "a text that is longer than two words of eight bytes";
	uint32_t whole = crc32c(text, sizeof(text));

	for (size_t i = 0; i <= sizeof(text); i++)
		assert_int_equal(
			crc32c_extend(crc32c(text, i), text + i, sizeof(text) - i), whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_that_of_the_rfc),
		cmocka_unit_test(parts_have_the_crc_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
