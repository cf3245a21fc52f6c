/*
 * output_test.c
 *    Writing lines to a full file, and after a line that was truncated.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/json/output.h"

/* Opens an empty file that has no name any more, to append to. */
static int
open_file(void)
{
	char path[] = "/tmp/output_test.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

static void
put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

static void
assert_contents(int fd, const char *expected)
{
	char contents[256];
	ssize_t length = pread(fd, contents, sizeof(contents) - 1, 0);

	assert_true(length >= 0);
	contents[length] = '\0';
	assert_string_equal(contents, expected);
}

/* Appends and writes; what comes of it. */
static Rc
write_lines(Output *output, const char *text)
{
	Error err = {0};
	Rc rc;

	buf_append_string(&output->buf, text);
	rc = output_write(output, &err);
	assert_int_equal(rc == RC_FAIL, err.message != NULL);
	error_reset(&err);
	return rc;
}

/* From here on the file takes no more than so many bytes, as if it were full.
 */
static void
limit_file(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
test_goes_on_behind_whole_line(void **state UNUSED)
{
	Output output;
	int fd = open_file();

	put(fd, "before\n");
	output_open(&output, fd);
	assert_int_equal(write_lines(&output, "one\ntwo\n"), RC_OK);
	output_close(&output);
	assert_contents(fd, "before\none\ntwo\n");
	close(fd);
}

static void
test_begins_line_behind_cut_one(void **state UNUSED)
{
	Output output;
	int fd = open_file();

	put(fd, "before\ncut");
	output_open(&output, fd);
	assert_int_equal(write_lines(&output, "one\n"), RC_OK);
	output_close(&output);
	assert_contents(fd, "before\ncut\none\n");
	close(fd);
}

static void
test_takes_back_line_that_does_not_fit(void **state UNUSED)
{
	Output output;
	int fd = open_file();

	put(fd, "before\n");
	output_open(&output, fd);
	assert_int_equal(write_lines(&output, "one\n"), RC_OK);
	limit_file(17);
	assert_int_equal(write_lines(&output, "two\nthree\n"), RC_FAIL);
	assert_contents(fd, "before\none\ntwo\nth");
	output_close(&output);
	limit_file(RLIM_INFINITY);
	assert_contents(fd, "before\none\ntwo\n");

	output_open(&output, fd);
	assert_int_equal(write_lines(&output, "three\n"), RC_OK);
	output_close(&output);
	assert_contents(fd, "before\none\ntwo\nthree\n");
	close(fd);
}

static void
test_leaves_what_others_appended(void **state UNUSED)
{
	Output output;
	int fd = open_file();

	output_open(&output, fd);
	assert_int_equal(write_lines(&output, "one\ntw"), RC_OK);
	put(fd, "o\n");
	(void) lseek(fd, 6, SEEK_SET);
	output_close(&output);
	assert_contents(fd, "one\ntwo\n");
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on_behind_whole_line),
		cmocka_unit_test(test_begins_line_behind_cut_one),
		cmocka_unit_test(test_takes_back_line_that_does_not_fit),
		cmocka_unit_test(test_leaves_what_others_appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
