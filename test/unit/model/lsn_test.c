/*
 * lsn_test.c
 *    Parsing and printing LSNs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/macros.h"
#include "model/lsn.h"

static void
what_is_not_a_position_is_refused(void **state UNUSED)
{
	static const char *const wrong[] = {
		"",     "/",     "0",    "0/",          "/0",          "0/0/0", " 0/0",
		"0/0 ", "0x1/0", "g/0",  "-1/0",        "+1/0",        "0/-1",  "1 /0",
		"0/ 1", "0\\0",  "0/0x", "123456789/0", "0/123456789",
	};

	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
	{
		Lsn lsn = 77;

		assert_false(lsn_parse(wrong[i], &lsn));
		assert_int_equal(lsn, 77);
	}
}

static void
a_position_is_read_as_it_is_printed(void **state UNUSED)
{
	static const Lsn positions[] = {
		0,         1, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(0x16B374D848),
		UINT64_MAX};

	for (size_t i = 0; i < LENGTH_OF(positions); i++)
	{
		char text[LSN_TEXT_SIZE];
		Lsn lsn;

		snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(positions[i]));
		assert_true(lsn_parse(text, &lsn));
		assert_true(lsn == positions[i]);
	}
}

static void
digits_may_be_lower_case_and_have_zeros_before_them(void **state UNUSED)
{
	Lsn lsn;

	assert_true(lsn_parse("16/b374d848", &lsn));
	assert_true(lsn == UINT64_C(0x16B374D848));
	assert_true(lsn_parse("00000016/0000000A", &lsn));
	assert_true(lsn == UINT64_C(0x160000000A));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_a_position_is_refused),
		cmocka_unit_test(a_position_is_read_as_it_is_printed),
		cmocka_unit_test(digits_may_be_lower_case_and_have_zeros_before_them),
	};

	return cmocka_run_group_tests_name("lsn", tests, NULL, NULL);
}
