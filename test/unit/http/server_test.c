/*
 * server_test.c
 *    Which hosts a request may name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "http/server.h"

static void
numbers_and_own_names_are_ours(void **state UNUSED)
{
	static const char *const good[] = {"127.0.0.1",   "127.0.0.1:9187",
									   "[::1]:9187",  "LocalHost:9187",
									   "DB1.example", "10.1.2.3:80"};
	ListenAddress address;

	assert_true(listen_parse(&address, "db1.example:9187"));
	for (size_t i = 0; i < LENGTH_OF(good); i++)
		assert_true(http_host_is_ours(&address, good[i]));
}

static void
names_of_others_are_not(void **state UNUSED)
{
	static const char *const bad[] = {"evil.example", "localhost.evil.example",
									  "", "127.0.0.1.evil.example", "db1"};
	char text[1000];
	ListenAddress address;

	assert_true(listen_parse(&address, "db1.example:9187"));
	for (size_t i = 0; i < LENGTH_OF(bad); i++)
		assert_false(http_host_is_ours(&address, bad[i]));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(http_host_is_ours(&address, text));
	assert_false(http_host_is_ours(&address, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_own_names_are_ours),
		cmocka_unit_test(names_of_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
