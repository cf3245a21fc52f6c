/*
 * contents_test.c
 *    Which entries of a dump are excluded from the restore.
 */
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

#include "copy/schema/contents.h"

#define TABLE_LINE   "217; 1259 16405 TABLE public orders alice\n"
#define KEY_LINE     "3012; 2606 16410 FK CONSTRAINT public orders fk alice\n"
#define ACL_LINE     "3100; 0 0 ACL public TABLE orders alice\n"
#define COMMENT_LINE "3101; 0 0 COMMENT - EXTENSION hstore \n"
#define HEAD_LINE    "; Archive created at 2026-01-01 00:00:00 UTC\n"

static ObjectId key[] = {{.class_oid = 2606, .oid = 16410}};
static const ObjectSet keys = {.count = 1, .objects = key};

static void
a_file_that_is_not_there_is_an_error(void **state UNUSED)
{
	const ContentsFilter all = {0};
	Error err = {0};

	assert_int_equal(
		contents_filter("/nonexistent/a", "/nonexistent/b", &all, &err),
		RC_FAIL);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.message, "/nonexistent/a"));
	error_reset(&err);
}

static void
without_a_filter_everything_passes(void **state UNUSED)
{
	const ContentsFilter all = {0};

	assert_true(contents_line_passes(TABLE_LINE, &all));
	assert_true(contents_line_passes(ACL_LINE, &all));
	assert_true(contents_line_passes(COMMENT_LINE, &all));
	assert_true(contents_line_passes(HEAD_LINE, &all));
	assert_true(contents_line_passes("\n", &all));
}

static void
what_others_build_is_left_out_with_its_attachments(void **state UNUSED)
{
	const ContentsFilter filter = {.built = &keys};

	assert_false(contents_line_passes(KEY_LINE, &filter));
	assert_false(contents_line_passes("9; 0 0 INDEX ATTACH s i a\n", &filter));
	assert_true(contents_line_passes("9; 1259 7 INDEX s i a\n", &filter));
	assert_true(contents_line_passes(TABLE_LINE, &filter));
}

static void
only_what_is_built_passes(void **state UNUSED)
{
	const ContentsFilter filter = {.only_builds = true};

	assert_true(contents_line_passes(KEY_LINE, &filter));
	assert_true(contents_line_passes("9; 0 0 INDEX ATTACH s i a\n", &filter));
	assert_true(contents_line_passes("9; 1259 7 INDEX s i a\n", &filter));
	assert_false(contents_line_passes(TABLE_LINE, &filter));
	assert_false(contents_line_passes(COMMENT_LINE, &filter));
	assert_true(contents_line_passes(HEAD_LINE, &filter));
}

static void
an_object_is_left_out_by_catalog_and_oid(void **state UNUSED)
{
	const ContentsFilter filter = {.without = &keys};

	assert_false(contents_line_passes(KEY_LINE, &filter));
	assert_true(contents_line_passes(TABLE_LINE, &filter));
	assert_true(contents_line_passes(ACL_LINE, &filter));
	/* The same OID in another catalog is another object. */
	assert_true(
		contents_line_passes("1; 1259 16410 TABLE public a b\n", &filter));
}

static void
only_what_is_asked_for_passes(void **state UNUSED)
{
	const ContentsFilter filter = {.only = &keys};

	assert_true(contents_line_passes(KEY_LINE, &filter));
	assert_false(contents_line_passes(TABLE_LINE, &filter));
	assert_false(contents_line_passes(ACL_LINE, &filter));
	assert_true(contents_line_passes(HEAD_LINE, &filter));
}

static void
comments_on_extensions_can_be_left_out(void **state UNUSED)
{
	const ContentsFilter filter = {.without_extension_comments = true};

	assert_false(contents_line_passes(COMMENT_LINE, &filter));
	assert_true(contents_line_passes(TABLE_LINE, &filter));
	assert_true(
		contents_line_passes("9; 0 0 COMMENT public TABLE a b\n", &filter));
}

/* As large as it takes for several writes. */
#define MANY_LINES 2000

static void
lift_limit(int signal_number UNUSED)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	(void) setrlimit(RLIMIT_FSIZE, &none);
}

static void
fill_file(const char *path)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	for (int i = 0; i < MANY_LINES; i++)
		fputs(TABLE_LINE, file);
	assert_int_equal(fclose(file), 0);
}

/* What is written to a disk that is full for a moment has a gap. */
static void
a_write_that_fails_once_is_an_error(void **state UNUSED)
{
	const ContentsFilter all = {0};
	const struct sigaction handler = {.sa_handler = lift_limit};
	const struct rlimit small = {1, RLIM_INFINITY};
	char from[] = "/tmp/penstock_contents_XXXXXX";
	char to[] = "/tmp/penstock_contents_XXXXXX";
	Error err = {0};
	Rc rc;

	close(mkstemp(from));
	close(mkstemp(to));
	fill_file(from);
	assert_int_equal(sigaction(SIGXFSZ, &handler, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = contents_filter(from, to, &all, &err);
	unlink(from);
	unlink(to);
	assert_int_equal(rc, RC_FAIL);
	assert_int_equal(err.code, ERR_IO);
	error_reset(&err);
}

/* The rest of such a line would be taken for an entry. */
static void
a_line_that_is_too_long_is_an_error(void **state UNUSED)
{
	char path[] = "/tmp/penstock_contents_XXXXXX";
	Arena *arena = arena_new(1024);
	ObjectSet objects;
	Error err = {0};
	FILE *file;
	Rc rc;

	close(mkstemp(path));
	file = fopen(path, "we");
	assert_non_null(file);
	for (int i = 0; i < CONTENTS_LINE_MAX - 1; i++)
		fputc('x', file);
	fputs(TABLE_LINE, file);
	assert_int_equal(fclose(file), 0);
	rc = contents_read_objects(path, &objects, arena, &err);
	unlink(path);
	assert_int_equal(rc, RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	error_reset(&err);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_not_there_is_an_error),
		cmocka_unit_test(without_a_filter_everything_passes),
		cmocka_unit_test(what_others_build_is_left_out_with_its_attachments),
		cmocka_unit_test(only_what_is_built_passes),
		cmocka_unit_test(an_object_is_left_out_by_catalog_and_oid),
		cmocka_unit_test(only_what_is_asked_for_passes),
		cmocka_unit_test(comments_on_extensions_can_be_left_out),
		cmocka_unit_test(a_write_that_fails_once_is_an_error),
		cmocka_unit_test(a_line_that_is_too_long_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
