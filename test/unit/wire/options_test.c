/*
 * options_test.c
 *    What the output plugin is asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/options.h"

static void
appends(const WireOptions *options, const char *expected)
{
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	wire_options_append(options, &buf);
	assert_string_equal(buf.data, expected);
	buf_release(&buf);
}

static void
test_what_the_plugin_does_anyway_is_not_asked_for(void **state UNUSED)
{
	appends(
		&(WireOptions){.publications = "shop", .origin = "any", .binary = true},
		"\"proto_version\" '1', \"publications\" 'shop', "
		"\"origin\" 'any'");
}

static void
test_all_of_them(void **state UNUSED)
{
	appends(&(WireOptions){.publications = "\"it's\"",
						   .origin = "none",
						   .messages = true,
						   .skip_missing = true,
						   .streaming = true,
						   .bundle = true,
						   .schema_changes = true,
						   .distribution = "d",
						   .leave_out = "l",
						   .compression = "zstd"},
			"\"proto_version\" '1', \"publications\" '\"it''s\"', "
			"\"origin\" 'none', \"bundle\" 'true', \"messages\" 'true', "
			"\"binary\" 'false', \"skip_missing\" 'true', "
			"\"streaming\" 'true', \"schema_changes\" 'true', "
			"\"distribution\" 'd', "
			"\"leave_out\" 'l', \"compression\" 'zstd'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_plugin_does_anyway_is_not_asked_for),
		cmocka_unit_test(test_all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
