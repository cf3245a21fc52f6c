/*
 * listen_test.c
 *    Which addresses can be listened at.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/listen.h"
#include "base/macros.h"

static void
a_port_alone_is_of_this_machine(void **state UNUSED)
{
	ListenAddress address;

	assert_true(listen_parse(&address, "9187"));
	assert_string_equal(address.host, "127.0.0.1");
	assert_int_equal(address.port, 9187);
	assert_false(address.is_unix);
}

static void
a_host_may_be_a_name_or_a_number(void **state UNUSED)
{
	ListenAddress address;

	assert_true(listen_parse(&address, "db1.example:1"));
	assert_string_equal(address.host, "db1.example");
	assert_true(listen_parse(&address, "0.0.0.0:65535"));
	assert_int_equal(address.port, 65535);
	assert_true(listen_parse(&address, "[::1]:80"));
	assert_string_equal(address.host, "::1");
}

static void
a_path_is_absolute(void **state UNUSED)
{
	ListenAddress address;

	assert_true(listen_parse(&address, "unix:/run/penstock/http"));
	assert_true(address.is_unix);
	assert_string_equal(address.path, "/run/penstock/http");
	assert_false(listen_parse(&address, "unix:http"));
}

static void
others_are_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"",         "0",     "65536",  "9187x", "-1",  ":9187",  "::1:9187",
		"example:", "unix:", "a:b:80", "[]:1",  " 80", "host:0", "host:+9187"};
	ListenAddress address;

	for (size_t i = 0; i < LENGTH_OF(bad); i++)
		assert_false(listen_parse(&address, bad[i]));
}

static void
each_of_several_has_its_own(void **state UNUSED)
{
	ListenAddress address;
	Error err = {0};

	assert_true(listen_parse(&address, "65534"));
	assert_int_equal(listen_shift(&address, 1, "b", &err), RC_OK);
	assert_int_equal(address.port, 65535);
	assert_int_equal(listen_shift(&address, 1, "b", &err), RC_FAIL);
	error_reset(&err);
	assert_true(listen_parse(&address, "unix:/run/http"));
	assert_int_equal(listen_shift(&address, 1, "b", &err), RC_OK);
	assert_string_equal(address.path, "/run/http.b");
}

/* Makes an address in a new directory. */
static void
make_address(ListenAddress *address, char directory[static 32])
{
	char text[64];

	snprintf(directory, 32, "/tmp/listen_test.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(text, sizeof(text), "unix:%s/http", directory);
	assert_true(listen_parse(address, text));
}

static void
a_file_that_is_no_socket_stays(void **state UNUSED)
{
	ListenAddress address;
	Error err = {0};
	char directory[32];
	int file;
	int fd;

	make_address(&address, directory);
	file = open(address.path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	close(file);
	assert_int_equal(listen_open(&address, &fd, &err), RC_FAIL);
	assert_non_null(strstr(err.message, "is no socket"));
	assert_int_equal(fd, -1);
	assert_int_equal(unlink(address.path), 0);
	assert_int_equal(rmdir(directory), 0);
	error_reset(&err);
}

static void
a_socket_that_was_left_is_taken(void **state UNUSED)
{
	ListenAddress address;
	Error err = {0};
	char directory[32];
	int second;
	int fd;

	make_address(&address, directory);
	assert_int_equal(listen_open(&address, &fd, &err), RC_OK);
	assert_int_equal(listen_open(&address, &second, &err), RC_FAIL);
	error_reset(&err);
	close(fd);
	assert_int_equal(listen_open(&address, &fd, &err), RC_OK);
	listen_close(&address, fd);
	assert_int_equal(rmdir(directory), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_alone_is_of_this_machine),
		cmocka_unit_test(a_host_may_be_a_name_or_a_number),
		cmocka_unit_test(a_path_is_absolute),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(each_of_several_has_its_own),
		cmocka_unit_test(a_file_that_is_no_socket_stays),
		cmocka_unit_test(a_socket_that_was_left_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
